/* SPDX-License-Identifier: MIT */
/*
 * Loops that several threads turn in turn, on real cores and every backend. What
 * is not atomic here is guarded by nothing but who holds the context.
 *
 * AIOX_TORTURE_SECONDS: how long each storm lasts; 2 unless set.
 */
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <linux/io_uring.h>
#include <memory>
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

enum { BORROWERS = 3, MIN_ROUNDS = 50 };

int64_t EndOfStorm()
{
    const char *seconds = std::getenv("AIOX_TORTURE_SECONDS");
    return aiox_clock_now_ns() + (seconds ? std::atoi(seconds) : 2) * AIOX_NS_PER_S;
}

/* What everybody works on; guarded by holding the context. */
struct Site {
    aiox_context *ctx = nullptr;
    int door = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int64_t bhs = 0;
    int64_t rings = 0;
    int64_t fired = 0;
    int64_t requests = 0;
    int64_t turns = 0; /* of the loop thread */
    bool is_busy = false;
    std::atomic<int64_t> asked_from_outside{0};
    int64_t done_from_outside = 0;

    Site()
    {
        aiox_fd_handler h = {};
        h.read = [](void *s) {
            auto *self = static_cast<Site *>(s);
            eventfd_t n;
            EXPECT_EQ(eventfd_read(self->door, &n), 0);
            self->rings += static_cast<int64_t>(n);
        };
        EXPECT_EQ(aiox_new(&ctx, nullptr), 0);
        EXPECT_EQ(aiox_set_fd_handler(ctx, door, &h, this), 0);
    }
    ~Site()
    {
        aiox_clear_fd_handler(ctx, door);
        aiox_context_unref(ctx);
        close(door);
    }
};

struct Work {
    Site *site;
    aiox_timer timer;
    aiox_completion request = {};
    bool bh_done = false;
    bool request_done = true;

    explicit Work(Site *s) : site(s)
    {
        request.done = [](aiox_completion *c, int) {
            auto *self =
                reinterpret_cast<Work *>(reinterpret_cast<char *>(c) - offsetof(Work, request));
            self->request_done = true;
            self->site->requests++;
        };
    }

    static void Nop(void *sqe, void *)
    {
        static_cast<io_uring_sqe *>(sqe)->opcode = IORING_OP_NOP;
    }

    void Submit()
    {
        bh_done = false;
        EXPECT_EQ(aiox_bh_schedule_oneshot(
                      site->ctx, "work",
                      [](void *w) {
                          auto *self = static_cast<Work *>(w);
                          self->bh_done = true;
                          self->site->bhs++;
                      },
                      this),
                  0);
        aiox_timer_mod_ns(&timer, aiox_clock_now_ns() + 1000);
        EXPECT_EQ(eventfd_write(site->door, 1), 0);
        if (aiox_has_completion(site->ctx)) {
            request_done = false;
            EXPECT_EQ(aiox_submit(site->ctx, Nop, nullptr, &request), 0);
        }
    }
};

/* Acquires, works until all is done, releases; now and then leaves a request for others to finish.
 */
void BorrowAndWork(Site *site, Work *work, int64_t round)
{
    aiox_context_acquire(site->ctx);
    EXPECT_FALSE(site->is_busy);
    site->is_busy = true;
    while (!work->request_done) {
        aiox_poll(site->ctx, true);
    }
    int64_t rings = site->rings;
    int64_t fired = site->fired;
    work->Submit();
    while (!work->bh_done || site->rings == rings || site->fired == fired ||
           (round % 3 && !work->request_done)) {
        aiox_poll(site->ctx, true);
    }
    site->is_busy = false;
    aiox_context_release(site->ctx);
}

