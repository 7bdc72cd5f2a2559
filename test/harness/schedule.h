/* SPDX-License-Identifier: MIT */
/*
 * schedule.h - runs a test under every schedule of its threads.
 *
 * The code under test is compiled with AIOX_SCHEDULED=1 (aiox_schedule_test()
 * does that), so each atomic access is a call to here, where the next thread
 * and the value seen are decided. The threads are coroutines of one thread, a
 * run takes microseconds, and the search goes depth-first through all
 * decisions, first without preemptions, then with one, up to Options::bound.
 *
 *   TEST(MessageSchedule, IsSeen) {
 *     EXPECT_SCHEDULES_PASS(ForEachSchedule({.bound = 3, .mode = Mode::kC11}, [](Schedule &s) {
 *       struct message m = {};
 *       s.Thread("writer", [&] { m.text = 1; aiox_u32_store_release(&m.ready, 1); });
 *       s.Thread("reader", [&] {
 *         if (aiox_u32_load_acquire(&m.ready)) { SCHEDULE_CHECK(m.text == 1); }
 *       });
 *       s.Run();
 *       // all threads have ended; look at what is left
 *     }));
 *   }
 *
 * The body is called once per run and must do the same each time. It makes
 * the state, says who runs, calls Run(), checks, and frees. A run fails by
 * SCHEDULE_CHECK, by a googletest failure, by a race on data that is marked
 * with AIOX_PLAIN_READ / WRITE, by use of memory after free(), when nobody can
 * go on (a lost wake-up), or when it does not end. The result then has a
 * trace, and a line that repeats that one run:
 *
 *   AIOX_SCHEDULE_REPLAY='c11:2:0.1.1' bazel-bin/.../x_sched_test --gtest_filter=...
 *
 * AIOX_SCHEDULE_MORE=n adds n to each bound and takes n hours at most.
 *
 * pthread mutexes and pthread_self() work inside a run; else what blocks does not. What
 * memory_model.h says about its limits holds.
 */
#ifndef AIOX_TEST_HARNESS_SCHEDULE_H_
#define AIOX_TEST_HARNESS_SCHEDULE_H_

#include <climits>
#include <cstdint>
#include <functional>
#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include "test/harness/memory_model.h"

namespace aiox_test
{
struct ScheduleOptions {
    int bound = 3;            /* preemptions in one run, at most */
    Mode mode = Mode::kC11;   /* see memory_model.h */
    double max_seconds = 20;  /* then the search is cut short: complete is false */
    int spurious_wakes = 0;   /* of futex waits, in one run */
    int old_values = INT_MAX; /* kC11: seen in one run, at most; see MemoryModel::Reset() */
};

struct ScheduleResult {
    uint64_t runs = 0;
    uint64_t steps = 0;
    bool complete = false; /* every schedule up to the bound was run */
    double seconds = 0;
    std::string failure; /* empty if every run passed */
    std::string replay;
    std::string trace; /* of the run that failed */
};

std::ostream &operator<<(std::ostream &out, const ScheduleResult &result);

/* A descriptor that wakes: what was done before Set() is visible after Wait(). */
class Event
{
  public:
    /* Never blocks. */
    void Set();
    /* Blocks until it is set, and clears it. */
    void Wait();
    bool is_set() const
    {
        return set_;
    }

  private:
    bool set_ = false;
    Sync sync_;
};

class Schedule
{
  public:
    /* One more thread; it has to end. At most kMaxThreads. */
    void Thread(const char *name, std::function<void()> fn);
    /* One that may be left blocked when all others have ended. */
    void Daemon(const char *name, std::function<void()> fn);
    /* What the trace calls the variable at @where. */
    void Name(const void *where, const char *name);
    /* Runs the threads until nobody can go on. Does not return if the run failed. */
    void Run();
};

/* The calling thread of a run goes on when @ready is true; it looks at newest values. */
void WaitUntil(std::function<bool()> ready);

/* Ends the run as failed. */
void FailSchedule(const std::string &why);

ScheduleResult ForEachSchedule(const ScheduleOptions &options,
                               const std::function<void(Schedule &)> &body);

/* INSTANTIATE_TEST_SUITE_P(Modes, Suite, AllModes(), NameOfMode) */
inline auto AllModes()
{
    return ::testing::Values(Mode::kSc, Mode::kPso, Mode::kC11);
}
std::string NameOfMode(const ::testing::TestParamInfo<Mode> &mode);

#define SCHEDULE_CHECK(condition)                                                                  \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            ::aiox_test::FailSchedule(std::string(__FILE__ ":") + std::to_string(__LINE__) +       \
                                      ": '" #condition "' does not hold");                         \
        }                                                                                          \
    } while (0)

/* No run failed. */
#define EXPECT_SCHEDULES_PASS(...)                                                                 \
    do {                                                                                           \
        ::aiox_test::ScheduleResult result_ = __VA_ARGS__;                                         \
        EXPECT_TRUE(result_.failure.empty()) << result_;                                           \
    } while (0)

/* No run failed, and there are no more. */
#define EXPECT_ALL_SCHEDULES_PASS(...)                                                             \
    do {                                                                                           \
        ::aiox_test::ScheduleResult result_ = __VA_ARGS__;                                         \
        EXPECT_TRUE(result_.failure.empty() && result_.complete) << result_;                       \
    } while (0)

/* Some run failed, for a reason that has @text in it. For a test of a test. */
#define EXPECT_SCHEDULES_FAIL(text, ...)                                                           \
    do {                                                                                           \
        ::aiox_test::ScheduleResult result_ = __VA_ARGS__;                                         \
        EXPECT_FALSE(result_.failure.empty()) << "no run failed\n" << result_;                     \
        EXPECT_NE(result_.failure.find(text), std::string::npos) << result_;                       \
    } while (0)
} // namespace aiox_test

#endif // AIOX_TEST_HARNESS_SCHEDULE_H_
