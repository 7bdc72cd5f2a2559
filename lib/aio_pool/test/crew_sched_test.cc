/* SPDX-License-Identifier: MIT */
/*
 * crew_sched_test.cc - no job is forgotten, in every schedule.
 *
 * Threads that the crew starts are threads of the schedule that wait until
 * they are wanted. A sleep of a worker ends by a call, or for no reason, which
 * with an idle time of 1 ns is the same as its end.
 */
#include <cerrno>
#include <vector>

#include <gtest/gtest.h>

#include "lib/aio_pool/src/crew.h"
#include "test/harness/schedule.h"

namespace
{
using aiox_test::Event;
using aiox_test::ForEachSchedule;
using aiox_test::Mode;
using aiox_test::Schedule;
using aiox_test::ScheduleOptions;

/* Threads to be had, one at a time in this program. */
class Barracks
{
  public:
    explicit Barracks(Schedule &s, int count) : slots_(static_cast<size_t>(count))
    {
        self_ = this;
        for (Slot &slot : slots_) {
            s.Daemon("worker", [&slot] { slot.Live(); });
        }
    }
    static const crew_threads *Threads()
    {
        static const crew_threads threads = {&Barracks::Start, [] {}, &Barracks::Join};
        return &threads;
    }
    bool AllHaveEnded() const
    {
        for (const Slot &slot : slots_) {
            if (slot.taken != slot.ended) {
                return false;
            }
        }
        return true;
    }
    int started = 0;

  private:
    struct Slot {
        bool taken = false, ended = false;
        pthread_t thread = {};
        Event begin;
        void *(*work)(void *) = nullptr;
        void *opaque = nullptr;

        void Live()
        {
            begin.Wait();
            thread = pthread_self();
            work(opaque);
            ended = true;
        }
    };
    static int Start(void *(*work)(void *), void *opaque)
    {
        for (Slot &slot : self_->slots_) {
            if (!slot.taken) {
                slot.taken = true;
                slot.work = work;
                slot.opaque = opaque;
                self_->started++;
                slot.begin.Set();
                return 0;
            }
        }
        return -EAGAIN;
    }
    static void Join(pthread_t thread)
    {
        for (Slot &slot : self_->slots_) {
            if (slot.taken && slot.thread == thread) {
                aiox_test::WaitUntil([&slot] { return slot.ended; });
                return;
            }
        }
        aiox_test::FailSchedule("a thread is joined that never was");
    }

    static Barracks *self_;
    std::vector<Slot> slots_;
};

Barracks *Barracks::self_;

struct Job {
    aiox_pool_job job = {};
    int written = 0, ran = 0, told = 0, result = 99;

    Job()
    {
        job.run = &Job::Run;
        job.opaque = this;
    }
    static int Run(void *opaque)
    {
        auto *self = static_cast<Job *>(opaque);
        AIOX_PLAIN_READ(&self->written);
        SCHEDULE_CHECK(self->written == 1);
        AIOX_PLAIN_WRITE(&self->ran);
        self->ran++;
        return 0;
    }
    /* Told by whoever ended it. */
    static void Tell(void *, aiox_pool_job *job)
    {
        auto *self = static_cast<Job *>(job->opaque);
        self->told++;
        self->result = job->result_;
    }
    void Submit(crew *c)
    {
        AIOX_PLAIN_WRITE(&written);
        written = 1;
        crew_submit_(c, &job);
    }
    bool EndedWell() const
    {
        return told == 1 && ran == 1 && result == 0;
    }
};

class House
{
  public:
    House()
    {
        crew_init_(&crew_, Barracks::Threads(), &Job::Tell, nullptr);
    }
    operator crew *()
    {
        return &crew_;
    }
    const crew *operator->() const
    {
        return &crew_;
    }

  private:
    crew crew_;
};

class CrewSchedule : public ::testing::TestWithParam<Mode>
{
  protected:
    ScheduleOptions Bound(int bound, int c11, int spurious = 0) const
    {
        return {GetParam() == Mode::kC11 ? c11 : bound, GetParam(), 2, spurious};
    }
};

TEST_P(CrewSchedule, EveryJobOfTwoSubmittersIsRunAndTold)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(Bound(2, 2), [](Schedule &s) {
        Barracks barracks(s, 2);
        House house;
        Job a, b, c;
        crew_set_idle_ns_(house, -1);
        SCHEDULE_CHECK(crew_set_threads_(house, 0, 2) == 0);
        s.Thread("one", [&] {
            a.Submit(house);
            b.Submit(house);
        });
        s.Thread("two", [&] { c.Submit(house); });
        s.Run();

        SCHEDULE_CHECK(a.EndedWell() && b.EndedWell() && c.EndedWell());
    }));
}

/* The second job comes when the worker is idle, about to be, or about to leave. */
TEST_P(CrewSchedule, AJobThatMeetsALeavingWorkerIsRun)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(Bound(3, 2, 2), [](Schedule &s) {
        Barracks barracks(s, 4);
        House house;
        Job a, b;
        crew_set_idle_ns_(house, 1);
        SCHEDULE_CHECK(crew_set_threads_(house, 0, 1) == 0);
        s.Thread("submitter", [&] {
            a.Submit(house);
            b.Submit(house);
        });
        s.Run();

        SCHEDULE_CHECK(a.EndedWell() && b.EndedWell());
    }));
}

