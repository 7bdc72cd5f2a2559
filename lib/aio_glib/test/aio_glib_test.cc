/* SPDX-License-Identifier: MIT */
/* A context under GLib's main loop. Where a test waits without a limit, a missed wake is a hang. */
#include <atomic>
#include <cerrno>
#include <functional>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/aio.h"
#include "aiox/aio_glib.h"
#include "aiox/aiox.h"
#include "aiox/clock.h"
#include "aiox/foreign.h"
#include "test/harness/fake_clock.h"

namespace
{

using aiox_test::FakeClock;
using aiox_test::Ms;
using aiox_test::Seconds;

class AioGlib : public ::testing::Test
{
  protected:
    using Fn = std::function<void()>;

    AioGlib()
    {
        aiox_error err = {};
        EXPECT_EQ(aiox_new(&ctx_, &err), 0) << err.message;
        main_ = g_main_context_new();
        Attach();
    }

    ~AioGlib() override
    {
        Detach();
        g_main_context_unref(main_);
        aiox_context_unref(ctx_);
    }

    void Attach()
    {
        aiox_error err = {};
        ASSERT_EQ(aiox_glib_source_new(&source_, ctx_, &err), 0) << err.message;
        g_source_attach(source_, main_);
    }

    void Detach()
    {
        g_source_destroy(source_);
        g_source_unref(source_);
    }

    static void Call(void *fn)
    {
        (*static_cast<Fn *>(fn))();
    }

    void Ask(Fn *fn)
    {
        EXPECT_EQ(aiox_bh_schedule_oneshot(ctx_, "test", Call, fn), 0);
    }

    bool Iterate(bool may_block = true)
    {
        return g_main_context_iteration(main_, may_block);
    }

    void IterateUntil(const std::function<bool()> &done)
    {
        while (!done()) {
            Iterate();
        }
    }

    void Settle()
    {
        for (int i = 0; i < 100 && Iterate(false); i++) {
        }
        EXPECT_FALSE(Iterate(false));
    }

    aiox_context *ctx_ = nullptr;
    GMainContext *main_ = nullptr;
    GSource *source_ = nullptr;
};

/* A timer whose callback is a lambda. */
class Timer
{
  public:
    Timer(aiox_context *ctx, std::function<void()> fn) : fn_(std::move(fn))
    {
        EXPECT_EQ(aiox_timer_init_ns(
                      &timer, aiox_context_timers(ctx), AIOX_CLOCK_MONOTONIC,
                      [](void *self) { static_cast<Timer *>(self)->fn_(); }, this),
                  0);
    }
    ~Timer()
    {
        aiox_timer_fini(&timer);
    }
    aiox_timer timer;

