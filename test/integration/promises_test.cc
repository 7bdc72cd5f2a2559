/* SPDX-License-Identifier: MIT */
/* What the loop promises on every backend alike, with real descriptors. */
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <netinet/in.h>
#include <string>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/aio.h"
#include "aiox/aiox.h"
#include "aiox/clock.h"
#include "test/harness/call.h"
#include "test/harness/event.h"

namespace
{

using Log = std::vector<std::string>;

class Promise : public ::testing::Test
{
  protected:
    Promise()
    {
        aiox_error err = {};
        EXPECT_EQ(aiox_new(&ctx_, &err), 0) << err.message;
    }

    ~Promise() override
    {
        aiox_context_unref(ctx_);
    }

    int OnRead(int fd, Fn *fn)
    {
        aiox_fd_handler h = {};
        h.read = Call;
        return aiox_set_fd_handler(ctx_, fd, &h, fn);
    }

    aiox_bh *NewBh(Fn *fn)
    {
        aiox_bh *bh = nullptr;
        EXPECT_EQ(aiox_bh_new(&bh, aiox_context_bhs(ctx_), "test", Call, fn), 0);
        return bh;
    }

    /* Turns until nothing is left to do without waiting. */
    void Settle()
    {
        for (int i = 0; i < 10 && aiox_poll(ctx_, false); i++) {
        }
    }

    /* Turns, waiting, until @done. */
    void TurnUntil(const std::function<bool()> &done)
    {
        while (!done()) {
            aiox_poll(ctx_, true);
        }
    }

    aiox_context *ctx_ = nullptr;
    Log log_;
};

struct Pair {
    std::array<int, 2> fd{};
    explicit Pair(int type = SOCK_STREAM)
    {
        EXPECT_EQ(socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd.data()), 0);
    }
    ~Pair()
    {
        Close(0);
        Close(1);
    }
    void Close(int i)
    {
        if (fd[i] >= 0) {
            close(fd[i]);
            fd[i] = -1;
        }
    }
};

TEST_F(Promise, TheBackendIsTheOneThatWasAskedFor)
{
    const char *asked = getenv("AIOX_TEST_FDMON");
    if (!asked) {
        GTEST_SKIP() << "no backend was asked for";
    }
    aiox_backend_info info;

    aiox_context_backend_info(ctx_, &info);

    EXPECT_STREQ(info.name, asked);
}

TEST_F(Promise, AnIdleTurnIsNoProgress)
{
    EXPECT_FALSE(aiox_poll(ctx_, false));
}

TEST_F(Promise, ABlockingPollWithOnlyAStaleNotificationReturnsFalse)
{
    aiox_notify(ctx_);

    EXPECT_FALSE(aiox_poll(ctx_, true));
}

TEST_F(Promise, FirstAskedFirstRun)
{
    Fn note[3];
    aiox_bh *bh[3];
    for (int i = 0; i < 3; i++) {
        note[i] = [this, i] { log_.push_back(std::string(1, char('a' + i))); };
        bh[i] = NewBh(&note[i]);
    }
    for (aiox_bh *b : bh) {
        aiox_bh_schedule(b);
    }

    EXPECT_TRUE(aiox_poll(ctx_, true));

    EXPECT_EQ(log_, Log({"a", "b", "c"}));
    for (aiox_bh *b : bh) {
        aiox_bh_free(b);
    }
}

TEST_F(Promise, ABottomHalfThatSchedulesItselfRunsOncePerPoll)
{
    aiox_bh *bh = nullptr;
    int runs = 0;
    Fn again = [&] {
        if (++runs < 10) {
            aiox_bh_schedule(bh);
        }
    };
    bh = NewBh(&again);
    aiox_bh_schedule(bh);

    for (int turn = 1; turn <= 10; turn++) {
        EXPECT_TRUE(aiox_poll(ctx_, true));
        EXPECT_EQ(runs, turn);
    }

    EXPECT_FALSE(aiox_poll(ctx_, false));
    aiox_bh_free(bh);
}

TEST_F(Promise, ACancelledBottomHalfIsNoProgress)
{
    Fn never = [&] { log_.push_back("ran"); };
    aiox_bh *bh = NewBh(&never);
    aiox_bh_schedule(bh);
    aiox_bh_cancel(bh);

    EXPECT_FALSE(aiox_poll(ctx_, false));

    EXPECT_EQ(log_, Log());
    aiox_bh_free(bh);
}

