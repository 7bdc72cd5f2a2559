/* SPDX-License-Identifier: MIT */
/* pool_co_test.cc - a coroutine waits for a job as if it called it. */
#include <cerrno>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "lib/aio_pool/test/testing.h"
#include "lib/coroutine/test/testing.h"

namespace
{
using co_testing::Spawn;
using pool_testing::Counter;
using pool_testing::Gate;
using pool_testing::Loop;

constexpr int kWaiters = AIOX_TSAN ? 200 : 3000; /* there a fiber costs milliseconds */

using Body = std::function<int()>;

int Call(void *opaque)
{
    return (*static_cast<Body *>(opaque))();
}

/* A lambda has no place for coroutine_fn. */
int RunInPool(Body body) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_pool_run(Call, &body);
}
int RunIn(aiox_pool *pool, Body body) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_pool_run_in(pool, Call, &body);
}

TEST(CoPool, TheResultComesBackWhereTheCoroutineIsAtHome)
{
    Loop loop;
    std::thread::id ran, home;
    int result = 0;

    aiox_co_enter(Spawn([&] {
        result = RunInPool([&] {
            ran = std::this_thread::get_id();
            return 9;
        });
        home = std::this_thread::get_id();
    }));
    EXPECT_EQ(result, 0) << "it waits, the caller goes on";
    loop.RunUntil([&] { return result != 0; });

    EXPECT_EQ(result, 9);
    EXPECT_EQ(home, std::this_thread::get_id());
    EXPECT_NE(ran, home);
}

TEST(CoPool, OthersGoOnMeanwhile)
{
    Loop loop;
    Gate gate;
    std::vector<int> diary;

    aiox_co_enter(Spawn([&] {
        diary.push_back(RunInPool([&] {
            gate.Pass();
            return 2;
        }));
    }));
    aiox_co_enter(Spawn([&] { diary.push_back(RunInPool([] { return 1; })); }));
    loop.RunUntil([&] { return diary.size() == 1; });
    gate.Open();
    loop.RunUntil([&] { return diary.size() == 2; });

    EXPECT_EQ(diary, (std::vector<int>{1, 2}));
}

TEST(CoPool, AsManyWaitAtOnceAsLike)
{
    Loop loop;
    int done = 0;

    for (int i = 0; i < kWaiters; i++) {
        aiox_co_enter(Spawn([&, i] {
            EXPECT_EQ(RunInPool([i] { return i; }), i);
            done++;
        }));
    }
    loop.RunUntil([&] { return done == kWaiters; });

    EXPECT_EQ(loop.Info().untold, 0U);
}

TEST(CoPool, APoolCanBeNamed)
{
    Loop loop;
    int result = 0;

    aiox_co_enter(Spawn([&] { result = RunIn(loop, [] { return 4; }); }));
    loop.RunUntil([&] { return result != 0; });

    EXPECT_EQ(result, 4);
}

class CoPoolDeathTest : public co_testing::DeathTest
{
};

TEST_F(CoPoolDeathTest, AContextDoesNotEndWhileACoroutineWaitsForItsPool)
{
    EXPECT_DEATH(
        {
            Loop loop;
            aiox_co_enter(Spawn([] { RunInPool([] { return 0; }); }));
            loop.End();
        },
        "waits for its pool");
}

TEST_F(CoPoolDeathTest, WhoWaitsIsEnteredByNobodyElse)
{
    EXPECT_DEATH(
        {
            Loop loop;
            Gate gate;
            aiox_co *co = Spawn([&] {
                RunInPool([&] {
                    gate.Pass();
                    return 0;
                });
            });
            aiox_co_enter(co);
            aiox_co_enter(co);
        },
        "aiox_co_pool_run");
}
} // namespace
