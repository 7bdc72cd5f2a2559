/* SPDX-License-Identifier: MIT */
/*
 * storm.h - a great many operations on a context that is a guest of another loop.
 *
 * Each operation is counted when it has been done, by the loop's own thread.
 * In the scenes with a window of one, an asker goes on only when his last
 * operation has been done and nothing else is going on: a wake that is missed
 * once stops everything, and the watchdog says where.
 */
#ifndef AIOX_TEST_INTEGRATION_STORM_H_
#define AIOX_TEST_INTEGRATION_STORM_H_

#include <cerrno>
#include <functional>
#include <memory>
#include <semaphore.h>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/aio.h"
#include "aiox/attributes.h"
#include "aiox/clock.h"

namespace storm
{

/* How many operations in all: a million, fewer where each costs twenty times as much. */
constexpr int kOperations = AIOX_ASAN || AIOX_TSAN ? 100 * 1000 : 1000 * 1000;

/* The foreign loop: runs until @done, which it asks in each of its rounds. */
using Host = std::function<void(const std::function<bool()> &done)>;

class Window
{
  public:
    explicit Window(unsigned places)
    {
        sem_init(&sem_, 0, places);
    }
    ~Window()
    {
        sem_destroy(&sem_);
    }
    void Enter()
    {
        while (sem_wait(&sem_) < 0 && errno == EINTR) {
        }
    }
    void Leave()
    {
        sem_post(&sem_);
    }

  private:
    sem_t sem_;
};

class Storm
{
  public:
    explicit Storm(aiox_context *ctx) : ctx_(ctx)
    {
    }

    /* All scenes. Returns how many operations were done. */
    int Run(const Host &host)
    {
        int n = kOperations;

        Scene(host, {{n / 10, 1}, {}}, 0, n / 10);
        Scene(host, {{n * 3 / 10, 32}, {}}, 0, n * 3 / 10);
        Scene(host, {{}, {n / 10, 1}}, 0, n / 10);
        Scene(host, {{}, {n * 2 / 10, 8}}, 0, n * 2 / 10);
        Scene(host, {}, n / 10, n / 10);
        Scene(host, {{n / 10, 4}, {n / 20, 4}}, n / 20, n * 2 / 10);
        return total_;
    }

    int decoys_cancelled() const
    {
        return decoys_cancelled_;
    }
    int decoys_fired() const
    {
        return decoys_fired_;
    }

  private:
    struct Asked {
        int count;
        unsigned window; /* how many may be under way */
    };
    struct Plan {
        Asked bhs, events;
    };

    /* One of several descriptors that take turns. */
    struct Source {
        explicit Source(Storm *owner)
            : storm(owner), fd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), window(1)
        {
        }
        Storm *storm;
        int fd;
        Window window;

        static void Read(void *self)
        {
            auto *s = static_cast<Source *>(self);
            eventfd_t taken = 0;
            EXPECT_EQ(eventfd_read(s->fd, &taken), 0);
            EXPECT_EQ(taken, 1u);
            s->storm->done_++;
            s->window.Leave();
        }
    };

    struct Timer {
        Storm *storm;
        aiox_timer t;

        static void Fire(void *self)
        {
            auto *timer = static_cast<Timer *>(self);
            timer->storm->done_++;
            timer->storm->ArmNext(&timer->t);
        }
    };

    /* Half of them are due at once, the others within 0.2 ms. */
    void ArmNext(aiox_timer *t)
    {
        if (timers_left_ > 0) {
            timers_left_--;
            random_ = random_ * 1103515245 + 12345;
            int64_t later_ns = random_ & 0x10000 ? (random_ >> 8) % 200 * AIOX_NS_PER_US : 0;
            aiox_timer_mod_ns(t, aiox_clock_now_ns() + later_ns);
        }
    }

    static void BottomHalfDone(void *self)
    {
        auto *s = static_cast<Storm *>(self);
        s->done_++;
        s->SwapDecoy();
        s->bh_window_->Leave();
    }

