/* SPDX-License-Identifier: MIT */
/*
 * A context as a guest of a loop that is nothing but poll(2): each phase is a
 * line of the test, so it can be repeated, left out, or disturbed. Where a test
 * waits without a limit, a missed wake is a hang.
 */
#include <atomic>
#include <cerrno>
#include <climits>
#include <functional>
#include <poll.h>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/aio.h"
#include "aiox/aiox.h"
#include "aiox/clock.h"
#include "aiox/foreign.h"
#include "test/harness/call.h"
#include "test/harness/fake_clock.h"

namespace
{

using aiox_test::FakeClock;
using aiox_test::Ms;

class Foreign : public ::testing::Test
{
  protected:
    Foreign()
    {
        aiox_error err = {};
        EXPECT_EQ(aiox_new(&ctx_, &err), 0) << err.message;
        EXPECT_EQ(aiox_foreign_begin(ctx_, &fd_, &err), 0) << err.message;
        event_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    }

    ~Foreign() override
    {
        close(event_);
        aiox_foreign_end(ctx_);
        aiox_context_unref(ctx_);
    }

    int OnRead(int fd, Fn *fn)
    {
        aiox_fd_handler h = {};
        h.read = Call;
        return aiox_set_fd_handler(ctx_, fd, &h, fn);
    }

    void Ask(Fn *fn)
    {
        EXPECT_EQ(aiox_bh_schedule_oneshot(ctx_, "test", Call, fn), 0);
    }

    void Ring()
    {
        EXPECT_EQ(eventfd_write(event_, 1), 0);
    }

    void Drain()
    {
        eventfd_t taken;
        eventfd_read(event_, &taken);
    }

    bool IsReadable()
    {
        return Wait(0);
    }

    /* What a host does between prepare and check. A signal, or the kernel's own, is no wake. */
    bool Wait(int64_t timeout_ns)
    {
        pollfd p = {};
        p.fd = fd_;
        p.events = POLLIN;
        int ms = timeout_ns < 0 ? -1 : static_cast<int>((timeout_ns + Ms(1) - 1) / Ms(1));
        int n;
        do {
            n = poll(&p, 1, ms);
        } while (n < 0 && errno == EINTR);
        return n == 1;
    }

    /* One round as the header has it. Returns whether there was a dispatch. */
    bool Round(bool may_block = true)
    {
        int64_t timeout_ns = aiox_foreign_prepare(ctx_);
        bool readable = Wait(may_block ? timeout_ns : 0);
        if (!aiox_foreign_check(ctx_, readable)) {
            return false;
        }
        aiox_foreign_dispatch(ctx_);
        return true;
    }

    void RoundUntil(const std::function<bool()> &done)
    {
        while (!done()) {
            Round();
        }
    }

    /* Rounds until nothing is left over from setting the scene. */
    void Settle()
    {
        for (int i = 0; i < 20 && Round(false); i++) {
        }
        EXPECT_EQ(aiox_foreign_prepare(ctx_), -1);
        EXPECT_FALSE(IsReadable());
        EXPECT_FALSE(aiox_foreign_check(ctx_, false));
    }

