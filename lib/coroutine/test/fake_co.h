/* SPDX-License-Identifier: MIT */
/*
 * fake_co.h - a thread of a schedule as a coroutine, for the locks.
 *
 * The threads of a schedule share one thread of the system, and with it the
 * running coroutine. So here each is one coroutine with a home of its own: to
 * yield is to wait for an event, to wake is to set it. The locks are the real
 * ones. A second wake of one that has not gone on yet fails the run.
 *
 * A coroutine's clock is struck by another thread, at any time. As in a loop,
 * too_late() is called in the home of who waits, after its yield and before it
 * goes on.
 */
#ifndef AIOX_COROUTINE_TEST_FAKE_CO_H_
#define AIOX_COROUTINE_TEST_FAKE_CO_H_

#include <functional>

#include <gtest/gtest.h>

#include "aiox/co_sync.h"
#include "test/harness/schedule.h"

namespace co_testing
{
class FakeCo
{
  public:
    explicit FakeCo(const char *name);
    ~FakeCo();
    FakeCo(const FakeCo &) = delete;
    FakeCo &operator=(const FakeCo &) = delete;

    /* Runs @body as this coroutine in a thread of @s. It must end without locks. */
    void Live(aiox_test::Schedule &s, std::function<void()> body);
    /* The same when it is woken, by aiox_co_run_until() in another one. */
    void LiveAsCallee(aiox_test::Schedule &s);
    /* Its deadline has come, whichever it is. */
    void Strike();
    /* Puts it into the executor of @other, as far as the locks can see. */
    void ShareHomeWith(const FakeCo &other);

    struct Inside;
    Inside *inside;
};

/* Nobody holds it, nobody waits, nobody is on duty. */
inline void CheckAtRest(aiox_co_mutex *m)
{
    SCHEDULE_CHECK(m->word_.v_ == nullptr);
    SCHEDULE_CHECK(m->duty_.v_ == nullptr);
    SCHEDULE_CHECK(!m->waiting_.head_.next_ || aiox_list_is_empty(&m->waiting_));
}

/*
 * Nothing that was on the stack below @frame, a page at most, is named any more: a wait that is
 * over has taken its record out, for the record goes with the frame of the wait.
 */
inline void CheckNamesNothingBelow(const aiox_co_mutex *m, const void *frame)
{
    auto is_below = [frame](const void *p) {
        auto distance = reinterpret_cast<uintptr_t>(frame) - reinterpret_cast<uintptr_t>(p);
        return distance < 4096;
    };
    const aiox_list_node *head = &m->waiting_.head_;
    SCHEDULE_CHECK(!is_below(m->word_.v_));
    for (auto *node = head->next_; node && node != head; node = node->next_) {
        SCHEDULE_CHECK(!is_below(node));
    }
}

inline void NameAll(aiox_test::Schedule &s, const aiox_co_mutex &m)
{
    s.Name(&m.word_, "word");
    s.Name(&m.duty_, "duty");
    s.Name(&m.holder_, "holder");
    s.Name(&m.executor_, "executor");
}

/* Explores in one of the three modes. */
class SyncSchedule : public ::testing::TestWithParam<aiox_test::Mode>
{
  protected:
    /* @bound is that of kSc; in the other modes a load has a choice, too. */
    aiox_test::ScheduleOptions Bound(int bound) const
    {
        aiox_test::ScheduleOptions options;
        options.mode = GetParam();
        options.bound = options.mode == aiox_test::Mode::kSc ? bound : bound - 1;
        options.old_values = 2;
        options.max_seconds = 4;
        return options;
    }
};
} // namespace co_testing

#endif /* AIOX_COROUTINE_TEST_FAKE_CO_H_ */