TEST_F(Promise, AnIdleBottomHalfRunsInAnOtherwiseIdleLoop)
{
    int runs = 0;
    Fn count = [&] { runs++; };
    aiox_bh *bh = NewBh(&count);
    aiox_bh_schedule_idle(bh);

    while (runs == 0) {
        EXPECT_FALSE(aiox_poll(ctx_, true));
    }

    EXPECT_EQ(runs, 1);
    aiox_bh_free(bh);
}

/* Of descriptors that are ready at the same time, each first served waits for the others. */
TEST_F(Promise, ANestedPollServesTheDescriptorsOfItsParent)
{
    for (bool drains : {false, true}) {
        constexpr int kFds = 3;
        int fds[kFds];
        int served = 0;
        Fn read[kFds];
        for (int i = 0; i < kFds; i++) {
            fds[i] = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
            read[i] = [&, i] {
                eventfd_t value;
                ASSERT_EQ(eventfd_read(fds[i], &value), 0);
                served++;
                while (served < kFds) {
                    ASSERT_TRUE(aiox_poll(ctx_, false)) << "the others are ready, too";
                }
            };
            aiox_fd_handler h = {};
            h.read = Call;
            h.flags = drains ? AIOX_FD_HANDLER_DRAINS : 0;
            ASSERT_EQ(aiox_set_fd_handler(ctx_, fds[i], &h, &read[i]), 0);
        }

        while (served < kFds) {
            aiox_poll(ctx_, true);
        }

        for (int fd : fds) {
            aiox_clear_fd_handler(ctx_, fd);
            close(fd);
        }
        EXPECT_EQ(served, kFds);
    }
}

/* It was set before; the loop may hear of it before the call returns. */
TEST_F(Promise, ANotifierThatAnotherThreadBeginsToWatchIsServed)
{
    constexpr int kRounds = 3000;
    struct Rung {
        aiox_event_notifier n;
        std::atomic<bool> served{false};
    };
    std::atomic<bool> done{false};
    ASSERT_FALSE(aiox_poll(ctx_, false)); /* this thread is the home */

    std::thread other([&] {
        for (int round = 0; round < kRounds; round++) {
            Rung rung;
            ASSERT_EQ(aiox_event_notifier_init(&rung.n, true), 0);
            aiox_fd_fn *served = [](void *n) {
                auto *self = static_cast<Rung *>(n); /* its first member */
                aiox_event_notifier_test_and_clear(&self->n);
                self->served = true;
            };
            ASSERT_EQ(aiox_set_event_notifier(ctx_, &rung.n, served, nullptr, nullptr), 0);
            while (!rung.served) {
                std::this_thread::yield();
            }
            ASSERT_EQ(aiox_set_event_notifier(ctx_, &rung.n, nullptr, nullptr, nullptr), 0);
            std::atomic<bool> over{false};
            ASSERT_EQ(aiox_bh_schedule_oneshot(
                          ctx_, "over",
                          [](void *o) { *static_cast<std::atomic<bool> *>(o) = true; }, &over),
                      0);
            while (!over) {
                std::this_thread::yield();
            }
            aiox_event_notifier_fini(&rung.n);
        }
        done = true;
        aiox_notify(ctx_);
    });
    while (!done) {
        aiox_poll(ctx_, true);
    }
    other.join();
}

TEST_F(Promise, ANestedPollFinishesWhatItsParentHadBegun)
{
    Fn nested = [&] {
        log_.push_back("x{");
        aiox_poll(ctx_, false);
        log_.push_back("}");
    };
    Fn a = [&] { log_.push_back("a"); };
    Fn b = [&] { log_.push_back("b"); };
    aiox_bh *bh[] = {NewBh(&a), NewBh(&nested), NewBh(&b)};
    for (aiox_bh *each : bh) {
        aiox_bh_schedule(each);
    }

    EXPECT_TRUE(aiox_poll(ctx_, true));

    EXPECT_EQ(log_, Log({"a", "x{", "b", "}"}));
    for (aiox_bh *each : bh) {
        aiox_bh_free(each);
    }
}

