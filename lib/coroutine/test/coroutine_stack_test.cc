/* SPDX-License-Identifier: MIT */
/* coroutine_stack_test.cc - how many, how deep, and what lies beyond. */
#include "aiox/coroutine.h"

#include <csignal>
#include <cstdio>
#include <cstring>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "lib/coroutine/test/testing.h"

namespace
{
using co_testing::Spawn;
using co_testing::Yield;

constexpr size_t kPage = 4096;

size_t ResidentBytes()
{
    std::ifstream statm("/proc/self/statm");
    size_t total, resident;
    statm >> total >> resident;
    return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

size_t Mappings()
{
    std::ifstream maps("/proc/self/maps");
    std::string line;
    size_t n = 0;
    while (std::getline(maps, line)) {
        n++;
    }
    return n;
}

/* Touches the stack below @top, at least @bytes of it; not the second stack of ASan. */
__attribute__((noinline, no_sanitize("address"))) void DigFrom(const char *top, size_t bytes)
{
    char room[256];

    memset(room, 1, sizeof(room));
    __asm__ volatile("" ::"r"(room) : "memory");
    if (static_cast<size_t>(top - room) < bytes) {
        DigFrom(top, bytes);
    }
    __asm__ volatile("" ::"r"(room) : "memory");
}

__attribute__((no_sanitize("address"))) void Dig(size_t bytes)
{
    DigFrom(static_cast<const char *>(__builtin_frame_address(0)), bytes);
}

void YieldOnce(void *)
{
    Yield();
}

/* Makes and enters up to @n; returns those that there was room for. */
std::vector<aiox_co *> Suspended(size_t n)
{
    std::vector<aiox_co *> all;
    aiox_co *co;
    while (all.size() < n && aiox_co_create(&co, nullptr, &YieldOnce, nullptr) == 0) {
        aiox_co_enter(co);
        all.push_back(co);
    }
    return all;
}

TEST(CoroutineStack, AHundredThousandCanBeSuspended)
{
    if (AIOX_TSAN) {
        GTEST_SKIP() << "ThreadSanitizer has 8,000 fibers";
    }
    std::vector<aiox_co *> none = Suspended(0);
    size_t resident = ResidentBytes();
    size_t mappings = Mappings();

    const size_t n = AIOX_ASAN ? 20000 : 100000; /* the time it takes */
    std::vector<aiox_co *> all = Suspended(n);

    ASSERT_EQ(all.size(), n);
    if (!AIOX_ASAN) {
        EXPECT_LT((ResidentBytes() - resident) / all.size(), 4400u);
        EXPECT_LT(Mappings() - mappings, 1000u);
    }
    for (aiox_co *co : all) {
        aiox_co_enter(co);
    }
    EXPECT_LE(co_testing::Stats().in_use, 16384u + 128u + 1u);
    aiox_co_pool_trim();
    EXPECT_EQ(co_testing::Stats().in_use, 0u);
    EXPECT_LT(co_testing::Stats().reserved_bytes, 64u << 20);
}

TEST(CoroutineStack, OfAClassHasRoomForItsSize)
{
    static const aiox_co_class sizes[] = {
        {"one", 1},          {"16k", 16 << 10},  {"20k", 20 << 10}, {"64k", 64 << 10},
        {"256k", 256 << 10}, {"1000k", 1000000}, {"8M", 8 << 20},
    };
    for (const aiox_co_class &size : sizes) {
        size_t used = 0;
        size_t least = std::max<size_t>(size.stack_bytes, AIOX_CO_STACK_MIN_BYTES);
        size_t depth = least - 8 * 1024; /* the record and the frames of the test take a part */
        aiox_co *co = Spawn(
            [&] {
                Dig(depth);
                used = aiox_co_stack_used_bytes(aiox_co_self());
            },
            &size);

        aiox_co_enter(co);

        EXPECT_GE(used, depth) << size.name;
    }
}

TEST(CoroutineStack, UsesOnePageWhenShallow)
{
    if (AIOX_ASAN || AIOX_TSAN) {
        GTEST_SKIP() << "frames are larger";
    }
    aiox_co_pool_trim();
    std::vector<aiox_co *> one = Suspended(1);

    EXPECT_EQ(aiox_co_stack_used_bytes(one[0]), kPage);

    aiox_co_enter(one[0]);
}

TEST(CoroutineStack, TellsHowDeepAClassEverWent)
{
    static const aiox_co_class deep = {"deep", 512 * 1024};
    EXPECT_EQ(aiox_co_class_high_water_bytes(&deep), 0u);
    aiox_co_enter(Spawn([] { Dig(100 * 1024); }, &deep));
    size_t warm = aiox_co_class_high_water_bytes(&deep);
    aiox_co_pool_trim();

    size_t cold = aiox_co_class_high_water_bytes(&deep);

    EXPECT_GE(warm, 100u * 1024);
    EXPECT_LE(warm, 512u * 1024);
    EXPECT_EQ(cold, warm) << "it is remembered when the stacks are gone";
}

/* What was poisoned or left behind by one life does not hurt the next. */
TEST(CoroutineStack, IsCleanForTheNextLife)
{
    for (int i = 0; i < 100; i++) {
        aiox_co_enter(Spawn([i] { Dig(static_cast<size_t>(i) * 300); }));
    }
}

/* Seen by LeakSanitizer when the program ends: a block that only a suspended stack knows. */
TEST(CoroutineStack, HoldsWhatItPointsToWhileSuspended)
{
    static aiox_co *kept;
    kept = Spawn([] {
        char *volatile block = static_cast<char *>(malloc(77));
        block[0] = 1;
        Yield();
        free(block);
    });

    aiox_co_enter(kept);

    EXPECT_FALSE(aiox_co_is_entered(kept));
}

using CoroutineStackDeathTest = co_testing::DeathTest;

volatile int bottomless = 1;

__attribute__((noinline)) int Fall(int n)
{
    volatile char room[512];
    room[0] = static_cast<char>(n);
    return bottomless ? Fall(n + 1) + room[0] : 0;
}

/* Whatever reports it, the program does not go on. */
TEST_F(CoroutineStackDeathTest, EndsInAGuard)
{
    EXPECT_DEATH(aiox_co_enter(Spawn([] { Fall(0); })), "");
}

TEST_F(CoroutineStackDeathTest, EndsInAGuardWhichIsASegmentationFault)
{
    if (AIOX_ASAN || AIOX_TSAN) {
        GTEST_SKIP() << "the sanitizer exits in its own way";
    }
    EXPECT_EXIT(
        {
            signal(SIGSEGV, SIG_DFL);
            aiox_co_enter(Spawn([] { Fall(0); }));
        },
        ::testing::KilledBySignal(SIGSEGV), "");
}

/* A frame larger than the guard: -fstack-clash-protection touches each of its pages. */
TEST_F(CoroutineStackDeathTest, CannotBeJumpedOver)
{
    EXPECT_DEATH(aiox_co_enter(Spawn([] {
                     auto *room = static_cast<char *>(__builtin_alloca(300 * 1024));
                     room[0] = 1;
                     __asm__ volatile("" ::"r"(room) : "memory");
                 })),
                 "");
}
} // namespace
