/* SPDX-License-Identifier: MIT */
/* users_sched_test.cc - what is torn down is torn down once, after the last use, in every schedule.
 */
#include <gtest/gtest.h>

#include "lib/channel/src/users.h"
#include "test/harness/schedule.h"

namespace
{
using aiox_test::ForEachSchedule;
using aiox_test::Mode;
using aiox_test::Schedule;
using aiox_test::ScheduleOptions;

/* Something that is used inside and torn down at the end. */
struct Thing {
    aiox_atomic_u32 users = AIOX_ATOMIC_INIT(0);
    int torn_down = 0;
    int uses[2] = {};
    aiox_atomic_u32 closers = AIOX_ATOMIC_INIT(0); /* who were told that it was they */

    void Use(int who)
    {
        if (!users_enter_(&users)) {
            return;
        }
        AIOX_PLAIN_READ(&torn_down);
        SCHEDULE_CHECK(torn_down == 0);
        AIOX_PLAIN_WRITE(&uses[who]);
        uses[who]++;
        if (users_leave_(&users)) {
            TearDown();
        }
    }
    void Close()
    {
        users_closed closed = users_close_(&users);
        if (closed != USERS_WERE_CLOSED) {
            aiox_u32_add_relaxed(&closers, 1);
        }
        if (closed == USERS_NONE_INSIDE) {
            TearDown();
        }
    }
    void TearDown()
    {
        AIOX_PLAIN_READ(&uses[0]);
        AIOX_PLAIN_READ(&uses[1]);
        AIOX_PLAIN_WRITE(&torn_down);
        torn_down++;
    }
};

class UsersSchedule : public ::testing::TestWithParam<Mode>
{
  protected:
    ScheduleOptions Bound(int bound) const
    {
        return {bound, GetParam(), 30};
    }
};

TEST_P(UsersSchedule, TheLastOneTearsDownOnce)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(Bound(3), [](Schedule &s) {
        Thing thing;
        s.Name(&thing.users, "users");
        s.Thread("one", [&] {
            thing.Use(0);
            thing.Use(0);
        });
        s.Thread("two", [&] { thing.Use(1); });
        s.Thread("closer", [&] { thing.Close(); });
        s.Run();

        SCHEDULE_CHECK(thing.torn_down == 1);
    }));
}

TEST_P(UsersSchedule, OfTwoWhoCloseOneDoes)
{
    EXPECT_SCHEDULES_PASS(ForEachSchedule(Bound(3), [](Schedule &s) {
        Thing thing;
        s.Thread("user", [&] { thing.Use(0); });
        s.Thread("closer", [&] { thing.Close(); });
        s.Thread("other", [&] { thing.Close(); });
        s.Run();

        SCHEDULE_CHECK(thing.torn_down == 1);
        SCHEDULE_CHECK(aiox_u32_load_relaxed(&thing.closers) == 1);
    }));
}

INSTANTIATE_TEST_SUITE_P(Modes, UsersSchedule, aiox_test::AllModes(), aiox_test::NameOfMode);
} // namespace
