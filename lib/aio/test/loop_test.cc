/* SPDX-License-Identifier: MIT */
/* What a turn does, told by a backend that reports what the test says. */
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <functional>
#include <pthread.h>
#include <string>
#include <thread>
#include <tuple>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/aio.h"
#include "aiox/log.h"
#include "test/harness/scripted_fdmon.h"

namespace
{

using aiox_test::ScriptedFdmon;

/* A descriptor's callbacks, each a function of the test. */
struct Watcher {
    std::function<void()> read, write, urgent, poll_ready, begin, end;
    std::function<bool()> poll;

    static Watcher *Of(void *opaque)
    {
        return static_cast<Watcher *>(opaque);
    }

    aiox_fd_handler Handler() const
    {
        aiox_fd_handler h = {};
        h.read = read ? [](void *o) { Of(o)->read(); } : aiox_fd_fn_null();
        h.write = write ? [](void *o) { Of(o)->write(); } : aiox_fd_fn_null();
        h.urgent = urgent ? [](void *o) { Of(o)->urgent(); } : aiox_fd_fn_null();
        h.poll_ready = poll_ready ? [](void *o) { Of(o)->poll_ready(); } : aiox_fd_fn_null();
        h.poll_begin = begin ? [](void *o) { Of(o)->begin(); } : aiox_fd_fn_null();
        h.poll_end = end ? [](void *o) { Of(o)->end(); } : aiox_fd_fn_null();
        if (poll) {
            h.poll = [](void *o) { return Of(o)->poll(); };
        }
        return h;
    }

  private:
    static aiox_fd_fn *aiox_fd_fn_null()
    {
        return nullptr;
    }
};

class Loop : public ::testing::Test
{
  public:
    Loop()
    {
        aiox_error err = {};
        EXPECT_EQ(aiox_context_new(&ctx_, script_.sources(), &err), 0) << err.message;
    }

    ~Loop() override
    {
        aiox_context_unref(ctx_);
        EXPECT_EQ(script_.opened(), 0);
    }

    int Watch(int fd, Watcher *w)
    {
        aiox_fd_handler h = w->Handler();
        return aiox_set_fd_handler(ctx_, fd, &h, w);
    }

    std::function<void()> Note(const std::string &what)
    {
        return [this, what] { log_.push_back(what); };
    }

    bool Turn()
    {
        return aiox_poll(ctx_, false);
    }