class BorrowTorture : public ::testing::Test
{
  protected:
    /* Runs the storm around @turn, the loop thread's way of one turn. */
    void Storm(const std::function<void()> &turn)
    {
        std::atomic<bool> stop{false};
        std::atomic<bool> loop_stop{false};
        std::atomic<int64_t> rounds[BORROWERS] = {};
        std::vector<std::thread> threads;
        std::vector<std::unique_ptr<Work>> works;
        std::thread loop([&] {
            while (!loop_stop) {
                turn();
                loop_turns_++;
            }
        });
        for (auto &count : rounds) {
            works.push_back(std::make_unique<Work>(&site_));
            Work *work = works.back().get();
            EXPECT_EQ(aiox_timer_init_ns(
                          &work->timer, aiox_context_timers(site_.ctx), AIOX_CLOCK_MONOTONIC,
                          [](void *s) { static_cast<Site *>(s)->fired++; }, &site_),
                      0);
            threads.emplace_back([&, work] {
                while (!stop) {
                    BorrowAndWork(&site_, work, count++);
                }
            });
        }
        std::thread asker([&] {
            while (!stop) {
                EXPECT_EQ(aiox_bh_schedule_oneshot(
                              site_.ctx, "outside",
                              [](void *s) { static_cast<Site *>(s)->done_from_outside++; }, &site_),
                          0);
                site_.asked_from_outside++;
                std::this_thread::yield();
            }
        });

        int64_t end_ns = EndOfStorm();
        bool reached = false;
        while (!reached || aiox_clock_now_ns() < end_ns) {
            reached = loop_turns_ >= MIN_ROUNDS;
            for (auto &count : rounds) {
                reached = reached && count >= MIN_ROUNDS;
            }
            std::this_thread::yield();
        }
        stop = true;
        asker.join();
        for (std::thread &t : threads) {
            t.join();
        }
        Finish(works, &loop_stop, &loop);
        for (int i = 0; i < BORROWERS; i++) {
            printf("borrower %d: %lld rounds\n", i, static_cast<long long>(rounds[i]));
        }
        printf("loop: %lld turns; from outside: %lld; requests: %lld\n",
               static_cast<long long>(loop_turns_), static_cast<long long>(site_.done_from_outside),
               static_cast<long long>(site_.requests));
    }

    /* All that was asked for is done, by the loop thread or by this one. */
    void Finish(std::vector<std::unique_ptr<Work>> &works, std::atomic<bool> *loop_stop,
                std::thread *loop)
    {
        auto is_done = [&] {
            for (auto &w : works) {
                if (!w->request_done) {
                    return false;
                }
            }
            return site_.done_from_outside == site_.asked_from_outside;
        };
        aiox_context_acquire(site_.ctx);
        while (!is_done()) {
            aiox_poll(site_.ctx, true);
        }
        aiox_context_release(site_.ctx);
        *loop_stop = true;
        aiox_notify(site_.ctx);
        loop->join();
        for (auto &w : works) {
            aiox_timer_fini(&w->timer);
        }
    }

    Site site_;
    std::atomic<int64_t> loop_turns_{0};
};

TEST_F(BorrowTorture, ALoopThatKnowsNothingOfItAndThreadsThatBorrow)
{
    Storm([this] { aiox_poll(site_.ctx, true); });

    EXPECT_GE(loop_turns_, MIN_ROUNDS);
    EXPECT_EQ(site_.done_from_outside, site_.asked_from_outside);
}

TEST_F(BorrowTorture, ALoopThatAcquiresForEachTurnAndThreadsThatBorrow)
{
    Storm([this] {
        aiox_context_acquire(site_.ctx);
        EXPECT_FALSE(site_.is_busy);
        site_.is_busy = true;
        aiox_poll(site_.ctx, true);
        site_.turns++;
        site_.is_busy = false;
        aiox_context_release(site_.ctx);
    });

    EXPECT_GE(site_.turns, MIN_ROUNDS);
    EXPECT_EQ(site_.done_from_outside, site_.asked_from_outside);
}

/* Threads line up one by one, which the ring of each tells, and are served in that order. */
TEST_F(BorrowTorture, FirstComeFirstServed)
{
    int64_t end_ns = EndOfStorm();
    int64_t rounds = 0;

    for (; rounds < MIN_ROUNDS || aiox_clock_now_ns() < end_ns; rounds++) {
        std::vector<std::thread> threads;
        std::vector<int> order;
        std::vector<int> expected;
        aiox_context_acquire(site_.ctx);
        aiox_poll(site_.ctx, false);
        for (int i = 0; i < 2 * BORROWERS; i++) {
            expected.push_back(i);
            threads.emplace_back([&, i] {
                aiox_context_acquire(site_.ctx);
                order.push_back(i);
                aiox_poll(site_.ctx, false);
                aiox_context_release(site_.ctx);
            });
            EXPECT_FALSE(aiox_poll(site_.ctx, true)); /* it has rung: it is in line */
        }
        aiox_context_release(site_.ctx);
        for (std::thread &t : threads) {
            t.join();
        }
        ASSERT_EQ(order, expected);
    }

    EXPECT_GE(rounds, MIN_ROUNDS);
    printf("%lld rounds of %d threads in order\n", static_cast<long long>(rounds), 2 * BORROWERS);
}

} // namespace
