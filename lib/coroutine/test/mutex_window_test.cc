/* SPDX-License-Identifier: MIT */
/*
 * mutex_window_test.cc - what happens between two steps of a lock.
 *
 * The windows are open for nanoseconds; src/seam.h lets this test hold a thread
 * up in them until another one has done all of its own.
 */
#include <atomic>
#include <functional>
#include <mutex>
#include <random>

#include <gtest/gtest.h>

#include "lib/coroutine/src/seam.h"
#include "lib/coroutine/test/sync.h"
#include "lib/coroutine/test/worker.h"

namespace
{
using namespace co_testing;

/* What is done in a window; set while nobody is in one. */
std::function<void(co_seam)> at_seam = [](co_seam) {};

/* Blocks the thread that waits; what was done before Set() is seen. */
class Flag
{
  public:
    void Set()
    {
        std::lock_guard<std::mutex> guard(lock_);
        set_ = true;
        is_set_.notify_all();
    }
    void Wait()
    {
        std::unique_lock<std::mutex> guard(lock_);
        is_set_.wait(guard, [this] { return set_; });
    }

  private:
    std::mutex lock_;
    std::condition_variable is_set_;
    bool set_ = false;
};

class CoMutexWindow : public ::testing::Test
{
  protected:
    ~CoMutexWindow() override
    {
        at_seam = [](co_seam) {};
        aiox_co_mutex_fini(&mutex_);
    }

    aiox_co_mutex mutex_ = {};
};

/* Who has found it held, and has told nobody, must not queue behind nobody. */
TEST_F(CoMutexWindow, TheHolderGoesBetweenTheLookAndTheQueueing)
{
    Flag is_held, is_about_to_queue, is_unlocked;
    Countdown left(2);
    bool has_queued = false, has_looked = false;
    at_seam = [&](co_seam place) {
        has_queued |= place == SEAM_QUEUED;
        if (place == SEAM_ABOUT_TO_QUEUE && !has_looked) {
            has_looked = true;
            is_about_to_queue.Set();
            is_unlocked.Wait();
        }
    };
    Worker one, other;

    one.Add(Spawn([&] {
        Lock(&mutex_);
        is_held.Set();
        is_about_to_queue.Wait();
        Unlock(&mutex_);
        EXPECT_FALSE(aiox_co_mutex_is_locked(&mutex_));
        is_unlocked.Set();
        left.Down();
    }));
    is_held.Wait();
    other.Add(Spawn([&] {
        Lock(&mutex_);
        EXPECT_FALSE(has_queued);
        Unlock(&mutex_);
        left.Down();
    }));
    left.Wait();

    EXPECT_TRUE(has_looked);
}

/* It is in the queue, and has not yielded when it is handed the mutex. */
TEST_F(CoMutexWindow, OneThatHasNotYieldedYetIsHandedTheMutex)
{
    Flag is_held, is_queued, is_handed_over;
    Countdown left(2);
    at_seam = [&](co_seam place) {
        if (place == SEAM_QUEUED) {
            is_queued.Set();
            is_handed_over.Wait();
        }
    };
    Worker one, other;

    one.Add(Spawn([&] {
        Lock(&mutex_);
        is_held.Set();
        is_queued.Wait();
        Unlock(&mutex_);
        EXPECT_TRUE(aiox_co_mutex_is_locked(&mutex_));
        is_handed_over.Set();
        left.Down();
    }));
    is_held.Wait();
    bool had_it = false;
    other.Add(Spawn([&] {
        Lock(&mutex_);
        had_it = true;
        Unlock(&mutex_);
        left.Down();
    }));
    left.Wait();

    EXPECT_TRUE(had_it);
}

/* The next holder is known and asleep; somebody new finds the mutex held. */
TEST_F(CoMutexWindow, NobodyBargesInWhileItIsHandedOver)
{
    Stage stage;
    bool was_chosen = false, was_free = false;
    aiox_co *holder = stage.Enter([&] {
        Lock(&mutex_);
        Yield();
        Unlock(&mutex_);
    });
    stage.Enter([&] {
        Lock(&mutex_);
        Unlock(&mutex_);
    });
    at_seam = [&](co_seam place) {
        if (place == SEAM_CHOSEN) {
            was_chosen = true;
            was_free = TryLock(&mutex_);
        }
    };

    aiox_co_enter(holder);

    EXPECT_TRUE(was_chosen);
    EXPECT_FALSE(was_free);
}

/* ---- spinning ---- */

int CountSpins(aiox_co_mutex *m, Stage *holders, Stage *own, int waiters)
{
    std::vector<aiox_co *> all;
    int spins = 0;
    at_seam = [](co_seam) {};
    for (int i = 0; i < 1 + waiters; i++) {
        all.push_back(Spawn([m] {
            Lock(m);
            Yield();
            Unlock(m);
        }));
        aiox_co_enter_on(holders, all.back());
    }

    at_seam = [&](co_seam place) { spins += place == SEAM_SPIN; };
    all.push_back(Spawn([m] {
        Lock(m);
        Yield();
        Unlock(m);
    }));
    aiox_co_enter_on(own, all.back());
    int result = spins;

    for (aiox_co *co : all) {
        aiox_co_enter(co);
        if (own) {
            own->Settle();
        }
    }
    return result;
}

TEST_F(CoMutexWindow, SpinsOnlyForASoleHolderInAnotherExecutor)
{
    Stage here, there;

    EXPECT_GT(CountSpins(&mutex_, &there, &here, 0), 0);
    EXPECT_EQ(CountSpins(&mutex_, &here, &here, 0), 0);
    EXPECT_EQ(CountSpins(&mutex_, nullptr, nullptr, 0), 0);
    EXPECT_EQ(CountSpins(&mutex_, &there, &here, 1), 0);
}

/* ---- both windows, wide open, again and again ---- */

TEST_F(CoMutexWindow, NothingIsLostInWideWindows)
{
    constexpr int kWorkers = 3, kEach = 4, kHandOvers = 2000, kSlips = 20;
    std::atomic<int> hand_overs{0}, slips{0};
    at_seam = [&](co_seam place) {
        thread_local std::minstd_rand random(
            static_cast<unsigned>(std::hash<std::thread::id>()(std::this_thread::get_id())));
        thread_local bool was_about_to;
        if (place == SEAM_SPIN) {
            return;
        }
        if (place == SEAM_ABOUT_TO_QUEUE) {
            slips += was_about_to; /* the holder has gone meanwhile, or another has come */
        }
        was_about_to = place == SEAM_ABOUT_TO_QUEUE;
        hand_overs += place == SEAM_CHOSEN;
        for (auto n = random() % 4; n > 0; n--) {
            std::this_thread::yield();
        }
    };
    Worker workers[kWorkers];
    Countdown left(kWorkers * kEach);
    long visits = 0, seen = 0; /* guarded by the mutex */
    std::atomic<long> all{0};

    for (int i = 0; i < kWorkers * kEach; i++) {
        workers[i % kWorkers].Add(Spawn([&] {
            while (hand_overs < kHandOvers || slips < kSlips) {
                Lock(&mutex_);
                EXPECT_EQ(visits++, seen);
                seen++;
                Unlock(&mutex_);
                all++;
            }
            left.Down();
        }));
    }
    left.Wait();

    EXPECT_EQ(visits, all.load());
    EXPECT_GE(hand_overs.load(), kHandOvers);
    EXPECT_GE(slips.load(), kSlips);
}
} // namespace

void co_seam_(enum co_seam place)
{
    at_seam(place);
}