  private:
    std::function<void()> fn_;
};

TEST_F(AioGlib, AContextHasOneSourceAtATime)
{
    GSource *second = nullptr;
    aiox_error err = {};

    EXPECT_EQ(aiox_glib_source_new(&second, ctx_, &err), -EBUSY);
    EXPECT_NE(err.message[0], '\0');
    EXPECT_EQ(second, nullptr);
    EXPECT_EQ(aiox_glib_source_context(source_), ctx_);

    Detach();
    Attach();
    Settle();
}

TEST_F(AioGlib, AskedAgainTheSameSourceWithAReferenceMore)
{
    GSource *found = nullptr, *again = nullptr;
    aiox_error err = {};

    ASSERT_EQ(aiox_glib_source_get(&found, ctx_, &err), 0) << err.message;
    ASSERT_EQ(aiox_glib_source_get(&again, ctx_, &err), 0) << err.message;
    EXPECT_EQ(found, source_);
    EXPECT_EQ(again, source_);

    Detach();
    g_source_unref(again);
    EXPECT_TRUE(g_source_is_destroyed(found));
    EXPECT_EQ(aiox_glib_source_context(found), ctx_);

    source_ = found;
    Detach();
    Attach();
    Settle();
}

TEST_F(AioGlib, WithoutASourceTheFirstThatAsksMakesIt)
{
    aiox_error err = {};
    int runs = 0;
    Fn count = [&] { runs++; };
    Detach();

    ASSERT_EQ(aiox_glib_source_get(&source_, ctx_, &err), 0) << err.message;
    g_source_attach(source_, main_);
    Ask(&count);
    IterateUntil([&] { return runs == 1; });

    EXPECT_EQ(aiox_glib_source_context(source_), ctx_);
}

TEST_F(AioGlib, AnotherHostHasTheContextSoThereIsNoSource)
{
    GSource *found = nullptr;
    aiox_error err = {};
    int fd = -1;
    Detach();
    ASSERT_EQ(aiox_foreign_begin(ctx_, &fd, &err), 0) << err.message;

    EXPECT_EQ(aiox_glib_source_get(&found, ctx_, &err), -EBUSY);
    EXPECT_NE(err.message[0], '\0');
    EXPECT_EQ(found, nullptr);

    aiox_foreign_end(ctx_);
    Attach();
}

TEST_F(AioGlib, TheSourceKeepsItsContextAlive)
{
    int runs = 0;
    Fn count = [&] { runs++; };
    Ask(&count);

    aiox_context_unref(ctx_);
    IterateUntil([&] { return runs == 1; });
    aiox_context_ref(ctx_);

    EXPECT_EQ(runs, 1);
}

TEST_F(AioGlib, ABottomHalfRunsInAnIteration)
{
    int runs = 0;
    Fn count = [&] { runs++; };
    Settle();
    Ask(&count);

    EXPECT_TRUE(Iterate());

    EXPECT_EQ(runs, 1);
    Settle();
}

TEST_F(AioGlib, ABareNotificationEndsAWait)
{
    Settle();
    std::thread notifier([&] { aiox_notify(ctx_); });

    Iterate();

    notifier.join();
    Settle();
}

TEST_F(AioGlib, AnotherThreadWakesTheMainLoop)
{
    GMainLoop *loop = g_main_loop_new(main_, FALSE);
    int runs = 0;
    std::atomic<int> seen{0};
    Fn count = [&] {
        seen = ++runs;
        if (runs == 1000) {
            g_main_loop_quit(loop);
        }
    };
    std::thread asker([&] {
        for (int i = 0; i < 1000; i++) {
            while (seen < i) {
                std::this_thread::yield();
            }
            Ask(&count);
        }
    });

    g_main_loop_run(loop);

    asker.join();
    EXPECT_EQ(runs, 1000);
    g_main_loop_unref(loop);
}

TEST_F(AioGlib, ADescriptorIsServedAsLongAsItsConditionHolds)
{
    int fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC), calls = 0;
    Fn look = [&] { calls++; };
    aiox_fd_handler h = {};
    h.read = Call;
    ASSERT_EQ(aiox_set_fd_handler(ctx_, fd, &h, &look), 0);

    IterateUntil([&] { return calls == 10; });
    aiox_clear_fd_handler(ctx_, fd);
    Settle();

    EXPECT_EQ(calls, 10);
    close(fd);
}

TEST_F(AioGlib, ATimerFiresFromAnIterationOnlyAndNeverBeforeItsDeadline)
{
    FakeClock clock;
    std::vector<int64_t> fired;
    int64_t deadline_ns = clock.Now() + Ms(750);
    Timer *self = nullptr;
    Timer t(ctx_, [&] {
        fired.push_back(clock.Now());
        if (fired.size() == 1) {
            deadline_ns = clock.Now() + Ms(750);
            aiox_timer_mod_ns(&self->timer, deadline_ns);
        }
    });
    self = &t;
    aiox_timer_mod_ns(&t.timer, deadline_ns);
    Settle();

    clock.Advance(Seconds(1));
    EXPECT_TRUE(fired.empty());
    EXPECT_TRUE(Iterate(false));
    ASSERT_EQ(fired.size(), 1u);

    Settle();
    clock.Advance(Ms(750) - 1);
    Settle();
    EXPECT_EQ(fired.size(), 1u);
    clock.Advance(2);
    EXPECT_EQ(fired.size(), 1u);
    EXPECT_TRUE(Iterate(false));
    ASSERT_EQ(fired.size(), 2u);
    EXPECT_GT(fired[1], deadline_ns);
    Settle();
}

