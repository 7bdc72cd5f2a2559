/* SPDX-License-Identifier: MIT */
/* testing.h - a loop on the backend under test, gates, and jobs from lambdas. */
#ifndef AIOX_AIO_POOL_TEST_TESTING_H_
#define AIOX_AIO_POOL_TEST_TESTING_H_

#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include <gtest/gtest.h>

#include "aiox/aio_pool.h"
#include "aiox/aiox.h"
#include "aiox/trace.h"

namespace pool_testing
{
/* A number that threads raise and wait for. */
class Counter
{
  public:
    void Add(int n = 1)
    {
        std::lock_guard<std::mutex> hold(lock_);
        value_ += n;
        changed_.notify_all();
    }
    void Await(int least)
    {
        std::unique_lock<std::mutex> hold(lock_);
        changed_.wait(hold, [&] { return value_ >= least; });
    }
    int value()
    {
        std::lock_guard<std::mutex> hold(lock_);
        return value_;
    }

  private:
    std::mutex lock_;
    std::condition_variable changed_;
    int value_ = 0;
};

/* Closed at first. */
class Gate
{
  public:
    void Open()
    {
        opened_.Add();
    }
    void Pass()
    {
        opened_.Await(1);
    }

  private:
    Counter opened_;
};

/* Threads that have come and left, by the trace points of the library. One at a time. */
class Comings
{
  public:
    Comings()
    {
        aiox_trace_set_hook(&Comings::Trace, this);
    }
    ~Comings()
    {
        aiox_trace_set_hook(nullptr, nullptr);
    }
    Counter come;
    Counter left;

  private:
    static void Trace(void *self, const char *room, const char *event, uint64_t, uint64_t)
    {
        if (strcmp(room, "aio_pool") == 0 && strcmp(event, "come") == 0) {
            static_cast<Comings *>(self)->come.Add();
        } else if (strcmp(room, "aio_pool") == 0 && strcmp(event, "leave") == 0) {
            static_cast<Comings *>(self)->left.Add();
        }
    }
};

/* On the backend that AIOX_FDMON names. This thread is its home. */
class Loop
{
  public:
    Loop()
    {
        aiox_error err = {};
        EXPECT_EQ(aiox_new(&ctx_, &err), 0) << err.message;
        aiox_context_set_current(ctx_);
        EXPECT_EQ(aiox_pool_get(&pool_, ctx_), 0);
    }
    ~Loop()
    {
        End();
    }
    Loop(const Loop &) = delete;
    Loop &operator=(const Loop &) = delete;

    operator aiox_context *() const
    {
        return ctx_;
    }
    operator aiox_pool *() const
    {
        return pool_;
    }

    void End()
    {
        aiox_context_set_current(nullptr);
        aiox_context_unref(ctx_);
        ctx_ = nullptr;
    }
    void RunUntil(const std::function<bool()> &done)
    {
        while (!done()) {
            aiox_poll(ctx_, true);
        }
    }
    /* In a bottom half. */
    void Post(std::function<void()> body)
    {
        auto *opaque = new std::function<void()>(std::move(body));
        EXPECT_EQ(aiox_bh_schedule_oneshot(
                      ctx_, "test",
                      [](void *fn) {
                          std::unique_ptr<std::function<void()>> own(
                              static_cast<std::function<void()> *>(fn));
                          (*own)();
                      },
                      opaque),
                  0);
    }
    aiox_pool_info Info() const
    {
        aiox_pool_info info;
        aiox_pool_get_info(pool_, &info);
        return info;
    }

  private:
    aiox_context *ctx_ = nullptr;
    aiox_pool *pool_ = nullptr;
};

/* A job and what became of it. */
struct Job {
    explicit Job(std::function<int()> run) : body(std::move(run))
    {
        job.run = &Job::Run;
        job.done = &Job::Done;
        job.opaque = this;
    }
    static int Run(void *self)
    {
        return static_cast<Job *>(self)->body();
    }
    static void Done(void *self, int result)
    {
        auto *job = static_cast<Job *>(self);
        job->result = result;
        job->told++;
        if (job->when_told) {
            job->when_told();
        }
    }

    std::function<int()> body;
    std::function<void()> when_told;
    aiox_pool_job job = {};
    int result = 12345;
    int told = 0;
};
} // namespace pool_testing

#endif /* AIOX_AIO_POOL_TEST_TESTING_H_ */
