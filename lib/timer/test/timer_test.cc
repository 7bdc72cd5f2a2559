/* SPDX-License-Identifier: MIT */
/* timer_test.cc - what arming, cancelling and finishing one timer promises. */
#include <cstring>
#include <memory>
#include <vector>

#include "aiox/log.h"
#include "aiox/trace.h"
#include "lib/timer/test/fixture.h"

namespace aiox_test
{
TEST_F(TimerTest, FiresOnceAtItsTimeAndNeverEarly)
{
    Timer a(group_, Note("a"));
    a.Arm(In(10));

    clock_.Advance(9);
    bool early = group_.Run();
    clock_.Advance(1);
    bool in_time = group_.Run();
    bool again = group_.Run();

    EXPECT_FALSE(early);
    EXPECT_TRUE(in_time);
    EXPECT_FALSE(again);
    EXPECT_EQ(log_, "a");
}

TEST_F(TimerTest, NothingFiresOutsideOfARun)
{
    Timer a(group_, Note("a"));

    a.Arm(0);
    clock_.Advance(Seconds(10));
    group_.Timeout();

    EXPECT_EQ(log_, "");
    EXPECT_TRUE(a.IsPending());
}

TEST_F(TimerTest, FiresInTheOrderOfDeadlinesAndOfArmingWhereTheyAreEqual)
{
    Timer t0(group_, Note("0")), t1(group_, Note("1"));
    Timer t2(group_, Note("2")), t3(group_, Note("3"));
    t2.Arm(In(5));
    t0.Arm(In(5));
    t3.Arm(In(5));
    t1.Arm(In(4));

    clock_.Advance(5);
    group_.Run();

    EXPECT_EQ(log_, "1203");
}

TEST_F(TimerTest, ArmedAnewForTheSameTimeGoesBehindItsEquals)
{
    Timer a(group_, Note("a")), b(group_, Note("b")), c(group_, Note("c"));
    a.Arm(In(5));
    b.Arm(In(5));
    c.Arm(In(5));

    a.Arm(In(5));
    clock_.Advance(5);
    group_.Run();

    EXPECT_EQ(log_, "bca");
}

TEST_F(TimerTest, ManyEqualDeadlinesFireInTheOrderOfArming)
{
    std::vector<std::unique_ptr<Timer>> timers;
    std::vector<int> fired, expected;
    for (int i = 0; i < 1000; i++) {
        timers.push_back(std::make_unique<Timer>(group_, [&fired, i] { fired.push_back(i); }));
    }

    for (int i = 0; i < 1000; i++) {
        int id = i * 7 % 1000;
        timers[id]->Arm(In(3));
        expected.push_back(id);
    }
    clock_.Advance(3);
    group_.Run();

    EXPECT_EQ(fired, expected);
}

TEST_F(TimerTest, NegativeDeadlineIsZeroPendingAndFires)
{
    Timer a(group_, Note("a"));

    a.Arm(-5);

    EXPECT_TRUE(a.IsPending());
    EXPECT_EQ(aiox_timer_expire_time_ns(a), 0);
    EXPECT_EQ(group_.Timeout(), 0);
    EXPECT_TRUE(group_.Run());
    EXPECT_EQ(log_, "a");
}

TEST_F(TimerTest, LowestAndHighestDeadlineNeitherOverflowNorMix)
{
    Timer lowest(group_, Note("l")), highest(group_, Note("h"));
    lowest.Arm(INT64_MIN);
    highest.Arm(INT64_MAX);

    group_.Run();

    EXPECT_EQ(log_, "l");
    EXPECT_TRUE(highest.IsPending());
    EXPECT_EQ(aiox_timer_expire_time_ns(highest), INT64_MAX);
    EXPECT_EQ(group_.Timeout(), -1);
}

TEST_F(TimerTest, DeadlineOneBeforeNeverIsWaitedFor)
{
    Timer a(group_, Note("a"));

    a.Arm(INT64_MAX - 1);

    EXPECT_EQ(group_.Timeout(), INT64_MAX - 1 - clock_.Now());
}

TEST_F(TimerTest, CancelledDoesNotRunAndSaysWhetherItWasPending)
{
    Timer a(group_, Note("a"));
    a.Arm(In(1));

    bool first = a.Cancel();
    bool second = a.Cancel();
    clock_.Advance(1);

    EXPECT_TRUE(first);
    EXPECT_FALSE(second);
    EXPECT_FALSE(group_.Run());
    EXPECT_EQ(log_, "");
}

TEST_F(TimerTest, CancelledTimerMayBeArmedAgain)
{
    Timer a(group_, Note("a"));
    a.Arm(In(1));
    a.Cancel();

    a.Arm(In(2));
    clock_.Advance(2);
    group_.Run();

    EXPECT_EQ(log_, "a");
}

TEST_F(TimerTest, IsPendingUntilItsCallbackBegins)
{
    bool inside = true;
    Timer *self;
    Timer a(group_, [&] { inside = self->IsPending(); });
    self = &a;

    bool before = a.IsPending();
    a.Arm(In(1));
    bool armed = a.IsPending();
    clock_.Advance(1);
    bool due = a.IsPending();
    group_.Run();

    EXPECT_FALSE(before);
    EXPECT_TRUE(armed);
    EXPECT_TRUE(due);
    EXPECT_FALSE(inside);
    EXPECT_FALSE(a.IsPending());
}

TEST_F(TimerTest, TellsItsDeadlineAndWhetherItIsExpired)
{
    Timer a(group_, Note("a"));

    int64_t unarmed = aiox_timer_expire_time_ns(a);
    a.Arm(500);

    EXPECT_EQ(unarmed, -1);
    EXPECT_EQ(aiox_timer_expire_time_ns(a), 500);
    EXPECT_FALSE(aiox_timer_is_expired(a, 499));
    EXPECT_TRUE(aiox_timer_is_expired(a, 500));
    a.Cancel();
    EXPECT_FALSE(aiox_timer_is_expired(a, 500));
    EXPECT_EQ(aiox_timer_expire_time_ns(a), -1);
}

TEST_F(TimerTest, ModCountsInUnitsOfTheScale)
{
    Timer us(group_, Note("u"), AIOX_CLOCK_MONOTONIC, AIOX_SCALE_US);
    Timer ms(group_, Note("m"), AIOX_CLOCK_MONOTONIC, AIOX_SCALE_MS);
    Timer s(group_, Note("s"), AIOX_CLOCK_MONOTONIC, AIOX_SCALE_S);

    aiox_timer_mod(us, 3);
    aiox_timer_mod(ms, 4);
    aiox_timer_mod(s, 5);

    EXPECT_EQ(aiox_timer_expire_time_ns(us), Us(3));
    EXPECT_EQ(aiox_timer_expire_time_ns(ms), Ms(4));
    EXPECT_EQ(aiox_timer_expire_time_ns(s), Seconds(5));
}

TEST_F(TimerTest, ModBeyondTheRangeOfNsIsNeverOrAtOnce)
{
    Timer a(group_, Note("a"), AIOX_CLOCK_MONOTONIC, AIOX_SCALE_MS);

    aiox_timer_mod(a, INT64_MAX / 1000);
    int64_t far = aiox_timer_expire_time_ns(a);
    aiox_timer_mod(a, INT64_MIN / 1000);
    int64_t past = aiox_timer_expire_time_ns(a);

    EXPECT_EQ(far, INT64_MAX);
    EXPECT_EQ(past, 0);
}

TEST_F(TimerTest, ModEarlierOnlyEverMakesItEarlier)
{
    Timer a(group_, Note("a"));

    aiox_timer_mod_earlier_ns(a, 100);
    int64_t first = aiox_timer_expire_time_ns(a);
    aiox_timer_mod_earlier_ns(a, 200);
    int64_t later = aiox_timer_expire_time_ns(a);
    aiox_timer_mod_earlier_ns(a, 50);
    int64_t earlier = aiox_timer_expire_time_ns(a);
    aiox_timer_mod_earlier_ns(a, -1);

    EXPECT_EQ(first, 100);
    EXPECT_EQ(later, 100);
    EXPECT_EQ(earlier, 50);
    EXPECT_EQ(aiox_timer_expire_time_ns(a), 0);
}

TEST_F(TimerTest, TimeoutIsTheWayToTheNextDeadline)
{
    Timer a(group_, Note("a")), b(group_, Note("b"));

    int64_t idle = group_.Timeout();
    a.Arm(In(100));
    int64_t one = group_.Timeout();
    b.Arm(In(30));
    int64_t two = group_.Timeout();
    clock_.Advance(40);
    int64_t due = group_.Timeout();
    group_.Run();

    EXPECT_EQ(idle, -1);
    EXPECT_EQ(one, 100);
    EXPECT_EQ(two, 30);
    EXPECT_EQ(due, 0);
    EXPECT_EQ(group_.Timeout(), 60);
}

TEST_F(TimerTest, TimeoutGoesBackUpWhenTheNextIsCancelledOrPutOff)
{
    Timer a(group_, Note("a")), b(group_, Note("b"));
    a.Arm(In(10));
    b.Arm(In(50));

    a.Arm(In(70));
    int64_t put_off = group_.Timeout();
    b.Cancel();
    int64_t cancelled = group_.Timeout();
    a.Cancel();

    EXPECT_EQ(put_off, 50);
    EXPECT_EQ(cancelled, 70);
    EXPECT_EQ(group_.Timeout(), -1);
}

TEST_F(TimerTest, OwnerIsToldOfEachNearerDeadlineAndOfNothingElse)
{
    Timer a(group_, Note("a")), b(group_, Note("b"));

    a.Arm(In(100));
    EXPECT_EQ(group_.changes(), 1);
    b.Arm(In(200));
    b.Arm(In(100));
    EXPECT_EQ(group_.changes(), 1);
    b.Arm(In(99));
    EXPECT_EQ(group_.changes(), 2);
    aiox_timer_mod_earlier_ns(a, In(98));
    EXPECT_EQ(group_.changes(), 3);
    a.Cancel();
    b.Arm(In(300));
    EXPECT_EQ(group_.changes(), 3);
}

TEST_F(TimerTest, FinishedTimerDoesNotRunAndIsAllZero)
{
    aiox_timer timer, zero = {};
    ASSERT_EQ(aiox_timer_init_ns(
                  &timer, group_, AIOX_CLOCK_MONOTONIC, [](void *) { FAIL(); }, nullptr),
              0);
    aiox_timer_mod_ns(&timer, 0);

    aiox_timer_fini(&timer);

    EXPECT_FALSE(group_.Run());
    EXPECT_EQ(memcmp(&timer, &zero, sizeof(zero)), 0);
}

TEST_F(TimerTest, AllZeroTimerIsNotPendingAndMayBeCancelledAndFinished)
{
    aiox_timer zero = {};

    EXPECT_FALSE(aiox_timer_is_pending(&zero));
    EXPECT_EQ(aiox_timer_expire_time_ns(&zero), -1);
    EXPECT_FALSE(aiox_timer_cancel(&zero));
    EXPECT_FALSE(aiox_timer_cancel_sync(&zero));
    aiox_timer_fini(&zero);
}

TEST_F(TimerTest, ClockThatStepsBackDelaysNobody)
{
    Timer a(group_, Note("a"));
    clock_.Advance(100);
    a.Arm(In(0));
    Timer b(group_, Note("b"));
    b.Arm(In(-10));
    group_.Run();

    a.Arm(In(0));
    clock_.Advance(-50);

    EXPECT_EQ(group_.Timeout(), 0);
    EXPECT_TRUE(group_.Run());
    EXPECT_EQ(log_, "baa");
}

TEST_F(TimerTest, TimersOfOneGroupAreNotThoseOfAnother)
{
    Group other;
    Timer mine(group_, Note("m")), others(other, Note("o"));
    mine.Arm(0);
    others.Arm(0);

    group_.Run();

    EXPECT_EQ(log_, "m");
    EXPECT_TRUE(others.IsPending());
}

TEST_F(TimerTest, TraceShowsEachArmingAndFiring)
{
    aiox_trace_set_hook(
        [](void *log, const char *room, const char *event, uint64_t, uint64_t deadline) {
            *static_cast<std::string *>(log) +=
                std::string(room) + " " + event + " " + std::to_string(deadline) + ";";
        },
        &log_);
    Timer a(group_, [] {});

    a.Arm(7);
    aiox_timer_mod_earlier_ns(a, 9);
    aiox_timer_mod_earlier_ns(a, 5);
    group_.Run();
    aiox_trace_set_hook(nullptr, nullptr);

    EXPECT_EQ(log_, "timer arm 7;timer arm 5;timer fire 5;");
}

TEST(TimerGroup, AllZeroMayBeFinished)
{
    aiox_timer_group zero = {};

    aiox_timer_group_fini(&zero);
}

TEST(TimerGroup, NobodyNeedsToBeTold)
{
    aiox_timer_group group;
    aiox_timer_group_init(&group, nullptr, nullptr);

    {
        Timer a(&group, [] {});
        a.Arm(0);
        aiox_timer_clock_enable(AIOX_CLOCK_MONOTONIC, true);
    }

    aiox_timer_group_fini(&group);
}

TEST(TimerGroupDeathTest, TimersThatAreLeftAreCounted)
{
    Group group;
    Timer a(
        group, [] {}, AIOX_CLOCK_VIRTUAL),
        b(
            group, [] {}, AIOX_CLOCK_VIRTUAL);
    a.Arm(5);

    EXPECT_DEATH(aiox_timer_group_fini(group), "'virtual' were not finished.*: 2, 1 of them armed");
}

TEST(TimerGroupDeathTest, ArmingWhatWasNeverInitialisedAborts)
{
    aiox_timer zero = {};

    EXPECT_DEATH(aiox_timer_mod_ns(&zero, 5), "list");
}
} // namespace aiox_test