    using Log = std::vector<std::string>;
    ScriptedFdmon script_;
    aiox_context *ctx_ = nullptr;
    Log log_;
};

TEST_F(Loop, AnIdleTurnIsNoProgress)
{
    EXPECT_FALSE(Turn());
}

TEST_F(Loop, ReadyToReadCallsRead)
{
    Watcher w;
    w.read = Note("read");
    w.write = Note("write");
    ASSERT_EQ(Watch(7, &w), 0);

    script_.Ready(7, AIOX_FD_READ);

    EXPECT_TRUE(Turn());
    EXPECT_EQ(log_, Log({"read"}));
}

TEST_F(Loop, AHangUpCallsReadThenNothingElse)
{
    Watcher w;
    w.read = Note("read");
    w.write = Note("write");
    ASSERT_EQ(Watch(7, &w), 0);

    script_.Ready(7, AIOX_FD_HANGUP);

    EXPECT_TRUE(Turn());
    EXPECT_EQ(log_, Log({"read"}));
}

TEST_F(Loop, AnErrorCallsReadThenWrite)
{
    Watcher w;
    w.read = Note("read");
    w.write = Note("write");
    ASSERT_EQ(Watch(7, &w), 0);

    script_.Ready(7, AIOX_FD_ERROR);

    EXPECT_TRUE(Turn());
    EXPECT_EQ(log_, Log({"read", "write"}));
}

TEST_F(Loop, AHangUpIsHeardByAWriterAlone)
{
    Watcher w;
    w.write = Note("write");
    ASSERT_EQ(Watch(7, &w), 0);

    script_.Ready(7, AIOX_FD_HANGUP);

    EXPECT_TRUE(Turn());
    EXPECT_EQ(log_, Log({"write"}));
}

TEST_F(Loop, UrgentDataCallsUrgent)
{
    Watcher w;
    w.read = Note("read");
    w.urgent = Note("urgent");
    ASSERT_EQ(Watch(7, &w), 0);
    EXPECT_EQ(script_.watched().at(7).events, unsigned(AIOX_FD_READ | AIOX_FD_PRI));

    script_.Ready(7, AIOX_FD_PRI);

    EXPECT_TRUE(Turn());
    EXPECT_EQ(log_, Log({"urgent"}));
}

TEST_F(Loop, ReadyToReadCallsPollReadyWhereThereIsNoRead)
{
    Watcher w;
    w.poll_ready = Note("poll_ready");
    w.write = Note("write");
    ASSERT_EQ(Watch(7, &w), 0);

    script_.Ready(7, AIOX_FD_READ);

    EXPECT_TRUE(Turn());
    EXPECT_EQ(log_, Log({"poll_ready"}));
}

TEST_F(Loop, TheFirstCallbackMayStopAllOthers)
{
    Watcher w[3];
    for (int i = 0; i < 3; i++) {
        w[i].read = [this] {
            log_.push_back("ran");
            for (int fd = 10; fd < 13; fd++) {
                aiox_clear_fd_handler(ctx_, fd);
            }
        };
        ASSERT_EQ(Watch(10 + i, &w[i]), 0);
        script_.Ready(10 + i, AIOX_FD_READ);
    }

    EXPECT_TRUE(Turn());

    EXPECT_EQ(log_, Log({"ran"}));
}

TEST_F(Loop, ReplacedByItsReadTheOldWriteIsNotEntered)
{
    Watcher next;
    next.read = Note("new read");
    Watcher w;
    w.write = Note("old write");
    w.read = [&] {
        log_.push_back("old read");
        EXPECT_EQ(Watch(7, &next), 0);
    };
    ASSERT_EQ(Watch(7, &w), 0);
    script_.Ready(7, AIOX_FD_READ | AIOX_FD_WRITE);

    EXPECT_TRUE(Turn());
    script_.Ready(7, AIOX_FD_READ);
    EXPECT_TRUE(Turn());

    EXPECT_EQ(log_, Log({"old read", "new read"}));
}

TEST_F(Loop, AReportForAHandlerThatHasGoneFindsNobody)
{
    Watcher w;
    w.read = Note("read");
    EXPECT_FALSE(Turn()); /* this thread is home */
    ASSERT_EQ(Watch(7, &w), 0);
    uint64_t stale = script_.watched().at(7).token;
    aiox_clear_fd_handler(ctx_, 7);
    ASSERT_EQ(Watch(8, &w), 0); /* takes the slot of the first */
    ASSERT_EQ(uint32_t(script_.watched().at(8).token), uint32_t(stale));

    script_.Report({stale, AIOX_FD_READ, 0});

    EXPECT_FALSE(Turn());
    EXPECT_EQ(log_, Log());
}

TEST_F(Loop, TheSlotOfWhatAnotherThreadHasStoppedIsFreeAfterTheNextTurn)
{
    Watcher w;
    w.read = Note("read");
    EXPECT_FALSE(Turn());
    ASSERT_EQ(Watch(7, &w), 0);
    uint32_t slot = uint32_t(script_.watched().at(7).token);
    std::thread([this] { aiox_clear_fd_handler(ctx_, 7); }).join();

    EXPECT_FALSE(Turn());

    ASSERT_EQ(Watch(8, &w), 0);
    EXPECT_EQ(uint32_t(script_.watched().at(8).token), slot);
}

TEST_F(Loop, ReportsThatNobodyCouldMeanAreDropped)
{
    script_.Report({UINT64_MAX, AIOX_FD_READ, 0});
    script_.Report({UINT64_C(5) << 32, AIOX_FD_READ, 0});
    script_.Report({(UINT64_C(1) << 32) | 100000000, AIOX_FD_READ, 0});

    EXPECT_FALSE(Turn());
}

TEST_F(Loop, StoppingWhatIsNotWatchedDoesNothing)
{
    aiox_clear_fd_handler(ctx_, 7);
    aiox_clear_fd_handler(ctx_, 100000);
    aiox_clear_fd_handler(ctx_, -1);

    EXPECT_FALSE(Turn());
}

TEST_F(Loop, ANegativeDescriptorIsBad)
{
    Watcher w;
    w.read = Note("read");

    EXPECT_EQ(Watch(-1, &w), -EBADF);
}

TEST_F(Loop, ADescriptorThatCannotBeOpenIsBad)
{
    Watcher w;
    w.read = Note("read");
    for (int fd : {1 << 30, INT_MAX}) {
        script_.Refuse(fd, -EBADF);

        EXPECT_EQ(Watch(fd, &w), -EBADF);
    }
}

TEST_F(Loop, ExternalHandlersThatTheBackendRefusesStayDisabledTogether)
{
    Watcher w;
    w.read = Note("read");
    aiox_fd_handler h = w.Handler();
    h.flags = AIOX_FD_HANDLER_EXTERNAL;
    ASSERT_EQ(aiox_set_fd_handler(ctx_, 7, &h, &w), 0);
    ASSERT_EQ(aiox_set_fd_handler(ctx_, 8, &h, &w), 0);
    aiox_context_disable_external(ctx_);
    EXPECT_EQ(script_.watched().count(7) + script_.watched().count(8), 0u);

    script_.Refuse(8, -ENOSPC);
    EXPECT_EQ(aiox_context_enable_external(ctx_), -ENOSPC);
    EXPECT_EQ(script_.watched().count(7), 0u);
    script_.Refuse(8, 0);
    EXPECT_EQ(aiox_context_enable_external(ctx_), 0);

    EXPECT_EQ(script_.watched().count(7) + script_.watched().count(8), 2u);
}

TEST_F(Loop, ARefusedHandlerLeavesTheFormerInPlace)
{
    Watcher old, w;
    old.read = Note("old");
    w.read = Note("new");
    ASSERT_EQ(Watch(7, &old), 0);
    script_.Refuse(7, -ENOMEM);

    EXPECT_EQ(Watch(7, &w), -ENOMEM);
    script_.Ready(7, AIOX_FD_READ);
    EXPECT_TRUE(Turn());

    EXPECT_EQ(log_, Log({"old"}));
}

TEST_F(Loop, AFileThatCannotBeWatchedIsAlwaysReady)
{
    Watcher w;
    w.read = Note("read");
    script_.Refuse(7, -EPERM);
    ASSERT_EQ(Watch(7, &w), 0);

    EXPECT_EQ(aiox_context_timeout_ns(ctx_), 0);
    EXPECT_TRUE(aiox_poll(ctx_, true));
    EXPECT_TRUE(aiox_poll(ctx_, true));
    aiox_clear_fd_handler(ctx_, 7);
    EXPECT_FALSE(Turn());

    EXPECT_EQ(log_, Log({"read", "read"}));
    EXPECT_EQ(aiox_context_timeout_ns(ctx_), -1);
}

TEST_F(Loop, AFileThatIsAlwaysReadyIsServedByATurnInsideToo)
{
    Watcher outer, inner;
    bool served = false;
    inner.read = [&] { served = true; };
    outer.read = [&] {
        aiox_clear_fd_handler(ctx_, 7);
        for (int turns = 0; turns < 3 && !served; turns++) {
            aiox_poll(ctx_, true);
        }
        EXPECT_TRUE(served);
    };
    script_.Refuse(7, -EPERM);
    script_.Refuse(8, -EPERM);
    ASSERT_EQ(Watch(7, &outer), 0);
    ASSERT_EQ(Watch(8, &inner), 0);

    EXPECT_TRUE(Turn());
    aiox_clear_fd_handler(ctx_, 8);
}

TEST_F(Loop, AFileThatIsAlwaysReadyIsNeverUrgent)
{
    Watcher w;
    w.urgent = Note("urgent");
    script_.Refuse(7, -EPERM);
    ASSERT_EQ(Watch(7, &w), 0);

    EXPECT_FALSE(Turn());

    EXPECT_EQ(aiox_context_timeout_ns(ctx_), -1);
    EXPECT_EQ(log_, Log());
}

TEST_F(Loop, CompletionsThenBottomHalvesThenDescriptorsThenTimers)
{
    Watcher w;
    w.read = Note("fd");
    ASSERT_EQ(Watch(7, &w), 0);
    aiox_bh *bh;
    ASSERT_EQ(aiox_bh_new(
                  &bh, aiox_context_bhs(ctx_), "bh",
                  [](void *o) { static_cast<Loop *>(o)->log_.push_back("bh"); }, this),
              0);
    aiox_timer timer;
    ASSERT_EQ(aiox_timer_init_ns(
                  &timer, aiox_context_timers(ctx_), AIOX_CLOCK_MONOTONIC,
                  [](void *o) { static_cast<Loop *>(o)->log_.push_back("timer"); }, this),
              0);

    aiox_timer_mod_ns(&timer, script_.now_ns());
    script_.Ready(7, AIOX_FD_READ);
    aiox_bh_schedule(bh);

    EXPECT_TRUE(Turn());
    EXPECT_EQ(log_, Log({"bh", "fd", "timer"}));
    aiox_timer_fini(&timer);
    aiox_bh_free(bh);
}

TEST_F(Loop, ATurnThatMayBlockWaitsUntilTheNextTimer)
{
    aiox_timer timer;
    ASSERT_EQ(aiox_timer_init_ns(
                  &timer, aiox_context_timers(ctx_), AIOX_CLOCK_MONOTONIC,
                  [](void *o) { static_cast<Loop *>(o)->log_.push_back("timer"); }, this),
              0);
    aiox_timer_mod_ns(&timer, script_.now_ns() + 5000);
    (void)Turn(); /* arming may have rung the bell */

    EXPECT_TRUE(aiox_poll(ctx_, true));

    EXPECT_EQ(script_.timeouts().back(), 5000);
    EXPECT_EQ(log_, Log({"timer"}));
    aiox_timer_fini(&timer);
}

TEST_F(Loop, ATimerArmedByACallbackCostsNoTurn)
{
    aiox_timer timer;
    ASSERT_EQ(aiox_timer_init_ns(
                  &timer, aiox_context_timers(ctx_), AIOX_CLOCK_MONOTONIC,
                  [](void *o) { static_cast<Loop *>(o)->log_.push_back("timer"); }, this),
              0);
    Watcher w;
    w.read = [&] { aiox_timer_mod_ns(&timer, script_.now_ns() + 5000); };
    ASSERT_EQ(Watch(7, &w), 0);
    (void)Turn(); /* setting the handler may have rung the bell */
    script_.Ready(7, AIOX_FD_READ);
    ASSERT_TRUE(Turn());

    EXPECT_TRUE(aiox_poll(ctx_, true));

    EXPECT_EQ(script_.timeouts().back(), 5000);
    EXPECT_EQ(log_, Log({"timer"}));
    aiox_timer_fini(&timer);
}

TEST_F(Loop, AStaleNotificationEndsOneWaitAndIsNoProgress)
{
    aiox_notify(ctx_);

    EXPECT_FALSE(aiox_poll(ctx_, true));
    EXPECT_EQ(script_.timeouts().back(), 0);
    EXPECT_FALSE(aiox_poll(ctx_, true));
    EXPECT_EQ(script_.timeouts().back(), -1);
}

TEST_F(Loop, ANotificationDuringTheWaitSetsTheBellOnce)
{
    int bell = script_.watched().begin()->first;
    script_.on_collect = [&](int64_t timeout_ns) {
        if (timeout_ns != 0) {
            aiox_notify(ctx_);
            aiox_notify(ctx_);
            uint64_t rings = 0;
            ASSERT_EQ(read(bell, &rings, sizeof(rings)), 8);
            EXPECT_EQ(rings, 1u);
            aiox_notify(ctx_);
        }
    };

    EXPECT_FALSE(aiox_poll(ctx_, true));

    EXPECT_EQ(script_.timeouts().back(), -1);
    script_.on_collect = nullptr;
}

TEST_F(Loop, ChangingHandlersIsNoProgress)
{
    Watcher w;
    w.read = Note("read");

    ASSERT_EQ(Watch(7, &w), 0);
    EXPECT_FALSE(Turn());
    aiox_clear_fd_handler(ctx_, 7);
    EXPECT_FALSE(Turn());
}

/* Also if a backend reports each change but once, as for those that drain. */
TEST_F(Loop, ATurnInsideACallbackServesEachDescriptorOnce)
{
    for (bool is_level_triggered : {true, false}) {
        Watcher w[3];
        log_.clear();
        for (int i = 0; i < 3; i++) {
            w[i].read = [this, i] {
                log_.push_back("in " + std::to_string(i));
                Turn();
                log_.push_back("out " + std::to_string(i));
            };
            ASSERT_EQ(Watch(10 + i, &w[i]), 0);
            script_.Ready(10 + i, AIOX_FD_READ);
        }
        script_.on_collect = [this, is_level_triggered](int64_t) {
            if (log_.size() == 1 && is_level_triggered) { /* those not yet served, again */
                script_.Ready(11, AIOX_FD_READ);
                script_.Ready(12, AIOX_FD_READ);
            }
        };

        EXPECT_TRUE(Turn());

        EXPECT_EQ(log_, Log({"in 0", "in 1", "in 2", "out 2", "out 1", "out 0"}));
        script_.on_collect = nullptr;
    }
}

TEST_F(Loop, ATurnInsideACallbackDoesNotSleepOverWhatIsReady)
{
    Watcher first, second;
    first.read = [this] { EXPECT_EQ(aiox_context_timeout_ns(ctx_), 0); };
    second.read = Note("second");
    ASSERT_EQ(Watch(10, &first), 0);
    ASSERT_EQ(Watch(11, &second), 0);
    script_.Ready(10, AIOX_FD_READ);
    script_.Ready(11, AIOX_FD_READ);

    EXPECT_TRUE(Turn());

    EXPECT_EQ(log_, Log({"second"}));
    EXPECT_EQ(aiox_context_timeout_ns(ctx_), -1);
}

TEST_F(Loop, ABackendThatFailsIsReplacedAndNoHandlerIsLost)
{
    std::string line;
    aiox_log_set_hook(
        [](void *o, aiox_log_level, const char *text) { *static_cast<std::string *>(o) = text; },
        &line, AIOX_LOG_WARN);
    Watcher w;
    w.read = Note("read");
    ASSERT_EQ(Watch(7, &w), 0);

    script_.Fail(-EBADF);
    EXPECT_FALSE(Turn());
    script_.Ready(7, AIOX_FD_READ);
    EXPECT_TRUE(Turn());

    aiox_backend_info info;
    aiox_context_backend_info(ctx_, &info);
    EXPECT_STREQ(info.name, "spare");
    EXPECT_EQ(log_, Log({"read"}));
    EXPECT_NE(line.find("scripted"), std::string::npos) << line;
    aiox_log_set_hook(nullptr, nullptr, AIOX_LOG_ERROR);
}

TEST_F(Loop, TheTimeOfATurnIsReadOnceAndAgainAfterAWait)
{
    int64_t begin_ns = aiox_context_now_ns(ctx_);
    script_.Advance(5);
    EXPECT_EQ(aiox_context_now_ns(ctx_), begin_ns);
    int64_t in_turn_ns = 0, later_in_turn_ns = 0;
    Watcher w;
    w.read = [&] {
        in_turn_ns = aiox_context_now_ns(ctx_);
        script_.Advance(7);
        later_in_turn_ns = aiox_context_now_ns(ctx_);
    };
    ASSERT_EQ(Watch(7, &w), 0);

    script_.Ready(7, AIOX_FD_READ);
    EXPECT_TRUE(Turn());

    EXPECT_EQ(in_turn_ns, begin_ns + 5);
    EXPECT_EQ(later_in_turn_ns, in_turn_ns);
    EXPECT_EQ(aiox_context_now_ns(ctx_), begin_ns + 12);
}

TEST_F(Loop, ABackendThatHasFailedIsNotTriedAgain)
{
    script_.Fail(-EBADF);
    EXPECT_FALSE(Turn());

    script_.Fail(-EBADF); /* the spare, too */

    EXPECT_DEATH(Turn(), "'spare' failed .* no other takes over");
}

TEST_F(Loop, ABackendThatHasFailedIsTriedAgainAfterASetup)
{
    aiox_error err = {};
    script_.Fail(-EBADF);
    EXPECT_FALSE(Turn());

    ASSERT_EQ(aiox_context_setup(ctx_, "spare", &err), 0) << err.message;
    script_.Fail(-EBADF);
    EXPECT_FALSE(Turn());

    aiox_backend_info info;
    aiox_context_backend_info(ctx_, &info);
    EXPECT_STREQ(info.name, "scripted");
}

TEST_F(Loop, ALiveContextMovesToAnotherBackend)
{
    Watcher w;
    w.read = Note("read");
    ASSERT_EQ(Watch(7, &w), 0);

    aiox_error err = {};
    ASSERT_EQ(aiox_context_setup(ctx_, "spare", &err), 0) << err.message;
    script_.Ready(7, AIOX_FD_READ);

    EXPECT_TRUE(Turn());
    EXPECT_EQ(log_, Log({"read"}));
    EXPECT_EQ(script_.opened(), 1);
}

TEST_F(Loop, AnUnknownBackendLeavesTheContextWhereItIs)
{
    aiox_error err = {};

    EXPECT_EQ(aiox_context_setup(ctx_, "spar", &err), -ENOENT);

    EXPECT_NE(std::string(err.message).find("spare"), std::string::npos) << err.message;
    aiox_backend_info info;
    aiox_context_backend_info(ctx_, &info);
    EXPECT_STREQ(info.name, "scripted");
}

TEST_F(Loop, ABackendThatCannotTakeOverLeavesTheContextWhereItIs)
{
    Watcher file, socket;
    file.read = Note("file");
    socket.read = Note("socket");
    ASSERT_EQ(Watch(7, &file), 0);
    ASSERT_EQ(Watch(8, &socket), 0);
    script_.Refuse(7, -EPERM);
    script_.Refuse(8, -ENOSPC);

    aiox_error err = {};
    EXPECT_EQ(aiox_context_setup(ctx_, "spare", &err), -ENOSPC);

    EXPECT_EQ(aiox_context_timeout_ns(ctx_), -1); /* the file is watched as before */
    EXPECT_EQ(script_.opened(), 1);
}

TEST_F(Loop, AFileThatTheNextBackendCanWatchIsWatched)
{
    Watcher w;
    w.read = Note("read");
    script_.Refuse(7, -EPERM);
    ASSERT_EQ(Watch(7, &w), 0);
    script_.Refuse(7, 0);

    aiox_error err = {};
    ASSERT_EQ(aiox_context_setup(ctx_, "spare", &err), 0) << err.message;

    EXPECT_EQ(aiox_context_timeout_ns(ctx_), -1);
    EXPECT_FALSE(Turn());
    script_.Ready(7, AIOX_FD_READ);
    EXPECT_TRUE(Turn());
    EXPECT_EQ(log_, Log({"read"}));
}

TEST_F(Loop, ADescriptorThatTheNextBackendCannotFindIsNewToItWhenSetAgain)
{
    Watcher w;
    w.read = Note("read");
    ASSERT_EQ(Watch(7, &w), 0);
    script_.Refuse(7, -EBADF);
    ASSERT_EQ(aiox_context_setup(ctx_, "spare", nullptr), 0);
    script_.Refuse(7, 0);

    ASSERT_EQ(Watch(7, &w), 0);

    EXPECT_EQ(script_.former(), 0u);
}

TEST_F(Loop, AThreadThatIsNotHomeMayNotPoll)
{
    Turn();

    EXPECT_DEATH(
        {
            script_.on_collect = nullptr;
            pthread_t thread;
            pthread_create(
                &thread, nullptr,
                [](void *ctx) -> void * {
                    aiox_poll(static_cast<aiox_context *>(ctx), false);
                    return nullptr;
                },
                ctx_);
            pthread_join(thread, nullptr);
        },
        "another thread is the home");
}

TEST_F(Loop, AThreadMayAdoptAContextThatNobodyPolls)
{
    Turn();
    aiox_error err = {};
    int adopted = -1;
    bool home = false;

    std::tuple<aiox_context *, aiox_error *, int *, bool *> args(ctx_, &err, &adopted, &home);
    pthread_t thread;
    pthread_create(
        &thread, nullptr,
        [](void *o) -> void * {
            auto [ctx, e, code, is_home] = *static_cast<decltype(args) *>(o);
            *code = aiox_context_adopt(ctx, e);
            aiox_poll(ctx, false);
            *is_home = aiox_context_is_home(ctx);
            return nullptr;
        },
        &args);
    pthread_join(thread, nullptr);

    EXPECT_EQ(adopted, 0) << err.message;
    EXPECT_TRUE(home);
    EXPECT_FALSE(aiox_context_is_home(ctx_));
}

TEST_F(Loop, AThreadThatStartsWhereTheFormerHomeEndedIsNotHome)
{
    struct Visit {
        aiox_context *ctx;
        bool poll, home;
        static void *Run(void *opaque)
        {
            auto *v = static_cast<Visit *>(opaque);
            if (v->poll) {
                aiox_poll(v->ctx, false);
            }
            v->home = aiox_context_is_home(v->ctx);
            return nullptr;
        }
    } first = {ctx_, true, false}, second = {ctx_, false, true};
    pthread_t thread;
    pthread_create(&thread, nullptr, Visit::Run, &first);
    pthread_join(thread, nullptr);

    pthread_create(&thread, nullptr, Visit::Run, &second); /* most likely on the same stack */
    pthread_join(thread, nullptr);

    EXPECT_TRUE(first.home);
    EXPECT_FALSE(second.home);
}

TEST_F(Loop, TheCurrentContextIsTheOneThatIsPolled)
{
    aiox_context *seen = nullptr;
    Watcher w;
    w.read = [&] { seen = aiox_context_current(); };
    ASSERT_EQ(Watch(7, &w), 0);
    script_.Ready(7, AIOX_FD_READ);
    EXPECT_EQ(aiox_context_current(), nullptr);

    EXPECT_TRUE(Turn());
    EXPECT_EQ(seen, ctx_);
    EXPECT_EQ(aiox_context_current(), nullptr);

    aiox_context_set_current(ctx_);
    EXPECT_EQ(aiox_context_current(), ctx_);
    aiox_context_set_current(nullptr);
}

TEST_F(Loop, HandlersByTheThousandAreFoundAndFreed)
{
    Watcher w;
    int calls = 0;
    w.read = [&] { calls++; };
    for (int round = 0; round < 3; round++) {
        for (int fd = 100; fd < 5100; fd++) {
            ASSERT_EQ(Watch(fd, &w), 0);
        }
        for (int fd = 100; fd < 5100; fd += 50) {
            script_.Ready(fd, AIOX_FD_READ);
        }
        EXPECT_TRUE(Turn());
        for (int fd = 100; fd < 5100; fd++) {
            aiox_clear_fd_handler(ctx_, fd);
        }
    }

    EXPECT_EQ(calls, 300);
    EXPECT_EQ(script_.watched().size(), 1u); /* the bell */
}

TEST_F(Loop, APartIsMadeOnceAndEndsWithItsContext)
{
    static int made, ended;
    made = ended = 0;
    static const aiox_context_part part = {"test", 16,
                                           [](aiox_context *, void *) { return made++, 0; },
                                           [](aiox_context *, void *) { ended++; }};
    ScriptedFdmon *script = &script_;
    aiox_context *ctx;
    ASSERT_EQ(aiox_context_new(&ctx, script->sources(), nullptr), 0);

    void *first = nullptr, *second = nullptr;
    ASSERT_EQ(aiox_context_part_get(ctx, &part, &first), 0);
    ASSERT_EQ(aiox_context_part_get(ctx, &part, &second), 0);
    aiox_context_unref(ctx);

    EXPECT_EQ(first, second);
    EXPECT_EQ(made, 1);
    EXPECT_EQ(ended, 1);
}

TEST_F(Loop, APartMayNeedAnotherWhileItIsMadeAndEndsBeforeThat)
{
    static std::string ended;
    ended.clear();
    static const aiox_context_part base = {"base", 16, nullptr,
                                           [](aiox_context *, void *) { ended += "base "; }};
    static const aiox_context_part user = {"user", 16,
                                           [](aiox_context *c, void *) {
                                               void *data;
                                               return aiox_context_part_get(c, &base, &data);
                                           },
                                           [](aiox_context *, void *) { ended += "user "; }};
    aiox_context *ctx;
    ASSERT_EQ(aiox_context_new(&ctx, script_.sources(), nullptr), 0);
    void *data = nullptr;

    ASSERT_EQ(aiox_context_part_get(ctx, &user, &data), 0);
    aiox_context_unref(ctx);

    EXPECT_EQ(ended, "user base ");
}

TEST_F(Loop, APartThatCannotBeMadeSaysWhy)
{
    static const aiox_context_part part = {"test", 16,
                                           [](aiox_context *, void *) { return -EMFILE; }, nullptr};
    void *data = nullptr;

    EXPECT_EQ(aiox_context_part_get(ctx_, &part, &data), -EMFILE);
    EXPECT_EQ(data, nullptr);
}

TEST_F(Loop, WithoutABackendForRequestsSubmitSaysSo)
{
    aiox_completion c = {};

    EXPECT_FALSE(aiox_has_completion(ctx_));
    EXPECT_EQ(aiox_submit(
                  ctx_, [](void *, void *) {}, nullptr, &c),
              -ENOTSUP);
    EXPECT_EQ(aiox_submit_cancel(ctx_, &c), -ENOENT);
}

} // namespace