    aiox_context *ctx_ = nullptr;
    int fd_ = -1;
    int event_ = -1;
};

TEST_F(Foreign, AnIdleGuestLetsItsHostSleepForEver)
{
    Settle();

    EXPECT_EQ(aiox_foreign_prepare(ctx_), -1);
    EXPECT_FALSE(IsReadable());
}

TEST_F(Foreign, OneHostAtATime)
{
    int second;
    aiox_error err = {};

    EXPECT_EQ(aiox_foreign_begin(ctx_, &second, &err), -EBUSY);
    EXPECT_STREQ(err.message, "another loop waits for this context already");
    aiox_foreign_end(ctx_);
    EXPECT_EQ(aiox_foreign_begin(ctx_, &fd_, &err), 0) << err.message;
    Settle();
}

TEST_F(Foreign, AGuestThatHasLeftIsALoopLikeAnyOther)
{
    int runs = 0;
    Fn count = [&] { runs++; };
    aiox_foreign_prepare(ctx_);

    aiox_foreign_end(ctx_);
    Ask(&count);
    aiox_poll(ctx_, true);

    EXPECT_EQ(runs, 1);
}

TEST_F(Foreign, AnotherThreadWakesTheHost)
{
    int runs = 0;
    Fn count = [&] { runs++; };

    for (int i = 1; i <= 200; i++) {
        std::thread asker([&] { Ask(&count); });
        RoundUntil([&] { return runs == i; });
        asker.join();
    }
}

TEST_F(Foreign, ADescriptorWakesTheHost)
{
    int reads = 0;
    Fn read = [&] { Drain(), reads++; };
    ASSERT_EQ(OnRead(event_, &read), 0);
    Settle();

    for (int i = 1; i <= 200; i++) {
        std::thread writer([&] { Ring(); });
        RoundUntil([&] { return reads == i; });
        writer.join();
    }

    aiox_clear_fd_handler(ctx_, event_);
}

/* Level-triggered through the host's descriptor, too. */
TEST_F(Foreign, AHandlerThatNeverReadsIsCalledEveryRound)
{
    int calls = 0;
    Fn look = [&] { calls++; };
    ASSERT_EQ(OnRead(event_, &look), 0);
    Ring();

    RoundUntil([&] { return calls == 10; });

    aiox_clear_fd_handler(ctx_, event_);
    Settle();
}

TEST_F(Foreign, ATimerLimitsTheWaitAndIsNeverEarly)
{
    int64_t fired_ns = 0;
    Fn fire = [&] { fired_ns = aiox_clock_now_ns(); };
    aiox_timer t;
    ASSERT_EQ(aiox_timer_init_ns(&t, aiox_context_timers(ctx_), AIOX_CLOCK_MONOTONIC, Call, &fire),
              0);
    int64_t deadline_ns = aiox_clock_now_ns() + Ms(2);
    aiox_timer_mod_ns(&t, deadline_ns);

    RoundUntil([&] { return fired_ns != 0; });

    EXPECT_GE(fired_ns, deadline_ns);
    aiox_timer_fini(&t);
}

TEST_F(Foreign, PreparingTwiceLosesNothing)
{
    int runs = 0;
    Fn count = [&] { runs++; };
    Settle();

    EXPECT_EQ(aiox_foreign_prepare(ctx_), -1);
    EXPECT_EQ(aiox_foreign_prepare(ctx_), -1);
    std::thread([&] { Ask(&count); }).join();
    EXPECT_TRUE(IsReadable());
    EXPECT_EQ(aiox_foreign_prepare(ctx_), 0);
    EXPECT_TRUE(aiox_foreign_check(ctx_, false));
    EXPECT_TRUE(aiox_foreign_dispatch(ctx_));

    EXPECT_EQ(runs, 1);
}

TEST_F(Foreign, CheckMayBeLeftOut)
{
    int runs = 0;
    Fn count = [&] { runs++; };
    Settle();

    for (int i = 0; i < 5; i++) {
        aiox_foreign_prepare(ctx_);
        std::thread([&] { Ask(&count); }).join();
        EXPECT_TRUE(IsReadable());
        EXPECT_TRUE(aiox_foreign_dispatch(ctx_));
    }

    EXPECT_EQ(runs, 5);
    Settle();
}

TEST_F(Foreign, DispatchMayBeLeftOut)
{
    int runs = 0;
    Fn count = [&] { runs++; };
    Settle();

    aiox_foreign_prepare(ctx_);
    std::thread([&] { Ask(&count); }).join();
    for (int i = 0; i < 5; i++) {
        EXPECT_TRUE(aiox_foreign_check(ctx_, IsReadable()));
        EXPECT_EQ(aiox_foreign_prepare(ctx_), 0);
    }
    EXPECT_TRUE(aiox_foreign_check(ctx_, false));
    aiox_foreign_dispatch(ctx_);

    EXPECT_EQ(runs, 1);
}

/* The host's other guests run between the phases, in the home thread. */
TEST_F(Foreign, WhatTheHomeThreadAsksForBetweenThePhasesWakesTheHost)
{
    int runs = 0, reads = 0, fires = 0;
    Fn count = [&] { runs++; };
    Fn read = [&] { Drain(), reads++; };
    Fn fire = [&] { fires++; };
    aiox_timer t;
    ASSERT_EQ(aiox_timer_init_ns(&t, aiox_context_timers(ctx_), AIOX_CLOCK_MONOTONIC, Call, &fire),
              0);
    Settle();

    EXPECT_EQ(aiox_foreign_prepare(ctx_), -1);
    Ask(&count);
    EXPECT_TRUE(Wait(-1));
    RoundUntil([&] { return runs == 1; });
    Settle();

    EXPECT_EQ(aiox_foreign_prepare(ctx_), -1);
    Ring();
    ASSERT_EQ(OnRead(event_, &read), 0);
    EXPECT_TRUE(Wait(-1));
    RoundUntil([&] { return reads == 1; });
    Settle();

    EXPECT_EQ(aiox_foreign_prepare(ctx_), -1);
    aiox_timer_mod_ns(&t, 0);
    EXPECT_TRUE(Wait(-1));
    RoundUntil([&] { return fires == 1; });

    aiox_clear_fd_handler(ctx_, event_);
    aiox_timer_fini(&t);
}

TEST_F(Foreign, ANewHandlerThatIsNotReadyYetWakesTheHostWhenItIs)
{
    int reads = 0;
    Fn read = [&] { Drain(), reads++; };
    Settle();

    EXPECT_EQ(aiox_foreign_prepare(ctx_), -1);
    ASSERT_EQ(OnRead(event_, &read), 0);
    std::thread writer([&] { Ring(); });
    RoundUntil([&] { return reads == 1; });
    writer.join();

    aiox_clear_fd_handler(ctx_, event_);
}

/* A turn between the phases uses the bell up, and makes the timeout wrong. */
TEST_F(Foreign, ADirectPollBetweenThePhasesWakesTheHost)
{
    int fires = 0, runs = 0;
    Fn fire = [&] { fires++; };
    aiox_timer t;
    ASSERT_EQ(aiox_timer_init_ns(&t, aiox_context_timers(ctx_), AIOX_CLOCK_MONOTONIC, Call, &fire),
              0);
    Fn arm = [&] { aiox_timer_mod_ns(&t, aiox_clock_now_ns() + Ms(1)); };
    Fn count = [&] { runs++; };
    Fn ask_again = [&] { Ask(&count); };
    Settle();

    EXPECT_EQ(aiox_foreign_prepare(ctx_), -1);
    Ask(&arm);
    EXPECT_TRUE(aiox_poll(ctx_, false));
    EXPECT_TRUE(Wait(-1));
    RoundUntil([&] { return fires == 1; });
    Settle();

    EXPECT_EQ(aiox_foreign_prepare(ctx_), -1);
    Ask(&ask_again);
    EXPECT_TRUE(aiox_poll(ctx_, false));
    EXPECT_TRUE(Wait(-1));
    RoundUntil([&] { return runs == 1; });

    aiox_timer_fini(&t);
}

TEST_F(Foreign, AnAskAfterADirectPollBetweenThePhasesWakesTheHost)
{
    int runs = 0;
    Fn count = [&] { runs++; };
    Settle();

    EXPECT_EQ(aiox_foreign_prepare(ctx_), -1);
    EXPECT_FALSE(aiox_poll(ctx_, false));
    EXPECT_FALSE(aiox_poll(ctx_, false));
    std::thread asker([&] { Ask(&count); });
    EXPECT_TRUE(Wait(-1));
    asker.join();
    RoundUntil([&] { return runs == 1; });

    Settle();
}

/* Left in the middle of a round, it is the alarm of a host that does not come back. */
TEST_F(Foreign, DirectPollsAfterAPrepareSleepAsEver)
{
    int runs = 0;
    Fn count = [&] { runs++; };
    Settle();
    aiox_foreign_prepare(ctx_);

    EXPECT_FALSE(aiox_poll(ctx_, false));
    std::thread asker([&] { Ask(&count); });
    int empty_turns = 0;
    while (runs == 0) {
        empty_turns += !aiox_poll(ctx_, true);
    }
    asker.join();

    EXPECT_LE(empty_turns, 3);
}

TEST_F(Foreign, RoundsAndDirectPollsMix)
{
    int runs = 0;
    Fn count = [&] { runs++; };
    std::atomic<int> asked{0};
    std::thread asker([&] {
        for (; asked < 5000; asked++) {
            Ask(&count);
            if (asked % 3 == 0) {
                std::this_thread::yield();
            }
        }
    });

    for (int i = 0; runs < 5000; i++) {
        switch (i % 5) {
        case 0:
            aiox_poll(ctx_, true);
            break;
        case 1:
            aiox_foreign_prepare(ctx_);
            aiox_poll(ctx_, false);
            break;
        default:
            Round();
        }
    }

    asker.join();
}

TEST_F(Foreign, ACallbackMayRunTheHostsLoop)
{
    int inner = 0;
    Fn count = [&] { inner++; };
    Fn outer = [&] {
        std::thread asker([&] { Ask(&count); });
        RoundUntil([&] { return inner == 1; });
        asker.join();
        Ask(&count);
    };
    Ask(&outer);

    RoundUntil([&] { return inner == 2; });

    Settle();
}

TEST_F(Foreign, AnIdleBottomHalfWaitsNoLongerForAHostThatComesRoundOften)
{
    FakeClock clock;
    int runs = 0;
    Fn count = [&] { runs++; };
    aiox_bh *bh;
    ASSERT_EQ(aiox_bh_new(&bh, aiox_context_bhs(ctx_), "idle", Call, &count), 0);
    aiox_bh_schedule_idle(bh);

    while (Round(false) && runs == 0) {
        ASSERT_LT(clock.Now(), aiox_test::Seconds(1001));
    }
    if (runs == 0) {
        EXPECT_LE(aiox_foreign_prepare(ctx_), Ms(10));
        for (int i = 0; i < 9; i++) {
            clock.Advance(Ms(1));
            EXPECT_FALSE(Round(false));
            EXPECT_LE(aiox_foreign_prepare(ctx_), Ms(9 - i));
        }
        clock.Advance(Ms(1));
        EXPECT_TRUE(Round(false));
    }

    EXPECT_EQ(runs, 1);
    aiox_bh_free(bh);
    aiox_poll(ctx_, false);
}

TEST_F(Foreign, TheBackendMayChangeBetweenThePhases)
{
    int reads = 0, runs = 0;
    Fn read = [&] { Drain(), reads++; };
    Fn count = [&] { runs++; };
    aiox_error err = {};
    ASSERT_EQ(OnRead(event_, &read), 0);
    Settle();

    for (const char *backend : {"poll", "epoll", "poll", "auto", "epoll"}) {
        int seen = reads;
        EXPECT_EQ(aiox_foreign_prepare(ctx_), -1);
        ASSERT_EQ(aiox_context_setup(ctx_, backend, &err), 0) << err.message;
        std::thread writer([&] { Ring(); });
        RoundUntil([&] { return reads == seen + 1; });
        writer.join();
        Settle();
        std::thread asker([&] { Ask(&count); });
        (void)Wait(aiox_foreign_prepare(ctx_));
        asker.join();
        RoundUntil([&] { return runs > 0; });
        runs = 0;
        Settle();
    }

    aiox_clear_fd_handler(ctx_, event_);
}

/* The file lives on in the duplicate; what watched it by number must not spin on it. */
TEST_F(Foreign, ADescriptorClosedTooEarlyDoesNotKeepTheHostAwake)
{
    int other = dup(event_);
    Fn nothing = [] {};
    ASSERT_EQ(OnRead(other, &nothing), 0);
    Settle();
    int alive = dup(other);
    close(other);
    Ring();

    int rounds = 0;
    for (int quiet = 0; quiet < 3 && rounds < 1000; rounds++) {
        quiet = aiox_foreign_prepare(ctx_) == -1 && !IsReadable() ? quiet + 1 : 0;
        aiox_foreign_check(ctx_, true);
        aiox_foreign_dispatch(ctx_);
    }

    EXPECT_LT(rounds, 1000);
    aiox_clear_fd_handler(ctx_, other);
    close(alive);
}

/* The ring is handed over by prepare, and reaped by dispatch. */
TEST_F(Foreign, RequestsAreHandedOverAndReported)
{
    if (!aiox_has_completion(ctx_)) {
        GTEST_SKIP() << "this backend takes no requests";
    }
    struct Request {
        aiox_completion c;
        int result;
    } r = {};
    r.result = INT_MIN;
    r.c.done = [](aiox_completion *c, int result) {
        reinterpret_cast<Request *>(c)->result = result;
    };
    auto nop = [](void *, void *) {};
    Settle();

    ASSERT_EQ(aiox_submit(ctx_, nop, nullptr, &r.c), 0);
    RoundUntil([&] { return r.result != INT_MIN; });
    EXPECT_EQ(r.result, 0);
    Settle();

    r.result = INT_MIN;
    EXPECT_EQ(aiox_foreign_prepare(ctx_), -1);
    ASSERT_EQ(aiox_submit(ctx_, nop, nullptr, &r.c), 0);
    EXPECT_TRUE(Wait(-1));
    RoundUntil([&] { return r.result != INT_MIN; });
    EXPECT_EQ(r.result, 0);
}

TEST_F(Foreign, ALoopWithRequestsUnderWayStaysWhereItIs)
{
    if (!aiox_has_completion(ctx_)) {
        GTEST_SKIP() << "this backend takes no requests";
    }
    aiox_context *ctx;
    aiox_error err = {};
    int fd;
    ASSERT_EQ(aiox_new(&ctx, &err), 0) << err.message;
    static int reported;
    reported = 0;
    aiox_completion c = {};
    c.done = [](aiox_completion *, int) { reported++; };
    ASSERT_EQ(aiox_submit(
                  ctx, [](void *, void *) {}, nullptr, &c),
              0);

    EXPECT_EQ(aiox_foreign_begin(ctx, &fd, &err), -EBUSY);
    while (!reported) {
        aiox_poll(ctx, true);
    }
    EXPECT_EQ(aiox_foreign_begin(ctx, &fd, &err), 0) << err.message;

    aiox_context_unref(ctx);
}

/* What the hook saw while the loop looked, it will not say to the kernel any more. */
TEST_F(Foreign, AdaptivePollingEndsBeforeTheHostSleeps)
{
    struct Source {
        aiox_event_notifier n;
        bool looks = false, is_set = false;
        int served = 0;
        void Serve()
        {
            aiox_event_notifier_test_and_clear(&n);
            is_set = false;
            served++;
        }
    } s;
    ASSERT_EQ(aiox_event_notifier_init(&s.n, false), 0);
    ASSERT_EQ(aiox_context_set_busy_poll(ctx_, Ms(1), 0, 0), 0);
    aiox_fd_handler h = {};
    h.read = [](void *o) { static_cast<Source *>(o)->Serve(); };
    h.poll_ready = h.read;
    h.poll = [](void *o) { return static_cast<Source *>(o)->is_set; };
    h.poll_begin = [](void *o) { static_cast<Source *>(o)->looks = true; };
    h.poll_end = [](void *o) { static_cast<Source *>(o)->looks = false; };
    ASSERT_EQ(aiox_set_fd_handler(ctx_, aiox_event_notifier_fd(&s.n), &h, &s), 0);
    /* Served without delay often enough, it is looked at. */
    for (int i = 0; i < 1000 && !s.looks; i++) {
        s.is_set = true;
        aiox_event_notifier_set(&s.n);
        aiox_poll(ctx_, true);
    }
    ASSERT_TRUE(s.looks);

    s.is_set = true; /* seen by who looks, and by nobody else */
    int served = s.served;
    EXPECT_EQ(aiox_foreign_prepare(ctx_), 0);
    EXPECT_FALSE(s.looks);
    EXPECT_TRUE(aiox_foreign_check(ctx_, false));
    aiox_foreign_dispatch(ctx_);
    EXPECT_EQ(s.served, served + 1);
    Settle();
    EXPECT_FALSE(s.looks);

    aiox_clear_fd_handler(ctx_, aiox_event_notifier_fd(&s.n));
    aiox_event_notifier_fini(&s.n);
}

} // namespace
