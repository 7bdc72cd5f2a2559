/* SPDX-License-Identifier: MIT */
/*
 * timer_torture.cc - many threads, real clocks, for AIOX_TORTURE_SECONDS (2).
 *
 * Each test has an oracle: an arming that was not taken back fires once, none
 * fires early, a cancelled one does not fire, a clock that is off is silent,
 * virtual time does not go back. A wake-up that is lost shows as a home thread
 * that sleeps until the watchdog: there is always a reason to wake.
 */
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/clock.h"
#include "aiox/timer.h"

namespace aiox_test
{
namespace
{
/* Says when to stop: each test takes its share of the time. */
class Deadline
{
  public:
    Deadline()
    {
        const char *given = std::getenv("AIOX_TORTURE_SECONDS");
        double seconds = given ? std::atof(given) : 2;
        end_ns_ = aiox_clock_now_ns() + static_cast<int64_t>(seconds * AIOX_NS_PER_S / 4);
    }
    /* A storm also goes on until it has reached what it is for, however slow the machine is. */
    bool IsOver(bool reached = true) const
    {
        return reached && aiox_clock_now_ns() >= end_ns_;
    }

  private:
    int64_t end_ns_;
};

/* A thread that does nothing but sleep as long as it may, and run. */
class Loop
{
  public:
    Loop()
    {
        aiox_timer_group_init(&group_, &Loop::Ring, this);
        thread_ = std::thread([this] { Main(); });
    }
    ~Loop()
    {
        stop_ = true;
        Ring(this);
        thread_.join();
        aiox_timer_group_fini(&group_);
    }
    aiox_timer_group *group()
    {
        return &group_;
    }

  private:
    static void Ring(void *opaque)
    {
        auto *self = static_cast<Loop *>(opaque);
        std::lock_guard<std::mutex> lock(self->mutex_);
        self->rung_ = true;
        self->bell_.notify_one();
    }
    void Sleep()
    {
        {
            std::lock_guard<std::mutex> lock(mutex_);
            rung_ = false; /* from here on a ring defeats the sleep */
        }
        int64_t timeout_ns = stop_ ? 0 : aiox_timer_group_timeout_ns(&group_);
        std::unique_lock<std::mutex> lock(mutex_);
        if (timeout_ns < 0) {
            bell_.wait(lock, [this] { return rung_; });
        } else {
            bell_.wait_for(lock, std::chrono::nanoseconds(timeout_ns), [this] { return rung_; });
        }
    }
    void Main()
    {
        while (!stop_) {
            Sleep();
            aiox_timer_group_run(&group_);
        }
    }

    aiox_timer_group group_;
    std::mutex mutex_;
    std::condition_variable bell_;
    bool rung_ = false;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

/* A timer that counts how often it fired, and how often early. */
struct Counted {
    aiox_timer timer;
    aiox_clock clock;
    std::atomic<int64_t> not_before{0};
    std::atomic<uint64_t> fired{0}, early{0};

