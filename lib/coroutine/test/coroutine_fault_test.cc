/* SPDX-License-Identifier: MIT */
/*
 * coroutine_fault_test.cc - each resource refused once, and refused from then on.
 *
 * The linker sends the library's calls through the functions below.
 */
#include "aiox/coroutine.h"

#include <cerrno>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "lib/coroutine/test/testing.h"

namespace
{
using co_testing::Spawn;
using co_testing::Yield;

constexpr int kGuardInstall = 102;

constexpr long kForGood = 1000000;

thread_local long calls_before_refusal;
thread_local long refusals;
bool no_guard_advice;

bool Refuse()
{
    if (refusals == 0) {
        return false;
    }
    if (calls_before_refusal > 0) {
        calls_before_refusal--;
        return false;
    }
    refusals--;
    return true;
}
} // namespace

extern "C" {
int __real_madvise(void *, size_t, int);
void *__real_malloc(size_t);
void *__real_mmap(void *, size_t, int, int, int, off_t);
int __real_mprotect(void *, size_t, int);
int __real_pthread_setspecific(pthread_key_t, const void *);
int __wrap_madvise(void *, size_t, int);
void *__wrap_malloc(size_t);
void *__wrap_mmap(void *, size_t, int, int, int, off_t);
int __wrap_mprotect(void *, size_t, int);
int __wrap_pthread_setspecific(pthread_key_t, const void *);

int __wrap_madvise(void *low, size_t bytes, int advice)
{
    if (advice == kGuardInstall && (no_guard_advice || Refuse())) {
        errno = EINVAL;
        return -1;
    }
    return __real_madvise(low, bytes, advice);
}

void *__wrap_malloc(size_t bytes)
{
    return Refuse() ? nullptr : __real_malloc(bytes);
}

void *__wrap_mmap(void *low, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    if (Refuse()) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return __real_mmap(low, bytes, protection, flags, fd, offset);
}

int __wrap_mprotect(void *low, size_t bytes, int protection)
{
    if (Refuse()) {
        errno = ENOMEM;
        return -1;
    }
    return __real_mprotect(low, bytes, protection);
}

int __wrap_pthread_setspecific(pthread_key_t key, const void *value)
{
    return Refuse() ? ENOMEM : __real_pthread_setspecific(key, value);
}
}

namespace
{
/* Several slabs. ThreadSanitizer takes ms for each. */
constexpr size_t kMany = AIOX_TSAN ? 20 : 200;
constexpr long kCalls = AIOX_TSAN ? 40 : 260; /* more than kMany coroutines make */

/* kMany at once, with refusals; returns how many could be made. The thread is a new one. */
size_t BurstWithRefusals(long calls, long how_many)
{
    std::vector<aiox_co *> all;
    all.reserve(kMany);
    std::thread([&] {
        calls_before_refusal = calls;
        refusals = how_many;
        for (size_t i = 0; i < kMany; i++) {
            aiox_co *co = nullptr;
            int err = aiox_co_create(
                &co, nullptr, [](void *) { Yield(); }, nullptr);
            if (err) {
                EXPECT_EQ(err, -ENOMEM);
                EXPECT_EQ(co, nullptr) << "written only on success";
                continue;
            }
            aiox_co_enter(co);
            all.push_back(co);
        }
        for (aiox_co *co : all) {
            aiox_co_enter(co);
        }
        refusals = 0;
    }).join();
    return all.size();
}

TEST(CoroutineFault, EachRefusalIsAnErrorOrNothing)
{
    for (long calls = 0; calls < kCalls; calls++) {
        aiox_co_pool_trim();

        EXPECT_GE(BurstWithRefusals(calls, 1), kMany - 1) << "refused call " << calls;

        EXPECT_EQ(co_testing::Stats().in_use, co_testing::Stats().warm_shared);
    }
    aiox_co_pool_trim();
    EXPECT_EQ(co_testing::Stats().reserved_bytes, 0u);
}

TEST(CoroutineFault, EachRefusalForGoodIsAnErrorOrNothing)
{
    for (long calls = 0; calls < kCalls; calls++) {
        aiox_co_pool_trim();

        BurstWithRefusals(calls, kForGood);

        EXPECT_EQ(co_testing::Stats().in_use, co_testing::Stats().warm_shared);
        EXPECT_EQ(BurstWithRefusals(0, 0), kMany) << "all is well afterwards";
    }
    aiox_co_pool_trim();
    EXPECT_EQ(co_testing::Stats().reserved_bytes, 0u);
}

/* The address space is full of warm stacks of another size: they make room. */
TEST(CoroutineFault, WarmStacksOfOtherSizesMakeRoom)
{
    static const aiox_co_class small = {"small", 16 * 1024};
    aiox_co_pool_trim();
    std::vector<aiox_co *> all;
    for (int i = 0; i < 20; i++) {
        all.push_back(Spawn([] { Yield(); }, &small));
        aiox_co_enter(all.back());
    }
    for (aiox_co *co : all) {
        aiox_co_enter(co);
    }

    aiox_co *co = nullptr;
    calls_before_refusal = 0;
    refusals = 2; /* of the memory for a whole slab, and for one of a single stack */
    int err = aiox_co_create(
        &co, nullptr, [](void *) {}, nullptr);

    ASSERT_EQ(err, 0);
    EXPECT_EQ(refusals, 0);
    EXPECT_EQ(co_testing::Stats().in_use, 1u);
    aiox_co_enter(co);
}

/* Exits with 0 if creation ends in -ENOMEM, and not at once. */
void MakeUntilTheLimit()
{
    rlimit limit = {1u << 30, 1u << 30};
    setrlimit(RLIMIT_AS, &limit);
    int made = 0, err = 0;
    while (!err) {
        aiox_co *co;
        err = aiox_co_create(
            &co, nullptr, [](void *) { Yield(); }, nullptr);
        if (!err) {
            aiox_co_enter(co);
            made++;
        }
    }
    _exit(err == -ENOMEM && made > 1000 ? 0 : 1);
}

TEST(CoroutineFault, AddressSpaceLimitIsAnError)
{
    if (AIOX_ASAN || AIOX_TSAN) {
        GTEST_SKIP() << "the sanitizer needs address space itself";
    }
    EXPECT_EXIT(MakeUntilTheLimit(), ::testing::ExitedWithCode(0), "");
}

/* The next ones make the library believe in an old kernel. */
using CoroutineOldKernelDeathTest = co_testing::DeathTest;

TEST_F(CoroutineOldKernelDeathTest, WithoutAdviceMprotectStandsGuard)
{
    aiox_co_pool_trim();
    no_guard_advice = true;

    EXPECT_EQ(BurstWithRefusals(0, 0), kMany);
    EXPECT_DEATH(aiox_co_enter(Spawn([] {
                     auto *room = static_cast<char *>(__builtin_alloca(300 * 1024));
                     room[0] = 1;
                     __asm__ volatile("" ::"r"(room) : "memory");
                 })),
                 "");

    no_guard_advice = false;
    aiox_co_pool_trim();
}

TEST(CoroutineOldKernel, WithoutAdviceEachRefusalIsAnErrorOrNothing)
{
    no_guard_advice = true;
    for (long calls = 0; calls < kCalls; calls += 3) {
        aiox_co_pool_trim();

        EXPECT_GE(BurstWithRefusals(calls, 1), kMany - 1) << "refused call " << calls;
    }
    no_guard_advice = false;
    aiox_co_pool_trim();
}
} // namespace
