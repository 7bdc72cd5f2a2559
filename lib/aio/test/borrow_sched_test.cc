/* SPDX-License-Identifier: MIT */
/* A lent loop has one home at a time, nobody who waits is forgotten, and a sleeper gives way. */
#include <vector>

#include <gtest/gtest.h>

#include "test/harness/schedule.h"

extern "C" {
#include "lib/aio/src/borrow.h"
#include "lib/aio/src/notify.h"
}

namespace
{

using aiox_test::Event;
using aiox_test::ForEachSchedule;
using aiox_test::Mode;
using aiox_test::Schedule;
using aiox_test::ScheduleOptions;

/* What lend.c and poll.c make of the parts, with numbers for threads. */
struct Loop {
    borrow b = {};
    home place = {};
    notify n = {};
    Event bell;
    int holders = 0;
    int sleeps = 0;
    std::vector<uint64_t> order;

    explicit Loop(bool lent)
    {
        borrow_init_(&b);
        if (lent) {
            borrow_lend_(&b, 0);
            home_set_(&place, HOME_NOBODY);
        }
    }
    ~Loop()
    {
        pthread_mutex_destroy(&b.lock); /* loops that never end may still wait */
    }

    void Ring()
    {
        if (notify_ring_(&n)) {
            bell.Set();
        }
    }

    void Begin(uint64_t me)
    {
        AIOX_PLAIN_WRITE(&holders);
        SCHEDULE_CHECK(holders++ == 0);
        order.push_back(me);
    }

    void Acquire(uint64_t me)
    {
        borrower w;
        if (!borrow_enter_(&b, &place, &w, me)) {
            Ring();
            borrow_wait_(&w);
        }
        Begin(me);
        if (borrow_is_new_(&b, me)) {
            Ring();
        }
    }

    void Release()
    {
        AIOX_PLAIN_WRITE(&holders);
        holders--;
        borrow_give_(&b, &place);
    }

    /* Nothing ever happens but rings. */
    void Turn()
    {
        if (!notify_arm_(&n)) {
            sleeps++;
            bell.Wait();
        }
        notify_accept_(&n);
    }
};

ScheduleOptions With(Mode mode, int bound)
{
    ScheduleOptions options;
    options.mode = mode;
    options.bound = bound;
    return options;
}

class BorrowSchedule : public ::testing::TestWithParam<Mode>
{
};

TEST_P(BorrowSchedule, ThreeTakeTurnsAndNobodyIsForgotten)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(With(GetParam(), 2), [](Schedule &s) {
        Loop loop(true);
        for (uint64_t me : {1, 2, 3}) {
            s.Thread("borrower", [&loop, me] {
                loop.Acquire(me);
                loop.Release();
            });
        }
        s.Run();
        SCHEDULE_CHECK(loop.order.size() == 3);
        SCHEDULE_CHECK(!borrow_is_wanted_(&loop.b));
    }));
}

/* The loop's thread sleeps whenever it may: each borrower has to get it out of that. */
TEST_P(BorrowSchedule, ASleepingHomeGivesWayToEachOfTwo)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(With(GetParam(), 2), [](Schedule &s) {
        Loop loop(true);
        s.Daemon("loop", [&loop] {
            for (;;) {
                loop.Acquire(1);
                loop.Turn();
                loop.Release();
            }
        });
        for (uint64_t me : {2, 3}) {
            s.Thread("borrower", [&loop, me] {
                loop.Acquire(me);
                loop.Release();
            });
        }
        s.Run();
    }));
}

/* Two that turn the loop: a ring may be heard by the one for whom it was not meant. */
TEST_P(BorrowSchedule, ARingThatAnotherHomeHasHeardIsRungAgain)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(With(GetParam(), 2), [](Schedule &s) {
        Loop loop(true);
        bool done = false;
        s.Daemon("loop", [&loop] {
            for (;;) {
                loop.Acquire(1);
                loop.Turn();
                loop.Release();
            }
        });
        s.Daemon("one turn", [&loop] {
            loop.Acquire(2);
            loop.Turn();
            loop.Release();
        });
        s.Thread("borrower", [&] {
            loop.Acquire(3);
            done = true;
            loop.Release();
        });
        s.Run();
        SCHEDULE_CHECK(done);
    }));
}

