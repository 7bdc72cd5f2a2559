/* SPDX-License-Identifier: MIT */
/*
 * waiting_test.cc - how long a collect() lasts, and what ends it: time, events,
 * signals, other threads.
 */
#include "fdmon_contract.h"

#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <ctime>
#include <pthread.h>
#include <sys/time.h>
#include <thread>
#include <unistd.h>

namespace contract
{
namespace
{

int64_t ResolutionNs()
{
    timespec ts;

    clock_getres(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

TEST_P(FdmonContract, AWaitIsNeverTooShort)
{
    Monitor mon(plugin(), &host_);
    Fd quiet = Event();

    for (bool watching : {false, true}) {
        if (watching) {
            ASSERT_EQ(mon.Watch(quiet.get(), AIOX_FD_READ, 1), 0);
        }
        for (int64_t ns : {1, 999, 1000, 50000, 333333, 1000000, 1500001, 20000000}) {
            for (int i = 0; i < 5; i++) {
                int64_t start = NowNs();
                ASSERT_TRUE(mon.Collect(ns).empty());
                ASSERT_GE(NowNs() - start, ns - ResolutionNs()) << ns;
            }
        }
    }
}

TEST_P(FdmonContract, TheLongestTimeoutIsATimeout)
{
    Monitor mon(plugin(), &host_);
    Fd ready = Event(1);

    ASSERT_EQ(mon.Watch(ready.get(), AIOX_FD_READ, 1), 0);

    EXPECT_EQ(mon.Collect(INT64_MAX).size(), 1u);
}

TEST_P(FdmonContract, AnEventEndsTheWait)
{
    Monitor mon(plugin(), &host_);
    Fd a = Event();
    Fd b = Event();

    ASSERT_EQ(mon.Watch(a.get(), AIOX_FD_READ, 1), 0);
    ASSERT_EQ(mon.Watch(b.get(), AIOX_FD_READ | AIOX_FDMON_DRAINS, 2), 0);
    std::thread other([&] {
        for (int i = 0; i < 200; i++) {
            Ring(i % 2 ? a.get() : b.get());
        }
    });
    for (uint64_t heard = 0; heard < 200;) {
        for (auto &e : mon.Collect(-1)) {
            heard += Silence(e.token == 1 ? a.get() : b.get());
        }
    }
    other.join();
}

std::atomic<int> g_signals;

void Count(int)
{
    g_signals++;
}

class Handler
{
  public:
    explicit Handler(int signal) : signal_(signal)
    {
        struct sigaction action = {};
        action.sa_handler = Count;
        sigaction(signal_, &action, &old_);
    }
    ~Handler()
    {
        sigaction(signal_, &old_, nullptr);
    }

  private:
    int signal_;
    struct sigaction old_;
};

TEST_P(FdmonContract, ASignalEndsTheWaitAndIsNoError)
{
    Handler handler(SIGUSR1);
    Monitor mon(plugin(), &host_);
    Fd quiet = Event();
    std::atomic<bool> done{false};

    ASSERT_EQ(mon.Watch(quiet.get(), AIOX_FD_READ, 1), 0);
    std::thread home([&] {
        for (int i = 0; i < 10; i++) {
            EXPECT_TRUE(mon.Collect(-1).empty());
        }
        done = true;
    });
    while (!done) {
        pthread_kill(home.native_handle(), SIGUSR1);
        std::this_thread::yield();
    }
    home.join();
    EXPECT_GE(g_signals, 10);
}

/* Every 200 us a signal, in whatever the monitor is doing. */
TEST_P(FdmonContract, AStormOfSignalsLosesNothing)
{
    Handler handler(SIGALRM);
    Monitor mon(plugin(), &host_);
    Pair pipe = Pipe();
    Fd bell = Event();
    itimerval storm = {{0, 200}, {0, 200}};
    itimerval calm = {};

    ASSERT_EQ(mon.Watch(pipe.a.get(), AIOX_FD_READ, 1), 0);
    setitimer(ITIMER_REAL, &storm, nullptr);
    for (int i = 0; i < 2000; i++) {
        char byte;
        ASSERT_EQ(write(pipe.b.get(), "x", 1), 1);
        ASSERT_EQ(mon.Watch(bell.get(), AIOX_FD_READ | AIOX_FDMON_DRAINS, 10 + i), 0);
        mon.Await(1, AIOX_FD_READ);
        ASSERT_EQ(read(pipe.a.get(), &byte, 1), 1);
    }
    Ring(bell.get());
    mon.Await(10 + 1999, AIOX_FD_READ);
    setitimer(ITIMER_REAL, &calm, nullptr);
}

TEST_P(FdmonContract, InterestFromAnotherThreadDuringAWaitCountsForTheNext)
{
    constexpr uint64_t kBell = 1;
    Monitor mon(plugin(), &host_);
    Fd bell = Event();

    ASSERT_EQ(mon.Watch(bell.get(), AIOX_FD_READ, kBell), 0);
    std::atomic<uint64_t> asked{1};
    std::thread other([&] {
        for (uint64_t round = 2; round < 100; round++) {
            Fd ready = Event(1);
            EXPECT_EQ(mon.Watch(ready.get(), AIOX_FD_READ, round), 0);
            asked = round;
            Ring(bell.get());
            while (asked == round) {
                std::this_thread::yield();
            }
            EXPECT_EQ(mon.Stop(ready.get()), 0);
        }
        asked = UINT64_MAX;
        Ring(bell.get());
    });
    while (asked != UINT64_MAX) {
        uint64_t before = asked;
        bool seen = false;
        for (auto &e : mon.Collect(-1)) {
            seen |= e.token != kBell && e.token == before;
            if (e.token == kBell) {
                Silence(bell.get());
            }
        }
        /* It was asked for before this collect() began. */
        if (before != UINT64_MAX && before > 1 && asked == before) {
            EXPECT_TRUE(seen);
            asked = 0;
        }
    }
    other.join();
}

/* What interest() has ended before a collect() begins, that collect() does not report. */
/* The report may come before interest() has returned; it is not lost, also if there is but one. */
TEST_P(FdmonContract, WhatAnotherThreadBeginsToWatchIsReportedEachTime)
{
    constexpr uint64_t kRounds = 3000;
    Monitor mon(plugin(), &host_);
    Fd bell = Event();
    std::atomic<uint64_t> seen{0};
    ASSERT_EQ(mon.Watch(bell.get(), AIOX_FD_READ, 0), 0);
    mon.Look();

    std::thread other([&] {
        for (uint64_t round = 1; round <= kRounds; round++) {
            Fd ready = Event(1);
            EXPECT_EQ(mon.Watch(ready.get(), AIOX_FD_READ | AIOX_FDMON_DRAINS, round), 0);
            Ring(bell.get()); /* a wait that is going on need not notice */
            while (seen < round) {
                std::this_thread::yield();
            }
            EXPECT_EQ(mon.Stop(ready.get()), 0);
        }
    });
    while (seen < kRounds) {
        for (auto &e : mon.Collect(-1)) {
            if (e.token == 0) {
                Silence(bell.get());
            } else {
                seen = e.token;
            }
        }
    }
    other.join();
}

TEST_P(FdmonContract, NoCollectReportsWhatWasOverBeforeItBegan)
{
    constexpr int kFds = 16;
    constexpr uint64_t kRounds = 4000;
    Monitor mon(plugin(), &host_);
    std::vector<Fd> fds;
    std::atomic<uint64_t> floors[kFds] = {};
    std::atomic<bool> over{false};
    Fd bell = Event();
    std::atomic<int> reports{0};

    ASSERT_EQ(mon.Watch(bell.get(), AIOX_FD_READ, UINT64_MAX), 0);
    for (int i = 0; i < kFds; i++) {
        fds.push_back(Event(1));
    }
    std::thread other([&] {
        for (uint64_t round = 1; round <= kRounds || reports < 200; round++) {
            int i = (int)(round % kFds);
            uint32_t how = round % 5 ? 0u : (unsigned)AIOX_FDMON_DRAINS;
            EXPECT_EQ(mon.Watch(fds[i].get(), AIOX_FD_READ | how, round * kFds + i), 0);
            floors[i] = round * kFds + i;
            if (round % 3 == 0) {
                EXPECT_EQ(mon.Stop(fds[i].get()), 0);
                floors[i] = round * kFds + i + 1;
            }
            Ring(bell.get());
        }
        over = true;
        Ring(bell.get());
    });
    while (!over) {
        uint64_t before[kFds];
        for (int i = 0; i < kFds; i++) {
            before[i] = floors[i];
        }
        for (auto &e : mon.Collect(-1)) {
            if (e.token != UINT64_MAX) {
                EXPECT_GE(e.token, before[e.token % kFds]);
                reports++;
            } else {
                Silence(bell.get());
            }
        }
    }
    other.join();
}

TEST_P(FdmonContract, ANudgeEndsTheWaitOrTheNextOne)
{
    if (!plugin()->ops->nudge) {
        GTEST_SKIP() << "none is offered; the loop watches a descriptor of its own";
    }
    Monitor mon(plugin(), &host_);
    std::atomic<int> ended{0};

    ASSERT_EQ(mon.ops().nudge(mon.get()), 0);
    mon.Collect(-1);
    std::thread home([&] {
        for (; ended < 1000; ended++) {
            mon.Collect(-1);
        }
    });
    while (ended < 1000) {
        ASSERT_EQ(mon.ops().nudge(mon.get()), 0);
    }
    home.join();
}

class PendingContract : public FdmonContract
{
};

INSTANTIATE_TEST_SUITE_P(Fdmon, PendingContract,
                         ::testing::ValuesIn(BackendsThatCan(AIOX_FDMON_CAP_PENDING)), NameOf);

TEST_P(PendingContract, PendingSaysWhenALookPays)
{
    Monitor mon(plugin(), &host_);
    Fd bell = Event();

    for (uint32_t how : {0u, (unsigned)AIOX_FDMON_DRAINS}) {
        ASSERT_EQ(mon.Watch(bell.get(), AIOX_FD_READ | how, 1), 0);
        EXPECT_TRUE(mon.ops().pending(mon.get())) << "a change is to be handed over";
        ASSERT_TRUE(mon.Look().empty());
        for (int i = 0; i < 100; i++) {
            ASSERT_EQ(mon.Flush(), 0);
            ASSERT_FALSE(mon.ops().pending(mon.get())) << i << ": a re-arm defeats polling";
            Ring(bell.get());
            while (!mon.ops().pending(mon.get())) {
            }
            ASSERT_EQ(mon.Look(), (Reports{{1, AIOX_FD_READ}}));
            Silence(bell.get());
            mon.CollectsUntilAsleep(10);
        }
    }
}

} // namespace
} // namespace contract
