/* SPDX-License-Identifier: MIT */
#include "aiox/atomic.h"

#include <gtest/gtest.h>

#include <thread>
#include <type_traits>

namespace
{

// Plain access must not compile: an atomic is no number.
static_assert(!std::is_convertible<aiox_atomic_u32, uint32_t>::value, "u32 is a struct");
static_assert(!std::is_convertible<aiox_atomic_u64, uint64_t>::value, "u64 is a struct");
static_assert(!std::is_convertible<aiox_atomic_ptr, void *>::value, "ptr is a struct");
static_assert(sizeof(aiox_atomic_u32) == 4 && sizeof(aiox_atomic_u64) == 8, "and no bigger");

TEST(Atomic, StoresAreLoaded)
{
    aiox_atomic_u32 u32 = AIOX_ATOMIC_INIT(1);
    aiox_atomic_u64 u64 = AIOX_ATOMIC_INIT(2);
    aiox_atomic_ptr ptr = AIOX_ATOMIC_INIT(nullptr);

    aiox_u32_store_release(&u32, UINT32_MAX);
    aiox_u64_store_seq_cst(&u64, UINT64_MAX);
    aiox_ptr_store_relaxed(&ptr, &u32);

    EXPECT_EQ(aiox_u32_load_acquire(&u32), UINT32_MAX);
    EXPECT_EQ(aiox_u64_load_seq_cst(&u64), UINT64_MAX);
    EXPECT_EQ(aiox_ptr_load_relaxed(&ptr), &u32);
}

TEST(Atomic, ReadModifyWritesReturnTheOldValue)
{
    aiox_atomic_u32 word = AIOX_ATOMIC_INIT(6);

    EXPECT_EQ(aiox_u32_or_acq_rel(&word, 1), 6u);
    EXPECT_EQ(aiox_u32_and_release(&word, 5), 7u);
    EXPECT_EQ(aiox_u32_add_relaxed(&word, 10), 5u);
    EXPECT_EQ(aiox_u32_sub_acquire(&word, 14), 15u);
    EXPECT_EQ(aiox_u32_swap_seq_cst(&word, 9), 1u);
    EXPECT_EQ(aiox_u32_load_relaxed(&word), 9u);
}

TEST(Atomic, WideOnesDoNotLoseTheirUpperHalf)
{
    aiox_atomic_u64 word = AIOX_ATOMIC_INIT(UINT64_C(1) << 40);

    EXPECT_EQ(aiox_u64_add_acq_rel(&word, UINT64_C(1) << 40), UINT64_C(1) << 40);
    EXPECT_EQ(aiox_u64_swap_acquire(&word, 3), UINT64_C(1) << 41);
}

TEST(Atomic, ACasThatFailsTellsWhatItFound)
{
    int a;
    int b;
    aiox_atomic_ptr where = AIOX_ATOMIC_INIT(&a);
    void *expected = &b;

    EXPECT_FALSE(aiox_ptr_cas_acq_rel(&where, &expected, &b));
    EXPECT_EQ(expected, &a);

    EXPECT_TRUE(aiox_ptr_cas_acq_rel(&where, &expected, &b));
    EXPECT_EQ(aiox_ptr_load_relaxed(&where), &b);
}

// Two threads add and publish; ThreadSanitizer watches the plain variable.
TEST(Atomic, AReleaseCarriesWhatWasWrittenBeforeAndNoAdditionIsLost)
{
    enum { TIMES = 20000 };
    aiox_atomic_u32 count = AIOX_ATOMIC_INIT(0);
    aiox_atomic_u32 ready = AIOX_ATOMIC_INIT(0);
    int plain = 0;

    std::thread other([&] {
        for (int i = 0; i < TIMES; i++) {
            aiox_u32_add_relaxed(&count, 1);
        }
        plain = 42;
        aiox_u32_store_release(&ready, 1);
    });
    for (int i = 0; i < TIMES; i++) {
        aiox_u32_add_relaxed(&count, 1);
    }
    while (!aiox_u32_load_acquire(&ready)) {
        std::this_thread::yield();
    }

    EXPECT_EQ(plain, 42);
    other.join();
    EXPECT_EQ(aiox_u32_load_relaxed(&count), 2u * TIMES);
}

} // namespace
