/* SPDX-License-Identifier: MIT */
/*
 * mutex_sched_test.cc - the mutex under every schedule of its users.
 *
 * Each coroutine is alone in its thread (fake_co.h). What is lost leaves one
 * waiting for ever, which fails the run; so does a wake too many, a race on
 * what a lock guards, and a look into memory that was freed.
 */
#include <cerrno>
#include <cstdlib>
#include <deque>

#include <gtest/gtest.h>

#include "lib/coroutine/test/fake_co.h"

namespace
{
using aiox_test::Event;
using aiox_test::ForEachSchedule;
using aiox_test::Schedule;
using co_testing::CheckAtRest;
using co_testing::CheckNamesNothingBelow;
using co_testing::FakeCo;
using co_testing::NameAll;

/* Something that a lock guards. */
struct Room {
    int visits = 0;
    int inside = 0;

    void Use()
    {
        AIOX_PLAIN_WRITE(&visits);
        SCHEDULE_CHECK(++inside == 1);
        visits++;
        inside--;
    }
};

void Visit(aiox_co_mutex *m, Room *room) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    aiox_co_mutex_lock(m);
    room->Use();
    aiox_co_mutex_unlock(m);
}

/* With a deadline; returns whether it was in time. */
bool VisitInTime(aiox_co_mutex *m, Room *room) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    int err = aiox_co_mutex_lock_until(m, 1);
    if (err < 0) {
        SCHEDULE_CHECK(err == -ETIMEDOUT);
        CheckNamesNothingBelow(m, __builtin_frame_address(0));
        return false;
    }
    room->Use();
    aiox_co_mutex_unlock(m);
    return true;
}

using MutexSchedule = co_testing::SyncSchedule;

/* So many coroutines, each there so often. In one executor nobody looks again: it waits. */
void VisitTogether(Schedule &s, int coroutines, int times, bool in_one_executor)
{
    static const char *const kNames[] = {"a", "b", "c"};
    aiox_co_mutex m = {};
    Room room;
    std::deque<FakeCo> visitors;
    NameAll(s, m);
    for (int i = 0; i < coroutines; i++) {
        visitors.emplace_back(kNames[i]);
        if (in_one_executor) {
            visitors[i].ShareHomeWith(visitors[0]);
        }
        visitors[i].Live(s, [&, times] {
            for (int left = times; left > 0; left--) {
                Visit(&m, &room);
            }
        });
    }
    s.Run();

    SCHEDULE_CHECK(room.visits == coroutines * times);
    CheckAtRest(&m);
}

TEST_P(MutexSchedule, TwoLockTwice)
{
    EXPECT_SCHEDULES_PASS(
        ForEachSchedule(Bound(4), [](Schedule &s) { VisitTogether(s, 2, 2, true); }));
}

TEST_P(MutexSchedule, ThreeLockOnce)
{
    EXPECT_SCHEDULES_PASS(
        ForEachSchedule(Bound(3), [](Schedule &s) { VisitTogether(s, 3, 1, true); }));
}

TEST_P(MutexSchedule, TwoSpin)
{
    EXPECT_SCHEDULES_PASS(
        ForEachSchedule(Bound(3), [](Schedule &s) { VisitTogether(s, 2, 2, false); }));
}

TEST_P(MutexSchedule, WithADeadlineItIsHandedOverOrLeft)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(Bound(3), [](Schedule &s) {
        aiox_co_mutex m = {};
        Room room;
        FakeCo a("a"), b("b"), c("c");
        NameAll(s, m);
        int in_time = 0;
        for (FakeCo *co : {&a, &b}) {
            co->ShareHomeWith(a);
            co->Live(s, [&] { Visit(&m, &room); });
        }
        c.ShareHomeWith(a);
        c.Live(s, [&] { in_time = VisitInTime(&m, &room); });
        s.Thread("clock", [&] { c.Strike(); });
        s.Run();

        SCHEDULE_CHECK(room.visits == 2 + in_time);
        CheckAtRest(&m);
    }));
}

TEST_P(MutexSchedule, TwoLeaveAtOnce)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(Bound(3), [](Schedule &s) {
        aiox_co_mutex m = {};
        Room room;
        FakeCo a("a"), b("b"), c("c");
        NameAll(s, m);
        int in_time[2] = {};
        a.Live(s, [&] { Visit(&m, &room); });
        b.Live(s, [&] { in_time[0] = VisitInTime(&m, &room); });
        c.Live(s, [&] { in_time[1] = VisitInTime(&m, &room); });
        b.ShareHomeWith(a);
        c.ShareHomeWith(a);
        b.Strike(); /* at once */
        c.Strike();
        s.Run();

        SCHEDULE_CHECK(room.visits == 1 + in_time[0] + in_time[1]);
        CheckAtRest(&m);
    }));
}

/* Whoever is the last to have used it frees it, whether it had it or left. */
TEST_P(MutexSchedule, IsNotTouchedAfterTheLastUser)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(Bound(3), [](Schedule &s) {
        struct Shared {
            aiox_co_mutex m;
            aiox_atomic_u32 users;
            Room room;
        };
        auto *shared = static_cast<Shared *>(calloc(1, sizeof(Shared)));
        shared->users.v_ = 3;
        NameAll(s, shared->m);
        auto done = [shared] {
            if (aiox_u32_sub_acq_rel(&shared->users, 1) == 1) {
                free(shared);
            }
        };
        FakeCo a("a"), b("b"), c("c");
        a.Live(s, [&] {
            Visit(&shared->m, &shared->room);
            done();
        });
        for (FakeCo *co : {&b, &c}) {
            co->ShareHomeWith(a);
            co->Strike();
            co->Live(s, [&] {
                VisitInTime(&shared->m, &shared->room);
                done();
            });
        }
        s.Run();
    }));
}

/* The holder may still be in its unlock. Somebody else may leave at the same time. */
TEST_P(MutexSchedule, MayBeFreedByTheNextHolderAtOnce)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(Bound(3), [](Schedule &s) {
        auto *m = static_cast<aiox_co_mutex *>(calloc(1, sizeof(aiox_co_mutex)));
        Room room;
        Event is_held[2], has_left;
        FakeCo a("a"), b("b"), c("c");
        NameAll(s, *m);
        for (FakeCo *co : {&a, &b, &c}) {
            co->ShareHomeWith(a);
        }
        struct First {
            static void Of(aiox_co_mutex *m, Event *is_held) AIOX_NO_THREAD_SAFETY_ANALYSIS
            {
                aiox_co_mutex_lock(m);
                is_held[0].Set();
                is_held[1].Set();
                aiox_co_mutex_unlock(m);
            }
        };
        a.Live(s, [&] { First::Of(m, is_held); });
        b.Live(s, [&] {
            is_held[0].Wait();
            Visit(m, &room);
            has_left.Wait();
            free(m);
        });
        c.Strike();
        c.Live(s, [&] {
            is_held[1].Wait();
            VisitInTime(m, &room);
            has_left.Set();
        });
        s.Run();
    }));
}

INSTANTIATE_TEST_SUITE_P(Modes, MutexSchedule, aiox_test::AllModes(), aiox_test::NameOfMode);
} // namespace
