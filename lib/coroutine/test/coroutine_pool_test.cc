/* SPDX-License-Identifier: MIT */
/* coroutine_pool_test.cc - stacks that are kept, shared, bounded and given back. */
#include "aiox/coroutine.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "lib/coroutine/test/testing.h"

namespace
{
using co_testing::Stats;
using co_testing::Yield;

/* More than a thread keeps. ThreadSanitizer takes ms for each. */
constexpr size_t kMany = AIOX_TSAN ? 300 : 5000;

class CoroutinePoolTest : public ::testing::Test
{
  protected:
    CoroutinePoolTest()
    {
        aiox_co_pool_trim();
    }
    ~CoroutinePoolTest() override
    {
        aiox_co_pool_set_limits(128, 16384);
        aiox_co_pool_trim();
    }

    /* @n coroutines at once, which then end. */
    static void Burst(size_t n, const aiox_co_class *class_ = nullptr)
    {
        std::vector<aiox_co *> all(n);
        for (aiox_co *&co : all) {
            ASSERT_EQ(aiox_co_create(
                          &co, class_, [](void *) { Yield(); }, nullptr),
                      0);
            aiox_co_enter(co);
        }
        for (aiox_co *co : all) {
            aiox_co_enter(co);
        }
    }
};

TEST_F(CoroutinePoolTest, UsesTheStackOfTheLastOneThatEnded)
{
    aiox_co *first, *second;
    ASSERT_EQ(aiox_co_create(
                  &first, nullptr, [](void *) {}, nullptr),
              0);
    aiox_co_enter(first);

    ASSERT_EQ(aiox_co_create(
                  &second, nullptr, [](void *) {}, nullptr),
              0);

    EXPECT_EQ(second, first);
    aiox_co_free(second);
}

TEST_F(CoroutinePoolTest, KeepsAllStacksOfABurst)
{
    Burst(kMany);

    EXPECT_EQ(Stats().in_use, kMany);
    EXPECT_EQ(Stats().warm_here + Stats().warm_shared, kMany);
    EXPECT_LE(Stats().warm_here, 128u);

    Burst(kMany);
    EXPECT_EQ(Stats().in_use, kMany) << "the second burst needs no new stack";
}

TEST_F(CoroutinePoolTest, KeepsNoMoreThanTheSharedLimit)
{
    aiox_co_pool_set_limits(128, kMany / 2);

    Burst(kMany);

    EXPECT_LE(Stats().warm_shared, kMany / 2);
    EXPECT_GE(Stats().warm_shared, kMany / 2 - 64);
    EXPECT_EQ(Stats().in_use, Stats().warm_shared + Stats().warm_here);
}

TEST_F(CoroutinePoolTest, KeepsNoMoreThanTheThreadLimit)
{
    aiox_co_pool_set_limits(10, 0);
    /* A limit is noticed where a thread gets a magazine: in a thread that has none. */
    std::thread([] {
        Burst(100);

        EXPECT_EQ(Stats().warm_here, 10u);
        EXPECT_EQ(Stats().warm_shared, 0u);
    }).join();

    EXPECT_EQ(Stats().in_use, 0u);
}

TEST_F(CoroutinePoolTest, KeepsOneSizeApartFromAnother)
{
    static const aiox_co_class small = {"small", 16 * 1024};
    static const aiox_co_class large = {"large", 1024 * 1024};
    Burst(10, &small);
    Burst(10, &large);

    EXPECT_EQ(Stats().in_use, 20u);

    Burst(10, &small);
    EXPECT_EQ(Stats().in_use, 20u);
}

TEST_F(CoroutinePoolTest, TrimGivesEverythingBack)
{
    Burst(kMany);

    EXPECT_EQ(aiox_co_pool_trim(), kMany);

    EXPECT_EQ(Stats().in_use, 0u);
    EXPECT_EQ(Stats().warm_here, 0u);
    EXPECT_EQ(Stats().warm_shared, 0u);
    EXPECT_EQ(Stats().reserved_bytes, 0u);
}

TEST_F(CoroutinePoolTest, TrimLeavesTheLivingAlone)
{
    aiox_co *co = co_testing::Spawn([] { Yield(); });
    aiox_co_enter(co);
    Burst(200);

    EXPECT_EQ(aiox_co_pool_trim(), 200u);

    EXPECT_EQ(Stats().in_use, 1u);
    aiox_co_enter(co);
    EXPECT_EQ(Stats().in_use, 1u);
    EXPECT_EQ(Stats().warm_here, 1u);
}

TEST_F(CoroutinePoolTest, AThreadGivesItsStacksToTheOthersWhenItEnds)
{
    std::thread([] { Burst(100); }).join();
    EXPECT_EQ(Stats().warm_here, 0u);
    EXPECT_EQ(Stats().warm_shared, 100u);

    Burst(100);

    EXPECT_EQ(Stats().in_use, 100u);
}

TEST_F(CoroutinePoolTest, AThreadGivesToTheSharedOnesNoMoreThanTheLimit)
{
    aiox_co_pool_set_limits(128, 50);

    std::thread([] { Burst(128); }).join();

    EXPECT_LE(Stats().warm_shared, 50u);
    EXPECT_EQ(Stats().in_use, Stats().warm_shared);
}

/* Made here, ended there: stacks wander from one thread to another, none is lost. */
TEST_F(CoroutinePoolTest, StacksThatEndElsewhereComeBack)
{
    constexpr size_t kEach = kMany / 2;
    for (int round = 0; round < 20; round++) {
        std::vector<aiox_co *> all(kEach);
        for (aiox_co *&co : all) {
            ASSERT_EQ(aiox_co_create(
                          &co, nullptr, [](void *) {}, nullptr),
                      0);
        }
        std::thread([&] {
            for (aiox_co *co : all) {
                aiox_co_enter(co);
            }
        }).join();
    }

    EXPECT_LE(Stats().in_use, kEach + 128u);
    EXPECT_EQ(Stats().in_use, Stats().warm_shared + Stats().warm_here);
}
} // namespace
