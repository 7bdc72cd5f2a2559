/* SPDX-License-Identifier: MIT */
/*
 * timer_sched_test.cc - what aiox/timer.h promises, in every schedule.
 *
 * The home sleeps as a loop does: it asks for its time-out, and unless that is
 * 0 waits until it is told of a change, never mind how long. So a deadline of
 * which it is not told shows: at the end it sleeps for longer than it may. The
 * mutants in BUILD show that each of these tests can fail.
 */
#include "aiox/timer.h"

#include <cstdlib>
#include <exception>
#include <new>

#include <gtest/gtest.h>

#include "aiox/clock.h"
#include "test/harness/schedule.h"

namespace
{
using aiox_test::Event;
using aiox_test::ForEachSchedule;
using aiox_test::Mode;
using aiox_test::Schedule;
using aiox_test::ScheduleOptions;

constexpr int64_t kStart = 1000;

class TimerSchedule : public ::testing::TestWithParam<Mode>
{
  protected:
    TimerSchedule()
    {
        static const aiox_clock_source standing = {[](void *) { return kStart; },
                                                   [](void *) { return kStart; }, nullptr};
        aiox_clock_set_source(&standing);
    }
    ~TimerSchedule() override
    {
        aiox_clock_set_source(nullptr);
    }
    /* As many preemptions. */
    ScheduleOptions Bound(int bound) const
    {
        return {bound, GetParam(), 60};
    }
};

/* A run that failed is left in the middle: locks may be held, callbacks never return. */
bool IsLeftInTheMiddle()
{
    return std::uncaught_exceptions() > 0;
}

class Home
{
  public:
    Home()
    {
        aiox_timer_clock_enable(AIOX_CLOCK_MONOTONIC, true);
        aiox_virtual_clock_start();
        aiox_timer_group_init(&group_, &Home::Changed, this);
    }
    ~Home()
    {
        if (IsLeftInTheMiddle()) {
            aiox_list_remove(&group_.link_); /* all that the next run could stumble over */
        } else {
            aiox_timer_group_fini(&group_);
        }
    }
    void LiveIn(Schedule &s)
    {
        s.Name(&group_.lists_[0].lock_, "lock_");
        s.Name(&group_.lists_[0].next_ns_, "next_ns_");
        s.Daemon("home", [this] {
            for (;;) {
                sleeps_for_ = aiox_timer_group_timeout_ns(&group_);
                if (sleeps_for_ != 0) {
                    changed_.Wait();
                }
                aiox_timer_group_run(&group_);
            }
        });
    }
    /* After the run: the home is asleep, and for no longer than it may be. */
    void CheckSleep() const
    {
        int64_t may_sleep_for = aiox_timer_group_timeout_ns(&group_);
        SCHEDULE_CHECK(static_cast<uint64_t>(sleeps_for_) <= static_cast<uint64_t>(may_sleep_for));
    }
    aiox_timer_group *group()
    {
        return &group_;
    }

  private:
    static void Changed(void *self)
    {
        static_cast<Home *>(self)->changed_.Set();
    }

    aiox_timer_group group_;
    Event changed_;
    int64_t sleeps_for_ = 0;
};

/* A timer whose callback looks at plain data that the one who armed it wrote. */
struct Job {
    aiox_timer timer;
    int written = 0, seen = 0, runs = 0;
    int again = 0; /* how often the callback arms its timer */

    explicit Job(Home *home, aiox_clock clock = AIOX_CLOCK_MONOTONIC)
    {
        SCHEDULE_CHECK(aiox_timer_init_ns(&timer, home->group(), clock, &Job::Look, this) == 0);
    }
    ~Job()
    {
        if (!IsLeftInTheMiddle()) {
            aiox_timer_fini(&timer);
        }
    }
    void Arm(int value, int64_t deadline_ns)
    {
        AIOX_PLAIN_WRITE(&written);
        written = value;
        aiox_timer_mod_ns(&timer, deadline_ns);
    }
    static void Look(void *opaque)
    {
        auto *job = static_cast<Job *>(opaque);
        AIOX_PLAIN_READ(&job->written);
        AIOX_PLAIN_WRITE(&job->runs);
        job->seen = job->written;
        job->runs++;
        if (job->again-- > 0) {
            aiox_timer_mod_ns(&job->timer, 0);
        }
    }
};

TEST_P(TimerSchedule, WhatWasWrittenBeforeArmingIsVisibleToTheCallback)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3), [](Schedule &s) {
        Home home;
        Job job(&home);

        home.LiveIn(s);
        s.Thread("armer", [&] { job.Arm(7, kStart); });
        s.Run();

        SCHEDULE_CHECK(job.runs == 1 && job.seen == 7);
    }));
}

TEST_P(TimerSchedule, NoEarlierDeadlineIsSleptOver)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(2), [](Schedule &s) {
        Home home;
        Job job(&home);
        job.Arm(1, kStart + 1000);

        home.LiveIn(s);
        s.Thread("armer", [&] {
            aiox_timer_mod_ns(&job.timer, kStart + 500);
            aiox_timer_mod_earlier_ns(&job.timer, kStart + 200);
        });
        s.Run();

        home.CheckSleep();
    }));
}

