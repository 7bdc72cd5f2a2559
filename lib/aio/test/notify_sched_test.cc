/* SPDX-License-Identifier: MIT */
/* No ask is slept over, in any interleaving of the askers and the loop. */
#include <gtest/gtest.h>

#include "aiox/bh.h"
#include "test/harness/schedule.h"

extern "C" {
#include "lib/aio/src/notify.h"
}

namespace
{

using aiox_test::Event;
using aiox_test::ForEachSchedule;
using aiox_test::Mode;
using aiox_test::Schedule;
using aiox_test::ScheduleOptions;

constexpr int kAskers = 2;

/* Two pieces of work, asked for by two threads; only the ring orders them. */
struct Shop {
    notify n = {};
    Event bell;
    aiox_atomic_u32 asked[kAskers] = {};
    bool done[kAskers] = {};
    int sleeps = 0;
    int rings = 0;
    int rounds = 0;

    void Ask(int i)
    {
        aiox_u32_store_relaxed(&asked[i], 1);
        if (notify_ring_(&n)) {
            rings++;
            bell.Set();
        }
    }

    bool HasWork() const
    {
        for (const aiox_atomic_u32 &a : asked) {
            if (aiox_u32_load_relaxed(&a)) {
                return true;
            }
        }
        return false;
    }

    void Work()
    {
        for (int i = 0; i < kAskers; i++) {
            if (aiox_u32_load_relaxed(&asked[i])) {
                aiox_u32_store_relaxed(&asked[i], 0);
                done[i] = true;
            }
        }
    }

    /* The order of poll.c: look, announce unless there is work, sleep unless rung, accept, work. */
    void Turn()
    {
        if (!HasWork() && !notify_arm_(&n)) {
            sleeps++;
            bell.Wait();
        }
        notify_accept_(&n);
        Work();
    }

    /* Its order once it has looked busily: it looks again. */
    void TurnThatLooksTwice()
    {
        if (!HasWork() && !notify_is_rung_(&n) && !HasWork() && !notify_arm_(&n)) {
            sleeps++;
            bell.Wait();
        }
        notify_accept_(&n);
        Work();
    }

    /* Not the order of poll.c. */
    void TurnThatAnnouncesAndDoesNotListen()
    {
        bool work = HasWork();
        notify_arm_(&n);
        if (!work) {
            bell.Wait();
        }
        notify_accept_(&n);
        Work();
    }

    /* The order of foreign.c, for a host that leaves dispatch out every second time. */
    void RoundOfAGuest()
    {
        if (!notify_arm_(&n) && !HasWork()) {
            sleeps++;
            bell.Wait();
        }
        notify_wake_(&n);
        if (++rounds % 2 == 0) {
            notify_accept_(&n);
            Work();
        }
    }

    /* Not what a host may do. */
    void RoundThatSleepsTwice()
    {
        RoundOfAGuest();
        if (!HasWork()) {
            bell.Wait();
        }
    }

