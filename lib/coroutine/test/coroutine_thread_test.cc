/* SPDX-License-Identifier: MIT */
/* coroutine_thread_test.cc - coroutines that go on in another thread. */
#include "aiox/coroutine.h"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "lib/coroutine/test/testing.h"
#include "lib/coroutine/test/worker.h"

namespace
{
using co_testing::Countdown;
using co_testing::Spawn;
using co_testing::Worker;
using co_testing::Yield;

/* Not std::this_thread::get_id(): the compiler believes that pthread_self() never changes. */
TEST(CoroutineThread, GoesOnInAnotherThread)
{
    std::vector<pid_t> ids;
    aiox_co *co = Spawn([&] {
        ids.push_back(gettid());
        EXPECT_NE(aiox_co_self(), nullptr);
        Yield();
        ids.push_back(gettid());
        EXPECT_NE(aiox_co_self(), nullptr);
    });

    aiox_co_enter(co);
    std::thread([&] { aiox_co_enter(co); }).join();

    ASSERT_EQ(ids.size(), 2u);
    EXPECT_EQ(ids[0], gettid());
    EXPECT_NE(ids[1], ids[0]);
    EXPECT_FALSE(aiox_in_coroutine());
}

/* The address of what a thread knows must not survive a yield in a register. */
TEST(CoroutineThread, KnowsItselfInEachThreadItComesTo)
{
    aiox_co *co = nullptr;
    bool right = true;
    co = Spawn([&] {
        for (int i = 0; i < 1099; i++) {
            right = right && aiox_co_self() == co && aiox_in_coroutine();
            Yield();
            right = right && aiox_co_self() == co && aiox_in_coroutine();
        }
    });

    for (int i = 0; i < 100; i++) {
        std::thread([&] {
            for (int n = 0; n < 10; n++) {
                aiox_co_enter(co);
                right = right && !aiox_in_coroutine();
            }
        }).join();
        aiox_co_enter(co);
    }
    EXPECT_TRUE(right);
}

TEST(CoroutineThread, IsWokenInItsExecutor)
{
    Countdown done(1);
    pid_t first = 0, second = 0;
    aiox_co *co = nullptr;
    Countdown waits(1);
    {
        Worker worker;
        co = Spawn([&] {
            first = gettid();
            waits.Down();
            Yield();
            second = gettid();
            done.Down();
        });
        worker.Add(co);
        waits.Wait();

        aiox_co_wake(co); /* may come before its yield */
        done.Wait();
    }

    EXPECT_EQ(first, second);
    EXPECT_NE(first, gettid());
}

/* Two executors; each coroutine wakes the next one, of the other thread, round and round. */
TEST(CoroutineThread, WakesAcrossExecutors)
{
    constexpr int kRounds = 2000;
    int shared = 0; /* plain: each wake carries it to the next */
    Countdown done(2);
    Worker workers[2];
    aiox_co *co[2];
    std::atomic<int> turn{0};
    auto side = [&](int me) {
        return [&, me] {
            for (int i = 0; i < kRounds; i++) {
                Yield();
                shared++;
                if (i + 1 < kRounds || me == 0) {
                    aiox_co_wake(co[!me]);
                }
            }
            turn++;
            done.Down();
        };
    };
    co[0] = Spawn(side(0));
    co[1] = Spawn(side(1));
    Countdown started(2);
    for (int i = 0; i < 2; i++) {
        /* Both have yielded once before the first wake. */
        aiox_co *starter = Spawn([&, i] {
            aiox_co_enter(co[i]);
            started.Down();
        });
        workers[i].Add(starter);
    }
    started.Wait();

    aiox_co_wake(co[0]);
    done.Wait();

    EXPECT_EQ(shared, 2 * kRounds);
    EXPECT_EQ(turn.load(), 2);
}

/* Many short lives in several threads: magazines and the depot change hands. */
TEST(CoroutineThread, LivesInAllThreadsAtOnce)
{
    constexpr int kThreads = 4;
    constexpr int kRounds = AIOX_TSAN || AIOX_ASAN ? 10 : 100;
    std::atomic<int> ran{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; i++) {
        threads.emplace_back([&] {
            for (int round = 0; round < kRounds; round++) {
                std::vector<aiox_co *> all;
                for (int n = 0; n < 300; n++) {
                    all.push_back(Spawn([&] {
                        Yield();
                        ran++;
                    }));
                    aiox_co_enter(all.back());
                }
                for (aiox_co *co : all) {
                    aiox_co_enter(co);
                }
            }
        });
    }

    for (std::thread &thread : threads) {
        thread.join();
    }

    EXPECT_EQ(ran.load(), kThreads * kRounds * 300);
}

/* A coroutine used by a destructor of thread-local data, after ours has run. */
TEST(CoroutineThread, MayStillRunWhileItsThreadEnds)
{
    static std::atomic<int> ran;
    ran = 0;
    pthread_key_t key;
    ASSERT_EQ(pthread_key_create(&key, [](void *) { aiox_co_enter(Spawn([] { ran++; })); }), 0);

    std::thread([&] {
        aiox_co_enter(Spawn([] { ran++; }));
        pthread_setspecific(key, &ran);
    }).join();

    EXPECT_EQ(ran.load(), 2);
    EXPECT_EQ(co_testing::Stats().warm_here, 0u);
    pthread_key_delete(key);
}
} // namespace
