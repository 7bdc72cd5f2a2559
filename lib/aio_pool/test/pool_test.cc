/* SPDX-License-Identifier: MIT */
/* pool_test.cc - jobs: who runs them, who is told, in what order, and what cancel does. */
#include <cerrno>
#include <csignal>
#include <deque>
#include <memory>
#include <pthread.h>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "lib/aio_pool/test/testing.h"

namespace
{
using pool_testing::Comings;
using pool_testing::Counter;
using pool_testing::Gate;
using pool_testing::Job;
using pool_testing::Loop;

constexpr int kMany = 10000;

class Pool : public ::testing::Test
{
  protected:
    /* Keeps the one thread busy; what is submitted now waits. */
    void BlockTheOnlyThread()
    {
        ASSERT_EQ(aiox_pool_set_threads(loop_, 0, 1), 0);
        aiox_pool_submit(loop_, &blocker_.job);
        began_.Await(1);
    }
    void Finish()
    {
        gate_.Open();
        aiox_pool_drain(loop_);
    }

    Loop loop_;
    Gate gate_;
    Counter began_;
    Job blocker_{[this] {
        began_.Add();
        gate_.Pass();
        return 0;
    }};
};

TEST_F(Pool, RunsElsewhereAndTellsAtHome)
{
    std::thread::id ran, told;
    int data = 0;
    Job job([&] {
        ran = std::this_thread::get_id();
        data = 42;
        return 7;
    });
    job.when_told = [&] { told = std::this_thread::get_id(); };

    aiox_pool_submit(loop_, &job.job);
    loop_.RunUntil([&] { return job.told > 0; });

    EXPECT_EQ(job.result, 7);
    EXPECT_EQ(data, 42);
    EXPECT_EQ(told, std::this_thread::get_id());
    EXPECT_NE(ran, told);
}

TEST_F(Pool, NeverTellsInsideSubmit)
{
    BlockTheOnlyThread();
    Job job([] { return 0; });
    Job last([this] {
        began_.Add(); /* the one before has ended by then */
        return 0;
    });

    gate_.Open();
    aiox_pool_submit(loop_, &job.job);
    aiox_pool_submit(loop_, &last.job);
    began_.Await(2);

    EXPECT_EQ(job.told, 0) << "it has ended, but the loop was not turned";
    aiox_pool_drain(loop_);
    EXPECT_EQ(job.told, 1);
}

TEST_F(Pool, NobodyNeedsToBeTold)
{
    Counter ran;
    Job job([&] {
        ran.Add();
        return 0;
    });
    job.job.done = nullptr;

    aiox_pool_submit(loop_, &job.job);
    aiox_pool_drain(loop_);

    EXPECT_EQ(ran.value(), 1);
}

TEST_F(Pool, TenThousandThatWaitAreRunInTheirOrderAndToldInOneTurn)
{
    BlockTheOnlyThread();
    std::deque<Job> jobs;
    std::vector<int> ran, told;
    Gate end;
    for (int i = 0; i < kMany; i++) {
        jobs.emplace_back([&ran, i] {
            ran.push_back(i);
            return i;
        });
        jobs.back().when_told = [&told, i] { told.push_back(i); };
        aiox_pool_submit(loop_, &jobs.back().job);
    }
    Job last([&] {
        began_.Add(); /* all before have ended */
        end.Pass();
        return 0;
    });
    aiox_pool_submit(loop_, &last.job);
    EXPECT_EQ(loop_.Info().waiting, size_t{kMany + 1});

    gate_.Open();
    began_.Await(2);
    aiox_poll(loop_, true);

    ASSERT_EQ(told.size(), size_t{kMany});
    for (int i = 0; i < kMany; i++) {
        ASSERT_EQ(ran[i], i);
        ASSERT_EQ(told[i], i);
        ASSERT_EQ(jobs[i].result, i);
    }
    end.Open();
    aiox_pool_drain(loop_);
}

TEST_F(Pool, OfAHundredThatBlockTheMaximumRunsAndTheRestCanBeCancelled)
{
    std::deque<Job> jobs;
    for (int i = 0; i < 100; i++) {
        jobs.emplace_back([&] {
            began_.Add();
            gate_.Pass();
            return 1;
        });
        aiox_pool_submit(loop_, &jobs.back().job);
    }

    began_.Await(AIOX_POOL_MAX_THREADS_DEFAULT);

    aiox_pool_info info = loop_.Info();
    EXPECT_EQ(info.threads, 64);
    EXPECT_EQ(info.waiting, 36U);
    EXPECT_EQ(info.untold, 100U);
    EXPECT_FALSE(aiox_pool_cancel(loop_, &jobs.front().job));
    EXPECT_TRUE(aiox_pool_cancel(loop_, &jobs.back().job));
    Finish();
    EXPECT_EQ(began_.value(), 99);
    EXPECT_EQ(jobs.front().result, 1);
    EXPECT_EQ(jobs.back().result, -ECANCELED);
}

TEST_F(Pool, ACancelledJobIsToldOfLaterAndDoesNotRun)
{
    BlockTheOnlyThread();
    Job job([] {
        ADD_FAILURE() << "it runs";
        return 0;
    });
    aiox_pool_submit(loop_, &job.job);

    EXPECT_TRUE(aiox_pool_cancel(loop_, &job.job));

    EXPECT_EQ(job.told, 0) << "not inside";
    EXPECT_FALSE(aiox_pool_cancel(loop_, &job.job)) << "once is enough";
    loop_.RunUntil([&] { return job.told > 0; });
    EXPECT_EQ(job.result, -ECANCELED);
    Finish();
    EXPECT_EQ(job.told, 1);
}

TEST_F(Pool, ARunningJobIsNotCancelled)
{
    BlockTheOnlyThread();

    EXPECT_FALSE(aiox_pool_cancel(loop_, &blocker_.job));

    Finish();
    EXPECT_EQ(blocker_.result, 0);
}

TEST_F(Pool, ASynchronousCancelWaitsForARunningJobAndTurnsTheLoop)
{
    BlockTheOnlyThread();
    bool turned = false;
    loop_.Post([&] { gate_.Open(); });
    blocker_.when_told = [&] { turned = true; };

    aiox_pool_cancel_sync(loop_, &blocker_.job);

    EXPECT_TRUE(turned);
    EXPECT_EQ(blocker_.result, 0);
}

TEST_F(Pool, ASynchronousCancelOfAWaitingJobDoesNotWaitForOthers)
{
    BlockTheOnlyThread();
    Job job([] { return 0; });
    aiox_pool_submit(loop_, &job.job);

    aiox_pool_cancel_sync(loop_, &job.job);

    EXPECT_EQ(job.result, -ECANCELED);
    EXPECT_EQ(blocker_.told, 0);
    Finish();
}

TEST_F(Pool, TwoMayWaitForTheSameJobOneInsideTheOther)
{
    BlockTheOnlyThread();
    bool inner_returned = false;
    loop_.Post([&] {
        gate_.Open();
        aiox_pool_cancel_sync(loop_, &blocker_.job);
        inner_returned = true;
    });

    aiox_pool_cancel_sync(loop_, &blocker_.job);

    EXPECT_TRUE(inner_returned);
    EXPECT_EQ(blocker_.told, 1);
}

TEST_F(Pool, WhoIsToldMayTurnTheLoopAndWaitForAnother)
{
    BlockTheOnlyThread();
    Job second([] { return 2; });
    Job third([] { return 3; });
    Job last([this] {
        began_.Add();
        return 0;
    });
    blocker_.when_told = [&] { loop_.RunUntil([&] { return third.told > 0; }); };
    for (Job *job : {&second, &third, &last}) {
        aiox_pool_submit(loop_, &job->job);
    }
    gate_.Open();
    began_.Await(2); /* the first three have ended: they come home together */

    aiox_pool_drain(loop_);

    EXPECT_EQ(second.told, 1);
    EXPECT_EQ(third.told, 1);
    EXPECT_EQ(last.told, 1);
}

TEST_F(Pool, WhoIsToldMaySubmitTheJobAgain)
{
    int runs = 0;
    Job job([&] { return ++runs; });
    job.when_told = [&] {
        if (job.result < 5) {
            aiox_pool_submit(loop_, &job.job);
        }
    };

    aiox_pool_submit(loop_, &job.job);
    aiox_pool_drain(loop_);

    EXPECT_EQ(runs, 5);
}

TEST_F(Pool, WhoIsToldMayFreeTheJob)
{
    struct Own : Job {
        Own() : Job([] { return 0; })
        {
            job.done = [](void *self, int) { delete static_cast<Own *>(static_cast<Job *>(self)); };
        }
    };

    for (int i = 0; i < 100; i++) {
        aiox_pool_submit(loop_, &(new Own)->job);
    }
    aiox_pool_drain(loop_); /* under a sanitizer: nothing is touched afterwards, nothing leaks */

    EXPECT_EQ(loop_.Info().untold, 0U);
}

TEST_F(Pool, AnyThreadMaySubmit)
{
    std::thread::id told;
    Job job([] { return 1; });
    job.when_told = [&] { told = std::this_thread::get_id(); };

    std::thread other([&] { aiox_pool_submit(loop_, &job.job); });
    loop_.RunUntil([&] { return job.told > 0; });
    other.join();

    EXPECT_EQ(told, std::this_thread::get_id());
}

/* ---- threads ---- */

TEST_F(Pool, ThreadsComeWithWorkAndGoWithoutIt)
{
    Comings threads;
    Job job([] { return 0; });
    EXPECT_EQ(loop_.Info().threads, 0);
    ASSERT_EQ(aiox_pool_set_idle_ns(loop_, 0), 0);

    aiox_pool_submit(loop_, &job.job);
    aiox_pool_drain(loop_);
    threads.left.Await(1);

    EXPECT_EQ(loop_.Info().threads, 0);
    EXPECT_EQ(threads.come.value(), 1);
}

TEST_F(Pool, AnIdleThreadIsUsedAgain)
{
    Comings threads;
    ASSERT_EQ(aiox_pool_set_threads(loop_, 1, 1), 0);
    ASSERT_EQ(aiox_pool_set_idle_ns(loop_, 0), 0);

    for (int i = 0; i < 50; i++) {
        Job job([] { return 0; });
        aiox_pool_submit(loop_, &job.job);
        aiox_pool_drain(loop_);
    }

    EXPECT_EQ(threads.come.value(), 1);
    EXPECT_EQ(loop_.Info().threads, 1);
}

TEST_F(Pool, TheMinimumIsThereWithoutWorkAndStays)
{
    Comings threads;
    ASSERT_EQ(aiox_pool_set_idle_ns(loop_, 0), 0);

    ASSERT_EQ(aiox_pool_set_threads(loop_, 3, 8), 0);
    threads.come.Await(3);

    EXPECT_EQ(loop_.Info().threads, 3);
    EXPECT_EQ(threads.left.value(), 0);
    ASSERT_EQ(aiox_pool_set_threads(loop_, 0, 8), 0);
    threads.left.Await(3);
    EXPECT_EQ(loop_.Info().threads, 0);
}

TEST_F(Pool, ALowerMaximumMakesThreadsLeave)
{
    Comings threads;
    std::deque<Job> jobs;
    ASSERT_EQ(aiox_pool_set_threads(loop_, 0, 8), 0);
    for (int i = 0; i < 20; i++) {
        jobs.emplace_back([&] {
            began_.Add();
            gate_.Pass();
            return 0;
        });
        aiox_pool_submit(loop_, &jobs.back().job);
    }
    began_.Await(8);

    ASSERT_EQ(aiox_pool_set_threads(loop_, 0, 2), 0);
    Finish();
    threads.left.Await(6);

    EXPECT_EQ(loop_.Info().threads, 2);
    EXPECT_EQ(began_.value(), 20) << "those that waited were not forgotten";
}

TEST_F(Pool, AHigherMaximumLetsWaitingJobsBegin)
{
    BlockTheOnlyThread();
    Job job([this] {
        began_.Add();
        return 0;
    });
    aiox_pool_submit(loop_, &job.job);

    ASSERT_EQ(aiox_pool_set_threads(loop_, 0, 2), 0);
    began_.Await(2);

    EXPECT_EQ(blocker_.told, 0);
    Finish();
}

TEST_F(Pool, LimitsThatMakeNoSenseAreRefused)
{
    EXPECT_EQ(aiox_pool_set_threads(loop_, -1, 1), -EINVAL);
    EXPECT_EQ(aiox_pool_set_threads(loop_, 0, 0), -EINVAL);
    EXPECT_EQ(aiox_pool_set_threads(loop_, 3, 2), -EINVAL);
    EXPECT_EQ(aiox_pool_set_idle_ns(loop_, -2), -EINVAL);

    aiox_pool_info info = loop_.Info();
    EXPECT_EQ(info.min, 0);
    EXPECT_EQ(info.max, AIOX_POOL_MAX_THREADS_DEFAULT);
}

TEST_F(Pool, ThreadsHaveANameAndNoSignals)
{
    std::string name;
    sigset_t mask;
    Job job([&] {
        char text[16];
        pthread_getname_np(pthread_self(), text, sizeof(text));
        name = text;
        return pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    });

    aiox_pool_submit(loop_, &job.job);
    aiox_pool_drain(loop_);

    EXPECT_EQ(name, "aiox-pool");
    EXPECT_TRUE(sigismember(&mask, SIGTERM) && sigismember(&mask, SIGALRM));
    EXPECT_FALSE(sigismember(&mask, SIGSEGV)) << "for whoever reports crashes";
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    EXPECT_FALSE(sigismember(&mask, SIGTERM)) << "the caller's mask is as it was";
}

/* ---- the end ---- */

TEST_F(Pool, TheEndWaitsForRunningJobsCancelsTheOthersAndTellsAll)
{
    BlockTheOnlyThread();
    bool finished = false;
    Job waiting([] { return 0; });
    blocker_.when_told = [&] { finished = true; };
    aiox_pool_submit(loop_, &waiting.job);
    std::thread opener([this] {
        while (loop_.Info().waiting > 0) { /* until the end has begun */
            std::this_thread::yield();
        }
        gate_.Open();
    });

    loop_.End();

    EXPECT_TRUE(finished);
    EXPECT_EQ(blocker_.result, 0);
    EXPECT_EQ(waiting.result, -ECANCELED);
    opener.join();
}

TEST_F(Pool, TheEndOfAnIdlePoolLeavesNoThread)
{
    ASSERT_EQ(aiox_pool_set_threads(loop_, 4, 8), 0);
    Job job([] { return 0; });
    aiox_pool_submit(loop_, &job.job);
    aiox_pool_drain(loop_);

    loop_.End(); /* the harness counts threads */
}

TEST_F(Pool, IsOnePerContext)
{
    aiox_pool *again, *others;
    Loop other;

    ASSERT_EQ(aiox_pool_get(&again, loop_), 0);
    ASSERT_EQ(aiox_pool_get(&others, other), 0);

    EXPECT_EQ(again, static_cast<aiox_pool *>(loop_));
    EXPECT_NE(others, again);
}
} // namespace
