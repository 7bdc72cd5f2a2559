/* SPDX-License-Identifier: MIT */
/* A thread that turns a loop, from its start to its end, on every backend. */
#include "aiox/thread.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <functional>
#include <future>
#include <pthread.h>
#include <string>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "aiox/bh.h"

namespace
{

using Fn = std::function<void()>;

void Call(void *fn)
{
    (*static_cast<Fn *>(fn))();
}

/* Runs @fn in the loop of @ctx and waits until it has. */
void RunIn(aiox_context *ctx, const Fn &fn)
{
    std::promise<void> done;
    Fn both = [&] {
        fn();
        done.set_value();
    };
    ASSERT_EQ(aiox_bh_schedule_oneshot(ctx, "test", Call, &both), 0);
    done.get_future().wait();
}

aiox_thread *New(const aiox_thread_options &options = {})
{
    aiox_thread *thread = nullptr;
    aiox_error err = {};
    EXPECT_EQ(aiox_thread_new(&thread, &options, &err), 0) << err.message;
    return thread;
}

TEST(Thread, IsTheHomeOfItsContextAndHasItsName)
{
    aiox_thread_options options = {};
    options.name = "disk-0";
    aiox_thread *thread = New(options);
    aiox_context *ctx = aiox_thread_context(thread);

    EXPECT_FALSE(aiox_context_is_home(ctx));
    EXPECT_FALSE(aiox_thread_is_self(thread));
    RunIn(ctx, [&] {
        char name[16] = "";
        pthread_getname_np(pthread_self(), name, sizeof(name));
        EXPECT_STREQ(name, "disk-0");
        EXPECT_TRUE(aiox_context_is_home(ctx));
        EXPECT_EQ(aiox_context_current(), ctx);
        EXPECT_TRUE(aiox_thread_is_self(thread));
    });

    aiox_thread_free(thread);
}

TEST(Thread, ALongNameIsCut)
{
    aiox_thread_options options = {};
    options.name = "a name longer than the system takes";
    aiox_thread *thread = New(options);

    RunIn(aiox_thread_context(thread), [] {
        char name[16] = "";
        pthread_getname_np(pthread_self(), name, sizeof(name));
        EXPECT_STREQ(name, "a name longer t");
    });

    aiox_thread_free(thread);
}

TEST(Thread, NeedsNoOptions)
{
    aiox_thread *thread = nullptr;

    ASSERT_EQ(aiox_thread_new(&thread, nullptr, nullptr), 0);

    aiox_thread_free(thread);
    aiox_thread_free(nullptr);
}

TEST(Thread, SignalsFromOutsideAreBlockedFaultsAreNot)
{
    sigset_t before;
    sigset_t after;
    pthread_sigmask(SIG_SETMASK, nullptr, &before);
    aiox_thread *thread = New();
    pthread_sigmask(SIG_SETMASK, nullptr, &after);

    RunIn(aiox_thread_context(thread), [] {
        sigset_t blocked;
        pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
        for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD, SIGPIPE}) {
            EXPECT_EQ(sigismember(&blocked, signal), 1) << signal;
        }
        for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
            EXPECT_EQ(sigismember(&blocked, signal), 0) << signal;
        }
    });

    EXPECT_EQ(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
    aiox_thread_free(thread);
}

TEST(Thread, StoppedTwiceOrFromInsideItEnds)
{
    aiox_thread *thread = New();
    RunIn(aiox_thread_context(thread), [&] { aiox_thread_stop(thread); });

    aiox_thread_stop(thread);
    aiox_thread_join(thread);
    aiox_thread_join(thread);
    aiox_thread_stop(thread);

    aiox_thread_free(thread);
}

TEST(Thread, WhatWasAskedForBeforeTheStopIsRunAndWhatThatAsksFor)
{
    aiox_thread *thread = New();
    aiox_context *ctx = aiox_thread_context(thread);
    std::promise<void> all_asked;
    std::shared_future<void> asked(all_asked.get_future());
    int runs = 0;
    Fn second = [&] { runs++; };
    Fn first = [&] {
        runs++;
        EXPECT_EQ(aiox_bh_schedule_oneshot(ctx, "second", Call, &second), 0);
    };
    Fn hold = [&] { asked.wait(); };
    ASSERT_EQ(aiox_bh_schedule_oneshot(ctx, "hold", Call, &hold), 0);

    for (int i = 0; i < 10; i++) {
        ASSERT_EQ(aiox_bh_schedule_oneshot(ctx, "first", Call, &first), 0);
    }
    aiox_thread_stop(thread);
    all_asked.set_value();
    aiox_thread_join(thread);

    EXPECT_EQ(runs, 20);
    aiox_thread_free(thread);
}