    /* A timer that makes the host's next wait shorter, and is cancelled before its hour comes. */
    void SwapDecoy()
    {
        if (aiox_timer_is_pending(&decoy_)) {
            aiox_timer_cancel(&decoy_);
            decoys_cancelled_++;
        } else {
            aiox_timer_mod_ns(&decoy_, aiox_clock_now_ns() + 3600 * AIOX_NS_PER_S);
        }
    }

    void InitTimer(aiox_timer *t, aiox_timer_fn *fn, void *opaque)
    {
        EXPECT_EQ(
            aiox_timer_init_ns(t, aiox_context_timers(ctx_), AIOX_CLOCK_MONOTONIC, fn, opaque), 0);
    }

    std::thread Asker(const Asked &bhs)
    {
        bh_window_ = std::make_unique<Window>(bhs.window);
        return std::thread([this, count = bhs.count] {
            for (int i = 0; i < count; i++) {
                bh_window_->Enter();
                EXPECT_EQ(aiox_bh_schedule_oneshot(ctx_, "storm", BottomHalfDone, this), 0);
            }
        });
    }

    std::thread Writer(const Asked &events)
    {
        for (unsigned i = 0; i < events.window; i++) {
            auto source = std::make_unique<Source>(this);
            aiox_fd_handler h = {};
            h.read = Source::Read;
            h.flags = i % 2 ? static_cast<uint32_t>(AIOX_FD_HANDLER_DRAINS) : 0u;
            EXPECT_EQ(aiox_set_fd_handler(ctx_, source->fd, &h, source.get()), 0);
            sources_.push_back(std::move(source));
        }
        return std::thread([this, count = events.count] {
            for (int i = 0; i < count; i++) {
                Source &s = *sources_[static_cast<size_t>(i) % sources_.size()];
                s.window.Enter();
                EXPECT_EQ(eventfd_write(s.fd, 1), 0);
            }
        });
    }

    void Scene(const Host &host, const Plan &plan, int timers, int expected)
    {
        std::vector<std::thread> threads;
        std::vector<Timer> chains(64);

        done_ = 0;
        timers_left_ = timers;
        InitTimer(
            &decoy_, [](void *self) { static_cast<Storm *>(self)->decoys_fired_++; }, this);
        for (Timer &t : chains) {
            t.storm = this;
            InitTimer(&t.t, Timer::Fire, &t);
            ArmNext(&t.t);
        }
        if (plan.bhs.count) {
            threads.push_back(Asker(plan.bhs));
        }
        if (plan.events.count) {
            threads.push_back(Writer(plan.events));
        }

        host([&] { return done_ == expected; });

        for (std::thread &t : threads) {
            t.join();
        }
        for (auto &s : sources_) {
            aiox_clear_fd_handler(ctx_, s->fd);
            close(s->fd);
        }
        sources_.clear();
        for (Timer &t : chains) {
            aiox_timer_fini(&t.t);
        }
        aiox_timer_fini(&decoy_);
        EXPECT_EQ(done_, expected);
        total_ += done_;
    }

    aiox_context *ctx_;
    int total_ = 0;
    /* Home's own. */
    int done_ = 0;
    int timers_left_ = 0;
    uint32_t random_ = 1;
    aiox_timer decoy_ = {};
    int decoys_cancelled_ = 0, decoys_fired_ = 0;

    std::unique_ptr<Window> bh_window_;
    std::vector<std::unique_ptr<Source>> sources_;
};

/* The whole, and what must come of it. */
inline void ExpectStormWeathered(aiox_context *ctx, const Host &host)
{
    Storm s(ctx);

    EXPECT_EQ(s.Run(host), kOperations);

    EXPECT_GT(s.decoys_cancelled(), kOperations / 10);
    EXPECT_EQ(s.decoys_fired(), 0);
}

} // namespace storm

#endif /* AIOX_TEST_INTEGRATION_STORM_H_ */