TEST_F(Promise, AHandlerThatNeverReadsIsCalledEveryTurn)
{
    Event e;
    int calls = 0;
    Fn count = [&] { calls++; };
    ASSERT_EQ(OnRead(e.fd, &count), 0);
    e.Set();

    for (int i = 1; i <= 20; i++) {
        EXPECT_TRUE(aiox_poll(ctx_, true));
        EXPECT_EQ(calls, i);
    }
    aiox_clear_fd_handler(ctx_, e.fd);
}

TEST_F(Promise, APartialReadLeavesTheDescriptorReady)
{
    Pair p;
    std::string got;
    Fn one_byte = [&] {
        char c;
        ASSERT_EQ(read(p.fd[0], &c, 1), 1);
        got += c;
    };
    ASSERT_EQ(OnRead(p.fd[0], &one_byte), 0);
    ASSERT_EQ(write(p.fd[1], "abcd", 4), 4);

    TurnUntil([&] { return got.size() == 4; });

    EXPECT_EQ(got, "abcd");
    EXPECT_FALSE(aiox_poll(ctx_, false));
    aiox_clear_fd_handler(ctx_, p.fd[0]);
}

TEST_F(Promise, EventNotifiersAreCalledWhenSetAndThatIsProgress)
{
    aiox_event_notifier n;
    ASSERT_EQ(aiox_event_notifier_init(&n, false), 0);
    ASSERT_EQ(aiox_set_event_notifier(
                  ctx_, &n,
                  [](void *o) {
                      EXPECT_TRUE(aiox_event_notifier_test_and_clear(
                          static_cast<aiox_event_notifier *>(o)));
                  },
                  nullptr, nullptr),
              0);
    for (int i = 0; i < 5; i++) {
        EXPECT_FALSE(aiox_poll(ctx_, false));
        aiox_event_notifier_set(&n);
        EXPECT_TRUE(aiox_poll(ctx_, true));
    }

    EXPECT_FALSE(aiox_poll(ctx_, false));
    ASSERT_EQ(aiox_set_event_notifier(ctx_, &n, nullptr, nullptr, nullptr), 0);
    aiox_event_notifier_fini(&n);
}

TEST_F(Promise, APeerThatHungUpIsReportedToReaderAndWriterEveryTurn)
{
    Pair p;
    int reads = 0, writes = 0;
    struct Both {
        int *reads, *writes;
    } both = {&reads, &writes};
    aiox_fd_handler h = {};
    h.read = [](void *o) { ++*static_cast<Both *>(o)->reads; };
    h.write = [](void *o) { ++*static_cast<Both *>(o)->writes; };
    ASSERT_EQ(aiox_set_fd_handler(ctx_, p.fd[0], &h, &both), 0);
    p.Close(1);

    for (int i = 1; i <= 5; i++) {
        EXPECT_TRUE(aiox_poll(ctx_, true));
        EXPECT_EQ(reads, i);
        EXPECT_EQ(writes, i);
    }
    aiox_clear_fd_handler(ctx_, p.fd[0]);
}

TEST_F(Promise, APeerThatHungUpIsReportedToAWriterAlone)
{
    Pair p;
    int writes = 0;
    aiox_fd_handler h = {};
    h.write = [](void *o) { ++*static_cast<int *>(o); };
    ASSERT_EQ(aiox_set_fd_handler(ctx_, p.fd[0], &h, &writes), 0);
    p.Close(1);

    for (int i = 1; i <= 5; i++) {
        EXPECT_TRUE(aiox_poll(ctx_, true));
        EXPECT_EQ(writes, i);
    }
    aiox_clear_fd_handler(ctx_, p.fd[0]);
}

TEST_F(Promise, TheFirstOfThreeReadyMayStopTheOthers)
{
    Event e[3];
    int calls = 0;
    Fn stop_all = [&] {
        calls++;
        for (Event &each : e) {
            aiox_clear_fd_handler(ctx_, each.fd);
        }
    };
    for (Event &each : e) {
        ASSERT_EQ(OnRead(each.fd, &stop_all), 0);
        each.Set();
    }

    EXPECT_TRUE(aiox_poll(ctx_, true));
    EXPECT_FALSE(aiox_poll(ctx_, false));

    EXPECT_EQ(calls, 1);
}

