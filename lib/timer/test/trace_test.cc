/* SPDX-License-Identifier: MIT */
/* trace_test.cc - the points of src/trace.h. */
#include "aiox/timer.h"

#include <gtest/gtest.h>

#include "test/harness/trace_log.h"

namespace
{
using aiox_test::Number;
using aiox_test::TraceLog;
using aiox_test::TracePoint;
using Points = std::vector<TracePoint>;

void Nothing(void *)
{
}

TEST(TimerTrace, ArmedFiredAndTakenBack)
{
    aiox_timer_group group;
    aiox_timer timer;
    aiox_timer_group_init(&group, nullptr, nullptr);
    ASSERT_EQ(aiox_timer_init_ns(&timer, &group, AIOX_CLOCK_MONOTONIC, Nothing, nullptr), 0);
    TraceLog log("timer");

    aiox_timer_mod_ns(&timer, 5);
    EXPECT_EQ(log.Points(), (Points{{"arm", Number(&timer), 5}}));
    EXPECT_TRUE(aiox_timer_group_run(&group));
    EXPECT_EQ(log.Points(), (Points{{"fire", Number(&timer), 5}}));
    EXPECT_FALSE(aiox_timer_cancel(&timer));
    EXPECT_EQ(log.Points(), (Points{{"cancel", Number(&timer), 0}}));
    aiox_timer_mod_earlier_ns(&timer, 9);
    EXPECT_TRUE(aiox_timer_cancel(&timer));
    EXPECT_EQ(log.Points(), (Points{{"arm", Number(&timer), 9}, {"cancel", Number(&timer), 1}}));

    aiox_timer_fini(&timer);
    aiox_timer_group_fini(&group);
}
} // namespace
