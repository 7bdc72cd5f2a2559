/* SPDX-License-Identifier: MIT */
#include "apps/nbd_server/pool.h"

#include <cstdint>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

namespace
{

constexpr size_t kHead = 128;

class PoolTest : public ::testing::Test
{
  protected:
    PoolTest()
    {
        pool_init(&pool_, kHead, 1 << 20);
    }
    ~PoolTest() override
    {
        pool_fini(&pool_);
    }

    pool pool_;
};

TEST_F(PoolTest, EveryLengthHasItsRoom)
{
    for (size_t n : {0, 1, 4095, 4096, 4097, 8192, 8193, 65536, 1 << 20, POOL_PAYLOAD_MAX - 1,
                     +POOL_PAYLOAD_MAX}) {
        auto *block = static_cast<uint8_t *>(pool_take(&pool_, n));

        ASSERT_NE(block, nullptr);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % POOL_ALIGNMENT, 0u);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(block + kHead) % POOL_PAYLOAD_ALIGNMENT, 0u);
        block[kHead + n - 1] = 1; /* AddressSanitizer looks */
        memset(block, 2, kHead);
        pool_give(&pool_, block, n);
    }
}

TEST_F(PoolTest, TheLastGivenIsTheNextTaken)
{
    void *a = pool_take(&pool_, 5000), *b = pool_take(&pool_, 5000);

    pool_give(&pool_, a, 5000);
    pool_give(&pool_, b, 5000);

    EXPECT_EQ(pool_take(&pool_, 8000), b);
    EXPECT_EQ(pool_take(&pool_, 4097), a);
    pool_give(&pool_, a, 4097);
    pool_give(&pool_, b, 8000);
}

TEST_F(PoolTest, NoMoreIsKeptThanAgreed)
{
    std::vector<void *> blocks;

    for (int i = 0; i < 1000; i++) {
        blocks.push_back(pool_take(&pool_, 4096));
    }
    for (void *block : blocks) {
        pool_give(&pool_, block, 4096);
        EXPECT_LE(pool_.kept_bytes, pool_.keep_bytes);
    }

    EXPECT_GT(pool_.kept_bytes, pool_.keep_bytes - 4096 - kHead);
}

TEST_F(PoolTest, WhatIsTooBigToKeepIsNotKept)
{
    void *big = pool_take(&pool_, POOL_PAYLOAD_MAX);

    pool_give(&pool_, big, POOL_PAYLOAD_MAX);

    EXPECT_EQ(pool_.kept_bytes, 0u);
}

} // namespace