/* In real time, with GLib's own way to wait. */
TEST_F(AioGlib, ASleepEndsForATimerAndNotTooEarly)
{
    int64_t fired_ns = 0;
    Timer t(ctx_, [&] { fired_ns = aiox_clock_now_ns(); });

    for (int64_t us : {0, 1, 999, 1000, 1001, 2500}) {
        fired_ns = 0;
        int64_t deadline_ns = aiox_clock_now_ns() + us * AIOX_NS_PER_US;
        aiox_timer_mod_ns(&t.timer, deadline_ns);
        IterateUntil([&] { return fired_ns != 0; });
        EXPECT_GE(fired_ns, deadline_ns);
    }
}

TEST_F(AioGlib, AWaitThatIsLongerThanGlibCanCountIsCut)
{
    Timer t(ctx_, [] {});
    aiox_timer_mod_ns(&t.timer, INT64_MAX - 1);
    Settle();

    gint priority, timeout_ms = 0;
    GPollFD fds[4];
    ASSERT_TRUE(g_main_context_acquire(main_));
    EXPECT_FALSE(g_main_context_prepare(main_, &priority));
    g_main_context_query(main_, priority, &timeout_ms, fds, 4);
    g_main_context_release(main_);

    EXPECT_EQ(timeout_ms, G_MAXINT);
}

TEST_F(AioGlib, ABottomHalfDeletedWhileScheduledNeverRunsAndOneIterationMayReportIt)
{
    int runs = 0;
    Fn count = [&] { runs++; };
    aiox_bh *bh;
    Settle();
    ASSERT_EQ(aiox_bh_new(&bh, aiox_context_bhs(ctx_), "test", Call, &count), 0);

    aiox_bh_schedule(bh);
    aiox_bh_free(bh);
    Iterate(false);

    EXPECT_FALSE(Iterate(false));
    EXPECT_EQ(runs, 0);
}

TEST_F(AioGlib, AnIdleBottomHalfRuns)
{
    FakeClock clock;
    int runs = 0;
    Fn count = [&] { runs++; };
    aiox_bh *bh;
    ASSERT_EQ(aiox_bh_new(&bh, aiox_context_bhs(ctx_), "idle", Call, &count), 0);

    aiox_bh_schedule_idle(bh);
    for (int i = 0; i < 12 && runs == 0; i++) {
        Iterate(false);
        clock.Advance(Ms(1));
    }

    EXPECT_EQ(runs, 1);
    aiox_bh_free(bh);
    Settle();
}

/* What GLib does, step by step. */
class AioGlibPhases : public AioGlib
{
  protected:
    AioGlibPhases()
    {
        EXPECT_TRUE(g_main_context_acquire(main_));
    }
    ~AioGlibPhases() override
    {
        g_main_context_release(main_);
    }

    bool Prepare()
    {
        return g_main_context_prepare(main_, &priority_);
    }
    int Query()
    {
        count_ = g_main_context_query(main_, priority_, &timeout_ms_, fds_, G_N_ELEMENTS(fds_));
        EXPECT_LE(count_, static_cast<int>(G_N_ELEMENTS(fds_)));
        return timeout_ms_;
    }
    void Poll()
    {
        g_poll(fds_, static_cast<guint>(count_), timeout_ms_);
    }
    void Finish()
    {
        if (g_main_context_check(main_, priority_, fds_, count_)) {
            g_main_context_dispatch(main_);
        }
    }
    void Round()
    {
        Prepare();
        Query();
        Poll();
        Finish();
    }

  private:
    gint priority_ = 0, timeout_ms_ = 0, count_ = 0;
    GPollFD fds_[8];
};

TEST_F(AioGlibPhases, AnIdleContextLetsGlibSleepForEver)
{
    Settle();

    EXPECT_FALSE(Prepare());

    EXPECT_EQ(Query(), -1);
}

TEST_F(AioGlibPhases, PrepareTwiceAndAnAskBetweenThemIsSeen)
{
    int runs = 0;
    Fn count = [&] { runs++; };
    Settle();

    EXPECT_FALSE(Prepare());
    std::thread([&] { Ask(&count); }).join();
    EXPECT_TRUE(Prepare());
    EXPECT_EQ(Query(), 0);
    Poll();
    Finish();

    EXPECT_EQ(runs, 1);
}

