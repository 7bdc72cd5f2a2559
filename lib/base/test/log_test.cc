/* SPDX-License-Identifier: MIT */
#include "aiox/log.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "aiox/assert.h"
#include "aiox/trace.h"

namespace
{

struct Line {
    aiox_log_level level;
    std::string text;
    bool operator==(const Line &other) const
    {
        return level == other.level && text == other.text;
    }
};

class LogTest : public ::testing::Test
{
  protected:
    ~LogTest() override
    {
        aiox_log_set_hook(nullptr, nullptr, AIOX_LOG_DEBUG);
        aiox_trace_set_hook(nullptr, nullptr);
    }

    static void Take(void *self, aiox_log_level level, const char *line)
    {
        static_cast<LogTest *>(self)->lines_.push_back({level, line});
    }

    static void TakeTrace(void *self, const char *room, const char *event, uint64_t a, uint64_t b)
    {
        static_cast<LogTest *>(self)->lines_.push_back(
            {AIOX_LOG_DEBUG,
             std::string(room) + "." + event + " " + std::to_string(a) + " " + std::to_string(b)});
    }

    std::vector<Line> lines_;
};

TEST_F(LogTest, WithoutAHookNothingHappens)
{
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();

    aiox_log(AIOX_LOG_ERROR, "lost");
    AIOX_TRACE(room, event, 1, 2);

    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

TEST_F(LogTest, LinesAreFormattedAndHandedOver)
{
    aiox_log_set_hook(&LogTest::Take, this, AIOX_LOG_DEBUG);

    aiox_log(AIOX_LOG_WARN, "%d of %s", 3, "four");

    EXPECT_EQ(lines_, (std::vector<Line>{{AIOX_LOG_WARN, "3 of four"}}));
}

TEST_F(LogTest, WhetherALineWouldBeHeardIsKnownBefore)
{
    EXPECT_FALSE(aiox_log_is_heard(AIOX_LOG_ERROR));

    aiox_log_set_hook(&LogTest::Take, this, AIOX_LOG_INFO);

    EXPECT_TRUE(aiox_log_is_heard(AIOX_LOG_ERROR));
    EXPECT_TRUE(aiox_log_is_heard(AIOX_LOG_INFO));
    EXPECT_FALSE(aiox_log_is_heard(AIOX_LOG_DEBUG));
}

TEST_F(LogTest, LevelsBeyondTheWishedOneAreNotSent)
{
    aiox_log_set_hook(&LogTest::Take, this, AIOX_LOG_WARN);

    aiox_log(AIOX_LOG_ERROR, "error");
    aiox_log(AIOX_LOG_WARN, "warning");
    aiox_log(AIOX_LOG_INFO, "information");

    EXPECT_EQ(lines_, (std::vector<Line>{{AIOX_LOG_ERROR, "error"}, {AIOX_LOG_WARN, "warning"}}));
}

TEST_F(LogTest, ALongLineIsCut)
{
    std::string text(2000, 'x');
    aiox_log_set_hook(&LogTest::Take, this, AIOX_LOG_DEBUG);

    aiox_log(AIOX_LOG_INFO, "%s", text.c_str());

    ASSERT_EQ(lines_.size(), 1u);
    EXPECT_EQ(lines_[0].text, std::string(499, 'x'));
}

TEST_F(LogTest, ATracePointNamesItsRoomAndValues)
{
    aiox_trace_set_hook(&LogTest::TakeTrace, this);

    AIOX_TRACE(bh, run, 1, 2);

    EXPECT_EQ(lines_, (std::vector<Line>{{AIOX_LOG_DEBUG, "bh.run 1 2"}}));
}

TEST_F(LogTest, AHookThatWasTakenAwayHearsNothing)
{
    aiox_log_set_hook(&LogTest::Take, this, AIOX_LOG_DEBUG);
    aiox_trace_set_hook(&LogTest::TakeTrace, this);
    aiox_log_set_hook(nullptr, nullptr, AIOX_LOG_DEBUG);
    aiox_trace_set_hook(nullptr, nullptr);

    aiox_log(AIOX_LOG_ERROR, "lost");
    AIOX_TRACE(bh, run, 1, 2);

    EXPECT_TRUE(lines_.empty());
}

void SayOnStderr(void *, aiox_log_level, const char *line)
{
    fprintf(stderr, "hook: %s\n", line);
}

TEST(AssertDeathTest, NamesPlaceAndCondition)
{
    int two = 2;

    aiox_assert(two == 2);
    EXPECT_DEATH(aiox_assert(two == 3), "log_test.cc:.*: the condition 'two == 3' does not hold");
}

TEST(AssertDeathTest, APanicIsHeardOnStderrAndByTheHook)
{
    aiox_log_set_hook(&SayOnStderr, nullptr, AIOX_LOG_ERROR);

    EXPECT_DEATH(aiox_panic("%d is too many", 7), "7 is too many\nhook: .*7 is too many");

    aiox_log_set_hook(nullptr, nullptr, AIOX_LOG_ERROR);
}

TEST(Assert, TheConditionIsLookedAtOnce)
{
    int looks = 0;

    aiox_assert(++looks);

    EXPECT_EQ(looks, 1);
}

TEST(Assert, TheCostlyKindIsOffByDefault)
{
    int looks = 0;

    aiox_debug_assert(++looks);

    EXPECT_EQ(looks, 0);
}

} // namespace
