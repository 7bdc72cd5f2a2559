/* SPDX-License-Identifier: MIT */
/* worker.h - a thread as an executor, and a count of those who have ended. */
#ifndef AIOX_COROUTINE_TEST_WORKER_H_
#define AIOX_COROUTINE_TEST_WORKER_H_

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "lib/coroutine/test/testing.h"

namespace co_testing
{
/* Runs what it is asked for in its own thread, in order, until it is told to end. */
class Worker : public aiox_executor
{
  public:
    Worker() : thread_([this] { Run(); })
    {
        schedule = [](aiox_executor *ex, aiox_co *co) { static_cast<Worker *>(ex)->Add(co); };
    }
    ~Worker()
    {
        Add(nullptr);
        thread_.join();
    }
    void Add(aiox_co *co)
    {
        std::lock_guard<std::mutex> guard(lock_);
        if (co) {
            aiox_co_mark(co, kName);
        }
        asked_.push_back(co);
        some_.notify_one();
    }

  private:
    static constexpr const char *kName = "a worker";

    aiox_co *Next()
    {
        std::unique_lock<std::mutex> guard(lock_);
        some_.wait(guard, [this] { return !asked_.empty(); });
        aiox_co *co = asked_.front();
        asked_.pop_front();
        if (co) {
            EXPECT_TRUE(aiox_co_unmark(co, kName));
        }
        return co;
    }
    void Run()
    {
        while (aiox_co *co = Next()) {
            aiox_co_enter_on(this, co);
        }
    }

    std::mutex lock_;
    std::condition_variable some_;
    std::deque<aiox_co *> asked_;
    std::thread thread_;
};

/* Ends at the count of its makers. */
class Countdown
{
  public:
    explicit Countdown(int n) : left_(n)
    {
    }
    void Down()
    {
        std::lock_guard<std::mutex> guard(lock_);
        if (--left_ == 0) {
            zero_.notify_all();
        }
    }
    void Wait()
    {
        std::unique_lock<std::mutex> guard(lock_);
        zero_.wait(guard, [this] { return left_ == 0; });
    }

  private:
    std::mutex lock_;
    std::condition_variable zero_;
    int left_;
};

} // namespace co_testing

#endif /* AIOX_COROUTINE_TEST_WORKER_H_ */