    Counted(aiox_timer_group *group, aiox_clock its_clock) : clock(its_clock)
    {
        EXPECT_EQ(aiox_timer_init_ns(&timer, group, clock, &Counted::Fire, this), 0);
    }
    ~Counted()
    {
        aiox_timer_cancel_sync(&timer);
        aiox_timer_fini(&timer);
    }
    static void Fire(void *opaque)
    {
        auto *self = static_cast<Counted *>(opaque);
        self->early += aiox_timer_clock_ns(self->clock) < self->not_before;
        self->fired++;
    }
};

void AwaitFired(const Counted &t, uint64_t count)
{
    while (t.fired < count) {
        std::this_thread::yield();
    }
}

void RunThreads(int n, const std::function<void(int)> &body)
{
    std::vector<std::thread> threads;

    for (int i = 0; i < n; i++) {
        threads.emplace_back(body, i);
    }
    for (auto &thread : threads) {
        thread.join();
    }
}
} // namespace

TEST(TimerTorture, EachArmingFiresOnceOrIsTakenBack)
{
    Deadline deadline;
    Loop loop;
    std::atomic<uint64_t> armed{0}, taken_back{0};

    RunThreads(3, [&](int seed) {
        std::mt19937 random(static_cast<unsigned>(seed));
        Counted t(loop.group(), AIOX_CLOCK_MONOTONIC);
        uint64_t due = 0;
        while (!deadline.IsOver(armed > 100 && taken_back > 10)) {
            int64_t at = aiox_clock_now_ns() + random() % 20000;
            t.not_before = at;
            aiox_timer_mod_ns(&t.timer, at);
            armed++;
            if (random() % 2 && aiox_timer_cancel(&t.timer)) {
                taken_back++;
            } else {
                AwaitFired(t, ++due);
            }
            ASSERT_EQ(t.fired, due);
        }
        EXPECT_EQ(t.early, 0u);
    });

    EXPECT_GT(armed, 100u);
    EXPECT_GT(taken_back, 10u);
    EXPECT_LT(taken_back, armed);
}

TEST(TimerTorture, TimersThatAllThreadsPullAtStayWhole)
{
    Deadline deadline;
    Loop loop, other;
    std::vector<std::unique_ptr<Counted>> timers;
    for (int i = 0; i < 64; i++) {
        aiox_clock clock = i % 2 ? AIOX_CLOCK_MONOTONIC : AIOX_CLOCK_VIRTUAL_RT;
        timers.push_back(
            std::make_unique<Counted>(i % 4 < 2 ? loop.group() : other.group(), clock));
    }

    auto enough_fired = [&] {
        uint64_t fired = 0;
        for (auto &t : timers) {
            fired += t->fired;
        }
        return fired > 100;
    };

    RunThreads(4, [&](int seed) {
        std::mt19937 random(static_cast<unsigned>(seed));
        while (!deadline.IsOver(enough_fired())) {
            Counted &t = *timers[random() % timers.size()];
            int64_t at = aiox_timer_clock_ns(t.clock) + random() % 100000;
            switch (random() % 4) {
            case 0:
                aiox_timer_cancel(&t.timer);
                break;
            case 1:
                aiox_timer_mod_earlier_ns(&t.timer, at);
                break;
            case 2:
                aiox_timer_is_expired(&t.timer, at);
                break;
            default:
                aiox_timer_mod_ns(&t.timer, at);
            }
        }
    });

    uint64_t fired = 0;
    for (auto &t : timers) {
        aiox_timer_mod_ns(&t->timer, aiox_timer_clock_ns(t->clock));
        uint64_t before = t->fired;
        while (aiox_timer_is_pending(&t->timer)) {
            std::this_thread::yield();
        }
        aiox_timer_cancel_sync(&t->timer);
        EXPECT_LE(t->fired, before + 1);
        fired += t->fired;
    }
    EXPECT_GT(fired, 100u);
}

TEST(TimerTorture, NoCallbackRunsAfterCancelSyncOrWhileTheClockIsOff)
{
    Deadline deadline;
    Loop loop;
    std::atomic<bool> off{false};
    std::atomic<uint64_t> fired_while_off{0}, switched{0};

    RunThreads(4, [&](int seed) {
        std::mt19937 random(static_cast<unsigned>(seed));
        while (seed == 0 && !deadline.IsOver(switched > 10)) {
            aiox_timer_clock_enable(AIOX_CLOCK_VIRTUAL_RT, false);
            off = true;
            for (int i = random() % 100; i; i--) {
                std::this_thread::yield();
            }
            off = false;
            aiox_timer_clock_enable(AIOX_CLOCK_VIRTUAL_RT, true);
            switched++;
        }
        while (!deadline.IsOver(switched > 10)) {
            /* What the callback uses is gone right after the cancel: a late run is a use after
             * free. */
            struct Job {
                aiox_timer timer;
                std::atomic<bool> *off;
                std::atomic<uint64_t> *late;
            };
            auto *job = new Job();
            job->off = &off;
            job->late = &fired_while_off;
            auto fire = [](void *opaque) {
                auto *j = static_cast<Job *>(opaque);
                *j->late += j->off->load();
                aiox_timer_mod_ns(&j->timer, aiox_clock_now_ns() + 1000);
            };
            EXPECT_EQ(
                aiox_timer_init_ns(&job->timer, loop.group(), AIOX_CLOCK_VIRTUAL_RT, fire, job), 0);
            aiox_timer_mod_ns(&job->timer, 0);
            for (int i = random() % 50; i; i--) {
                std::this_thread::yield();
            }
            aiox_timer_cancel_sync(&job->timer);
            aiox_timer_fini(&job->timer);
            delete job;
        }
    });

    EXPECT_EQ(fired_while_off, 0u);
    EXPECT_GT(switched, 10u);
}

TEST(TimerTorture, VirtualTimeNeverGoesBackAndItsTimersComeByWarp)
{
    Deadline deadline;
    Loop loop;
    std::atomic<uint64_t> steps_back{0};

    RunThreads(4, [&](int seed) {
        std::mt19937 random(static_cast<unsigned>(seed));
        int64_t last = INT64_MIN;
        while (seed < 2 && !deadline.IsOver()) {
            int64_t now = aiox_timer_clock_ns(AIOX_CLOCK_VIRTUAL);
            steps_back += now < last;
            last = now;
        }
        while (seed == 2 && !deadline.IsOver()) {
            aiox_virtual_clock_stop();
            aiox_virtual_clock_step_ns(random() % 1000);
            aiox_virtual_clock_start();
        }
        if (seed == 3) {
            Counted t(loop.group(), AIOX_CLOCK_VIRTUAL);
            for (uint64_t due = 1; !deadline.IsOver(); due++) {
                t.not_before = aiox_timer_clock_ns(AIOX_CLOCK_VIRTUAL) + AIOX_NS_PER_S;
                aiox_timer_mod_ns(&t.timer, t.not_before);
                aiox_virtual_clock_warp();
                AwaitFired(t, due);
            }
            EXPECT_EQ(t.early, 0u);
        }
    });

    EXPECT_EQ(steps_back, 0u);
    aiox_virtual_clock_start();
}
} // namespace aiox_test