/* Without the ring of a new home, the borrower's look is the last that hears of the stop. */
TEST_P(BorrowSchedule, AFlagThatALoopIsToldOfIsSeenThoughABorrowerHeardTheRing)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(With(GetParam(), 3), [](Schedule &s) {
        Loop loop(true);
        aiox_atomic_u32 stop = {};
        s.Thread("loop", [&] {
            while (!aiox_u32_load_relaxed(&stop)) {
                loop.Acquire(1);
                loop.Turn();
                loop.Release();
            }
        });
        s.Thread("borrower", [&] {
            loop.Acquire(2);
            notify_accept_(&loop.n);
            loop.Release();
        });
        s.Thread("stopper", [&] {
            aiox_u32_store_relaxed(&stop, 1);
            loop.Ring();
        });
        s.Run();
    }));
}

TEST_P(BorrowSchedule, APlainHomeIsFoundBetweenTwoTurns)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(With(GetParam(), 3), [](Schedule &s) {
        Loop loop(false);
        home_set_(&loop.place, 1);
        s.Daemon("loop", [&loop] {
            while (!borrow_is_wanted_(&loop.b)) {
                loop.Turn();
            }
            borrow_lend_(&loop.b, 1);
            borrow_give_(&loop.b, &loop.place);
        });
        s.Thread("borrower", [&loop] {
            loop.Acquire(2);
            loop.Release();
        });
        s.Run();
        SCHEDULE_CHECK(loop.order.size() == 1);
    }));
}

/* Nobody's yet: a borrower and the thread of the loop begin at once, and either may be first. */
TEST_P(BorrowSchedule, ALoopMayBeginWhileItsFirstBorrowerIsAboutToLendIt)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(With(GetParam(), 3), [](Schedule &s) {
        Loop loop(false);
        s.Thread("borrower", [&loop] {
            loop.Acquire(2);
            if (!loop.b.lent) {
                borrow_lend_(&loop.b, 2);
            }
            loop.Release();
        });
        s.Thread("loop", [&loop] {
            if (!home_change_(&loop.place, HOME_NONE_YET, 1)) {
                SCHEDULE_CHECK(borrow_is_for_all_(&loop.b));
                loop.Acquire(1);
                loop.Release();
                return;
            }
            while (!borrow_is_wanted_(&loop.b)) {
                loop.Turn();
            }
            borrow_lend_(&loop.b, 1);
            borrow_give_(&loop.b, &loop.place);
        });
        s.Run();
        SCHEDULE_CHECK(loop.order.size() == 2 || loop.order[0] == 2);
    }));
}

/* Who is known to have lined up first is served first. */
TEST_P(BorrowSchedule, FirstComeFirstServed)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(With(GetParam(), 2), [](Schedule &s) {
        Loop loop(true);
        borrower first;
        borrower second;
        loop.Acquire(9);
        SCHEDULE_CHECK(!borrow_enter_(&loop.b, &loop.place, &first, 1));
        SCHEDULE_CHECK(!borrow_enter_(&loop.b, &loop.place, &second, 2));
        s.Thread("second", [&] {
            borrow_wait_(&second);
            loop.Begin(2);
            loop.Release();
        });
        s.Thread("first", [&] {
            borrow_wait_(&first);
            loop.Begin(1);
            loop.Release();
        });
        s.Thread("third", [&] {
            loop.Acquire(3);
            loop.Release();
        });
        s.Thread("holder", [&] { loop.Release(); });
        s.Run();
        SCHEDULE_CHECK(loop.order.size() == 4);
        SCHEDULE_CHECK(loop.order[1] == 1);
        SCHEDULE_CHECK(loop.order[2] == 2);
    }));
}

INSTANTIATE_TEST_SUITE_P(Modes, BorrowSchedule, aiox_test::AllModes(), aiox_test::NameOfMode);

} // namespace
