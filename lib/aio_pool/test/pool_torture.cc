/* SPDX-License-Identifier: MIT */
/*
 * pool_torture.cc - a storm of jobs, cancels and limits; every job is told of once.
 *
 * The work doubles until AIOX_TORTURE_SECONDS have passed (1 by default).
 */
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "lib/aio_pool/test/testing.h"

namespace
{
using pool_testing::Loop;

struct Load {
    aiox_pool_job job = {};
    std::atomic<int> ran{0};
    int told = 0;
    int result = 1;
    std::atomic<int> *left;

    static int Run(void *self)
    {
        static_cast<Load *>(self)->ran++;
        return 0;
    }
    static void Done(void *self, int result)
    {
        auto *load = static_cast<Load *>(self);
        load->told++;
        load->result = result;
        load->left->fetch_sub(1);
    }
    void Submit(aiox_pool *pool, std::atomic<int> *count)
    {
        left = count;
        job.run = &Load::Run;
        job.done = &Load::Done;
        job.opaque = this;
        aiox_pool_submit(pool, &job);
    }
};

/* Home submits and cancels, two others submit, one changes the limits. */
void Storm(Loop &loop, int each)
{
    std::deque<Load> loads(static_cast<size_t>(each) * 3);
    std::atomic<int> left{each * 3};
    std::atomic<bool> over{false};
    std::vector<std::thread> others;
    for (int t = 0; t < 2; t++) {
        others.emplace_back([&, t] {
            for (int i = 0; i < each; i++) {
                loads[static_cast<size_t>(each * t + i)].Submit(loop, &left);
            }
        });
    }
    others.emplace_back([&] {
        for (int n = 0; !over; n++) {
            EXPECT_EQ(aiox_pool_set_threads(loop, n % 3, 3 + n % 5), 0);
            EXPECT_EQ(aiox_pool_set_idle_ns(loop, n % 4 == 0 ? 0 : 1000 * n), 0);
            std::this_thread::yield();
        }
    });

    int cancelled = 0;
    for (int i = 0; i < each; i++) {
        Load &load = loads[static_cast<size_t>(each * 2 + i)];
        load.Submit(loop, &left);
        cancelled += i % 3 == 0 && aiox_pool_cancel(loop, &load.job);
        if (i % 7 == 0) {
            aiox_poll(loop, false);
        }
    }
    loop.RunUntil([&] { return left == 0; });
    over = true;
    for (std::thread &other : others) {
        other.join();
    }

    int denied = 0;
    for (Load &load : loads) {
        denied += load.result == -ECANCELED;
        ASSERT_EQ(load.told, 1);
        ASSERT_EQ(load.ran, load.result == 0 ? 1 : 0);
    }
    EXPECT_EQ(denied, cancelled);
}

TEST(PoolTorture, EveryJobIsToldOfOnce)
{
    const char *seconds = getenv("AIOX_TORTURE_SECONDS");
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::seconds(seconds ? atoi(seconds) : 1);
    int each = 200;
    do {
        Loop loop;
        Storm(loop, each);
        each = each < 20000 ? each * 2 : each;
    } while (std::chrono::steady_clock::now() < end && !HasFailure());
}
} // namespace