    void TurnThatAcceptsAfterTheWork()
    {
        if (!notify_arm_(&n) && !HasWork()) {
            bell.Wait();
        }
        Work();
        notify_accept_(&n);
    }
};

aiox_test::ScheduleResult Explore(Mode mode, int bound, void (Shop::*turn)())
{
    ScheduleOptions options;
    options.mode = mode;
    options.bound = bound;
    return ForEachSchedule(options, [turn](Schedule &s) {
        Shop shop;
        s.Daemon("loop", [&] {
            for (;;) {
                (shop.*turn)();
            }
        });
        for (int i = 0; i < kAskers; i++) {
            s.Thread(i ? "second asker" : "first asker", [&shop, i] { shop.Ask(i); });
        }
        s.Run();
        SCHEDULE_CHECK(shop.done[0] && shop.done[1]);
        SCHEDULE_CHECK(shop.rings <= shop.sleeps + 1);
    });
}

class NotifySchedule : public ::testing::TestWithParam<Mode>
{
};

TEST_P(NotifySchedule, NoAskIsSleptOver)
{
    EXPECT_ALL_SCHEDULES_PASS(Explore(GetParam(), 3, &Shop::Turn));
}

TEST_P(NotifySchedule, NoAskIsSleptOverByWhoLooksTwice)
{
    EXPECT_ALL_SCHEDULES_PASS(Explore(GetParam(), 3, &Shop::TurnThatLooksTwice));
}

TEST_P(NotifySchedule, ALoopThatAnnouncesAndDoesNotListenIsFound)
{
    EXPECT_SCHEDULES_FAIL("", Explore(GetParam(), 3, &Shop::TurnThatAnnouncesAndDoesNotListen));
}

TEST_P(NotifySchedule, ALoopThatAcceptsAfterTheWorkIsFound)
{
    EXPECT_SCHEDULES_FAIL("", Explore(GetParam(), 3, &Shop::TurnThatAcceptsAfterTheWork));
}

TEST_P(NotifySchedule, NoAskIsSleptOverByAGuest)
{
    EXPECT_ALL_SCHEDULES_PASS(Explore(GetParam(), 3, &Shop::RoundOfAGuest));
}

TEST_P(NotifySchedule, AHostThatSleepsWithoutPrepareIsFound)
{
    EXPECT_SCHEDULES_FAIL("", Explore(GetParam(), 3, &Shop::RoundThatSleepsTwice));
}

/* The bottom halves' own idea of an awake home, the word, and the bell, as poll.c joins them. */
struct Loop {
    notify n = {};
    Event bell;
    aiox_bh_queue bhs;
    aiox_bh *bh[kAskers] = {};
    int runs[kAskers] = {};

    Loop()
    {
        aiox_bh_queue_init(&bhs, &Loop::Ring, this);
        for (int i = 0; i < kAskers; i++) {
            EXPECT_EQ(aiox_bh_new(&bh[i], &bhs, "bh", &Loop::Count, &runs[i]), 0);
        }
    }

    ~Loop()
    {
        for (aiox_bh *each : bh) {
            aiox_bh_free(each);
        }
        aiox_bh_queue_run(&bhs);
        aiox_bh_queue_fini(&bhs);
    }

    static void Ring(void *opaque)
    {
        auto *self = static_cast<Loop *>(opaque);
        if (notify_ring_(&self->n)) {
            self->bell.Set();
        }
    }

    static void Count(void *runs)
    {
        ++*static_cast<int *>(runs);
    }

    void Turn()
    {
        if (aiox_bh_queue_timeout_ns(&bhs) != 0 && !notify_arm_(&n)) {
            bell.Wait();
        }
        notify_accept_(&n);
        aiox_bh_queue_run(&bhs);
    }
};

TEST_P(NotifySchedule, NoBottomHalfIsSleptOver)
{
    ScheduleOptions options;
    options.mode = GetParam();
    options.bound = 2;
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(options, [](Schedule &s) {
        Loop loop;
        s.Daemon("loop", [&] {
            for (;;) {
                loop.Turn();
            }
        });
        for (int i = 0; i < kAskers; i++) {
            s.Thread(i ? "second asker" : "first asker",
                     [&loop, i] { aiox_bh_schedule(loop.bh[i]); });
        }
        s.Run();
        SCHEDULE_CHECK(loop.runs[0] == 1);
        SCHEDULE_CHECK(loop.runs[1] == 1);
    }));
}

INSTANTIATE_TEST_SUITE_P(Memory, NotifySchedule,
                         ::testing::Values(Mode::kSc, Mode::kPso, Mode::kC11), [](const auto &p) {
                             return p.param == Mode::kSc    ? "SequentiallyConsistent"
                                    : p.param == Mode::kPso ? "LateStores"
                                                            : "C11";
                         });

} // namespace