TEST_P(CrewSchedule, ABurstGetsAllTheThreadsItMayHave)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(Bound(2, 1), [](Schedule &s) {
        Barracks barracks(s, 3);
        House house;
        struct Blocking {
            aiox_pool_job job = {};
            int *running;
            static int Run(void *opaque)
            {
                int *running = static_cast<Blocking *>(opaque)->running;
                ++*running;
                aiox_test::WaitUntil([running] { return *running == 3; });
                return 0;
            }
        };
        int running = 0;
        Blocking jobs[3];
        crew_set_idle_ns_(house, -1);
        SCHEDULE_CHECK(crew_set_threads_(house, 0, 3) == 0);
        s.Thread("submitter", [&] {
            for (Blocking &b : jobs) {
                b.job.run = &Blocking::Run;
                b.job.opaque = &b;
                b.running = &running;
                crew_submit_(house, &b.job);
            }
        });
        s.Run();

        SCHEDULE_CHECK(running == 3); /* else they wait for each other for ever */
        SCHEDULE_CHECK(barracks.started == 3);
    }));
}

TEST_P(CrewSchedule, ALowerMaximumForgetsNoJob)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(Bound(2, 1), [](Schedule &s) {
        Barracks barracks(s, 3);
        House house;
        Job a, b, c;
        crew_set_idle_ns_(house, -1);
        SCHEDULE_CHECK(crew_set_threads_(house, 0, 2) == 0);
        s.Thread("submitter", [&] {
            a.Submit(house);
            b.Submit(house);
            c.Submit(house);
        });
        s.Thread("boss", [&] { (void)crew_set_threads_(house, 0, 1); });
        s.Run();

        SCHEDULE_CHECK(a.EndedWell() && b.EndedWell() && c.EndedWell());
        SCHEDULE_CHECK(house->threads <= 1);
    }));
}

TEST_P(CrewSchedule, ACancelledJobIsToldOnceAndRunsOrNot)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(Bound(3, 2), [](Schedule &s) {
        Barracks barracks(s, 1);
        House house;
        Job a, b;
        bool cancelled = false;
        crew_set_idle_ns_(house, -1);
        SCHEDULE_CHECK(crew_set_threads_(house, 0, 1) == 0);
        s.Thread("owner", [&] {
            a.Submit(house);
            b.Submit(house);
            cancelled = crew_cancel_(house, &b.job);
            aiox_test::WaitUntil([&] { return a.told && b.told; });
        });
        s.Run();

        SCHEDULE_CHECK(a.EndedWell() && b.told == 1);
        SCHEDULE_CHECK(cancelled ? b.ran == 0 && b.result == -ECANCELED : b.EndedWell());
    }));
}

TEST_P(CrewSchedule, WithoutAnyThreadEveryJobIsToldSo)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(Bound(3, 2), [](Schedule &s) {
        Barracks barracks(s, 0);
        House house;
        Job a, b;
        s.Thread("one", [&] { a.Submit(house); });
        s.Thread("two", [&] { b.Submit(house); });
        s.Run();

        for (Job *job : {&a, &b}) {
            SCHEDULE_CHECK(job->told == 1 && job->ran == 0 && job->result == -EAGAIN);
        }
    }));
}

/* One thread can be had; the call for a second fails while the first is idle or not. */
TEST_P(CrewSchedule, AThreadThatCannotBeHadIsDoneWithout)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(Bound(2, 1), [](Schedule &s) {
        Barracks barracks(s, 1);
        House house;
        Job a, b, c;
        crew_set_idle_ns_(house, -1);
        SCHEDULE_CHECK(crew_set_threads_(house, 0, 4) == 0);
        s.Thread("one", [&] { a.Submit(house); });
        s.Thread("two", [&] {
            (void)crew_set_threads_(house, 2, 4);
            b.Submit(house);
            c.Submit(house);
        });
        s.Run();

        SCHEDULE_CHECK(a.told == 1 && b.told == 1 && c.told == 1);
    }));
}

TEST_P(CrewSchedule, TheEndWaitsForAllThreads)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(Bound(3, 2, 1), [](Schedule &s) {
        Barracks barracks(s, 3);
        House house;
        Job a, b;
        crew_set_idle_ns_(house, 1);
        SCHEDULE_CHECK(crew_set_threads_(house, 0, 2) == 0);
        s.Thread("owner", [&] {
            a.Submit(house);
            b.Submit(house);
            crew_fini_(house);
            SCHEDULE_CHECK(house->threads == 0 && barracks.AllHaveEnded());
        });
        s.Run();

        for (Job *job : {&a, &b}) {
            SCHEDULE_CHECK(job->told == 1 && (job->ran ? job->result == 0 : job->result < 0));
        }
    }));
}

INSTANTIATE_TEST_SUITE_P(Modes, CrewSchedule, aiox_test::AllModes(), aiox_test::NameOfMode);
} // namespace
