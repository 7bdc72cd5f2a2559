/* SPDX-License-Identifier: MIT */
/* trace_test.cc - the points of src/trace.h. */
#include "aiox/aio_co.h"

#include <gtest/gtest.h>

#include "aiox/aiox.h"

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

void MoveTo(void *ctx) coroutine_fn
{
    aiox_co_move_self(static_cast<aiox_context *>(ctx));
}

class AioCoTrace : public ::testing::Test
{
  protected:
    AioCoTrace()
    {
        for (auto &ctx : ctx_) {
            EXPECT_EQ(aiox_new(&ctx, nullptr), 0);
            EXPECT_EQ(aiox_co_attach(ctx), 0);
            aiox_poll(ctx, false); /* this thread is its home */
        }
    }

    ~AioCoTrace() override
    {
        for (auto *ctx : ctx_) {
            while (aiox_poll(ctx, false)) {
            }
            aiox_context_unref(ctx);
        }
    }

    aiox_context *ctx_[2];
};

TEST_F(AioCoTrace, WhoIsSentWhere)
{
    aiox_co *co;
    ASSERT_EQ(aiox_co_create(&co, nullptr, Nothing, nullptr), 0);
    TraceLog log("aio_co");

    aiox_co_schedule(ctx_[0], co);

    EXPECT_EQ(log.Points(), (Points{{"send", Number(co), Number(ctx_[0])}}));
    EXPECT_TRUE(aiox_poll(ctx_[0], false));
}

TEST_F(AioCoTrace, WhoMovesWhere)
{
    aiox_co *co;
    ASSERT_EQ(aiox_co_create(&co, nullptr, MoveTo, ctx_[1]), 0);
    TraceLog log("aio_co");

    aiox_co_enter_in(ctx_[0], co);
    while (aiox_poll(ctx_[0], false)) {
    }

    EXPECT_EQ(log.Points(), (Points{{"move", Number(co), Number(ctx_[1])},
                                    {"send", Number(co), Number(ctx_[1])}}));
}
} // namespace
