/* SPDX-License-Identifier: MIT */
/*
 * aio_co_torture.cc - coroutines between two loops, for long.
 *
 * Each storm counts what it did and fails if it did nothing; whatever is lost
 * makes it hang, and the watchdog tells where.
 *
 * AIOX_TORTURE_SECONDS: how long each lasts; 1 unless set.
 */
#include <atomic>
#include <cstdlib>
#include <random>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/clock.h"
#include "lib/aio_co/test/loop.h"

namespace
{
using co_testing::LoopThread;
using co_testing::MoveSelf;
using co_testing::ReadAll;
using co_testing::SleepIn;
using co_testing::Spawn;
using co_testing::WriteAll;

int64_t EndOfStorm()
{
    const char *seconds = std::getenv("AIOX_TORTURE_SECONDS");
    return aiox_clock_now_ns() + (seconds ? std::atoi(seconds) : 1) * AIOX_NS_PER_S;
}

void WaitFor(const std::atomic<int> &left)
{
    while (left.load(std::memory_order_acquire) > 0) {
        std::this_thread::yield();
    }
}

TEST(AioCoTorture, TravellersBetweenTwoLoops)
{
    constexpr int kMany = 64;
    LoopThread loops[2];
    std::atomic<int> left{kMany};
    std::vector<long> trips(kMany);
    int64_t until = EndOfStorm();
    for (int i = 0; i < kMany; i++) {
        aiox_co_enter_in(loops[i % 2], Spawn([&, i] {
                             int at = i % 2;
                             do {
                                 at = !at;
                                 MoveSelf(loops[at]);
                                 EXPECT_TRUE(aiox_co_context(aiox_co_self()) == loops[at]);
                                 trips[i]++;
                             } while (aiox_clock_now_ns() < until);
                             left.fetch_sub(1, std::memory_order_release);
                         }));
    }

    WaitFor(left);

    for (long n : trips) {
        EXPECT_GT(n, 0);
    }
}

/* Two wakers and a timer want the same sleeper; each sleep ends exactly once. */
TEST(AioCoTorture, SleepersAndManyWakers)
{
    constexpr int kSleepers = 16;
    struct Sleeper {
        aiox_co_sleep sleep = {};
        long by_time = 0;
        long by_wake = 0;
    };
    std::vector<Sleeper> sleepers(kSleepers);
    std::atomic<int> left{kSleepers};
    std::atomic<long> wakes{0};
    LoopThread loops[2];
    int64_t until = EndOfStorm();
    for (int i = 0; i < kSleepers; i++) {
        aiox_co_enter_in(loops[i % 2], Spawn([&, i] {
                             Sleeper *s = &sleepers[i];
                             while (aiox_clock_now_ns() < until) {
                                 int err = SleepIn(&s->sleep, AIOX_CLOCK_MONOTONIC, 20000);
                                 EXPECT_TRUE(err == 0 || err == -ECANCELED);
                                 (err ? s->by_wake : s->by_time)++;
                             }
                             left.fetch_sub(1, std::memory_order_release);
                         }));
    }
    std::vector<std::thread> wakers;
    for (unsigned n = 0; n < 2; n++) {
        wakers.emplace_back([&, n] {
            std::mt19937 random(n);
            while (left.load(std::memory_order_acquire) > 0) {
                if (aiox_co_sleep_wake(&sleepers[random() % kSleepers].sleep)) {
                    wakes.fetch_add(1, std::memory_order_relaxed);
                }
            }
        });
    }

    WaitFor(left);
    for (std::thread &waker : wakers) {
        waker.join();
    }

    long by_time = 0, by_wake = 0;
    for (const Sleeper &s : sleepers) {
        by_time += s.by_time;
        by_wake += s.by_wake;
    }
    EXPECT_EQ(by_wake, wakes.load());
    EXPECT_GT(by_wake, 0);
    EXPECT_GT(by_time, 0);
}

/* Echo over sockets whose ends live in different loops; sums at both ends agree. */
TEST(AioCoTorture, EchoesAcrossLoops)
{
    constexpr int kPairs = 16;
    LoopThread loops[2];
    std::atomic<int> left{2 * kPairs};
    std::atomic<long> rounds{0};
    int fd[kPairs][2];
    int64_t until = EndOfStorm();
    for (auto &pair : fd) {
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        aiox_co_enter_in(loops[0], Spawn([&] {
                             char buf[512];
                             while (ReadAll(pair[0], buf, sizeof(buf)) == sizeof(buf)) {
                                 EXPECT_EQ(WriteAll(pair[0], buf, sizeof(buf)),
                                           (ssize_t)sizeof(buf));
                             }
                             left.fetch_sub(1, std::memory_order_release);
                         }));
        aiox_co_enter_in(loops[1], Spawn([&] {
                             char out[512], in[512] = {};
                             for (unsigned n = 0; aiox_clock_now_ns() < until; n++) {
                                 memset(out, (int)n, sizeof(out));
                                 EXPECT_EQ(WriteAll(pair[1], out, sizeof(out)),
                                           (ssize_t)sizeof(out));
                                 EXPECT_EQ(ReadAll(pair[1], in, sizeof(in)), (ssize_t)sizeof(in));
                                 EXPECT_EQ(memcmp(in, out, sizeof(in)), 0);
                                 rounds.fetch_add(1, std::memory_order_relaxed);
                             }
                             shutdown(pair[1], SHUT_WR);
                             left.fetch_sub(1, std::memory_order_release);
                         }));
    }

    WaitFor(left);

    EXPECT_GE(rounds.load(), kPairs);
    for (auto &pair : fd) {
        close(pair[0]);
        close(pair[1]);
    }
}
} // namespace
