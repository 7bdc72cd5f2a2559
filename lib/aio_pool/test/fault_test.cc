/* SPDX-License-Identifier: MIT */
/* fault_test.cc - no thread is to be had, and who is told. */
#include <cerrno>
#include <deque>

#include <gtest/gtest.h>

#include "lib/aio_pool/src/pool.h"
#include "lib/aio_pool/test/testing.h"

namespace
{
using pool_testing::Counter;
using pool_testing::Gate;
using pool_testing::Job;
using pool_testing::Loop;

/* Threads of the system, of which only so many can be started. */
int g_left;
int g_error;

int StartSome(void *(*work)(void *), void *opaque)
{
    if (g_left == 0) {
        return g_error;
    }
    g_left--;
    return crew_threads_.start(work, opaque);
}

class NoThread : public ::testing::Test
{
  protected:
    NoThread()
    {
        threads_ = crew_threads_;
        threads_.start = StartSome;
        pool_set_threads_from_(loop_, &threads_);
        g_error = -EAGAIN;
    }

    crew_threads threads_;
    Loop loop_;
};

TEST_F(NoThread, AtAllIsToldAsTheResultAndNotInsideSubmit)
{
    Job job([] { return 0; });
    for (int error : {-EAGAIN, -ENOMEM}) {
        g_left = 0;
        g_error = error;
        job.told = 0;

        aiox_pool_submit(loop_, &job.job);

        EXPECT_EQ(job.told, 0);
        aiox_pool_drain(loop_);
        EXPECT_EQ(job.result, error);
    }
}

TEST_F(NoThread, ButOneThenItDoesAllTheWork)
{
    std::deque<Job> jobs;
    Gate gate;
    g_left = 1;

    for (int i = 0; i < 10; i++) {
        jobs.emplace_back([&] {
            gate.Pass();
            return 1;
        });
        aiox_pool_submit(loop_, &jobs.back().job);
    }
    gate.Open();
    aiox_pool_drain(loop_);

    for (Job &job : jobs) {
        EXPECT_EQ(job.result, 1);
    }
    EXPECT_EQ(loop_.Info().threads, 1);
}

TEST_F(NoThread, IsTriedAgainWithTheNextJob)
{
    Job job([] { return 1; });
    g_left = 0;
    aiox_pool_submit(loop_, &job.job);
    aiox_pool_drain(loop_);
    ASSERT_EQ(job.result, -EAGAIN);

    g_left = 1;
    aiox_pool_submit(loop_, &job.job);
    aiox_pool_drain(loop_);

    EXPECT_EQ(job.result, 1);
}

TEST_F(NoThread, ForTheMinimumIsAnErrorOfTheCall)
{
    g_left = 0;

    EXPECT_EQ(aiox_pool_set_threads(loop_, 2, 4), -EAGAIN);

    EXPECT_EQ(loop_.Info().threads, 0);
}

TEST_F(NoThread, CanBeFollowedByTheEnd)
{
    Job job([] { return 0; });
    g_left = 0;
    aiox_pool_submit(loop_, &job.job);

    loop_.End();

    EXPECT_EQ(job.result, -EAGAIN);
}
} // namespace