TEST_P(TimerSchedule, NoDeadlineOfTwoWhoArmIsSleptOver)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(2), [](Schedule &s) {
        Home home;
        Job soon(&home), later(&home);

        home.LiveIn(s);
        s.Thread("soon", [&] { soon.Arm(1, kStart + 10); });
        s.Thread("later", [&] { later.Arm(1, kStart + 20); });
        s.Run();

        home.CheckSleep();
        SCHEDULE_CHECK(aiox_timer_group_timeout_ns(home.group()) == 10);
    }));
}

TEST_P(TimerSchedule, CancellingTheNextOneDoesNotHideAnother)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(2), [](Schedule &s) {
        Home home;
        Job first(&home), second(&home);
        first.Arm(1, kStart + 10);

        home.LiveIn(s);
        s.Thread("canceller", [&] { aiox_timer_cancel(&first.timer); });
        s.Thread("armer", [&] { second.Arm(1, kStart + 20); });
        s.Run();

        home.CheckSleep();
        SCHEDULE_CHECK(aiox_timer_group_timeout_ns(home.group()) == 20);
    }));
}

TEST_P(TimerSchedule, ArmedWhileTheHomeIsInAPassIsNotLost)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(2), [](Schedule &s) {
        Home home;
        Job due(&home), job(&home);
        due.again = 1;
        due.Arm(1, kStart);

        home.LiveIn(s);
        s.Thread("armer", [&] {
            job.Arm(1, kStart + 30);
            job.Arm(2, kStart);
        });
        s.Run();

        SCHEDULE_CHECK(due.runs == 2);
        SCHEDULE_CHECK(job.runs == 1 && job.seen == 2);
        home.CheckSleep();
    }));
}

TEST_P(TimerSchedule, CancelTellsTheTruth)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3), [](Schedule &s) {
        Home home;
        Job job(&home);
        bool cancelled = false;
        job.Arm(1, kStart);

        home.LiveIn(s);
        s.Thread("canceller", [&] { cancelled = aiox_timer_cancel(&job.timer); });
        s.Run();

        SCHEDULE_CHECK(job.runs == (cancelled ? 0 : 1));
    }));
}

TEST_P(TimerSchedule, TwoWhoPullAtOneTimerLeaveItArmedOrFired)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(2), [](Schedule &s) {
        Home home;
        Job job(&home);

        home.LiveIn(s);
        s.Thread("soon", [&] { aiox_timer_mod_ns(&job.timer, kStart); });
        s.Thread("later", [&] { aiox_timer_mod_ns(&job.timer, kStart + 50); });
        s.Run();

        SCHEDULE_CHECK(job.runs == 1 || aiox_timer_is_pending(&job.timer));
        SCHEDULE_CHECK(!aiox_timer_is_expired(&job.timer, kStart));
        home.CheckSleep();
    }));
}

TEST_P(TimerSchedule, FinishedElsewhereItsMemoryMayGoWhileTheCallbackRuns)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3), [](Schedule &s) {
        Home home;
        static aiox_atomic_u32 runs;
        auto *timer = static_cast<aiox_timer *>(malloc(sizeof(aiox_timer)));
        aiox_u32_store_relaxed(&runs, 0);
        SCHEDULE_CHECK(aiox_timer_init_ns(
                           timer, home.group(), AIOX_CLOCK_MONOTONIC,
                           [](void *) { aiox_u32_add_relaxed(&runs, 1); }, nullptr) == 0);
        aiox_timer_mod_ns(timer, kStart);

        home.LiveIn(s);
        s.Thread("owner", [&] {
            aiox_timer_fini(timer);
            free(timer); /* the explorer sees any use of it from here on */
        });
        s.Run();

        SCHEDULE_CHECK(aiox_u32_load_relaxed(&runs) <= 1);
    }));
}

TEST_P(TimerSchedule, AfterCancelSyncNothingOfTheCallbackIsLeft)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(2), [](Schedule &s) {
        Home home;
        auto *job = new (malloc(sizeof(Job))) Job(&home);
        job->again = 1;
        job->Arm(1, kStart);

        home.LiveIn(s);
        s.Thread("owner", [&] {
            aiox_timer_cancel_sync(&job->timer);
            SCHEDULE_CHECK(!aiox_timer_is_pending(&job->timer));
            job->~Job();
            free(job);
        });
        s.Run();

        home.CheckSleep();
    }));
}

TEST_P(TimerSchedule, WhileTheClockIsOffNoCallbackRuns)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(2), [](Schedule &s) {
        Home home;
        Job job(&home);
        job.Arm(1, kStart);

        home.LiveIn(s);
        s.Thread("switcher", [&] {
            aiox_timer_clock_enable(AIOX_CLOCK_MONOTONIC, false);
            AIOX_PLAIN_WRITE(&job.runs); /* a race with a callback that still runs */
            aiox_timer_clock_enable(AIOX_CLOCK_MONOTONIC, true);
        });
        s.Run();

        SCHEDULE_CHECK(job.runs == 1);
    }));
}

