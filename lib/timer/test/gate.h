/* SPDX-License-Identifier: MIT */
/* gate.h - holds a callback where another thread can be sure that it is running. */
#ifndef AIOX_LIB_TIMER_TEST_GATE_H_
#define AIOX_LIB_TIMER_TEST_GATE_H_

#include <condition_variable>
#include <mutex>

namespace aiox_test
{
/* A gate at which a callback stands until another thread has seen it there. */
class Gate
{
  public:
    void Stand()
    {
        std::unique_lock<std::mutex> lock(mutex_);
        reached_ = true;
        moved_.notify_all();
        moved_.wait(lock, [this] { return open_; });
    }
    void AwaitReached()
    {
        std::unique_lock<std::mutex> lock(mutex_);
        moved_.wait(lock, [this] { return reached_; });
    }
    void Open()
    {
        std::lock_guard<std::mutex> lock(mutex_);
        open_ = true;
        moved_.notify_all();
    }

  private:
    std::mutex mutex_;
    std::condition_variable moved_;
    bool reached_ = false, open_ = false;
};
} // namespace aiox_test

#endif /* AIOX_LIB_TIMER_TEST_GATE_H_ */