TEST_F(AioGlibPhases, ARoundThatEndsAfterPrepareLosesNothing)
{
    int runs = 0;
    Fn count = [&] { runs++; };
    Settle();

    for (int i = 0; i < 5; i++) {
        Prepare();
        std::thread([&] { Ask(&count); }).join();
    }
    while (runs < 5) {
        Round();
    }

    Settle();
}

TEST_F(AioGlibPhases, AHandlerSetBetweenThePhasesEndsTheWait)
{
    int fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC), calls = 0;
    Fn read = [&] {
        eventfd_t taken;
        eventfd_read(fd, &taken);
        calls++;
    };
    aiox_fd_handler h = {};
    h.read = Call;
    Settle();

    EXPECT_FALSE(Prepare());
    EXPECT_EQ(Query(), -1);
    ASSERT_EQ(aiox_set_fd_handler(ctx_, fd, &h, &read), 0);
    Poll();
    Finish();
    while (calls == 0) {
        Round();
    }

    aiox_clear_fd_handler(ctx_, fd);
    close(fd);
}

TEST_F(AioGlibPhases, ATimerArmedBetweenThePhasesEndsTheWait)
{
    int fires = 0;
    Timer t(ctx_, [&] { fires++; });
    Settle();

    EXPECT_FALSE(Prepare());
    EXPECT_EQ(Query(), -1);
    aiox_timer_mod_ns(&t.timer, aiox_clock_now_ns() + Ms(1));
    Poll();
    Finish();
    while (fires == 0) {
        Round();
    }

    EXPECT_EQ(fires, 1);
}

TEST_F(AioGlibPhases, ADirectPollBetweenThePhasesEndsTheWait)
{
    int fires = 0;
    Timer t(ctx_, [&] { fires++; });
    Fn arm = [&] { aiox_timer_mod_ns(&t.timer, aiox_clock_now_ns() + Ms(1)); };
    Settle();

    EXPECT_FALSE(Prepare());
    EXPECT_EQ(Query(), -1);
    Ask(&arm);
    EXPECT_TRUE(aiox_poll(ctx_, false));
    Poll();
    Finish();
    while (fires == 0) {
        Round();
    }

    EXPECT_EQ(fires, 1);
}

/* GLib then leaves out our prepare, check and dispatch, or some of them. */
TEST_F(AioGlib, ASourceThatIsAlwaysFirstHoldsUsUpAndNothingIsLost)
{
    int left = 50, runs = 0;
    Fn count = [&] { runs++; };
    GSource *busy = g_idle_source_new();
    auto use_up = [](gpointer n) -> gboolean { return --*static_cast<int *>(n) > 0; };
    g_source_set_priority(busy, G_PRIORITY_HIGH);
    g_source_set_callback(busy, use_up, &left, nullptr);
    Settle();
    g_source_attach(busy, main_);

    Ask(&count);
    while (left > 1) {
        EXPECT_TRUE(Iterate(false));
        Ask(&count);
    }
    EXPECT_EQ(runs, 0);
    IterateUntil([&] { return runs == 50; });

    g_source_unref(busy);
    Settle();
}

TEST_F(AioGlib, PriorityRanksTheContextAmongTheOtherSources)
{
    Detach();
    aiox_error err = {};
    std::vector<int> order;
    Fn ours = [&] { order.push_back(1); };
    ASSERT_EQ(aiox_glib_source_new(&source_, ctx_, &err), 0) << err.message;
    g_source_set_priority(source_, G_PRIORITY_HIGH);
    g_source_attach(source_, main_);
    Settle();
    GSource *other = g_idle_source_new();
    auto theirs = [](gpointer o) -> gboolean {
        static_cast<std::vector<int> *>(o)->push_back(2);
        return G_SOURCE_REMOVE;
    };
    g_source_set_priority(other, G_PRIORITY_DEFAULT);
    g_source_set_callback(other, theirs, &order, nullptr);
    g_source_attach(other, main_);

    Ask(&ours);
    IterateUntil([&] { return order.size() == 2; });

    EXPECT_EQ(order, (std::vector<int>{1, 2}));
    g_source_unref(other);
}