TEST_F(Promise, AHandlerThatReplacesItselfWithoutReadingIsCalledOldOnceThenNew)
{
    Event e;
    Fn fresh = [&] { log_.push_back("new"); };
    Fn old = [&] {
        log_.push_back("old");
        EXPECT_EQ(OnRead(e.fd, &fresh), 0);
    };
    ASSERT_EQ(OnRead(e.fd, &old), 0);
    e.Set();

    EXPECT_TRUE(aiox_poll(ctx_, true));
    EXPECT_TRUE(aiox_poll(ctx_, true));

    EXPECT_EQ(log_, Log({"old", "new"}));
    aiox_clear_fd_handler(ctx_, e.fd);
}

TEST_F(Promise, ReadyHandlersThatPollAgainNest)
{
    Event e[3];
    int depth = 0, deepest = 0, calls = 0;
    Fn handler[3];
    for (int i = 0; i < 3; i++) {
        handler[i] = [&, i] {
            calls++;
            e[i].Take();
            deepest = std::max(deepest, ++depth);
            aiox_poll(ctx_, false);
            depth--;
        };
        ASSERT_EQ(OnRead(e[i].fd, &handler[i]), 0);
        e[i].Set();
    }

    EXPECT_TRUE(aiox_poll(ctx_, true));
    Settle();

    EXPECT_EQ(calls, 3);
    EXPECT_EQ(deepest, 3);
    for (Event &each : e) {
        aiox_clear_fd_handler(ctx_, each.fd);
    }
}

TEST_F(Promise, ManyReadyDescriptorsAreAllServedWithinAFewTurns)
{
    constexpr int kMany = 1000;
    std::vector<Event> events(kMany);
    std::vector<int> calls(kMany);
    std::vector<Fn> fns(kMany);
    for (int i = 0; i < kMany; i++) {
        fns[i] = [&calls, i] { calls[i]++; };
        ASSERT_EQ(OnRead(events[i].fd, &fns[i]), 0);
        events[i].Set();
    }

    for (int turn = 0; turn < 40; turn++) {
        EXPECT_TRUE(aiox_poll(ctx_, true));
    }

    for (int i = 0; i < kMany; i++) {
        EXPECT_GE(calls[i], 1) << i;
        aiox_clear_fd_handler(ctx_, events[i].fd);
    }
}

TEST_F(Promise, ADescriptorThatIsNotOpenIsRefused)
{
    int fd = dup(0);
    close(fd);
    Fn never = [&] { log_.push_back("ran"); };

    EXPECT_EQ(OnRead(fd, &never), -EBADF);

    for (int i = 0; i < 5; i++) {
        EXPECT_FALSE(aiox_poll(ctx_, false));
    }
    EXPECT_EQ(log_, Log());
}

TEST_F(Promise, ANumberThatNoDescriptorCanHaveIsRefused)
{
    Fn never = [&] { log_.push_back("ran"); };

    for (int fd : {1 << 30, INT_MAX}) {
        EXPECT_EQ(OnRead(fd, &never), -EBADF);
        aiox_clear_fd_handler(ctx_, fd);
    }

    EXPECT_FALSE(aiox_poll(ctx_, false));
    EXPECT_EQ(log_, Log());
}

TEST_F(Promise, ARegularFileIsAlwaysReady)
{
    FILE *file = tmpfile();
    ASSERT_TRUE(file);
    int calls = 0;
    Fn count = [&] { calls++; };
    ASSERT_EQ(OnRead(fileno(file), &count), 0);

    for (int i = 1; i <= 5; i++) {
        EXPECT_TRUE(aiox_poll(ctx_, true));
        EXPECT_EQ(calls, i);
    }

    aiox_clear_fd_handler(ctx_, fileno(file));
    EXPECT_FALSE(aiox_poll(ctx_, false));
    fclose(file);
}

TEST_F(Promise, ADescriptorClosedTooEarlyIsReportedAtMostOnceAndNeverBusy)
{
    int fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
    int calls = 0;
    Fn count = [&] { calls++; };
    ASSERT_EQ(OnRead(fd, &count), 0);
    EXPECT_TRUE(aiox_poll(ctx_, true));
    calls = 0;

    close(fd);
    int progress = 0;
    for (int i = 0; i < 50; i++) {
        progress += aiox_poll(ctx_, false);
    }

    EXPECT_LE(calls, 2); /* what was seen before the close, and one error */
    EXPECT_LE(progress, 2);
    aiox_clear_fd_handler(ctx_, fd);
}

