/* SPDX-License-Identifier: MIT */
/* trace_test.cc - what a point costs and says. */
#include "aiox/trace.h"

#include <gtest/gtest.h>

#include <cstring>

#include "aiox/assert.h"

#include "test/harness/trace_log.h"

namespace
{
int calls;
}

extern "C" {
/* The linker brings every call of aiox_trace_() here. */
void __real_aiox_trace_(const char *room, const char *event, uint64_t a, uint64_t b);
void __wrap_aiox_trace_(const char *room, const char *event, uint64_t a, uint64_t b)
{
    calls++;
    __real_aiox_trace_(room, event, a, b);
}
}

namespace
{
using aiox_test::TraceLog;
using aiox_test::TracePoint;

TEST(Trace, WithoutAHookNobodyIsCalled)
{
    calls = 0;

    for (int i = 0; i < 100; i++) {
        AIOX_TRACE(room, event, i, 0);
    }

    EXPECT_EQ(calls, 0);
}

TEST(Trace, AHookHearsRoomEventAndBothNumbers)
{
    TraceLog log("room");
    calls = 0;

    AIOX_TRACE(room, event, 1, -2);
    AIOX_TRACE(elsewhere, event, 3, 4);

    EXPECT_EQ(log.Points(), (std::vector<TracePoint>{{"event", 1, static_cast<uint64_t>(-2)}}));
    EXPECT_EQ(calls, 2);
}

TEST(Trace, AHookThatIsTakenAwayHearsNothing)
{
    {
        TraceLog log("room");
    }
    calls = 0;

    AIOX_TRACE(room, event, 1, 2);

    EXPECT_EQ(calls, 0);
}

void SayTheWords(void *, const char *room, const char *event, uint64_t a, uint64_t)
{
    if (!strcmp(room, "base") && !strcmp(event, "panic")) {
        fprintf(stderr, "heard: %s\n", reinterpret_cast<const char *>(a));
    }
}

TEST(TraceDeathTest, APanicIsAPoint)
{
    aiox_trace_set_hook(SayTheWords, nullptr);

    EXPECT_DEATH(aiox_panic("it is %d", 7), "heard: it is 7");

    aiox_trace_set_hook(nullptr, nullptr);
}
} // namespace
