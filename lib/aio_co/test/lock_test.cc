/* SPDX-License-Identifier: MIT */
/* lock_test.cc - locks between contexts, and deadlines on a real clock. */
#include <atomic>
#include <cerrno>

#include <gtest/gtest.h>

#include "aiox/clock.h"
#include "aiox/co_sync.h"
#include "lib/aio_co/test/loop.h"
#include "lib/coroutine/test/sync.h"

namespace
{
using namespace co_testing;

constexpr int64_t kMs = AIOX_NS_PER_MS;

int64_t Now()
{
    return aiox_timer_clock_ns(AIOX_CLOCK_MONOTONIC);
}

/* Enters a coroutine of @ctx that runs @body. */
void Go(aiox_context *ctx, std::function<void()> body)
{
    aiox_co_enter_in(ctx, Spawn(std::move(body)));
}

TEST(CoLock, OfAMutexTimesOutWhileItIsHeld)
{
    Loop loop;
    aiox_co_mutex mutex = {};
    Go(loop, [&] {
        Lock(&mutex);
        EXPECT_EQ(SleepNs(AIOX_CLOCK_MONOTONIC, 20 * kMs), 0);
        Unlock(&mutex);
    });

    loop.Run([&] {
        int64_t deadline = Now() + kMs;
        EXPECT_EQ(LockUntil(&mutex, deadline), -ETIMEDOUT);
        EXPECT_GE(Now(), deadline);
        EXPECT_TRUE(aiox_co_mutex_is_locked(&mutex));
        Lock(&mutex);
        Unlock(&mutex);
    });

    aiox_co_mutex_fini(&mutex);
}

TEST(CoLock, DeadlineThatHasPassedIsALook)
{
    Loop loop;
    aiox_co_mutex mutex = {};
    aiox_co_queue queue = {};

    loop.Run([&] {
        EXPECT_EQ(LockUntil(&mutex, 0), 0);
        EXPECT_EQ(WaitUntil(&queue, &mutex, 0), -ETIMEDOUT);
        Unlock(&mutex);
    });

    EXPECT_TRUE(aiox_co_queue_is_empty(&queue));
    aiox_co_mutex_fini(&mutex);
}

TEST(CoLock, OfAQueueAReaderAWriterAndAResourceTimesOut)
{
    Loop loop;
    aiox_co_queue queue = {};
    aiox_co_rwlock lock = {};
    aiox_co_shared_resource resource;
    aiox_co_shared_resource_init(&resource, 1);
    bool done = false;
    aiox_co_queue end = {};
    Go(loop, [&] {
        WrLock(&lock);
        Get(&resource, 1);
        Wait(&end);
        aiox_co_shared_resource_put(&resource, 1);
        RwUnlock(&lock);
        done = true;
    });

    loop.Run([&] {
        EXPECT_EQ(WaitUntil(&queue, nullptr, Now() + kMs), -ETIMEDOUT);
        EXPECT_EQ(RdLockUntil(&lock, Now() + kMs), -ETIMEDOUT);
        EXPECT_EQ(WrLockUntil(&lock, Now() + kMs), -ETIMEDOUT);
        EXPECT_EQ(GetUntil(&resource, 1, Now() + kMs), -ETIMEDOUT);
        aiox_co_queue_next(&end);
    });
    loop.RunUntil([&] { return done; });

    aiox_co_rwlock_fini(&lock);
    aiox_co_shared_resource_fini(&resource);
}

TEST(CoLock, CallIsLeftAtItsDeadlineAndCleanedUpAtItsEnd)
{
    struct Job {
        aiox_co_sleep sleep = {};
        bool has_ended = false, was_late = false;
        static void Run(void *opaque)
        {
            auto *job = static_cast<Job *>(opaque);
            EXPECT_EQ(SleepIn(&job->sleep, AIOX_CLOCK_MONOTONIC, -1), -ECANCELED);
            job->has_ended = true;
        }
        static void Late(void *opaque)
        {
            static_cast<Job *>(opaque)->was_late = true;
        }
    } job;
    Loop loop;

    loop.Run([&] {
        EXPECT_EQ(RunUntil(&Job::Run, &job, &Job::Late, Now() + kMs), -ETIMEDOUT);
        EXPECT_FALSE(job.has_ended);
    });
    aiox_co_sleep_wake(&job.sleep);
    loop.RunUntil([&] { return job.was_late; });

    EXPECT_TRUE(job.has_ended);
}

/* Two loops hand one mutex to each other; each waiter goes on in its own. */
TEST(CoLock, WaitersOfAMutexGoOnInTheirOwnContext)
{
    Loop here;
    LoopThread there;
    aiox_co_mutex mutex = {};
    std::atomic<bool> has_ended{false};

    here.Run([&] {
        Lock(&mutex);
        Go(there, [&] {
            Lock(&mutex);
            EXPECT_TRUE(aiox_co_context(aiox_co_self()) == there);
            Unlock(&mutex);
            has_ended.store(true, std::memory_order_release);
            aiox_notify(here);
        });
        EXPECT_EQ(SleepNs(AIOX_CLOCK_MONOTONIC, kMs), 0);
        Unlock(&mutex);
    });
    here.RunUntil([&] { return has_ended.load(std::memory_order_acquire); });

    EXPECT_FALSE(aiox_co_mutex_is_locked(&mutex));
}

TEST(CoLock, WaitersOfAQueueGoOnInTheirOwnContextAndItIsFreedAtOnce)
{
    constexpr int kEach = 4;
    Loop here;
    LoopThread there[2];
    aiox_co_mutex mutex = {};
    auto queue = std::make_unique<aiox_co_queue>();
    aiox_co_queue_init(queue.get());
    std::atomic<int> waiting{0}, left{2 * kEach};
    for (int i = 0; i < 2 * kEach; i++) {
        aiox_context *home = there[i % 2];
        Go(home, [&, home] {
            Lock(&mutex);
            waiting++;
            Wait(queue.get(), &mutex);
            EXPECT_EQ(aiox_co_context(aiox_co_self()), home);
            Unlock(&mutex);
            left--;
            aiox_notify(here);
        });
    }

    here.Run([&] {
        for (bool all = false; !all;) {
            Lock(&mutex);
            all = waiting == 2 * kEach;
            if (all) {
                aiox_co_queue_restart_all(queue.get());
                queue.reset();
            }
            Unlock(&mutex);
            EXPECT_EQ(SleepNs(AIOX_CLOCK_MONOTONIC, -1), 0);
        }
    });
    here.RunUntil([&] { return left == 0; });

    aiox_co_mutex_fini(&mutex);
}

TEST(CoLock, IsStillHeldAfterAMoveToAnotherContext)
{
    Loop here;
    LoopThread there;
    aiox_co_mutex mutex = {};
    std::atomic<bool> has_ended{false};

    Go(here, [&] {
        Lock(&mutex);
        MoveSelf(there);
        EXPECT_TRUE(aiox_co_mutex_is_locked(&mutex));
        Unlock(&mutex);
        has_ended.store(true, std::memory_order_release);
        aiox_notify(here);
    });
    here.RunUntil([&] { return has_ended.load(std::memory_order_acquire); });

    aiox_co_mutex_fini(&mutex);
}
} // namespace
