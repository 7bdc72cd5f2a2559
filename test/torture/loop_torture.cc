/* SPDX-License-Identifier: MIT */
/*
 * Storms over several loops, on real cores and every backend. Each counts what
 * it did, and a storm that never reached what it is for fails.
 *
 * AIOX_TORTURE_SECONDS: how long each storm lasts; 1 unless set.
 */
#include <atomic>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/aio.h"
#include "aiox/aiox.h"
#include "aiox/clock.h"

namespace
{

/* A storm lasts until then, and until it has reached what it is for. */
int64_t EndOfStorm()
{
    const char *seconds = std::getenv("AIOX_TORTURE_SECONDS");
    return aiox_clock_now_ns() + (seconds ? std::atoi(seconds) : 1) * AIOX_NS_PER_S;
}

/* A thread that turns a context until it is told to stop. */
class LoopThread
{
  public:
    LoopThread()
    {
        EXPECT_EQ(aiox_new(&ctx_, nullptr), 0);
        thread_ = std::thread([this] {
            while (!stop_.load(std::memory_order_acquire)) {
                aiox_poll(ctx_, true);
                turns_.fetch_add(1, std::memory_order_relaxed);
            }
        });
    }

    ~LoopThread()
    {
        Stop();
        aiox_context_unref(ctx_);
    }

    void Stop()
    {
        if (thread_.joinable()) {
            stop_.store(true, std::memory_order_release);
            aiox_notify(ctx_);
            thread_.join();
            while (aiox_context_adopt(ctx_, nullptr) == 0 && aiox_poll(ctx_, false)) {
            }
        }
    }

    aiox_context *ctx() const
    {
        return ctx_;
    }
    uint64_t turns() const
    {
        return turns_.load();
    }

  private:
    aiox_context *ctx_ = nullptr;
    std::atomic<bool> stop_{false};
    std::atomic<uint64_t> turns_{0};
    std::thread thread_;
};

/* A token that travels from loop to loop as a bottom half. */
struct Ball {
    std::vector<aiox_bh *> bh; /* one per loop */
    std::atomic<uint64_t> hops{0};
    std::atomic<bool> stop{false};
    std::atomic<bool> stopped{false};
    uint64_t plain_hops = 0; /* ordered by the hand-over alone */
    size_t at = 0;

    static void Hop(void *opaque)
    {
        auto *ball = static_cast<Ball *>(opaque);
        ball->plain_hops++;
        ball->hops.fetch_add(1, std::memory_order_relaxed);
        if (ball->stop.load(std::memory_order_acquire)) {
            ball->stopped.store(true, std::memory_order_release);
            return;
        }
        ball->at = (ball->at + 1) % ball->bh.size();
        aiox_bh_schedule(ball->bh[ball->at]);
    }
};

TEST(LoopTorture, BallsThatHopBetweenLoopsAreNeverLost)
{
    constexpr int kLoops = 3, kBalls = 5;
    std::vector<std::unique_ptr<LoopThread>> loops;
    for (int i = 0; i < kLoops; i++) {
        loops.push_back(std::make_unique<LoopThread>());
    }
    std::vector<Ball> balls(kBalls);
    for (Ball &ball : balls) {
        for (auto &loop : loops) {
            aiox_bh *bh;
            ASSERT_EQ(aiox_bh_new(&bh, aiox_context_bhs(loop->ctx()), "ball", Ball::Hop, &ball), 0);
            ball.bh.push_back(bh);
        }
        aiox_bh_schedule(ball.bh[0]);
    }

    auto has_enough = [&] {
        bool enough = true;
        for (Ball &ball : balls) {
            enough &= ball.hops.load() >= 100;
        }
        for (auto &loop : loops) {
            enough &= loop->turns() >= 100;
        }
        return enough;
    };
    int64_t end_ns = EndOfStorm();
    while (aiox_clock_now_ns() < end_ns || !has_enough()) {
        std::this_thread::yield();
    }

    for (Ball &ball : balls) {
        ball.stop.store(true, std::memory_order_release);
    }
    for (Ball &ball : balls) {
        while (!ball.stopped.load(std::memory_order_acquire)) {
            std::this_thread::yield(); /* a lost ball ends in the watchdog */
        }
        EXPECT_EQ(ball.plain_hops, ball.hops.load());
        EXPECT_GE(ball.plain_hops, 100u);
        for (aiox_bh *bh : ball.bh) {
            aiox_bh_free(bh);
        }
    }
    for (auto &loop : loops) {
        EXPECT_GE(loop->turns(), 100u);
        loop->Stop();
    }
}

/* Descriptors that other threads watch, set and stop watching while the loop serves them. */
struct Churned {
    std::atomic<bool> allowed{false};
    std::atomic<uint64_t> calls{0};
    std::atomic<uint64_t> wrong{0};
    int fd = -1;

