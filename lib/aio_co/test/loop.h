/* SPDX-License-Identifier: MIT */
/* loop.h - a context of the backend under test, coroutines in it, and a thread that turns one. */
#ifndef AIOX_AIO_CO_TEST_LOOP_H_
#define AIOX_AIO_CO_TEST_LOOP_H_

#include <atomic>
#include <cstdlib>
#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include "aiox/aio_co.h"
#include "lib/coroutine/test/testing.h"

/* The entry of //plugins/fdmon_poll in its static form; it has no header. */
extern "C" const struct aiox_fdmon_plugin *aiox_fdmon_poll(uint32_t index);

namespace co_testing
{
/* On the backend that AIOX_FDMON names; the harness says where plugins are. */
class Loop
{
  public:
    Loop()
    {
        aiox_fdmon_entry_fn *linked_in[] = {aiox_fdmon_poll, nullptr};
        aiox_backend_sources sources = {};
        sources.linked_in = linked_in;
        sources.path = std::getenv("AIOX_FDMON_PATH");
        const char *backend = std::getenv("AIOX_FDMON");
        aiox_error err = {};
        EXPECT_EQ(aiox_context_new(&ctx_, &sources, &err), 0) << err.message;
        if (backend && backend[0]) {
            EXPECT_EQ(aiox_context_setup(ctx_, backend, &err), 0) << err.message;
            aiox_backend_info info;
            aiox_context_backend_info(ctx_, &info);
            EXPECT_STREQ(info.name, backend);
        }
    }
    ~Loop()
    {
        aiox_context_unref(ctx_);
    }
    Loop(const Loop &) = delete;
    Loop &operator=(const Loop &) = delete;

    operator aiox_context *() const
    {
        return ctx_;
    }

    /* Turns until @done. */
    void RunUntil(const std::function<bool()> &done)
    {
        while (!done()) {
            aiox_poll(ctx_, true);
        }
    }

    /* Runs @body as a coroutine of this loop until it ends. */
    void Run(std::function<void()> body)
    {
        bool done = false;
        aiox_co_enter_in(ctx_, Spawn([&] {
                             body();
                             done = true;
                         }));
        RunUntil([&] { return done; });
    }

    /* Turns until there is nothing more to do at once. */
    void Settle()
    {
        while (aiox_poll(ctx_, false)) {
        }
    }

  private:
    aiox_context *ctx_ = nullptr;
};

/* A loop with a thread of its own that turns it. */
class LoopThread
{
  public:
    LoopThread()
    {
        thread_ = std::thread([this] {
            while (!stop_.load(std::memory_order_acquire)) {
                aiox_poll(loop_, true);
            }
        });
    }
    ~LoopThread()
    {
        stop_.store(true, std::memory_order_release);
        aiox_notify(loop_);
        thread_.join();
    }
    operator aiox_context *() const
    {
        return loop_;
    }

  private:
    Loop loop_;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

/* The functions of aiox/aio_co.h for lambdas, which have no place for coroutine_fn. */
inline int WaitFd(int fd, uint32_t events, int64_t deadline_ns = -1) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_wait_fd(fd, events, deadline_ns);
}
inline int KeepFd(int fd) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_keep_fd(fd);
}
inline void ReleaseFd(int fd) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    aiox_co_release_fd(fd);
}
inline void MoveSelf(aiox_context *ctx) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    aiox_co_move_self(ctx);
}
inline int SleepNs(aiox_clock clock, int64_t ns) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_sleep_ns(clock, ns);
}
inline int SleepIn(aiox_co_sleep *sleep, aiox_clock clock,
                   int64_t ns) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_sleep_wakeable_ns(sleep, clock, ns);
}
inline ssize_t Read(int fd, void *buf, size_t bytes,
                    int64_t deadline_ns = -1) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_read(fd, buf, bytes, deadline_ns);
}
inline ssize_t ReadAll(int fd, void *buf, size_t bytes,
                       int64_t deadline_ns = -1) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_read_all(fd, buf, bytes, deadline_ns);
}
inline ssize_t WriteAll(int fd, const void *buf, size_t bytes,
                        int64_t deadline_ns = -1) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    return aiox_co_write_all(fd, buf, bytes, deadline_ns);
}
} // namespace co_testing

#endif /* AIOX_AIO_CO_TEST_LOOP_H_ */
