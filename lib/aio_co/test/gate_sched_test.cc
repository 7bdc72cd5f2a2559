/* SPDX-License-Identifier: MIT */
/* Nobody is inside while the keeper works, and nobody waits for ever, in any interleaving. */
#include <gtest/gtest.h>

#include "test/harness/schedule.h"

extern "C" {
#include "lib/aio_co/src/gate.h"
}

namespace
{

using aiox_test::Event;
using aiox_test::ForEachSchedule;
using aiox_test::Mode;
using aiox_test::Schedule;
using aiox_test::ScheduleOptions;

/* What graph_lock.c makes of it; a visitor that waits sleeps on an event of its own. */
struct House {
    gate g = {};
    door doors[2] = {};
    Event bell;
    struct Guest {
        visitor v = {};
        Event called;
    };
    int text[2] = {}; /* the keeper changes both, visitors read both */

    House()
    {
        gate_init_(
            &g, [](void *self) { static_cast<House *>(self)->bell.Set(); }, this);
        gate_add_(&g, &doors[0]);
        gate_add_(&g, &doors[1]);
    }
    ~House()
    {
        gate_fini_(&g);
    }

    void Look()
    {
        AIOX_PLAIN_READ(&text);
        SCHEDULE_CHECK(text[0] == text[1]);
    }

    void Enter(int by, Guest *guest)
    {
        if (!gate_enter_(&g, &doors[by], &guest->v)) {
            guest->called.Wait();
        }
    }

    void Visit(int by, bool twice)
    {
        Guest guest;
        Guest again;
        Enter(by, &guest);
        Look();
        if (twice) {
            Enter(by, &again);
            Look();
            gate_leave_(&g, &doors[by]);
        }
        gate_leave_(&g, &doors[by]);
    }

    void TryVisit(int by)
    {
        if (gate_enter_(&g, &doors[by], nullptr)) {
            Look();
            gate_leave_(&g, &doors[by]);
        }
    }

    void Open(bool done)
    {
        aiox_list granted;
        aiox_list_init(&granted);
        gate_open_(&g, done, &granted);
        while (aiox_list_node *node = aiox_list_pop_front(&granted)) {
            Guest *guest = reinterpret_cast<Guest *>(node); /* link is first of v, v of Guest */
            guest->called.Set();
        }
    }

    void Write()
    {
        gate_want_(&g);
        while (!gate_is_empty_(&g) || !gate_close_(&g)) {
            if (g.closed) {
                Open(false);
            }
            bell.Wait();
        }
        AIOX_PLAIN_WRITE(&text);
        text[0]++;
        text[1]++;
        Open(true);
    }
};

aiox_test::ScheduleResult Explore(Mode mode, int bound,
                                  const std::function<void(Schedule &, House &)> &cast)
{
    ScheduleOptions options;
    options.mode = mode;
    options.bound = bound;
    return ForEachSchedule(options, [&cast](Schedule &s) {
        House house;
        cast(s, house);
        s.Run();
    });
}

class GateSchedule : public ::testing::TestWithParam<Mode>
{
};

TEST_P(GateSchedule, VisitorsByTwoDoorsAndAKeeper)
{
    EXPECT_SCHEDULES_PASS(Explore(GetParam(), 2, [](Schedule &s, House &house) {
        s.Thread("first", [&house] { house.Visit(0, false); });
        s.Thread("second", [&house] { house.Visit(1, false); });
        s.Thread("keeper", [&house] { house.Write(); });
    }));
}

TEST_P(GateSchedule, OneMayComeInTwice)
{
    EXPECT_SCHEDULES_PASS(Explore(GetParam(), 3, [](Schedule &s, House &house) {
        s.Thread("visitor", [&house] { house.Visit(0, true); });
        s.Thread("keeper", [&house] { house.Write(); });
    }));
}

TEST_P(GateSchedule, WhoOnlyTriesNeverWaitsAndNeverHoldsTheKeeperUp)
{
    EXPECT_SCHEDULES_PASS(Explore(GetParam(), 3, [](Schedule &s, House &house) {
        s.Thread("visitor", [&house] { house.TryVisit(0); });
        s.Thread("other", [&house] { house.TryVisit(1); });
        s.Thread("keeper", [&house] { house.Write(); });
    }));
}

TEST_P(GateSchedule, TheKeeperComesTwice)
{
    EXPECT_SCHEDULES_PASS(Explore(GetParam(), 2, [](Schedule &s, House &house) {
        s.Thread("visitor", [&house] { house.Visit(0, false); });
        s.Thread("keeper", [&house] {
            house.Write();
            house.Write();
        });
    }));
}

INSTANTIATE_TEST_SUITE_P(Modes, GateSchedule, aiox_test::AllModes(), aiox_test::NameOfMode);

} // namespace