    static void Read(void *opaque)
    {
        auto *self = static_cast<Churned *>(opaque);
        eventfd_t value;
        (void)eventfd_read(self->fd, &value);
        self->calls.fetch_add(1);
        if (!self->allowed.load()) {
            self->wrong.fetch_add(1);
        }
    }
};

/* Returns when everything that the loop was doing has ended. */
void Barrier(aiox_context *ctx)
{
    std::atomic<bool> passed{false};
    ASSERT_EQ(aiox_bh_schedule_oneshot(
                  ctx, "barrier", [](void *o) { static_cast<std::atomic<bool> *>(o)->store(true); },
                  &passed),
              0);
    while (!passed.load()) {
        std::this_thread::yield();
    }
}

TEST(LoopTorture, HandlersThatOtherThreadsStopAreNotEnteredAfterTheBarrier)
{
    LoopThread loop;
    int64_t end_ns = EndOfStorm();
    std::atomic<uint64_t> rounds{0}, served{0};
    auto churn = [&](unsigned seed) {
        std::mt19937 random(seed);
        while (aiox_clock_now_ns() < end_ns || rounds.load() < 50 || served.load() < 25) {
            Churned c;
            c.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
            aiox_fd_handler h = {};
            h.read = Churned::Read;
            c.allowed = true;
            ASSERT_EQ(aiox_set_fd_handler(loop.ctx(), c.fd, &h, &c), 0);
            ASSERT_EQ(eventfd_write(c.fd, 1), 0);
            bool wait = random() % 2;
            while (wait && c.calls.load() == 0) {
                std::this_thread::yield(); /* an event that is lost ends in the watchdog */
            }
            aiox_clear_fd_handler(loop.ctx(), c.fd);
            Barrier(loop.ctx());
            c.allowed = false;
            ASSERT_EQ(eventfd_write(c.fd, 1), 0);
            Barrier(loop.ctx());
            EXPECT_EQ(c.wrong.load(), 0u);
            close(c.fd);
            served += c.calls.load();
            rounds++;
        }
    };
    std::thread one(churn, 1), two(churn, 2);
    one.join();
    two.join();

    EXPECT_GE(rounds.load(), 50u);
    EXPECT_GE(served.load(), 25u);
}

TEST(LoopTorture, TimersArmedByOtherThreadsAllFireAndNeverEarly)
{
    LoopThread loop;
    struct Shot {
        aiox_timer timer{};
        std::atomic<int64_t> deadline_ns{0};
        std::atomic<uint64_t> fired{0};
        std::atomic<uint64_t> early{0};

        static void Fire(void *opaque)
        {
            auto *self = static_cast<Shot *>(opaque);
            if (aiox_clock_now_ns() < self->deadline_ns.load()) {
                self->early++;
            }
            self->fired++;
        }
    };
    int64_t end_ns = EndOfStorm();
    std::atomic<uint64_t> total{0};
    auto shoot = [&](unsigned seed) {
        std::mt19937 random(seed);
        Shot shot;
        ASSERT_EQ(aiox_timer_init_ns(&shot.timer, aiox_context_timers(loop.ctx()),
                                     AIOX_CLOCK_MONOTONIC, Shot::Fire, &shot),
                  0);
        for (uint64_t n = 0; aiox_clock_now_ns() < end_ns || total.load() < 100; n++) {
            shot.deadline_ns = aiox_clock_now_ns() + random() % 200000;
            aiox_timer_mod_ns(&shot.timer, shot.deadline_ns);
            while (shot.fired.load() == n) {
                std::this_thread::yield(); /* a lost deadline ends in the watchdog */
            }
            total++;
        }
        EXPECT_EQ(shot.early.load(), 0u);
        aiox_timer_cancel_sync(&shot.timer);
        aiox_timer_fini(&shot.timer);
    };
    std::thread one(shoot, 1), two(shoot, 2);
    one.join();
    two.join();

    EXPECT_GE(total.load(), 100u);
}

/* A queue whose other side rings only while nobody looks at it. */
struct Looked {
    std::atomic<bool> rings{true};
    std::atomic<uint64_t> posted{0}, served{0}, begun{0};
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    aiox_fd_handler handler = {};

