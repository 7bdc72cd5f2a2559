/* SPDX-License-Identifier: MIT */
#include <gtest/gtest.h>

extern "C" {
#include "lib/aio/src/notify.h"
}

namespace
{

TEST(Notify, AnAwakeLoopNeedsNoBell)
{
    notify n = {};

    EXPECT_FALSE(notify_ring_(&n));
    EXPECT_TRUE(notify_is_rung_(&n));
}

TEST(Notify, TheFirstAskerOfASleepingLoopSetsTheBell)
{
    notify n = {};
    EXPECT_FALSE(notify_arm_(&n));

    EXPECT_TRUE(notify_ring_(&n));
    EXPECT_FALSE(notify_ring_(&n));
}

TEST(Notify, ARingBeforeTheAnnouncementKeepsTheLoopAwake)
{
    notify n = {};
    notify_ring_(&n);

    EXPECT_TRUE(notify_arm_(&n));
}

TEST(Notify, AcceptedRingsAreForgotten)
{
    notify n = {};
    notify_ring_(&n);

    notify_accept_(&n);

    EXPECT_FALSE(notify_is_rung_(&n));
    EXPECT_FALSE(notify_arm_(&n));
}

TEST(Notify, AfterTheLoopWokeAnAskerNeedsNoBell)
{
    notify n = {};
    EXPECT_FALSE(notify_arm_(&n));

    notify_accept_(&n);

    EXPECT_FALSE(notify_ring_(&n));
}

} // namespace
