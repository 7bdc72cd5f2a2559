/* SPDX-License-Identifier: MIT */
/*
 * fake_clock.h - time that moves when told.
 *
 * While one of these lives, aiox_clock_now_ns() and aiox_clock_wall_ns() read
 * what it says. Any thread may move it and read it. Waits in the kernel still
 * take real time.
 */
#ifndef AIOX_TEST_HARNESS_FAKE_CLOCK_H_
#define AIOX_TEST_HARNESS_FAKE_CLOCK_H_

#include <atomic>
#include <cstdint>

#include "aiox/clock.h"

namespace aiox_test
{
constexpr int64_t Us(int64_t n)
{
    return n * AIOX_NS_PER_US;
}
constexpr int64_t Ms(int64_t n)
{
    return n * AIOX_NS_PER_MS;
}
constexpr int64_t Seconds(int64_t n)
{
    return n * AIOX_NS_PER_S;
}

/* At most one lives at a time: it is the process's clock. */
class FakeClock
{
  public:
    /* The wall clock begins in 2026. */
    explicit FakeClock(int64_t now_ns = Seconds(1000), int64_t wall_ns = Seconds(1767225600));
    ~FakeClock();
    FakeClock(const FakeClock &) = delete;
    FakeClock &operator=(const FakeClock &) = delete;

    /* What the monotonic and the wall clock read. */
    int64_t Now() const;
    int64_t Wall() const;

    /* Both clocks go on by @ns; a negative number is a monotonic clock that goes wrong. */
    void Advance(int64_t ns);

    /* Somebody sets the time of day: the wall clock alone jumps by @ns. */
    void Jump(int64_t ns);

  private:
    static int64_t ReadNow(void *self);
    static int64_t ReadWall(void *self);

    std::atomic<int64_t> now_ns_;
    std::atomic<int64_t> wall_ns_;
    const aiox_clock_source source_;
};
} // namespace aiox_test

#endif /* AIOX_TEST_HARNESS_FAKE_CLOCK_H_ */
