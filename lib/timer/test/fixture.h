/* SPDX-License-Identifier: MIT */
/* fixture.h - a group on a clock that moves when told, and timers that note their firing. */
#ifndef AIOX_LIB_TIMER_TEST_FIXTURE_H_
#define AIOX_LIB_TIMER_TEST_FIXTURE_H_

#include <atomic>
#include <functional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "aiox/timer.h"
#include "test/harness/fake_clock.h"

namespace aiox_test
{
/* A group that counts how often it was told that its next deadline is nearer. */
class Group
{
  public:
    Group()
    {
        aiox_timer_group_init(&group_, &Group::Changed, this);
    }
    ~Group()
    {
        aiox_timer_group_fini(&group_);
    }

    operator aiox_timer_group *()
    {
        return &group_;
    }
    bool Run()
    {
        return aiox_timer_group_run(&group_);
    }
    int64_t Timeout()
    {
        return aiox_timer_group_timeout_ns(&group_);
    }
    int changes() const
    {
        return changes_;
    }

  private:
    static void Changed(void *self)
    {
        static_cast<Group *>(self)->changes_++;
    }

    aiox_timer_group group_;
    std::atomic<int> changes_{0};
};

/* A timer whose callback is a function object. */
class Timer
{
  public:
    Timer(aiox_timer_group *group, std::function<void()> fn,
          aiox_clock clock = AIOX_CLOCK_MONOTONIC, uint32_t scale = AIOX_SCALE_NS,
          uint32_t attributes = 0)
        : fn_(std::move(fn))
    {
        const aiox_timer_options options = {clock, scale, attributes};
        EXPECT_EQ(aiox_timer_init(&timer_, group, &options, &Timer::Fire, this), 0);
    }
    ~Timer()
    {
        aiox_timer_fini(&timer_);
    }
    Timer(const Timer &) = delete;
    Timer &operator=(const Timer &) = delete;

    operator aiox_timer *()
    {
        return &timer_;
    }
    void Arm(int64_t deadline_ns)
    {
        aiox_timer_mod_ns(&timer_, deadline_ns);
    }
    bool Cancel()
    {
        return aiox_timer_cancel(&timer_);
    }
    bool IsPending() const
    {
        return aiox_timer_is_pending(&timer_);
    }

  private:
    static void Fire(void *self)
    {
        static_cast<Timer *>(self)->fn_();
    }

    aiox_timer timer_;
    std::function<void()> fn_;
};

/* The clock stands; its now is the origin of the tests' deadlines. */
class TimerTest : public ::testing::Test
{
  protected:
    /* What a callback does that only notes that it ran. */
    std::function<void()> Note(const std::string &name)
    {
        return [this, name] { log_ += name; };
    }
    int64_t In(int64_t ns) const
    {
        return clock_.Now() + ns;
    }

    FakeClock clock_;
    Group group_;
    std::string log_;
};
} // namespace aiox_test

#endif /* AIOX_LIB_TIMER_TEST_FIXTURE_H_ */
