/* SPDX-License-Identifier: MIT */
#include "apps/nbd_server/blocks.h"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace
{

constexpr uint64_t kBlock = BLOCKS_BYTES;

class BlocksTest : public ::testing::Test
{
  protected:
    ~BlocksTest() override
    {
        blocks_fini(&b_);
    }
    uint64_t Run(uint64_t first, uint64_t end, bool expected)
    {
        bool is_set = !expected;
        uint64_t run = blocks_run(&b_, first, end, &is_set);

        EXPECT_EQ(is_set, expected) << first;
        return run;
    }

    blocks b_ = {};
};

TEST_F(BlocksTest, AtFirstNoneIsSet)
{
    ASSERT_EQ(blocks_init(&b_, 1000 * kBlock), 0);

    EXPECT_EQ(b_.count, 1000u);
    EXPECT_EQ(Run(0, 1000, false), 1000u);
}

TEST_F(BlocksTest, APartOfABlockIsABlock)
{
    ASSERT_EQ(blocks_init(&b_, kBlock + 1), 0);

    EXPECT_EQ(b_.count, 2u);
    EXPECT_EQ(blocks_at(kBlock - 1), 0u);
    EXPECT_EQ(blocks_behind(kBlock - 1), 1u);
    EXPECT_EQ(blocks_behind(kBlock), 1u);
    EXPECT_EQ(blocks_behind(UINT64_MAX), UINT64_MAX / kBlock + 1);
}

TEST_F(BlocksTest, RunsEndWhereTheStateChanges)
{
    ASSERT_EQ(blocks_init(&b_, 1000 * kBlock), 0);

    blocks_set(&b_, 10, 200);
    blocks_clear(&b_, 64, 128);

    EXPECT_EQ(Run(0, 1000, false), 10u);
    EXPECT_EQ(Run(10, 1000, true), 54u);
    EXPECT_EQ(Run(70, 1000, false), 58u);
    EXPECT_EQ(Run(128, 150, true), 22u);
    EXPECT_EQ(Run(200, 1000, false), 800u);
    EXPECT_EQ(aiox_u64_load_relaxed(&b_.set), 126u);
    EXPECT_EQ(blocks_missing(&b_, 0, 1000), 874u);
}

TEST_F(BlocksTest, AHugeRangeTakesLittleAndALookIsBounded)
{
    ASSERT_EQ(blocks_init(&b_, UINT64_C(1) << 45), 0);

    blocks_set(&b_, b_.count - 1, b_.count);

    EXPECT_EQ(Run(0, b_.count, false), static_cast<uint64_t>(BLOCKS_SCAN));
    EXPECT_EQ(Run(b_.count - 2, b_.count, false), 1u);
}

TEST_F(BlocksTest, AsASetOfBoolsDoes)
{
    constexpr uint64_t kCount = 300;
    std::vector<bool> model(kCount);
    std::mt19937 random(3);
    ASSERT_EQ(blocks_init(&b_, kCount * kBlock), 0);

    for (int turn = 0; turn < 3000; turn++) {
        uint64_t first = random() % kCount, end = first + random() % (kCount - first + 1);
        bool to = random() % 2;

        to ? blocks_set(&b_, first, end) : blocks_clear(&b_, first, end);
        std::fill(model.begin() + static_cast<long>(first), model.begin() + static_cast<long>(end),
                  to);
        uint64_t at = random() % kCount, run = 1;

        while (at + run < kCount && model[at + run] == model[at]) {
            run++;
        }
        ASSERT_EQ(Run(at, kCount, model[at]), run);
        uint64_t set = static_cast<uint64_t>(std::count(model.begin(), model.end(), true));
        ASSERT_EQ(aiox_u64_load_relaxed(&b_.set), set);
        ASSERT_EQ(blocks_missing(&b_, 0, kCount), kCount - set);
    }
}

} // namespace