TEST(Thread, ABottomHalfThatAsksForItselfForEverDoesNotKeepItFromEnding)
{
    aiox_thread *thread = New();
    aiox_context *ctx = aiox_thread_context(thread);
    aiox_bh *bh = nullptr;
    Fn again = [&] { aiox_bh_schedule(bh); };
    ASSERT_EQ(aiox_bh_new(&bh, aiox_context_bhs(ctx), "again", Call, &again), 0);
    aiox_bh_schedule(bh);

    aiox_thread_join(thread);

    aiox_bh_free(bh);
    aiox_thread_free(thread);
}

struct Hooks {
    std::string log;
    int answer = 0;
    Fn in_turn = [this] { log += " turn"; };

    static Hooks *Of(void *opaque)
    {
        return static_cast<Hooks *>(opaque);
    }
    aiox_thread_options Options()
    {
        aiox_thread_options options = {};
        options.opaque = this;
        options.start = [](aiox_context *ctx, void *o) {
            EXPECT_TRUE(aiox_context_is_home(ctx));
            Of(o)->log += "start";
            EXPECT_EQ(aiox_bh_schedule_oneshot(ctx, "turn", Call, &Of(o)->in_turn), 0);
            return Of(o)->answer;
        };
        options.stop = [](aiox_context *ctx, void *o) {
            EXPECT_TRUE(aiox_context_is_home(ctx));
            Of(o)->log += " stop";
        };
        return options;
    }
};

TEST(Thread, HooksAreCalledInItBeforeTheFirstTurnAndAfterTheLast)
{
    Hooks hooks;
    aiox_thread *thread = New(hooks.Options());

    aiox_thread_free(thread);

    EXPECT_EQ(hooks.log, "start turn stop");
}

TEST(Thread, AStartThatFailsIsReportedToTheMaker)
{
    Hooks hooks;
    hooks.answer = -ENODEV;
    aiox_thread_options options = hooks.Options();
    options.name = "disk-7";
    aiox_thread *thread = nullptr;
    aiox_error err = {};

    EXPECT_EQ(aiox_thread_new(&thread, &options, &err), -ENODEV);

    EXPECT_EQ(hooks.log, "start");
    EXPECT_EQ(thread, nullptr);
    EXPECT_NE(std::string(err.message).find("disk-7"), std::string::npos) << err.message;
}

TEST(Thread, ABackendThatIsNotThereIsReportedToTheMaker)
{
    aiox_preferences wish = {};
    wish.backend = "kqueue";
    wish.is_pinned = true;
    aiox_thread_options options = {};
    options.wish = &wish;
    aiox_thread *thread = nullptr;
    aiox_error err = {};

    EXPECT_EQ(aiox_thread_new(&thread, &options, &err), -ENOENT);

    EXPECT_NE(std::string(err.message).find("kqueue"), std::string::npos) << err.message;
}

TEST(Thread, ANegativeTimeOfBusyPollingIsReportedToTheMaker)
{
    aiox_thread_options options = {};
    options.busy_max_ns = AIOX_BUSY_POLL_OFF - 1;
    aiox_thread *thread = nullptr;
    aiox_error err = {};

    EXPECT_EQ(aiox_thread_new(&thread, &options, &err), -EINVAL);

    EXPECT_EQ(err.code, -EINVAL);
}

/* pthread_create(3) says EAGAIN for a stack that it cannot map. */
TEST(Thread, OneThatTheSystemDoesNotStartIsReportedToTheMaker)
{
    aiox_context *ctx = nullptr;
    ASSERT_EQ(aiox_new(&ctx, nullptr), 0);
    aiox_thread_options options = {};
    options.context = ctx;
    aiox_thread *thread = nullptr;
    aiox_error err = {};
    pthread_attr_t former;
    pthread_attr_t huge;
    pthread_getattr_default_np(&former);
    pthread_attr_init(&huge);
    ASSERT_EQ(pthread_attr_setstacksize(&huge, size_t{1} << 46), 0);
    ASSERT_EQ(pthread_setattr_default_np(&huge), 0);

    int code = aiox_thread_new(&thread, &options, &err);
    pthread_setattr_default_np(&former);

    EXPECT_EQ(code, -EAGAIN);
    EXPECT_NE(std::string(err.message).find("cannot be started"), std::string::npos) << err.message;
    pthread_attr_destroy(&huge);
    pthread_attr_destroy(&former);
    aiox_context_unref(ctx);
}

