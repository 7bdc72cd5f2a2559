/* SPDX-License-Identifier: MIT */
/*
 * bh_signal_test.cc - asking from a signal handler, at whatever instruction.
 *
 * A timer interrupts the home thread while it asks, looks and runs on its own
 * account. Handlers must not deadlock, must lose nothing, and must not make
 * anything run twice: exactly one run per ask that found the BH not asked for.
 */
#include "aiox/bh.h"

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <random>

#include <gtest/gtest.h>

#include "aiox/clock.h"

namespace
{
uint64_t HandlersWanted()
{
    const char *wanted = std::getenv("AIOX_SIGNAL_HANDLERS");
    return wanted ? std::strtoull(wanted, nullptr, 10) : 20000;
}

struct Accounts {
    aiox_bh *from_handler;
    aiox_bh *from_both;
    volatile uint64_t handlers;      /* entered */
    volatile uint64_t seen_handlers; /* by the function, when it last ran */
    volatile uint64_t handler_runs;
    volatile uint64_t both_runs;
    volatile uint64_t wakes;
};

Accounts accounts;

void OnTimer(int)
{
    accounts.handlers = accounts.handlers + 1;
    aiox_bh_schedule(accounts.from_handler);
    aiox_bh_schedule(accounts.from_both);
}

/*
 * SIGALRM in this thread's way, once after each Strike(). A periodic timer so
 * fast would leave a busy machine no time for anything but its handler.
 */
class Interruptions
{
  public:
    Interruptions()
    {
        struct sigaction action = {};
        action.sa_handler = &OnTimer;
        sigaction(SIGALRM, &action, &old_);
        EXPECT_EQ(timer_create(CLOCK_MONOTONIC, nullptr, &timer_), 0);
    }

    ~Interruptions()
    {
        timer_delete(timer_);
        sigaction(SIGALRM, &old_, nullptr);
    }

    /* The next one comes in up to 30 us. */
    void Strike()
    {
        struct itimerspec spec = {{0, 0}, {0, static_cast<long>(1 + random_() % 30000)}};
        timer_settime(timer_, 0, &spec, nullptr);
    }

    /* Up to as long, so that it may come before or after what follows. */
    void Linger()
    {
        int64_t end_ns = aiox_clock_now_ns() + random_() % 30000;
        while (aiox_clock_now_ns() < end_ns) {
        }
    }

    /* ThreadSanitizer keeps signals back until a call that it intercepts, such as this. */
    static void LetIn()
    {
        aiox_clock_now_ns();
    }

  private:
    timer_t timer_;
    struct sigaction old_;
    std::minstd_rand random_;
};

TEST(BhSignal, AskedFromAHandlerAtAnyInstructionNothingIsLostOrDoubled)
{
    aiox_bh_queue queue;
    aiox_bh_queue_init(
        &queue, [](void *) { accounts.wakes = accounts.wakes + 1; }, nullptr);
    accounts = {};
    ASSERT_EQ(aiox_bh_new(
                  &accounts.from_handler, &queue, "from a handler",
                  [](void *) {
                      accounts.handler_runs = accounts.handler_runs + 1;
                      accounts.seen_handlers = accounts.handlers;
                  },
                  nullptr),
              0);
    ASSERT_EQ(aiox_bh_new(
                  &accounts.from_both, &queue, "from both",
                  [](void *) { accounts.both_runs = accounts.both_runs + 1; }, nullptr),
              0);
    uint64_t own_asks = 0;

    {
        Interruptions interruptions;
        for (uint64_t wanted = HandlersWanted(); accounts.handlers < wanted;) {
            uint64_t before = accounts.handlers;
            interruptions.Strike();
            do {
                /* Every other time as a callback of a loop does. */
                aiox_bh_queue *outer = nullptr;
                if (own_asks % 2) {
                    outer = aiox_bh_queue_begin(&queue);
                }
                aiox_bh_schedule(accounts.from_both);
                aiox_bh_queue_timeout_ns(&queue);
                aiox_bh_queue_run(&queue);
                if (own_asks % 2) {
                    aiox_bh_queue_end(outer);
                }
                if (++own_asks % 1024 == 0) {
                    Interruptions::LetIn();
                }
            } while (accounts.handlers == before);
        }
    }
    while (aiox_bh_queue_run(&queue)) {
    }

    EXPECT_EQ(accounts.seen_handlers, accounts.handlers);
    EXPECT_LE(accounts.handler_runs, accounts.handlers);
    EXPECT_GT(accounts.handler_runs, 0u);
    EXPECT_GE(accounts.both_runs, own_asks);
    EXPECT_LE(accounts.both_runs, own_asks + accounts.handlers);
    aiox_bh_free(accounts.from_handler);
    aiox_bh_free(accounts.from_both);
    aiox_bh_queue_run(&queue);
    aiox_bh_queue_fini(&queue);
}

/* A home that has said it may sleep is woken by the handler that interrupts it. */
TEST(BhSignal, AHandlerWakesTheHomeThatItInterruptsBeforeItSleeps)
{
    aiox_bh_queue queue;
    aiox_bh_queue_init(
        &queue, [](void *) { accounts.wakes = accounts.wakes + 1; }, nullptr);
    accounts = {};
    aiox_bh_fn *nothing = [](void *) {};
    ASSERT_EQ(aiox_bh_new(&accounts.from_handler, &queue, "from a handler", nothing, nullptr), 0);
    ASSERT_EQ(aiox_bh_new(&accounts.from_both, &queue, "from both", nothing, nullptr), 0);
    uint64_t unwoken = 0, sleeps = 0;

    {
        Interruptions interruptions;
        for (uint64_t wanted = HandlersWanted() / 20; sleeps < wanted;) {
            uint64_t wakes = accounts.wakes, handlers = accounts.handlers;
            interruptions.Strike();
            interruptions.Linger();
            if (aiox_bh_queue_timeout_ns(&queue) != 0) {
                sleeps++;
                while (accounts.handlers == handlers) {
                    Interruptions::LetIn();
                }
                unwoken += accounts.wakes == wakes;
            }
            aiox_bh_queue_run(&queue);
        }
    }

    EXPECT_EQ(unwoken, 0u);
    aiox_bh_free(accounts.from_handler);
    aiox_bh_free(accounts.from_both);
    aiox_bh_queue_run(&queue);
    aiox_bh_queue_fini(&queue);
}

} // namespace