TEST_F(Promise, ANewFileWithAnOldNumberNeverFiresTheOldHandler)
{
    for (int round = 0; round < 200; round++) {
        int old_calls = 0, new_calls = 0;
        Fn on_old = [&] { old_calls++; };
        Fn on_new = [&] { new_calls++; };
        int fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
        ASSERT_EQ(OnRead(fd, &on_old), 0);
        ASSERT_TRUE(aiox_poll(ctx_, true));
        aiox_clear_fd_handler(ctx_, fd);
        close(fd);
        old_calls = 0;
        int again = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
        ASSERT_EQ(again, fd);
        ASSERT_EQ(OnRead(again, &on_new), 0);

        TurnUntil([&] { return new_calls > 0; });

        EXPECT_EQ(old_calls, 0);
        aiox_clear_fd_handler(ctx_, again);
        close(again);
    }
}

TEST_F(Promise, TimersFireInTheOrderOfTheirDeadlinesThenOfArming)
{
    struct Named {
        Log *log;
        const char *name;
        aiox_timer timer;
    } t[] = {{&log_, "t0", {}}, {&log_, "t1", {}}, {&log_, "t2", {}}, {&log_, "t3", {}}};
    for (Named &each : t) {
        ASSERT_EQ(aiox_timer_init_ns(
                      &each.timer, aiox_context_timers(ctx_), AIOX_CLOCK_MONOTONIC,
                      [](void *o) {
                          auto *n = static_cast<Named *>(o);
                          n->log->push_back(n->name);
                      },
                      &each),
                  0);
    }
    int64_t base_ns = aiox_clock_now_ns();

    aiox_timer_mod_ns(&t[2].timer, base_ns + 500000);
    aiox_timer_mod_ns(&t[0].timer, base_ns + 500000);
    aiox_timer_mod_ns(&t[3].timer, base_ns + 500000);
    aiox_timer_mod_ns(&t[1].timer, base_ns + 400000);
    TurnUntil([&] { return log_.size() == 4; });

    EXPECT_EQ(log_, Log({"t1", "t2", "t0", "t3"}));
    EXPECT_GE(aiox_clock_now_ns(), base_ns + 500000);
    for (Named &each : t) {
        aiox_timer_fini(&each.timer);
    }
}

TEST_F(Promise, ASleepingLoopIsWokenByABottomHalfOfAnotherThread)
{
    std::atomic<int> asked{0};
    int runs = 0;
    Fn count = [&] { runs++; };
    aiox_bh *bh = NewBh(&count);
    std::thread asker([&] {
        for (int i = 0; i < 1000; i++) {
            while (asked.load() != i) {
                std::this_thread::yield();
            }
            aiox_bh_schedule(bh);
        }
    });

    for (int i = 0; i < 1000; i++) {
        TurnUntil([&] { return runs == i + 1; });
        asked = i + 1;
    }

    asker.join();
    EXPECT_EQ(runs, 1000);
    aiox_bh_free(bh);
}

TEST_F(Promise, ASleepingLoopIsWokenByATimerOfAnotherThread)
{
    int fired = 0;
    aiox_timer timer;
    ASSERT_EQ(aiox_timer_init_ns(
                  &timer, aiox_context_timers(ctx_), AIOX_CLOCK_MONOTONIC,
                  [](void *o) { ++*static_cast<int *>(o); }, &fired),
              0);
    for (int i = 0; i < 100; i++) {
        std::thread armer([&] { aiox_timer_mod_ns(&timer, aiox_clock_now_ns() + 1000); });
        TurnUntil([&] { return fired == i + 1; });
        armer.join();
    }

    EXPECT_EQ(fired, 100);
    aiox_timer_fini(&timer);
}

TEST_F(Promise, ASleepingLoopSeesAHandlerSetByAnotherThread)
{
    for (int i = 0; i < 100; i++) {
        Event e;
        int calls = 0;
        Fn take = [&] {
            e.Take();
            calls++;
        };
        e.Set();
        std::thread setter([&] { EXPECT_EQ(OnRead(e.fd, &take), 0); });

        TurnUntil([&] { return calls > 0; });

        setter.join();
        aiox_clear_fd_handler(ctx_, e.fd);
    }
}