TEST(Thread, TurnsAContextOfTheCallerWhoGetsItBack)
{
    aiox_context *ctx = nullptr;
    ASSERT_EQ(aiox_new(&ctx, nullptr), 0);
    aiox_poll(ctx, false);
    aiox_thread_options options = {};
    options.context = ctx;
    aiox_thread *thread = New(options);
    EXPECT_EQ(aiox_thread_context(thread), ctx);
    RunIn(ctx, [&] { EXPECT_TRUE(aiox_context_is_home(ctx)); });

    aiox_thread_free(thread);
    ASSERT_EQ(aiox_context_adopt(ctx, nullptr), 0);

    int runs = 0;
    Fn count = [&] { runs++; };
    ASSERT_EQ(aiox_bh_schedule_oneshot(ctx, "count", Call, &count), 0);
    aiox_poll(ctx, false);
    EXPECT_EQ(runs, 1);
    aiox_context_unref(ctx);
}

/* A source that is looked at when the loop polls busily. */
struct Source {
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    std::atomic<int> looks{0};
    ~Source()
    {
        close(fd);
    }
    void Take() const
    {
        eventfd_t value;
        (void)eventfd_read(fd, &value);
    }
};

/* Whether the loop looks at @source, or has not within so many events. */
bool Looks(aiox_thread *thread, Source *source, int events)
{
    aiox_context *ctx = aiox_thread_context(thread);
    aiox_fd_handler h = {};
    h.read = [](void *s) { static_cast<Source *>(s)->Take(); };
    h.poll = [](void *s) { return static_cast<Source *>(s)->looks++ < 0; };
    h.poll_ready = h.read;
    EXPECT_EQ(aiox_set_fd_handler(ctx, source->fd, &h, source), 0);
    for (int i = 0; i < events && source->looks == 0; i++) {
        EXPECT_EQ(eventfd_write(source->fd, 1), 0);
        RunIn(ctx, [] {});
    }
    RunIn(ctx, [&] { aiox_clear_fd_handler(ctx, source->fd); });
    return source->looks > 0;
}

TEST(Thread, PollsBusilyForAsLongAsAsked)
{
    Source source;
    aiox_thread_options options = {};
    options.busy_max_ns = 1000000;
    aiox_thread *thread = New(options);

    EXPECT_TRUE(Looks(thread, &source, 100000));

    aiox_thread_free(thread);
}

TEST(Thread, PollsBusilyUnlessToldNotTo)
{
    Source source;
    aiox_thread *thread = New({});

    EXPECT_TRUE(Looks(thread, &source, 100000));

    aiox_thread_free(thread);
}

TEST(Thread, ToldNotToPollBusilyItNeverDoes)
{
    Source source;
    aiox_thread_options options = {};
    options.busy_max_ns = AIOX_BUSY_POLL_OFF;
    aiox_thread *thread = New(options);

    EXPECT_FALSE(Looks(thread, &source, 1000));

    aiox_thread_free(thread);
}

TEST(Thread, AContextOfTheCallerPollsAsTheCallerHasSet)
{
    Source source;
    aiox_context *ctx = nullptr;
    ASSERT_EQ(aiox_new(&ctx, nullptr), 0);
    aiox_thread_options options = {};
    options.context = ctx;
    aiox_thread *thread = New(options);

    EXPECT_FALSE(Looks(thread, &source, 1000));

    aiox_thread_free(thread);
    aiox_context_unref(ctx);
}

TEST(Thread, ManyOfThemComeAndGo)
{
    for (int round = 0; round < 5; round++) {
        aiox_thread *threads[8];
        std::atomic<int> runs{0};
        Fn count = [&] { runs++; };
        for (auto &thread : threads) {
            thread = New();
        }

        for (auto &thread : threads) {
            aiox_context *ctx = aiox_thread_context(thread);
            EXPECT_EQ(aiox_bh_schedule_oneshot(ctx, "count", Call, &count), 0);
        }
        for (auto &thread : threads) {
            aiox_thread_free(thread);
        }

        EXPECT_EQ(runs, 8);
    }
}

TEST(ThreadDeathTest, WaitingForItsOwnEndEndsTheProgram)
{
    EXPECT_DEATH(
        {
            aiox_thread *thread = New();
            RunIn(aiox_thread_context(thread), [&] { aiox_thread_free(thread); });
        },
        "cannot wait for its own end");
}

} // namespace
