/* SPDX-License-Identifier: MIT */
/* trace_test.cc - the points of src/trace.h. */
#include "aiox/bh.h"

#include <gtest/gtest.h>

#include "test/harness/trace_log.h"

namespace
{
using aiox_test::Number;
using aiox_test::TraceLog;
using aiox_test::TracePoint;

void Nothing(void *)
{
}

void TurnInside(void *queue)
{
    aiox_bh_queue_run(static_cast<aiox_bh_queue *>(queue));
}

using Points = std::vector<TracePoint>;

TEST(BhTrace, ItsRunAndItsEnd)
{
    static const char kName[] = "traced";
    aiox_bh_queue queue;
    aiox_bh *bh;
    aiox_bh_queue_init(&queue, nullptr, nullptr);
    ASSERT_EQ(aiox_bh_new(&bh, &queue, kName, Nothing, nullptr), 0);
    TraceLog log("bh");

    aiox_bh_schedule(bh);
    aiox_bh_queue_run(&queue);
    EXPECT_EQ(log.Points(), (Points{{"run", Number(bh), Number(kName)}}));
    aiox_bh_free(bh);
    aiox_bh_queue_fini(&queue);
    EXPECT_EQ(log.Points(), (Points{{"gone", Number(bh), Number(kName)}}));
}

TEST(BhTrace, OneThatHasToWaitForItsGuard)
{
    static const char kName[] = "second";
    aiox_bh_queue queue;
    aiox_bh_guard guard = {};
    aiox_bh *first, *second;
    aiox_bh_queue_init(&queue, nullptr, nullptr);
    ASSERT_EQ(aiox_bh_new(&first, &queue, "first", TurnInside, &queue), 0);
    ASSERT_EQ(aiox_bh_new(&second, &queue, kName, Nothing, nullptr), 0);
    aiox_bh_set_guard(first, &guard);
    aiox_bh_set_guard(second, &guard);
    aiox_bh_schedule(first);
    aiox_bh_schedule(second);
    TraceLog log("bh");

    aiox_bh_queue_run(&queue);

    EXPECT_EQ(log.Points("put_off"), (Points{{"put_off", Number(second), Number(kName)}}));
    aiox_bh_free(first);
    aiox_bh_free(second);
    aiox_bh_queue_run(&queue);
    aiox_bh_queue_fini(&queue);
}
} // namespace