    Looked()
    {
        handler.read = [](void *o) {
            eventfd_t value;
            (void)eventfd_read(static_cast<Looked *>(o)->fd, &value);
            static_cast<Looked *>(o)->Serve();
        };
        handler.poll_ready = [](void *o) { static_cast<Looked *>(o)->Serve(); };
        handler.poll = [](void *o) { return static_cast<Looked *>(o)->HasMore(); };
        handler.poll_begin = [](void *o) {
            static_cast<Looked *>(o)->begun++;
            static_cast<Looked *>(o)->rings = false;
        };
        handler.poll_end = [](void *o) { static_cast<Looked *>(o)->rings = true; };
    }

    ~Looked()
    {
        close(fd);
    }

    bool HasMore() const
    {
        return posted.load() != served.load();
    }

    void Serve()
    {
        served = posted.load();
    }

    void Post()
    {
        posted++;
        if (rings.load()) {
            ASSERT_EQ(eventfd_write(fd, 1), 0);
        }
    }
};

TEST(LoopTorture, HandlersThatAreLookedAtAndReplacedByOtherThreadsLoseNoEvent)
{
    LoopThread loop;
    Looked looked;
    ASSERT_EQ(aiox_bh_schedule_oneshot(
                  loop.ctx(), "look",
                  [](void *o) {
                      EXPECT_EQ(aiox_context_set_busy_poll(static_cast<aiox_context *>(o),
                                                           AIOX_NS_PER_MS, 0, 0),
                                0);
                  },
                  loop.ctx()),
              0);
    ASSERT_EQ(aiox_set_fd_handler(loop.ctx(), looked.fd, &looked.handler, &looked), 0);
    int64_t end_ns = EndOfStorm();
    std::atomic<bool> over{false};
    std::atomic<uint64_t> replaced{0};
    std::thread replacer([&] {
        while (!over.load()) {
            EXPECT_EQ(aiox_set_fd_handler(loop.ctx(), looked.fd, &looked.handler, &looked), 0);
            replaced++;
            std::this_thread::yield();
        }
    });

    while (aiox_clock_now_ns() < end_ns || looked.posted.load() < 100 || looked.begun.load() < 1 ||
           replaced.load() < 100) {
        looked.Post();
        while (looked.HasMore()) {
            std::this_thread::yield(); /* an event that is lost ends in the watchdog */
        }
    }

    over = true;
    replacer.join();
    aiox_clear_fd_handler(loop.ctx(), looked.fd);
    Barrier(loop.ctx());
    EXPECT_GE(looked.posted.load(), 100u);
    EXPECT_GE(looked.begun.load(), 1u);
    EXPECT_GE(replaced.load(), 100u);
}

} // namespace
