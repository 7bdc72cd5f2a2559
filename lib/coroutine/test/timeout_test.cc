/* SPDX-License-Identifier: MIT */
/* timeout_test.cc - a call that ends, or is left to itself. */
#include "aiox/co_sync.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/coroutine/test/sync.h"

namespace
{
using namespace co_testing;
using ::testing::ElementsAre;

/* What the callee and its caller share. */
struct Job {
    Diary *diary;
    int yields = 0;
    aiox_co *co = nullptr;

    static void Run(void *opaque)
    {
        auto *job = static_cast<Job *>(opaque);
        job->co = aiox_co_self();
        job->diary->push_back("begins");
        for (int i = 0; i < job->yields; i++) {
            Yield();
        }
        job->diary->push_back("ends");
    }
    static void Late(void *opaque)
    {
        static_cast<Job *>(opaque)->diary->push_back("late");
    }
};

class CoRunUntil : public ::testing::Test
{
  protected:
    void Call(Job *job, int64_t deadline_ns, aiox_co_fn *late = &Job::Late)
    {
        stage_.Enter([=] {
            int err = RunUntil(&Job::Run, job, late, deadline_ns);
            diary_.push_back(err == 0 ? "returns" : err == -ETIMEDOUT ? "times out" : "?");
        });
    }

    Stage stage_;
    Diary diary_;
};

TEST_F(CoRunUntil, ReturnsWhenTheFunctionHasEnded)
{
    Job job = {&diary_};

    Call(&job, 10);

    EXPECT_THAT(diary_, ElementsAre("begins", "ends", "returns"));
    EXPECT_EQ(stage_.alarms(), 0u);
}

TEST_F(CoRunUntil, WaitsForAFunctionThatWaits)
{
    Job job = {&diary_, 2};
    Call(&job, 10);

    aiox_co_enter(job.co);
    EXPECT_THAT(diary_, ElementsAre("begins"));
    aiox_co_enter(job.co);

    EXPECT_THAT(diary_, ElementsAre("begins", "ends", "returns"));
    stage_.Advance(10);
}

TEST_F(CoRunUntil, ReturnsAtTheDeadlineAndCleansUpWhenTheFunctionEnds)
{
    Job job = {&diary_, 1};
    Call(&job, 10);

    stage_.Advance(10);
    EXPECT_THAT(diary_, ElementsAre("begins", "times out"));
    aiox_co_enter(job.co);

    EXPECT_THAT(diary_, ElementsAre("begins", "times out", "ends", "late"));
}

TEST_F(CoRunUntil, NothingToCleanUpIsFine)
{
    Job job = {&diary_, 1};
    Call(&job, 10, nullptr);

    stage_.Advance(10);
    aiox_co_enter(job.co);

    EXPECT_THAT(diary_, ElementsAre("begins", "times out", "ends"));
}

/* It ends after the deadline, and before the caller has gone on. */
TEST_F(CoRunUntil, TheDeadlineOfOneThatHasEndedIsTooLate)
{
    Stage other;
    Job job = {&diary_, 1};
    Call(&job, 10);

    aiox_co_enter_on(&other, job.co);
    stage_.Advance(10);
    EXPECT_THAT(diary_, ElementsAre("begins", "ends"));
    stage_.Settle();

    EXPECT_THAT(diary_, ElementsAre("begins", "ends", "returns"));
}

TEST_F(CoRunUntil, WithoutADeadlineItNeedsNoClock)
{
    Job job = {&diary_};

    aiox_co_enter(Spawn([&] { EXPECT_EQ(RunUntil(&Job::Run, &job, nullptr, -1), 0); }));

    EXPECT_THAT(diary_, ElementsAre("begins", "ends"));
}

TEST_F(CoRunUntil, WithoutMemoryForATimerItIsLeftToItself)
{
    Job job = {&diary_, 1};
    stage_.has_no_memory = true;

    Call(&job, 10);
    EXPECT_THAT(diary_, ElementsAre("begins", "times out"));
    aiox_co_enter(job.co);

    EXPECT_THAT(diary_, ElementsAre("begins", "times out", "ends", "late"));
}

TEST_F(CoRunUntil, TheCalleeHasTheClassOfTheCaller)
{
    static const aiox_co_class named = {"named", 0};
    std::string name;
    auto note = [](void *opaque) {
        *static_cast<std::string *>(opaque) = aiox_co_name(aiox_co_self());
    };

    stage_.Enter([&] { EXPECT_EQ(RunUntil(note, &name, nullptr, -1), 0); }, &named);

    EXPECT_EQ(name, "named");
}
} // namespace
