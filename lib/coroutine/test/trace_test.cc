/* SPDX-License-Identifier: MIT */
/* trace_test.cc - the points of src/trace.h. */
#include "aiox/coroutine.h"

#include <gtest/gtest.h>

#include "test/harness/trace_log.h"

namespace
{
using aiox_test::Number;
using aiox_test::TraceLog;
using aiox_test::TracePoint;
using Points = std::vector<TracePoint>;

void YieldOnce(void *) coroutine_fn
{
    aiox_co_yield();
}

TEST(CoroutineTrace, MadeAndWoken)
{
    static const aiox_co_class kClass = {"traced", 0};
    aiox_co *co;
    TraceLog log("coroutine");

    ASSERT_EQ(aiox_co_create(&co, &kClass, YieldOnce, nullptr), 0);
    EXPECT_EQ(log.Points(), (Points{{"create", Number(co), Number(kClass.name)}}));
    aiox_co_enter(co);
    aiox_co_wake(co);
    EXPECT_EQ(log.Points(), (Points{{"wake", Number(co), 0}}));
}
} // namespace
