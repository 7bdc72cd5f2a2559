/* SPDX-License-Identifier: MIT */
/* External handlers, off and on again, on every backend. */
#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "aiox/aio.h"
#include "aiox/aiox.h"
#include "aiox/clock.h"
#include "test/harness/call.h"
#include "test/harness/event.h"

namespace
{

class External : public ::testing::Test
{
  protected:
    External()
    {
        aiox_error err = {};
        EXPECT_EQ(aiox_new(&ctx_, &err), 0) << err.message;
    }

    ~External() override
    {
        aiox_context_unref(ctx_);
    }

    int Watch(int fd, Fn *fn, uint32_t flags = AIOX_FD_HANDLER_EXTERNAL)
    {
        aiox_fd_handler h = {};
        h.read = Call;
        h.flags = flags;
        return aiox_set_fd_handler(ctx_, fd, &h, fn);
    }

    /* Turns until nothing is left to do without waiting. */
    void Settle()
    {
        for (int i = 0; i < 10; i++) {
            aiox_poll(ctx_, false);
        }
    }

    aiox_context *ctx_ = nullptr;
    Event door_;
    int calls_ = 0;
    Fn enter_ = [this] {
        door_.Take();
        calls_++;
    };
};

TEST_F(External, ADisabledOneIsNotCalledAndFiresAtOnceWhenEnabled)
{
    ASSERT_EQ(Watch(door_.fd, &enter_), 0);
    aiox_context_disable_external(ctx_);
    door_.Set();

    Settle();
    EXPECT_EQ(calls_, 0);
    EXPECT_EQ(aiox_context_enable_external(ctx_), 0);

    while (calls_ == 0) {
        aiox_poll(ctx_, true);
    }
    EXPECT_EQ(calls_, 1);
}

TEST_F(External, AReadyOneThatIsDisabledLetsTheLoopSleep)
{
    aiox_timer timer;
    bool rang = false;
    Fn ring = [&rang] { rang = true; };
    ASSERT_EQ(Watch(door_.fd, &enter_), 0);
    ASSERT_EQ(
        aiox_timer_init_ns(&timer, aiox_context_timers(ctx_), AIOX_CLOCK_MONOTONIC, Call, &ring),
        0);
    aiox_context_disable_external(ctx_);
    door_.Set();
    Settle();

    aiox_timer_mod_ns(&timer, aiox_clock_now_ns() + 20 * AIOX_NS_PER_MS);
    int turns = 0;
    while (!rang) {
        aiox_poll(ctx_, true);
        turns++;
    }

    EXPECT_LE(turns, 10);
    EXPECT_EQ(calls_, 0);
    EXPECT_EQ(aiox_context_enable_external(ctx_), 0);
    aiox_timer_fini(&timer);
}

TEST_F(External, TheOthersGoOn)
{
    Event inner;
    int inner_calls = 0;
    Fn inside = [&] {
        inner.Take();
        inner_calls++;
    };
    ASSERT_EQ(Watch(door_.fd, &enter_), 0);
    ASSERT_EQ(Watch(inner.fd, &inside, 0), 0);

    aiox_context_disable_external(ctx_);
    door_.Set();
    inner.Set();
    Settle();

    EXPECT_EQ(inner_calls, 1);
    EXPECT_EQ(calls_, 0);
    EXPECT_EQ(aiox_context_enable_external(ctx_), 0);
    aiox_clear_fd_handler(ctx_, inner.fd);
}

TEST_F(External, DisablingIsCounted)
{
    ASSERT_EQ(Watch(door_.fd, &enter_), 0);
    aiox_context_disable_external(ctx_);
    aiox_context_disable_external(ctx_);
    door_.Set();

    EXPECT_EQ(aiox_context_enable_external(ctx_), 0);
    Settle();
    EXPECT_EQ(calls_, 0);

    EXPECT_EQ(aiox_context_enable_external(ctx_), 0);
    Settle();
    EXPECT_EQ(calls_, 1);
}

TEST_F(External, OneThatIsReadyInThisTurnIsNotCalledOnceDisabled)
{
    Event a;
    Event b;
    int served = 0;
    Fn first_of_both = [&] {
        served++;
        aiox_context_disable_external(ctx_);
    };
    ASSERT_EQ(Watch(a.fd, &first_of_both), 0);
    ASSERT_EQ(Watch(b.fd, &first_of_both), 0);
    a.Set();
    b.Set();

    Settle();

    EXPECT_EQ(served, 1);
    aiox_clear_fd_handler(ctx_, a.fd);
    aiox_clear_fd_handler(ctx_, b.fd);
    EXPECT_EQ(aiox_context_enable_external(ctx_), 0);
}

TEST_F(External, OneThatIsSetWhileDisabledFiresWhenEnabled)
{
    aiox_context_disable_external(ctx_);
    ASSERT_EQ(Watch(door_.fd, &enter_), 0);
    door_.Set();
    Settle();
    EXPECT_EQ(calls_, 0);

    EXPECT_EQ(aiox_context_enable_external(ctx_), 0);
    Settle();

    EXPECT_EQ(calls_, 1);
}

TEST_F(External, OneThatIsStoppedWhileDisabledStaysStopped)
{
    ASSERT_EQ(Watch(door_.fd, &enter_), 0);
    aiox_context_disable_external(ctx_);
    door_.Set();
    aiox_clear_fd_handler(ctx_, door_.fd);

    EXPECT_EQ(aiox_context_enable_external(ctx_), 0);
    Settle();

    EXPECT_EQ(calls_, 0);
}

TEST_F(External, ReplacedByAnInnerOneWhileDisabledIsCalled)
{
    ASSERT_EQ(Watch(door_.fd, &enter_), 0);
    aiox_context_disable_external(ctx_);
    door_.Set();

    ASSERT_EQ(Watch(door_.fd, &enter_, 0), 0);
    Settle();

    EXPECT_EQ(calls_, 1);
    EXPECT_EQ(aiox_context_enable_external(ctx_), 0);
}

TEST_F(External, AnInnerOneReplacedWhileDisabledIsLeftAlone)
{
    ASSERT_EQ(Watch(door_.fd, &enter_, 0), 0);
    Settle();
    aiox_context_disable_external(ctx_);

    ASSERT_EQ(Watch(door_.fd, &enter_), 0);
    door_.Set();
    Settle();
    EXPECT_EQ(calls_, 0);

    EXPECT_EQ(aiox_context_enable_external(ctx_), 0);
    Settle();
    EXPECT_EQ(calls_, 1);
}

TEST_F(External, ADescriptorThatIsNotOpenIsRefusedAllTheSame)
{
    int closed = fcntl(door_.fd, F_DUPFD_CLOEXEC, 0);
    close(closed);

    aiox_context_disable_external(ctx_);

    EXPECT_EQ(Watch(closed, &enter_), -EBADF);
    EXPECT_EQ(aiox_context_enable_external(ctx_), 0);
}

TEST_F(External, OneThatWasClosedWhileDisabledIsReportedNeverOrOnce)
{
    int twin = fcntl(door_.fd, F_DUPFD_CLOEXEC, 0);
    Fn count = [this] { calls_++; };
    ASSERT_EQ(Watch(twin, &count), 0);
    aiox_context_disable_external(ctx_);
    close(twin);

    EXPECT_EQ(aiox_context_enable_external(ctx_), 0);
    Settle();

    EXPECT_LE(calls_, 1);
    aiox_clear_fd_handler(ctx_, twin);
}

TEST_F(External, AnAlwaysReadyFileIsLeftAlone)
{
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    Fn count = [this] { calls_++; };
    ASSERT_EQ(Watch(file, &count), 0);
    aiox_context_disable_external(ctx_);

    Settle();
    EXPECT_EQ(calls_, 0);
    EXPECT_EQ(aiox_context_enable_external(ctx_), 0);

    Settle();
    EXPECT_GE(calls_, 5);
    aiox_clear_fd_handler(ctx_, file);
    close(file);
}

TEST_F(External, TheyStayDisabledWhenTheLoopChangesItsBackend)
{
    ASSERT_EQ(Watch(door_.fd, &enter_), 0);
    aiox_context_disable_external(ctx_);
    door_.Set();

    for (const char *next : {"poll", "epoll", "poll"}) {
        aiox_error err = {};
        ASSERT_EQ(aiox_context_setup(ctx_, next, &err), 0) << err.message;
        Settle();
        EXPECT_EQ(calls_, 0);
    }
    EXPECT_EQ(aiox_context_enable_external(ctx_), 0);
    Settle();

    EXPECT_EQ(calls_, 1);
}

/* A source that is looked at, and whose other side rings only when told to. */
struct Polled {
    Event event;
    std::atomic<bool> full{false};
    bool looked_at = false; /* between poll_begin and poll_end */
    int served = 0;

