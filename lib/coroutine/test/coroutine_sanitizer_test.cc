/* SPDX-License-Identifier: MIT */
/* coroutine_sanitizer_test.cc - a sanitizer that saw nothing on coroutine stacks would be quiet. */
#include "aiox/coroutine.h"

#include <pthread.h>

#include <cstdlib>
#include <cstring>
#include <thread>

#include <gtest/gtest.h>

#include "lib/coroutine/test/testing.h"

namespace
{
using co_testing::Spawn;
using co_testing::Yield;

using CoroutineSanitizerDeathTest = co_testing::DeathTest;

void Twice(aiox_co *co)
{
    aiox_co_enter(co);
    aiox_co_enter(co);
}

/* Two coroutines in two threads change one variable. */
void Race()
{
    static int raced;
    pthread_barrier_t both;
    pthread_barrier_init(&both, nullptr, 2);
    auto run = [&] {
        aiox_co *co = Spawn([] {
            for (int i = 0; i < 100; i++) {
                raced++;
                Yield();
            }
        });
        pthread_barrier_wait(&both); /* what follows takes no lock that would order the two */
        for (int i = 0; i <= 100; i++) {
            aiox_co_enter(co);
        }
    };
    std::thread one(run), two(run);
    one.join();
    two.join();
    pthread_barrier_destroy(&both);
    exit(0);
}

TEST_F(CoroutineSanitizerDeathTest, SeesARaceBetweenCoroutines)
{
    if (!AIOX_TSAN) {
        GTEST_SKIP() << "for ThreadSanitizer";
    }
    EXPECT_DEATH(Race(), "data race");
}

TEST_F(CoroutineSanitizerDeathTest, SeesAWriteBeyondAnArrayOnTheStack)
{
    if (!AIOX_ASAN) {
        GTEST_SKIP() << "for AddressSanitizer";
    }
    EXPECT_DEATH(Twice(Spawn([] {
                     volatile char room[32];
                     volatile int n = 32;
                     Yield();
                     room[n] = 1;
                     (void)room[0];
                 })),
                 "stack-buffer-overflow|out of bounds");
}

TEST_F(CoroutineSanitizerDeathTest, SeesAUseOfFreedMemoryAfterAYield)
{
    if (!AIOX_ASAN) {
        GTEST_SKIP() << "for AddressSanitizer";
    }
    EXPECT_DEATH(Twice(Spawn([] {
                     auto *volatile block = static_cast<volatile char *>(malloc(10));
                     free(const_cast<char *>(block));
                     Yield();
                     *block = 1;
                 })),
                 "heap-use-after-free");
}

char *escaped;

__attribute__((noinline)) void Escape()
{
    char room[64];
    memset(room, 1, sizeof(room));
    char *address = room;
    memcpy(&escaped, &address, sizeof(escaped)); /* unseen by the compiler's own warning */
}

TEST_F(CoroutineSanitizerDeathTest, SeesAUseOfAFrameThatHasReturned)
{
    if (!AIOX_ASAN) {
        GTEST_SKIP() << "for AddressSanitizer";
    }
    EXPECT_DEATH(Twice(Spawn([] {
                     Escape();
                     Yield();
                     *static_cast<volatile char *>(escaped) = 1;
                 })),
                 "stack-use-after-return");
}
} // namespace
