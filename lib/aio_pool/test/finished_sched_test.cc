/* SPDX-License-Identifier: MIT */
/* finished_sched_test.cc - every job that has ended is told of at home, in every schedule. */
#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "lib/aio_pool/src/finished.h"
#include "test/harness/schedule.h"

namespace
{
using aiox_test::Event;
using aiox_test::ForEachSchedule;
using aiox_test::Mode;
using aiox_test::Schedule;
using aiox_test::ScheduleOptions;

struct Job {
    aiox_pool_job job = {};
    int ran = 0, told = 0;
    std::function<void()> when_told;

    Job()
    {
        job.opaque = this;
    }
    static void Tell(void *, aiox_pool_job *job)
    {
        auto *self = static_cast<Job *>(job->opaque);
        AIOX_PLAIN_READ(&self->ran);
        SCHEDULE_CHECK(self->ran == 1);
        self->told++;
        if (self->when_told) {
            self->when_told();
        }
    }
    /* As a thread does that has run it. */
    void End(finished *ends)
    {
        AIOX_PLAIN_WRITE(&ran);
        ran = 1;
        finished_put_(ends, &job);
    }
};

/* A loop whose thread sleeps when it may. */
class House
{
  public:
    House()
    {
        aiox_bh_queue_init(
            &queue_, [](void *self) { static_cast<House *>(self)->woken_.Set(); }, this);
        SCHEDULE_CHECK(finished_init_(&finished_, &queue_, &Job::Tell, nullptr) == 0);
        woken_ = Event();
    }
    finished *ends()
    {
        return &finished_;
    }
    void LiveIn(Schedule &s)
    {
        s.Name(&finished_.newest, "finished");
        s.Daemon("home", [this] { TurnUntil([] { return false; }); });
    }
    void TurnUntil(const std::function<bool()> &done)
    {
        while (!done()) {
            if (aiox_bh_queue_timeout_ns(&queue_) != 0) {
                woken_.Wait();
            }
            aiox_bh_queue_run(&queue_);
        }
    }
    /* After the run. */
    void End()
    {
        finished_fini_(&finished_);
        aiox_bh_queue_run(&queue_);
        aiox_bh_queue_fini(&queue_);
    }

  private:
    finished finished_ = {};
    aiox_bh_queue queue_;
    Event woken_;
};

class FinishedSchedule : public ::testing::TestWithParam<Mode>
{
  protected:
    ScheduleOptions Bound(int bound, int c11) const
    {
        return {GetParam() == Mode::kC11 ? c11 : bound, GetParam(), 4};
    }
};

TEST_P(FinishedSchedule, TwoThreadsAreHeardEachInItsOrder)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(Bound(3, 2), [](Schedule &s) {
        House house;
        finished *ends = house.ends();
        Job jobs[3];
        std::vector<int> order;
        for (int i = 0; i < 3; i++) {
            jobs[i].when_told = [&order, i] { order.push_back(i); };
        }
        house.LiveIn(s);
        s.Thread("two", [&] {
            jobs[0].End(ends);
            jobs[1].End(ends);
        });
        s.Thread("one", [&] { jobs[2].End(ends); });
        s.Run();

        SCHEDULE_CHECK(order.size() == 3);
        SCHEDULE_CHECK(order[0] == 0 || order[1] == 0);
        SCHEDULE_CHECK(order[0] != 1);
        house.End();
    }));
}

/* Whoever is told first turns the loop inside, until the other two have been told as well. */
TEST_P(FinishedSchedule, ANestedTurnTellsTheRest)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(Bound(2, 2), [](Schedule &s) {
        House house;
        finished *ends = house.ends();
        Job jobs[3];
        int told = 0;
        std::vector<Job *> order;
        for (Job &job : jobs) {
            job.when_told = [&] {
                order.push_back(&job);
                if (++told == 1) {
                    house.TurnUntil([&] { return told == 3; });
                }
            };
        }
        house.LiveIn(s);
        s.Thread("two", [&] {
            jobs[0].End(ends);
            jobs[1].End(ends);
        });
        s.Thread("one", [&] { jobs[2].End(ends); });
        s.Run();

        SCHEDULE_CHECK(told == 3);
        for (size_t i = 0; i < 3; i++) {
            SCHEDULE_CHECK(order[i] != &jobs[1] || order[0] == &jobs[0] || order[1] == &jobs[0]);
        }
        house.End();
    }));
}

INSTANTIATE_TEST_SUITE_P(Modes, FinishedSchedule, aiox_test::AllModes(), aiox_test::NameOfMode);
} // namespace