TEST_F(Promise, ALiveLoopVisitsEveryBackendAndLosesNothing)
{
    Pair p;
    std::string got;
    Fn take = [&] {
        char c;
        ASSERT_EQ(read(p.fd[0], &c, 1), 1);
        got += c;
    };
    ASSERT_EQ(OnRead(p.fd[0], &take), 0);
    const char *tour[] = {"poll", "epoll", "io_uring", "epoll", "poll", "io_uring"};
    for (const char *name : tour) {
        ASSERT_EQ(write(p.fd[1], name, 1), 1); /* arrives before the move */
        aiox_error err = {};
        ASSERT_EQ(aiox_context_setup(ctx_, name, &err), 0) << err.message;
        size_t had = got.size();
        TurnUntil([&] { return got.size() == had + 1; });
        ASSERT_EQ(write(p.fd[1], "+", 1), 1);
        TurnUntil([&] { return got.size() == had + 2; });
    }

    EXPECT_EQ(got, "p+e+i+e+p+i+");
    aiox_clear_fd_handler(ctx_, p.fd[0]);
}

TEST_F(Promise, RequestsAreCompletedByTheLoopWhereTheBackendTakesThem)
{
    if (!aiox_has_completion(ctx_)) {
        aiox_completion c = {};
        EXPECT_EQ(aiox_submit(
                      ctx_, [](void *, void *) {}, nullptr, &c),
                  -ENOTSUP);
        return;
    }
    struct Request {
        aiox_completion c;
        int result = -1;
    } r;
    r.c.done = [](aiox_completion *c, int result) {
        reinterpret_cast<Request *>(c)->result = result;
    };

    /* A zeroed entry is a no-op. */
    ASSERT_EQ(aiox_submit(
                  ctx_, [](void *, void *) {}, nullptr, &r.c),
              0);
    TurnUntil([&] { return r.result != -1; });

    EXPECT_EQ(r.result, 0);
}

TEST_F(Promise, ContextsWhoseHomesHaveEndedAreAdoptedByAThreadWithLoopsOfItsOwn)
{
    Event ready;
    ready.Set();
    int calls = 0;
    Fn count = [&] { calls++; };
    aiox_context *adopted[3];
    for (aiox_context *&ctx : adopted) {
        ASSERT_EQ(aiox_new(&ctx, nullptr), 0);
        aiox_fd_handler h = {};
        h.read = Call;
        ASSERT_EQ(aiox_set_fd_handler(ctx, ready.fd, &h, &count), 0);
        std::thread home([ctx] { EXPECT_TRUE(aiox_poll(ctx, true)); });
        home.join();
    }
    EXPECT_EQ(calls, 3);

    for (aiox_context *ctx : adopted) {
        aiox_error err = {};
        ASSERT_EQ(aiox_context_adopt(ctx, &err), 0) << err.message;
        EXPECT_TRUE(aiox_poll(ctx, true));
    }
    for (aiox_context *ctx : adopted) {
        aiox_context_unref(ctx);
    }

    EXPECT_EQ(calls, 6);
}

TEST_F(Promise, AHomeThatFollowsAnotherKeepsTheBackend)
{
    Event ready;
    ready.Set();
    int calls = 0;
    Fn count = [&] { calls++; };
    ASSERT_EQ(OnRead(ready.fd, &count), 0);
    aiox_backend_info before, after;
    aiox_context_backend_info(ctx_, &before);

    for (int i = 0; i < 3; i++) { /* each most likely on the stack of the one before */
        std::thread home([this] {
            aiox_error err = {};
            EXPECT_EQ(aiox_context_adopt(ctx_, &err), 0) << err.message;
            EXPECT_TRUE(aiox_poll(ctx_, true));
        });
        home.join();
    }

    aiox_context_backend_info(ctx_, &after);
    EXPECT_STREQ(before.name, after.name);
    EXPECT_EQ(calls, 3);
    aiox_clear_fd_handler(ctx_, ready.fd);
}

TEST_F(Promise, AHundredContextsLeaveNothingBehind)
{
    for (int i = 0; i < 100; i++) {
        aiox_context *ctx;
        ASSERT_EQ(aiox_new(&ctx, nullptr), 0);
        aiox_poll(ctx, false);
        aiox_context_unref(ctx);
    }
}

} // namespace
