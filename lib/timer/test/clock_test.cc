/* SPDX-License-Identifier: MIT */
/* clock_test.cc - the virtual clock, and clocks that are switched off. */
#include <memory>
#include <thread>
#include <vector>

#include "lib/timer/test/fixture.h"
#include "lib/timer/test/gate.h"

namespace aiox_test
{
namespace
{
int64_t Read(aiox_clock clock)
{
    return aiox_timer_clock_ns(clock);
}

/* Looked at before any test can have touched the virtual clock. */
bool ReadsAsMonotonic(aiox_clock clock)
{
    int64_t before = aiox_clock_now_ns();
    int64_t read = Read(clock);
    int64_t after = aiox_clock_now_ns();

    return before <= read && read <= after;
}
const bool virtual_began_as_monotonic = ReadsAsMonotonic(AIOX_CLOCK_VIRTUAL);
const bool virtual_rt_began_as_monotonic = ReadsAsMonotonic(AIOX_CLOCK_VIRTUAL_RT);
const bool virtual_began_running = aiox_virtual_clock_is_running();
} // namespace

/* The virtual clock stands when a test begins. */
class VirtualClockTest : public TimerTest
{
  protected:
    VirtualClockTest()
    {
        aiox_virtual_clock_stop();
    }
    ~VirtualClockTest() override
    {
        aiox_virtual_clock_start();
    }
    static int64_t Now()
    {
        return Read(AIOX_CLOCK_VIRTUAL);
    }
};

TEST_F(VirtualClockTest, RunsAsTheMonotonicClockUntilItIsTouched)
{
    EXPECT_TRUE(virtual_began_running);
    EXPECT_TRUE(virtual_began_as_monotonic);
    EXPECT_TRUE(virtual_rt_began_as_monotonic);
}

TEST_F(VirtualClockTest, StandsWhileItIsStopped)
{
    int64_t before = Now();

    clock_.Advance(1000);

    EXPECT_FALSE(aiox_virtual_clock_is_running());
    EXPECT_EQ(Now(), before);
}

TEST_F(VirtualClockTest, GoesOnFromWhereItStood)
{
    int64_t before = Now();
    clock_.Advance(1000);

    aiox_virtual_clock_start();
    int64_t started = Now();
    clock_.Advance(7);

    EXPECT_TRUE(aiox_virtual_clock_is_running());
    EXPECT_EQ(started, before);
    EXPECT_EQ(Now(), before + 7);
}

TEST_F(VirtualClockTest, StepsStoppedAndRunning)
{
    int64_t before = Now();

    aiox_virtual_clock_step_ns(10);
    int64_t stopped = Now();
    aiox_virtual_clock_start();
    aiox_virtual_clock_step_ns(20);
    int64_t running = Now();
    clock_.Advance(5);

    EXPECT_EQ(stopped, before + 10);
    EXPECT_EQ(running, before + 30);
    EXPECT_EQ(Now(), before + 35);
}

TEST_F(VirtualClockTest, StoppingAndStartingTwiceIsDoingItOnce)
{
    int64_t before = Now();

    aiox_virtual_clock_stop();
    clock_.Advance(3);
    aiox_virtual_clock_stop();
    aiox_virtual_clock_start();
    clock_.Advance(4);
    aiox_virtual_clock_start();

    EXPECT_EQ(Now(), before + 4);
}

TEST_F(VirtualClockTest, RealTimeOfTheVirtualWorldGoesOn)
{
    int64_t before = Read(AIOX_CLOCK_VIRTUAL_RT);
    Timer a(group_, Note("a"), AIOX_CLOCK_VIRTUAL_RT);
    a.Arm(before + 9);

    aiox_virtual_clock_step_ns(100);
    int64_t stepped = Read(AIOX_CLOCK_VIRTUAL_RT);
    clock_.Advance(9);
    group_.Run();

    EXPECT_EQ(stepped, before);
    EXPECT_EQ(Read(AIOX_CLOCK_VIRTUAL_RT), before + 9);
    EXPECT_EQ(log_, "a");
}

TEST_F(VirtualClockTest, StandsStillForTimersButFiresWhatIsDue)
{
    Timer due(group_, Note("d"), AIOX_CLOCK_VIRTUAL);
    Timer later(group_, Note("l"), AIOX_CLOCK_VIRTUAL);
    due.Arm(Now());
    later.Arm(Now() + 1);

    int64_t first = group_.Timeout();
    group_.Run();

    EXPECT_EQ(first, 0);
    EXPECT_EQ(log_, "d");
    EXPECT_EQ(group_.Timeout(), -1);
}

TEST_F(VirtualClockTest, StepFiresNothingButTellsTheOwner)
{
    Timer a(group_, Note("a"), AIOX_CLOCK_VIRTUAL);
    a.Arm(Now() + 10);
    int told = group_.changes();

    aiox_virtual_clock_step_ns(10);

    EXPECT_EQ(log_, "");
    EXPECT_GT(group_.changes(), told);
    EXPECT_EQ(group_.Timeout(), 0);
    group_.Run();
    EXPECT_EQ(log_, "a");
}

TEST_F(VirtualClockTest, StartTellsTheOwner)
{
    Timer a(group_, Note("a"), AIOX_CLOCK_VIRTUAL);
    a.Arm(Now() + 10);
    int told = group_.changes();

    aiox_virtual_clock_start();

    EXPECT_GT(group_.changes(), told);
    EXPECT_EQ(group_.Timeout(), 10);
}

TEST_F(VirtualClockTest, WarpsToTheNextDeadlineOfAnyGroup)
{
    Group other;
    Timer a(group_, Note("a"), AIOX_CLOCK_VIRTUAL), b(other, Note("b"), AIOX_CLOCK_VIRTUAL);
    a.Arm(Now() + 300);
    b.Arm(Now() + 100);

    int64_t first = aiox_virtual_clock_warp();
    int64_t due = aiox_virtual_clock_warp();
    other.Run();
    int64_t second = aiox_virtual_clock_warp();
    group_.Run();

    EXPECT_EQ(first, 100);
    EXPECT_EQ(due, 0);
    EXPECT_EQ(second, 200);
    EXPECT_EQ(log_, "ba");
}

TEST_F(VirtualClockTest, WithoutADeadlineAWarpMovesNothing)
{
    Timer never(group_, Note("n"), AIOX_CLOCK_VIRTUAL), real(group_, Note("r"));
    never.Arm(INT64_MAX);
    real.Arm(In(10));
    int64_t before = Now();

    EXPECT_EQ(aiox_virtual_clock_warp(), -1);
    EXPECT_EQ(Now(), before);
}

TEST_F(VirtualClockTest, CallbackMayMoveIt)
{
    Timer a(
        group_, [&] { EXPECT_EQ(aiox_virtual_clock_warp(), 5); }, AIOX_CLOCK_VIRTUAL);
    Timer b(group_, Note("b"), AIOX_CLOCK_VIRTUAL);
    a.Arm(Now());
    b.Arm(Now() + 5);

    group_.Run();
    EXPECT_EQ(log_, "");
    group_.Run();
    EXPECT_EQ(log_, "b");
}

TEST_F(VirtualClockTest, TimeDoesNotRunOverItsEnd)
{
    EXPECT_EXIT(
        {
            aiox_virtual_clock_step_ns(INT64_MAX);
            bool at_end = Now() == INT64_MAX;
            aiox_virtual_clock_start();
            clock_.Advance(10);
            exit(at_end && Now() == INT64_MAX ? 0 : 1);
        },
        ::testing::ExitedWithCode(0), "");
}

TEST_F(VirtualClockTest, SteppingBackAborts)
{
    EXPECT_DEATH(aiox_virtual_clock_step_ns(-1), "ns >= 0");
}

/* Leaves all clocks enabled. */
class EnableTest : public TimerTest
{
  protected:
    ~EnableTest() override
    {
        for (int i = 0; i < AIOX_CLOCKS; i++) {
            aiox_timer_clock_enable(static_cast<aiox_clock>(i), true);
        }
    }
};

TEST_F(EnableTest, TimersOfADisabledClockWait)
{
    Timer a(group_, Note("a")), other(group_, Note("o"), AIOX_CLOCK_VIRTUAL_RT);
    a.Arm(In(0));
    other.Arm(In(30));

    bool before = aiox_timer_clock_enable(AIOX_CLOCK_MONOTONIC, false);
    bool ran = group_.Run();

    EXPECT_TRUE(before);
    EXPECT_FALSE(ran);
    EXPECT_FALSE(aiox_timer_clock_is_enabled(AIOX_CLOCK_MONOTONIC));
    EXPECT_TRUE(a.IsPending());
    EXPECT_EQ(group_.Timeout(), 30);
}

TEST_F(EnableTest, EnablingTellsTheOwnerAndFiresWhatFellDue)
{
    Timer a(group_, Note("a"));
    a.Arm(In(10));
    aiox_timer_clock_enable(AIOX_CLOCK_MONOTONIC, false);
    clock_.Advance(20);
    int told = group_.changes();

    bool before = aiox_timer_clock_enable(AIOX_CLOCK_MONOTONIC, true);

    EXPECT_FALSE(before);
    EXPECT_GT(group_.changes(), told);
    EXPECT_EQ(group_.Timeout(), 0);
    EXPECT_TRUE(group_.Run());
    EXPECT_EQ(log_, "a");
}

TEST_F(EnableTest, DisabledInTheMiddleOfAPassTheRestFiresLaterInOrder)
{
    Timer a(group_, [&] {
        log_ += "a";
        aiox_timer_clock_enable(AIOX_CLOCK_MONOTONIC, false);
    });
    Timer b(group_, Note("b")), c(group_, Note("c"));
    Timer earlier(group_, Note("e"));
    a.Arm(1);
    b.Arm(2);
    c.Arm(3);

    group_.Run();
    EXPECT_EQ(log_, "a");
    EXPECT_EQ(group_.Timeout(), -1);
    EXPECT_EQ(aiox_timer_clock_next_ns(AIOX_CLOCK_MONOTONIC, 0), 2);
    aiox_timer_clock_enable(AIOX_CLOCK_MONOTONIC, true);
    EXPECT_EQ(group_.Timeout(), 0);
    group_.Run();
    EXPECT_EQ(log_, "abc");
}

TEST_F(EnableTest, DisablingWaitsForACallbackInAnotherThread)
{
    Gate gate;
    std::atomic<bool> ended{false};
    Timer a(group_, [&] {
        gate.Stand();
        ended = true;
    });
    a.Arm(0);
    std::thread home([&] { group_.Run(); });
    gate.AwaitReached();
    std::thread opener([&] { gate.Open(); });

    aiox_timer_clock_enable(AIOX_CLOCK_MONOTONIC, false);

    EXPECT_TRUE(ended);
    home.join();
    opener.join();
}

TEST_F(EnableTest, DisablingDoesNotWaitForCallbacksOfOtherClocks)
{
    Gate gate;
    Timer a(group_, [&] { gate.Stand(); });
    a.Arm(0);
    std::thread home([&] { group_.Run(); });
    gate.AwaitReached();

    aiox_timer_clock_enable(AIOX_CLOCK_VIRTUAL, false);

    gate.Open();
    home.join();
}

TEST_F(EnableTest, CallbacksThatDisableEachOthersClockDoNotWaitForEachOther)
{
    Group other;
    std::atomic<int> inside{0};
    auto meet_and_disable = [&](aiox_clock clock) {
        inside++;
        while (inside < 2) {
            std::this_thread::yield();
        }
        aiox_timer_clock_enable(clock, false);
    };
    Timer a(group_, [&] { meet_and_disable(AIOX_CLOCK_VIRTUAL); });
    Timer b(
        other, [&] { meet_and_disable(AIOX_CLOCK_MONOTONIC); }, AIOX_CLOCK_VIRTUAL);
    a.Arm(0);
    b.Arm(0);

    std::thread there([&] { other.Run(); });
    group_.Run();
    there.join();

    EXPECT_FALSE(aiox_timer_clock_is_enabled(AIOX_CLOCK_VIRTUAL));
    EXPECT_FALSE(aiox_timer_clock_is_enabled(AIOX_CLOCK_MONOTONIC));
}

TEST_F(EnableTest, NextDeadlineIsThatOfAllGroupsWithoutWhatIsIgnored)
{
    Group other;
    Timer a(group_, Note("a"), AIOX_CLOCK_VIRTUAL);
    Timer b(other, Note("b"), AIOX_CLOCK_VIRTUAL, AIOX_SCALE_NS, AIOX_TIMER_EXTERNAL);

    int64_t none = aiox_timer_clock_next_ns(AIOX_CLOCK_VIRTUAL, 0);
    a.Arm(500);
    b.Arm(400);

    EXPECT_EQ(none, -1);
    EXPECT_EQ(aiox_timer_clock_next_ns(AIOX_CLOCK_VIRTUAL, 0), 400);
    EXPECT_EQ(aiox_timer_clock_next_ns(AIOX_CLOCK_VIRTUAL, AIOX_TIMER_EXTERNAL), 500);
    EXPECT_EQ(aiox_timer_clock_next_ns(AIOX_CLOCK_MONOTONIC, 0), -1);
}

TEST(TimerClock, EachHasAName)
{
    EXPECT_STREQ(aiox_timer_clock_name(AIOX_CLOCK_MONOTONIC), "monotonic");
    EXPECT_STREQ(aiox_timer_clock_name(AIOX_CLOCK_VIRTUAL), "virtual");
    EXPECT_STREQ(aiox_timer_clock_name(AIOX_CLOCK_VIRTUAL_RT), "virtual-rt");
    EXPECT_STREQ(aiox_timer_clock_name(AIOX_CLOCK_HOST), "host");
}

TEST(TimerClockDeathTest, ThereIsNoFifth)
{
    EXPECT_DEATH(aiox_timer_clock_ns(static_cast<aiox_clock>(AIOX_CLOCKS)), "no clock 4");
}
} // namespace aiox_test
