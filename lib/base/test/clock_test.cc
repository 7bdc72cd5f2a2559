/* SPDX-License-Identifier: MIT */
#include "aiox/clock.h"

#include <gtest/gtest.h>
#include <time.h>

namespace
{

int64_t Read(clockid_t id)
{
    timespec now = {};

    clock_gettime(id, &now);
    return now.tv_sec * AIOX_NS_PER_S + now.tv_nsec;
}

struct Hands {
    int64_t now_ns;
    int64_t wall_ns;
};

int64_t NowOf(void *hands)
{
    return static_cast<Hands *>(hands)->now_ns;
}

int64_t WallOf(void *hands)
{
    return static_cast<Hands *>(hands)->wall_ns;
}

TEST(Clock, NowIsTheMonotonicClock)
{
    int64_t before = Read(CLOCK_MONOTONIC);
    int64_t now = aiox_clock_now_ns();
    int64_t after = Read(CLOCK_MONOTONIC);

    EXPECT_LE(before, now);
    EXPECT_LE(now, after);
}

TEST(Clock, WallCountsFrom1970)
{
    int64_t year_2020_ns = 1577836800 * AIOX_NS_PER_S;

    EXPECT_GT(aiox_clock_wall_ns(), year_2020_ns);
}

TEST(Clock, ASourceReplacesBothClocksUntilItIsTakenAway)
{
    Hands hands = {5, 7};
    aiox_clock_source source = {&NowOf, &WallOf, &hands};

    aiox_clock_set_source(&source);
    EXPECT_EQ(aiox_clock_now_ns(), 5);
    EXPECT_EQ(aiox_clock_wall_ns(), 7);
    hands.now_ns = 6;
    EXPECT_EQ(aiox_clock_now_ns(), 6);

    aiox_clock_set_source(nullptr);
    EXPECT_GE(aiox_clock_now_ns(), 1);
    EXPECT_NE(aiox_clock_wall_ns(), 7);
}

} // namespace