    void Put()
    {
        full = true;
        if (!looked_at) {
            event.Set();
        }
    }
    void Serve()
    {
        (void)event.TryTake();
        if (full.exchange(false)) {
            served++;
        }
    }
};

TEST_F(External, APolledOneThatWasNotRungForIsFoundWhenEnabled)
{
    Polled source;
    aiox_fd_handler h = {};
    h.read = [](void *p) { static_cast<Polled *>(p)->Serve(); };
    h.poll = [](void *p) { return static_cast<Polled *>(p)->full.load(); };
    h.poll_ready = h.read;
    h.poll_begin = [](void *p) { static_cast<Polled *>(p)->looked_at = true; };
    h.poll_end = [](void *p) { static_cast<Polled *>(p)->looked_at = false; };
    h.flags = AIOX_FD_HANDLER_EXTERNAL;
    ASSERT_EQ(aiox_context_set_busy_poll(ctx_, AIOX_NS_PER_S, 0, 0), 0);
    ASSERT_EQ(aiox_set_fd_handler(ctx_, source.event.fd, &h, &source), 0);
    for (int i = 0; i < 100 && !source.looked_at; i++) {
        source.Put();
        aiox_poll(ctx_, true);
    }
    ASSERT_TRUE(source.looked_at);
    int served = source.served;

    aiox_context_disable_external(ctx_);
    source.Put();
    Settle();
    EXPECT_EQ(source.served, served);
    EXPECT_EQ(aiox_context_enable_external(ctx_), 0);
    Settle();

    EXPECT_EQ(source.served, served + 1);
    aiox_clear_fd_handler(ctx_, source.event.fd);
}

TEST_F(External, AnotherThreadTurnsThemOffAndOn)
{
    std::atomic<int> calls{0};
    std::atomic<bool> stop{false};
    Fn count = [&] {
        door_.Take();
        calls++;
    };
    ASSERT_EQ(Watch(door_.fd, &count), 0);
    std::thread loop([&] {
        while (!stop) {
            aiox_poll(ctx_, true);
        }
    });

    for (int i = 1; i <= 50; i++) {
        aiox_context_disable_external(ctx_);
        door_.Set();
        EXPECT_EQ(aiox_context_enable_external(ctx_), 0);
        while (calls < i) {
            std::this_thread::yield();
        }
    }
    stop = true;
    aiox_notify(ctx_);
    loop.join();

    EXPECT_EQ(calls, 50);
}

using ExternalDeathTest = External;

TEST_F(ExternalDeathTest, EnabledMoreOftenThanDisabledEndsTheProgram)
{
    EXPECT_DEATH(EXPECT_EQ(aiox_context_enable_external(ctx_), 0), "external_off > 0");
}

} // namespace