TEST_P(TimerSchedule, ATimerMadeElsewhereGrowsTheHeapUnderWhoeverArms)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(1), [](Schedule &s) {
        Home home;
        Job armed(&home), b(&home), c(&home), d(&home), e(&home), f(&home), g(&home), h(&home);
        armed.Arm(1, kStart + 5);
        alignas(Job) char memory[sizeof(Job)];
        Job *ninth = nullptr;

        home.LiveIn(s);
        s.Thread("maker", [&] {
            ninth = new (memory) Job(&home);
            ninth->Arm(1, kStart);
        });
        s.Thread("armer", [&] { b.Arm(1, kStart); });
        s.Run();

        SCHEDULE_CHECK(ninth->runs == 1 && b.runs == 1);
        SCHEDULE_CHECK(aiox_timer_group_timeout_ns(home.group()) == 5);
        ninth->~Job();
    }));
}

/* A clock that goes on by 1 whenever it is read, in one order for all. */
class TickingClock
{
  public:
    TickingClock()
    {
        aiox_clock_set_source(&source_);
    }

  private:
    static int64_t Read(void *self)
    {
        return static_cast<int64_t>(
            aiox_u64_add_seq_cst(&static_cast<TickingClock *>(self)->now_, 1));
    }
    aiox_atomic_u64 now_ = {1000};
    const aiox_clock_source source_ = {&TickingClock::Read, &TickingClock::Read, this};
};

TEST_P(TimerSchedule, VirtualTimeThatIsStoppedAndSteppedDoesNotGoBack)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3), [](Schedule &s) {
        TickingClock ticking;
        int64_t read[2] = {};
        aiox_virtual_clock_start();
        int64_t before = aiox_timer_clock_ns(AIOX_CLOCK_VIRTUAL);

        s.Thread("reader", [&] {
            read[0] = aiox_timer_clock_ns(AIOX_CLOCK_VIRTUAL);
            read[1] = aiox_timer_clock_ns(AIOX_CLOCK_VIRTUAL);
        });
        s.Thread("mover", [&] {
            aiox_virtual_clock_stop();
            aiox_virtual_clock_step_ns(100);
        });
        s.Run();

        int64_t after = aiox_timer_clock_ns(AIOX_CLOCK_VIRTUAL);
        SCHEDULE_CHECK(before < read[0] && read[0] <= read[1] && read[1] <= after);
        SCHEDULE_CHECK(after - before < 150);
    }));
}

TEST_P(TimerSchedule, VirtualTimeThatIsStartedGoesOnFromWhereItStood)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3), [](Schedule &s) {
        TickingClock ticking;
        int64_t read[2] = {};
        aiox_virtual_clock_stop();
        int64_t stood = aiox_timer_clock_ns(AIOX_CLOCK_VIRTUAL);

        s.Thread("reader", [&] {
            read[0] = aiox_timer_clock_ns(AIOX_CLOCK_VIRTUAL);
            read[1] = aiox_timer_clock_ns(AIOX_CLOCK_VIRTUAL);
        });
        s.Thread("mover", [&] { aiox_virtual_clock_start(); });
        s.Run();

        SCHEDULE_CHECK(stood <= read[0] && read[0] <= read[1] && read[1] < stood + 50);
    }));
}

TEST_P(TimerSchedule, AStepIsNotSleptOver)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(2), [](Schedule &s) {
        Home home;
        aiox_virtual_clock_stop();
        Job job(&home, AIOX_CLOCK_VIRTUAL);
        job.Arm(1, aiox_timer_clock_ns(AIOX_CLOCK_VIRTUAL) + 40);

        home.LiveIn(s);
        s.Thread("stepper", [&] { aiox_virtual_clock_step_ns(40); });
        s.Run();

        SCHEDULE_CHECK(job.runs == 1);
    }));
}

TEST_P(TimerSchedule, AJumpIsHeardOnceWhoeverReads)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule(Bound(3), [](Schedule &s) {
        static int64_t wall;
        static const aiox_clock_source source = {[](void *) { return kStart; },
                                                 [](void *) { return wall; }, nullptr};
        wall = kStart;
        aiox_clock_set_source(&source);
        struct Watcher : aiox_host_clock_watcher {
            Watcher()
            {
                aiox_host_clock_watch(
                    this, [](void *opaque, int64_t) { ++*static_cast<int *>(opaque); }, &heard);
                heard = 0; /* the run before this one may have left a jump */
            }
            ~Watcher()
            {
                aiox_host_clock_unwatch(this);
            }
            int heard = 0;
        } watcher;
        wall += AIOX_NS_PER_S;

        for (const char *name : {"one", "two"}) {
            s.Thread(name, [] { aiox_timer_clock_ns(AIOX_CLOCK_HOST); });
        }
        s.Run();

        SCHEDULE_CHECK(watcher.heard == 1);
    }));
}

INSTANTIATE_TEST_SUITE_P(Modes, TimerSchedule, aiox_test::AllModes(), aiox_test::NameOfMode);

} // namespace
