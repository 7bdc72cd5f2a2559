/* SPDX-License-Identifier: MIT */
/* A loop that other threads turn for a while, on every backend, with real descriptors. */
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <functional>
#include <future>
#include <linux/io_uring.h>
#include <poll.h>
#include <string>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/aio.h"
#include "aiox/aiox.h"
#include "aiox/foreign.h"
#include "aiox/thread.h"
#include "test/harness/call.h"
#include "test/harness/event.h"

namespace
{

/* A request to read a number from a descriptor of its own, which the kernel works on. */
struct Request {
    int fd = eventfd(0, EFD_CLOEXEC);
    aiox_completion completion = {};
    uint64_t value = 0;
    std::atomic<int> result{1};

    Request()
    {
        completion.done = [](aiox_completion *c, int answer) {
            reinterpret_cast<Request *>(reinterpret_cast<char *>(c) - offsetof(Request, completion))
                ->result = answer;
        };
    }
    ~Request()
    {
        close(fd);
    }
    int Submit(aiox_context *ctx)
    {
        return aiox_submit(
            ctx,
            [](void *entry, void *opaque) {
                auto *sqe = static_cast<io_uring_sqe *>(entry);
                auto *r = static_cast<Request *>(opaque);
                sqe->opcode = IORING_OP_READ;
                sqe->fd = r->fd;
                sqe->addr = reinterpret_cast<uintptr_t>(&r->value);
                sqe->len = sizeof(r->value);
            },
            this, &completion);
    }
    void Answer() const
    {
        EXPECT_EQ(eventfd_write(fd, 1), 0);
    }
    bool IsDone() const
    {
        return result != 1;
    }
};

class Borrow : public ::testing::Test
{
  protected:
    Borrow()
    {
        aiox_error err = {};
        EXPECT_EQ(aiox_new(&ctx_, &err), 0) << err.message;
    }

    ~Borrow() override
    {
        StopLoop();
        aiox_context_unref(ctx_);
    }

    /* A thread that knows nothing of borrowing turns the loop. */
    void StartLoop()
    {
        aiox_thread_options options = {};
        aiox_error err = {};
        options.context = ctx_;
        ASSERT_EQ(aiox_thread_new(&loop_, &options, &err), 0) << err.message;
    }

    void StopLoop()
    {
        aiox_thread_free(loop_);
        loop_ = nullptr;
    }

    int OnRead(int fd, Fn *fn, uint32_t flags = 0)
    {
        aiox_fd_handler h = {};
        h.read = Call;
        h.flags = flags;
        return aiox_set_fd_handler(ctx_, fd, &h, fn);
    }

    void TurnUntil(const std::function<bool()> &done)
    {
        while (!done()) {
            aiox_poll(ctx_, true);
        }
    }

