/* SPDX-License-Identifier: MIT */
/* trace_test.cc - the points of src/trace.h, and their price while nobody listens. */
#include "aiox/aio.h"

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "test/harness/scripted_fdmon.h"
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
using aiox_test::Number;
using aiox_test::ScriptedFdmon;
using aiox_test::TraceLog;
using aiox_test::TracePoint;
using Points = std::vector<TracePoint>;

constexpr int kFd = 7;

void Nothing(void *)
{
}

class AioTrace : public ::testing::Test
{
  protected:
    AioTrace()
    {
        aiox_fd_handler h = {};
        h.read = Nothing;
        EXPECT_EQ(aiox_context_new(&ctx_, script_.sources(), nullptr), 0);
        EXPECT_EQ(aiox_set_fd_handler(ctx_, kFd, &h, nullptr), 0);
        EXPECT_FALSE(aiox_poll(ctx_, false)); /* setting the handler has rung */
    }

    ~AioTrace() override
    {
        aiox_context_unref(ctx_);
    }

    /* Turns once; an event comes @after_ns after the wait began. */
    Points TurnWithEventAfter(TraceLog *log, int64_t after_ns)
    {
        script_.on_collect = [this, after_ns](int64_t timeout_ns) {
            if (timeout_ns != 0) {
                script_.Advance(after_ns);
                script_.Ready(kFd, AIOX_FD_READ);
            }
        };
        aiox_poll(ctx_, true);
        return log->Points();
    }

    ScriptedFdmon script_{ScriptedFdmon::kFree};
    aiox_context *ctx_ = nullptr;
};

std::string Events(const Points &points)
{
    std::string words;
    for (auto &point : points) {
        words += (words.empty() ? "" : " ") + point.event;
    }
    return words;
}

TEST_F(AioTrace, ATurnThatSleeps)
{
    TraceLog log("aio");

    Points points = TurnWithEventAfter(&log, 1);

    ASSERT_EQ(Events(points), "poll_enter sleep collected fd poll_leave");
    EXPECT_EQ(points[0], (TracePoint{"poll_enter", Number(ctx_), 1}));
    EXPECT_EQ(points[1], (TracePoint{"sleep", Number(ctx_), UINT64_MAX}));
    EXPECT_EQ(points[2], (TracePoint{"collected", Number(ctx_), 1}));
    EXPECT_EQ(points[3].a, static_cast<uint64_t>(kFd));
    EXPECT_EQ(points[4], (TracePoint{"poll_leave", Number(ctx_), 1}));
}

TEST_F(AioTrace, ATurnThatOnlyLooks)
{
    TraceLog log("aio");

    aiox_poll(ctx_, false);

    EXPECT_EQ(log.Points(), (Points{{"poll_enter", Number(ctx_), 0},
                                    {"collected", Number(ctx_), 0},
                                    {"poll_leave", Number(ctx_), 0}}));
}

TEST_F(AioTrace, WhoeverRings)
{
    TraceLog log("aio");

    aiox_notify(ctx_);

    EXPECT_EQ(log.Points(), (Points{{"notify", Number(ctx_), 0}}));
}

TEST_F(AioTrace, ALoopThatLearnsToLook)
{
    ASSERT_EQ(aiox_context_set_busy_poll(ctx_, 32000, 0, 0), 0);
    script_.tick_ns = 10;
    TraceLog log("aio");

    Points grown = TurnWithEventAfter(&log, 1000);
    Points shrunk = TurnWithEventAfter(&log, 100000);

    auto find = [](const Points &points, const std::string &event) {
        for (auto &point : points) {
            if (point.event == event) {
                return point;
            }
        }
        return TracePoint{};
    };
    EXPECT_EQ(find(grown, "busy_grow").b, 4000u) << Events(grown);
    EXPECT_GE(find(grown, "busy_learn").a, 1000u);
    EXPECT_EQ(find(grown, "busy_learn").b, 4000u);
    EXPECT_EQ(find(shrunk, "busy_spin").a, 4000u) << Events(shrunk);
    EXPECT_EQ(find(shrunk, "busy_spin").b, UINT64_MAX);
    EXPECT_EQ(find(shrunk, "busy_shrink").a, find(grown, "busy_grow").a);
    EXPECT_EQ(find(shrunk, "busy_shrink").b, 0u);
}

TEST_F(AioTrace, ALoopThatRestsAfterLooksInVain)
{
    ASSERT_EQ(aiox_context_set_busy_poll(ctx_, 32000, 0, 0), 0);
    script_.tick_ns = 10;
    TraceLog log("aio");

    std::vector<uint64_t> rests;
    for (int i = 0; i < 4; i++) {
        for (auto &point : TurnWithEventAfter(&log, 5000)) {
            if (point.event == "busy_rest") {
                rests.push_back(point.b);
            }
        }
    }

    EXPECT_EQ(rests, std::vector<uint64_t>{8});
}

TEST_F(AioTrace, TheBackendThatIsChosen)
{
    TraceLog log("aio");

    ASSERT_EQ(aiox_context_setup(ctx_, "spare", nullptr), 0);

    Points points = log.Points("backend");
    ASSERT_EQ(points.size(), 1u);
    EXPECT_EQ(points[0].a, Number(ctx_));
    EXPECT_STREQ(reinterpret_cast<const char *>(points[0].b), "spare");
}

TEST_F(AioTrace, WhileNobodyListensNoTurnCallsAnybody)
{
    ASSERT_EQ(aiox_context_set_busy_poll(ctx_, 32000, 0, 0), 0);
    script_.on_collect = [this](int64_t) { script_.Ready(kFd, AIOX_FD_READ); };
    calls = 0;

    for (int i = 0; i < 100; i++) {
        ASSERT_EQ(aiox_bh_schedule_oneshot(ctx_, "counted", Nothing, nullptr), 0);
        ASSERT_TRUE(aiox_poll(ctx_, true));
    }

    EXPECT_EQ(calls, 0);
    script_.on_collect = nullptr;
}
} // namespace
