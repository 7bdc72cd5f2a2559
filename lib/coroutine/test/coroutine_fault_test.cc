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

thread_local long calls_until_refusal = -1; /* -1: never; counts down */
thread_local bool refuse_all;
bool no_guard_advice;

bool Refuse()
{
    if (calls_until_refusal < 0) {
        return false;
    }
    if (calls_until_refusal == 0) {
        calls_until_refusal = refuse_all ? 0 : -1;
        return true;
    }
    calls_until_refusal--;
    return false;
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
/* 200 at once, with refusals; returns how many could be made. The thread is a new one. */
size_t BurstWithRefusals(long calls, bool from_then_on)
{
    std::vector<aiox_co *> all;
    all.reserve(200);
    std::thread([&] {
        calls_until_refusal = calls;
        refuse_all = from_then_on;
        for (int i = 0; i < 200; i++) {
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
        calls_until_refusal = -1;
    }).join();
    return all.size();
}

TEST(CoroutineFault, EachRefusalIsAnErrorOrNothing)
{
    for (long calls = 0; calls < 260; calls++) {
        aiox_co_pool_trim();

        EXPECT_GE(BurstWithRefusals(calls, false), 199u) << "refused call " << calls;

        EXPECT_EQ(co_testing::Stats().in_use, co_testing::Stats().warm_shared);
    }
    aiox_co_pool_trim();
    EXPECT_EQ(co_testing::Stats().reserved_bytes, 0u);
}

TEST(CoroutineFault, EachRefusalForGoodIsAnErrorOrNothing)
{
    for (long calls = 0; calls < 260; calls++) {
        aiox_co_pool_trim();

        BurstWithRefusals(calls, true);

        EXPECT_EQ(co_testing::Stats().in_use, co_testing::Stats().warm_shared);
        EXPECT_EQ(BurstWithRefusals(-1, false), 200u) << "all is well afterwards";
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
    for (int i = 0; i < 100; i++) {
        all.push_back(Spawn([] { Yield(); }, &small));
        aiox_co_enter(all.back());
    }
    for (aiox_co *co : all) {
        aiox_co_enter(co);
    }

    aiox_co *co = nullptr;
    calls_until_refusal = 0; /* one refusal of malloc, then one of mmap */
    int err = aiox_co_create(
        &co, nullptr, [](void *) {}, nullptr);
    calls_until_refusal = -1;

    ASSERT_EQ(err, 0);
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
    if (TEST_ASAN || TEST_TSAN) {
        GTEST_SKIP() << "the sanitizer needs address space itself";
    }
    EXPECT_EXIT(MakeUntilTheLimit(), ::testing::ExitedWithCode(0), "");
}

/* The next ones are last: they make the library believe in an old kernel. */
TEST(CoroutineFaultZ, WithoutAdviceMprotectStandsGuard)
{
    aiox_co_pool_trim();
    no_guard_advice = true;

    EXPECT_EQ(BurstWithRefusals(-1, false), 200u);
    EXPECT_DEATH(aiox_co_enter(Spawn([] {
                     auto *room = static_cast<char *>(__builtin_alloca(300 * 1024));
                     room[0] = 1;
                     __asm__ volatile("" ::"r"(room) : "memory");
                 })),
                 "");

    no_guard_advice = false;
    aiox_co_pool_trim();
}

TEST(CoroutineFaultZ, WithoutAdviceEachRefusalIsAnErrorOrNothing)
{
    no_guard_advice = true;
    for (long calls = 0; calls < 260; calls += 3) {
        aiox_co_pool_trim();

        EXPECT_GE(BurstWithRefusals(calls, false), 199u) << "refused call " << calls;
    }
    no_guard_advice = false;
    aiox_co_pool_trim();
}
} // namespace