    aiox_context *ctx_ = nullptr;
    aiox_thread *loop_ = nullptr;
};

TEST_F(Borrow, ALoopThatSleepsGivesWayToWhoWaits)
{
    StartLoop();

    for (int i = 0; i < 20; i++) {
        aiox_context_acquire(ctx_);
        EXPECT_TRUE(aiox_context_is_home(ctx_));
        aiox_context_release(ctx_);
        EXPECT_FALSE(aiox_context_is_home(ctx_));
    }
}

TEST_F(Borrow, TheHolderTurnsTheLoopAndCallbacksRunInItsThread)
{
    Event event;
    std::thread::id ran_in;
    Fn note = [&] {
        event.Take();
        ran_in = std::this_thread::get_id();
    };
    StartLoop();
    ASSERT_EQ(OnRead(event.fd, &note), 0);

    aiox_context_acquire(ctx_);
    event.Set();
    TurnUntil([&] { return ran_in != std::thread::id(); });
    EXPECT_EQ(ran_in, std::this_thread::get_id());
    aiox_clear_fd_handler(ctx_, event.fd);
    aiox_context_release(ctx_);
}

TEST_F(Borrow, TheLoopThreadGoesOnAfterwards)
{
    Event event;
    std::promise<std::thread::id> ran_in;
    Fn note = [&] {
        event.Take();
        ran_in.set_value(std::this_thread::get_id());
    };
    StartLoop();
    aiox_context_acquire(ctx_);
    ASSERT_EQ(OnRead(event.fd, &note), 0);
    aiox_poll(ctx_, false);
    aiox_context_release(ctx_);

    event.Set();

    EXPECT_NE(ran_in.get_future().get(), std::this_thread::get_id());
    aiox_clear_fd_handler(ctx_, event.fd);
}

TEST_F(Borrow, BothSidesGetOnWhenTheLoopThreadAcquiresForEachTurn)
{
    std::atomic<bool> stop{false};
    int turns = 0; /* of whoever holds the context */
    std::thread loop([&] {
        while (!stop) {
            aiox_context_acquire(ctx_);
            aiox_poll(ctx_, true);
            turns++;
            aiox_context_release(ctx_);
        }
    });

    for (int i = 0; i < 100; i++) {
        bool done = false;
        Fn work = [&] { done = true; };
        int before;
        aiox_context_acquire(ctx_);
        before = turns;
        EXPECT_EQ(aiox_bh_schedule_oneshot(ctx_, "work", Call, &work), 0);
        TurnUntil([&] { return done; });
        aiox_context_release(ctx_);
        while (true) {
            aiox_context_acquire(ctx_);
            bool went_on = turns > before;
            aiox_context_release(ctx_);
            if (went_on) {
                break;
            }
        }
    }
    stop = true;
    aiox_notify(ctx_);
    loop.join();

    EXPECT_GE(turns, 100);
}

TEST_F(Borrow, IsRecursive)
{
    std::atomic<bool> got{false};

    aiox_context_acquire(ctx_);
    aiox_context_acquire(ctx_);
    std::thread other([&] {
        aiox_context_acquire(ctx_);
        got = true;
        aiox_context_release(ctx_);
    });
    aiox_poll(ctx_, true); /* until it has rung: it is in line */
    aiox_context_release(ctx_);
    EXPECT_TRUE(aiox_context_is_home(ctx_));
    EXPECT_FALSE(got);
    aiox_context_release(ctx_);
    EXPECT_FALSE(aiox_context_is_home(ctx_));
    other.join();

    EXPECT_TRUE(got);
}

TEST_F(Borrow, FirstComeFirstServed)
{
    constexpr int kThreads = 6;

    for (int round = 0; round < 20; round++) {
        std::vector<std::thread> threads;
        std::vector<int> order; /* of whoever holds the context */
        aiox_context_acquire(ctx_);
        while (aiox_poll(ctx_, false)) {
        }
        for (int i = 0; i < kThreads; i++) {
            threads.emplace_back([&, i] {
                aiox_context_acquire(ctx_);
                order.push_back(i);
                aiox_context_release(ctx_);
            });
            EXPECT_FALSE(aiox_poll(ctx_, true)); /* until it has rung: it is in line */
        }
        aiox_context_release(ctx_);
        for (std::thread &t : threads) {
            t.join();
        }

        EXPECT_EQ(order, std::vector<int>({0, 1, 2, 3, 4, 5}));
    }
}

TEST_F(Borrow, WatchesOfAThreadThatHasEndedGoOn)
{
    Event event;
    int calls = 0;
    Fn count = [&] {
        event.Take();
        calls++;
    };

    std::thread([&] {
        aiox_context_acquire(ctx_);
        EXPECT_EQ(OnRead(event.fd, &count), 0);
        event.Set();
        TurnUntil([&] { return calls == 1; });
        aiox_poll(ctx_, false); /* what was served is watched again */
        aiox_context_release(ctx_);
    }).join();
    event.Set();
    aiox_context_acquire(ctx_);
    TurnUntil([&] { return calls == 2; });
    aiox_context_release(ctx_);

    EXPECT_EQ(calls, 2);
}

TEST_F(Borrow, WatchesOfAThreadThatIsBusyElsewhereGoOn)
{
    Event event;
    std::atomic<bool> armed{false};
    std::atomic<bool> seen{false};
    Fn note = [&] {
        event.Take();
        seen = true;
    };
    std::thread busy([&] {
        aiox_context_acquire(ctx_);
        EXPECT_EQ(OnRead(event.fd, &note), 0);
        aiox_poll(ctx_, false);
        aiox_context_release(ctx_);
        armed = true;
        while (!seen) { /* without a system call */
        }
    });
    while (!armed) {
        std::this_thread::yield();
    }

    aiox_context_acquire(ctx_);
    event.Set();
    TurnUntil([&] { return seen.load(); });
    aiox_context_release(ctx_);

    busy.join();
}

TEST_F(Borrow, ATurnOfAThreadThatDoesNotHoldItBorrowsItForThatTurn)
{
    int runs = 0;
    Fn count = [&] { runs++; };
    aiox_error err = {};
    ASSERT_EQ(aiox_context_lend(ctx_, &err), 0) << err.message;

    std::thread([&] {
        EXPECT_EQ(aiox_bh_schedule_oneshot(ctx_, "count", Call, &count), 0);
        EXPECT_TRUE(aiox_poll(ctx_, true));
        EXPECT_FALSE(aiox_context_is_home(ctx_));
    }).join();
    EXPECT_EQ(aiox_bh_schedule_oneshot(ctx_, "count", Call, &count), 0);
    EXPECT_TRUE(aiox_poll(ctx_, true));

    EXPECT_EQ(runs, 2);
}

TEST_F(Borrow, AThreadThatFinishesTheWorkLetsNoNewWorkIn)
{
    Event door;
    int came_in = 0;
    Fn enter = [&] {
        door.Take();
        came_in++;
    };
    int left = 10;
    Fn work = [&] {
        if (--left > 0) {
            EXPECT_EQ(aiox_bh_schedule_oneshot(ctx_, "work", Call, &work), 0);
        }
    };
    StartLoop();

    aiox_context_acquire(ctx_);
    ASSERT_EQ(OnRead(door.fd, &enter, AIOX_FD_HANDLER_EXTERNAL), 0);
    aiox_context_disable_external(ctx_);
    door.Set();
    EXPECT_EQ(aiox_bh_schedule_oneshot(ctx_, "work", Call, &work), 0);
    TurnUntil([&] { return left == 0; });
    EXPECT_EQ(came_in, 0);
    EXPECT_EQ(aiox_context_enable_external(ctx_), 0);
    TurnUntil([&] { return came_in == 1; });
    aiox_clear_fd_handler(ctx_, door.fd);
    aiox_context_release(ctx_);
}

TEST_F(Borrow, AContextThatIsLentChangesItsBackend)
{
    Event event;
    int calls = 0;
    Fn count = [&] {
        event.Take();
        calls++;
    };
    StartLoop();
    aiox_context_acquire(ctx_);
    ASSERT_EQ(OnRead(event.fd, &count), 0);
    aiox_context_release(ctx_);

    int expected = 0;
    for (const char *next : {"epoll", "io_uring,poll", "poll", "auto"}) {
        aiox_error err = {};
        aiox_context_acquire(ctx_);
        EXPECT_EQ(aiox_context_setup(ctx_, next, &err), 0) << err.message;
        event.Set();
        expected++;
        TurnUntil([&] { return calls == expected; });
        aiox_context_release(ctx_);
        aiox_context_acquire(ctx_);
        aiox_context_release(ctx_);
    }
    aiox_context_acquire(ctx_);
    aiox_clear_fd_handler(ctx_, event.fd);
    aiox_context_release(ctx_);
}

TEST_F(Borrow, AdoptedItHasOneHomeAgainAndCanBeLentAgain)
{
    aiox_backend_info plain;
    aiox_backend_info adopted;
    aiox_context_backend_info(ctx_, &plain);
    aiox_context_acquire(ctx_);
    aiox_context_release(ctx_);

    ASSERT_EQ(aiox_context_adopt(ctx_, nullptr), 0);
    EXPECT_TRUE(aiox_context_is_home(ctx_));
    aiox_context_backend_info(ctx_, &adopted);
    EXPECT_EQ(std::string(plain.how).substr(0, 60), std::string(adopted.how).substr(0, 60));
    aiox_poll(ctx_, false);
    aiox_context_acquire(ctx_);
    aiox_context_release(ctx_);

    EXPECT_FALSE(aiox_context_is_home(ctx_));
}

/* Or the ring of a loop that nobody borrows would be the slower one. */
TEST_F(Borrow, WhatItsHomeAcquiresInATurnDoesNotLendAContext)
{
    aiox_backend_info before;
    aiox_backend_info after;
    Fn nest = [&] {
        aiox_context_acquire(ctx_);
        aiox_poll(ctx_, false);
        aiox_context_release(ctx_);
    };
    aiox_poll(ctx_, false);
    aiox_context_backend_info(ctx_, &before);
    ASSERT_EQ(aiox_bh_schedule_oneshot(ctx_, "nest", Call, &nest), 0);

    EXPECT_TRUE(aiox_poll(ctx_, false));
    aiox_context_backend_info(ctx_, &after);

    EXPECT_TRUE(aiox_context_is_home(ctx_));
    EXPECT_STREQ(before.how, after.how);
}

TEST_F(Borrow, ARequestOutlivesItsHome)
{
    if (!aiox_has_completion(ctx_)) {
        GTEST_SKIP() << "this backend takes no requests";
    }
    Request request;
    ASSERT_EQ(aiox_context_lend(ctx_, nullptr), 0);
    aiox_context_acquire(ctx_);
    ASSERT_EQ(request.Submit(ctx_), 0);
    aiox_poll(ctx_, false);
    aiox_context_release(ctx_);

    std::thread other([&] {
        aiox_context_acquire(ctx_);
        request.Answer();
        TurnUntil([&] { return request.IsDone(); });
        aiox_context_release(ctx_);
    });
    while (!request.IsDone()) { /* without a system call */
    }
    other.join();

    EXPECT_EQ(request.result, 8);
    EXPECT_EQ(request.value, 1u);
}

TEST_F(Borrow, APlainLoopIsLentWhenItsRequestsHaveEnded)
{
    if (!aiox_has_completion(ctx_)) {
        GTEST_SKIP() << "this backend takes no requests";
    }
    Request request;
    std::promise<void> submitted;
    Fn submit = [&] {
        EXPECT_EQ(request.Submit(ctx_), 0);
        submitted.set_value();
    };
    std::atomic<bool> stop{false};
    std::thread loop([&] {
        aiox_poll(ctx_, false); /* a plain home */
        submit();
        EXPECT_EQ(aiox_context_lend(ctx_, nullptr), -EBUSY);
        while (!stop) {
            aiox_poll(ctx_, true);
        }
    });
    submitted.get_future().wait();

    std::thread borrower([&] {
        aiox_context_acquire(ctx_);
        EXPECT_TRUE(request.IsDone());
        aiox_context_release(ctx_);
    });
    request.Answer();
    borrower.join();
    stop = true;
    aiox_notify(ctx_);
    loop.join();

    EXPECT_EQ(request.result, 8);
}

TEST_F(Borrow, AThreadThatStopsTurningLeavesItToWhoWaits)
{
    StartLoop();
    std::thread borrower([&] {
        aiox_context_acquire(ctx_);
        aiox_poll(ctx_, false);
        aiox_context_release(ctx_);
    });

    StopLoop();

    borrower.join();
}

/* ---- guests of another loop (aiox/foreign.h) ---- */

TEST_F(Borrow, AGuestOfAnotherLoopIsNotLent)
{
    aiox_error err = {};
    int fd;
    ASSERT_EQ(aiox_foreign_begin(ctx_, &fd, nullptr), 0);

    EXPECT_EQ(aiox_context_lend(ctx_, &err), -EBUSY);
    EXPECT_FALSE(aiox_context_is_home(ctx_)) << "on error nothing changed";
    EXPECT_NE(std::string(err.message).find("another loop"), std::string::npos);
    aiox_foreign_prepare(ctx_);
    aiox_context_acquire(ctx_);
    aiox_context_release(ctx_);
    EXPECT_TRUE(aiox_context_is_home(ctx_));
    aiox_foreign_end(ctx_);

    EXPECT_EQ(aiox_context_lend(ctx_, &err), 0) << err.message;
    EXPECT_FALSE(aiox_context_is_home(ctx_));
}

TEST_F(Borrow, ALentLoopIsNoGuestUntilItIsAdopted)
{
    aiox_error err = {};
    int fd = -1;
    ASSERT_EQ(aiox_context_lend(ctx_, nullptr), 0);

    EXPECT_EQ(aiox_foreign_begin(ctx_, &fd, &err), -EBUSY);
    EXPECT_EQ(fd, -1);
    EXPECT_NE(std::string(err.message).find("lent"), std::string::npos);
    ASSERT_EQ(aiox_context_adopt(ctx_, nullptr), 0);

    EXPECT_EQ(aiox_foreign_begin(ctx_, &fd, &err), 0) << err.message;
    Event event;
    bool is_taken = false;
    Fn take = [&] {
        event.Take();
        is_taken = true;
    };
    aiox_fd_handler h = {};
    h.read = Call;
    ASSERT_EQ(aiox_set_fd_handler(ctx_, event.fd, &h, &take), 0);
    event.Set();
    while (!is_taken) {
        pollfd guest = {fd, POLLIN, 0};
        if (aiox_foreign_prepare(ctx_) != 0) {
            poll(&guest, 1, -1);
        }
        aiox_foreign_check(ctx_, true);
        aiox_foreign_dispatch(ctx_);
    }
    aiox_clear_fd_handler(ctx_, event.fd);
    aiox_foreign_end(ctx_);
}

/* The host is rung, so that it comes round, and keeps its guest. */
TEST_F(Borrow, WhoWaitsForAGuestIsItsHomeWhenTheHostHasEnded)
{
    int fd;
    std::atomic<bool> ended{false};
    std::atomic<bool> was_early{false};
    ASSERT_EQ(aiox_foreign_begin(ctx_, &fd, nullptr), 0);
    ASSERT_EQ(aiox_foreign_prepare(ctx_), -1);

    std::thread borrower([&] {
        aiox_context_acquire(ctx_);
        was_early = !ended;
        aiox_poll(ctx_, false);
        aiox_context_release(ctx_);
    });
    pollfd rung = {fd, POLLIN, 0};
    while (poll(&rung, 1, -1) < 0) {
    }
    EXPECT_TRUE(aiox_foreign_check(ctx_, true));
    aiox_foreign_dispatch(ctx_);
    EXPECT_TRUE(aiox_context_is_home(ctx_));
    ended = true;
    aiox_foreign_end(ctx_);

    borrower.join();
    EXPECT_FALSE(was_early);
    EXPECT_FALSE(aiox_context_is_home(ctx_));
}

using BorrowDeathTest = Borrow;

TEST_F(BorrowDeathTest, ReleasingWhatIsNotHeldEndsTheProgram)
{
    EXPECT_DEATH(aiox_context_release(ctx_), "home_is_here_");
}

TEST_F(BorrowDeathTest, ReleasingInATurnWhatWasHeldBeforeItEndsTheProgram)
{
    EXPECT_DEATH(
        {
            aiox_context *ctx = nullptr; /* a ring is not there in a child */
            EXPECT_EQ(aiox_new(&ctx, nullptr), 0);
            Fn release = [&] { aiox_context_release(ctx); };
            aiox_context_acquire(ctx);
            EXPECT_EQ(aiox_bh_schedule_oneshot(ctx, "release", Call, &release), 0);
            aiox_poll(ctx, false);
        },
        "turns == 0");
}

TEST_F(BorrowDeathTest, TurningAPlainLoopOfAnotherThreadEndsTheProgram)
{
    std::promise<void> turned;
    std::promise<void> done;
    std::thread home([&] {
        aiox_poll(ctx_, false);
        turned.set_value();
        done.get_future().wait();
    });
    turned.get_future().wait();

    EXPECT_DEATH(aiox_poll(ctx_, false), "another thread is the home");

    done.set_value();
    home.join();
}

} // namespace