TEST_F(AioGlib, ACallbackThatRunsTheMainLoopHasItsOwnContextServed)
{
    int inner = 0;
    Fn count = [&] { inner++; };
    Fn outer = [&] {
        std::thread asker([&] { Ask(&count); });
        IterateUntil([&] { return inner == 1; });
        asker.join();
        Ask(&count);
    };
    Ask(&outer);

    IterateUntil([&] { return inner == 2; });

    Settle();
}

struct Turns {
    int all = 0, with_progress = 0, limit = 0;

    static gboolean Turn(gboolean progress, gpointer self)
    {
        auto *t = static_cast<Turns *>(self);
        t->all++;
        t->with_progress += progress;
        return t->all == t->limit ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
    }
};

TEST_F(AioGlib, TheTurnFunctionHearsOfProgress)
{
    Turns turns;
    int runs = 0;
    Fn count = [&] { runs++; };
    Settle();
    g_source_set_callback(source_, G_SOURCE_FUNC(Turns::Turn), &turns, nullptr);

    Ask(&count);
    IterateUntil([&] { return runs == 1; });
    EXPECT_EQ(turns.with_progress, 1);

    int all = turns.all;
    aiox_notify(ctx_);
    Iterate();
    EXPECT_EQ(turns.all, all + 1);
    EXPECT_EQ(turns.with_progress, 1);
    Settle();
}

TEST_F(AioGlib, TheTurnFunctionMayEndTheSource)
{
    Turns turns;
    turns.limit = 1;
    int runs = 0;
    Fn count = [&] { runs++; };
    Settle();
    g_source_set_callback(source_, G_SOURCE_FUNC(Turns::Turn), &turns, nullptr);

    Ask(&count);
    IterateUntil([&] { return runs == 1; });
    EXPECT_TRUE(g_source_is_destroyed(source_));

    Ask(&count);
    EXPECT_FALSE(Iterate(false));
    EXPECT_TRUE(aiox_poll(ctx_, true));
    EXPECT_EQ(runs, 2);
}

TEST_F(AioGlib, IterationsAndDirectPollsMix)
{
    constexpr int kAsks = 5000;
    int runs = 0;
    Fn count = [&] { runs++; };
    std::thread asker([&] {
        for (int i = 0; i < kAsks; i++) {
            Ask(&count);
            if (i % 3 == 0) {
                std::this_thread::yield();
            }
        }
    });

    int turns = 0;
    while (runs < kAsks) {
        if (turns++ % 3 == 0) {
            aiox_poll(ctx_, true);
        } else {
            Iterate();
        }
    }

    asker.join();
    Settle();
}

TEST_F(AioGlib, RequestsAreSubmittedAndReapedByTheSource)
{
    if (!aiox_has_completion(ctx_)) {
        GTEST_SKIP() << "this backend takes no requests";
    }
    static int reported;
    reported = 0;
    aiox_completion c = {};
    c.done = [](aiox_completion *, int result) { reported += result == 0; };
    Settle();

    for (int i = 1; i <= 100; i++) {
        ASSERT_EQ(aiox_submit(
                      ctx_, [](void *, void *) {}, nullptr, &c),
                  0);
        IterateUntil([&] { return reported == i; });
    }
}

TEST_F(AioGlib, TheBackendMayChangeUnderTheSource)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), reads = 0;
    Fn read = [&] {
        eventfd_t taken;
        eventfd_read(fd, &taken);
        reads++;
    };
    aiox_fd_handler h = {};
    aiox_error err = {};
    h.read = Call;
    ASSERT_EQ(aiox_set_fd_handler(ctx_, fd, &h, &read), 0);

    int expected = 0;
    for (const char *backend : {"poll", "epoll", "poll", "auto", "epoll"}) {
        Settle();
        ASSERT_EQ(aiox_context_setup(ctx_, backend, &err), 0) << err.message;
        Settle();
        std::thread writer([&] { eventfd_write(fd, 1); });
        expected++;
        IterateUntil([&] { return reads == expected; });
        writer.join();
    }

    aiox_clear_fd_handler(ctx_, fd);
    close(fd);
}

} // namespace
