/* SPDX-License-Identifier: MIT */
/* host_clock_test.cc - the time of day: its timers and its jumps. */
#include <thread>
#include <vector>

#include "lib/timer/test/fixture.h"
#include "lib/timer/test/gate.h"

namespace aiox_test
{
class HostClockTest : public TimerTest
{
  protected:
    /* A watcher that notes the jumps it hears of, and then does what it was given. */
    class Watcher
    {
      public:
        explicit Watcher(std::function<void()> then = nullptr) : then_(std::move(then))
        {
            aiox_host_clock_watch(&watcher_, &Watcher::Heard, this);
        }
        ~Watcher()
        {
            Unwatch();
        }
        void Unwatch()
        {
            aiox_host_clock_unwatch(&watcher_);
        }
        std::vector<int64_t> jumps;

      private:
        static void Heard(void *opaque, int64_t jump_ns)
        {
            auto *self = static_cast<Watcher *>(opaque);
            self->jumps.push_back(jump_ns);
            if (self->then_) {
                self->then_();
            }
        }
        aiox_host_clock_watcher watcher_;
        std::function<void()> then_;
    };

    static int64_t Read()
    {
        return aiox_timer_clock_ns(AIOX_CLOCK_HOST);
    }
    static std::vector<int64_t> Jumps(std::initializer_list<int64_t> ns)
    {
        return ns;
    }
};

TEST_F(HostClockTest, ReadsTheTimeOfDay)
{
    clock_.Advance(5);

    EXPECT_EQ(Read(), clock_.Wall());
}

TEST_F(HostClockTest, JumpsBothWaysAreHeardByWhoeverReads)
{
    Watcher watcher;

    clock_.Jump(Seconds(3600));
    Read();
    clock_.Jump(-Seconds(2));
    Read();
    Read();

    EXPECT_EQ(watcher.jumps, Jumps({Seconds(3600), -Seconds(2)}));
}

TEST_F(HostClockTest, JumpBetweenWatchingAndTheFirstReadIsHeard)
{
    Watcher watcher;

    clock_.Advance(Seconds(1));
    clock_.Jump(Seconds(1));
    Read();

    EXPECT_EQ(watcher.jumps, Jumps({Seconds(1)}));
}

TEST_F(HostClockTest, JumpBeforeWatchingIsNotHeard)
{
    Read();
    clock_.Jump(Seconds(60));
    Watcher watcher;

    Read();

    EXPECT_EQ(watcher.jumps, Jumps({}));
}

TEST_F(HostClockTest, SlowCorrectionIsNoJump)
{
    Watcher watcher;

    for (int i = 0; i < 1000; i++) {
        clock_.Advance(Seconds(1));
        clock_.Jump(-Ms(1) / 2);
        Read();
    }
    clock_.Jump(Ms(100));
    Read();
    EXPECT_EQ(watcher.jumps, Jumps({}));
    clock_.Jump(Ms(100) + 1);
    Read();
    EXPECT_EQ(watcher.jumps, Jumps({Ms(100) + 1}));
}

TEST_F(HostClockTest, SlowCorrectionIsNoJumpThoughNobodyLookedForLong)
{
    Watcher watcher;

    clock_.Advance(Seconds(1000));
    clock_.Jump(Ms(1100));
    Read();
    EXPECT_EQ(watcher.jumps, Jumps({}));
    clock_.Advance(Seconds(1000));
    clock_.Jump(Ms(1100) + 1);
    Read();
    EXPECT_EQ(watcher.jumps, Jumps({Ms(1100) + 1}));
}

TEST_F(HostClockTest, TimePassingIsNoJump)
{
    Watcher watcher;

    clock_.Advance(Seconds(86400 * 365));
    Read();

    EXPECT_EQ(watcher.jumps, Jumps({}));
}

TEST_F(HostClockTest, JumpForwardFiresAndTellsEveryOwner)
{
    Group other;
    Timer a(group_, Note("a"), AIOX_CLOCK_HOST);
    Watcher watcher;
    a.Arm(clock_.Wall() + Seconds(10));
    int told = other.changes();

    clock_.Jump(Seconds(10));
    bool ran = group_.Run();

    EXPECT_TRUE(ran);
    EXPECT_EQ(log_, "a");
    EXPECT_EQ(watcher.jumps, Jumps({Seconds(10)}));
    EXPECT_GT(other.changes(), told);
}

TEST_F(HostClockTest, JumpBackPutsTimersOff)
{
    Timer a(group_, Note("a"), AIOX_CLOCK_HOST);
    a.Arm(clock_.Wall() + Seconds(10));
    clock_.Advance(Seconds(9));

    clock_.Jump(-Seconds(100));
    clock_.Advance(Seconds(1));

    EXPECT_FALSE(group_.Run());
    EXPECT_EQ(group_.Timeout(), Seconds(100));
}

TEST_F(HostClockTest, OtherClocksDoNotSeeTheJump)
{
    Timer a(group_, Note("a"));
    a.Arm(In(Seconds(1)));

    clock_.Jump(Seconds(3600));
    Read();

    EXPECT_EQ(group_.Timeout(), Seconds(1));
}

TEST_F(HostClockTest, WatcherMayArmTimersAndReadTheClock)
{
    Timer a(group_, Note("a"), AIOX_CLOCK_HOST);
    Watcher watcher([&] { a.Arm(Read() + 7); });

    clock_.Jump(Seconds(5));
    Read();

    EXPECT_EQ(aiox_timer_expire_time_ns(a), clock_.Wall() + 7);
}

TEST_F(HostClockTest, JumpWhileWatchersAreToldIsHeardAtTheNextRead)
{
    bool first = true;
    Watcher watcher([&] {
        if (first) {
            first = false;
            clock_.Jump(Seconds(2));
            Read();
        }
    });

    clock_.Jump(Seconds(1));
    Read();
    EXPECT_EQ(watcher.jumps, Jumps({Seconds(1)}));
    Read();
    EXPECT_EQ(watcher.jumps, Jumps({Seconds(1), Seconds(2)}));
}

TEST_F(HostClockTest, WatchersMayLeaveWhileTheyAreTold)
{
    Watcher *first_ptr, *third_ptr, *fourth_ptr;
    Watcher first([&] {
        first_ptr->Unwatch();
        third_ptr->Unwatch();
    });
    Watcher second([&] { first_ptr->Unwatch(); });
    Watcher third;
    Watcher fourth([&] { fourth_ptr->Unwatch(); });
    first_ptr = &first;
    third_ptr = &third;
    fourth_ptr = &fourth;

    clock_.Jump(Seconds(1));
    Read();
    clock_.Jump(Seconds(2));
    Read();

    EXPECT_EQ(first.jumps, Jumps({Seconds(1)}));
    EXPECT_EQ(second.jumps, Jumps({Seconds(1), Seconds(2)}));
    EXPECT_EQ(third.jumps, Jumps({}));
    EXPECT_EQ(fourth.jumps, Jumps({Seconds(1)}));
}

TEST_F(HostClockTest, UnwatchingTheNextOneToBeToldSkipsOnlyThat)
{
    Watcher *second_ptr;
    Watcher first([&] { second_ptr->Unwatch(); });
    Watcher second, third;
    second_ptr = &second;

    clock_.Jump(Seconds(1));
    Read();

    EXPECT_EQ(second.jumps, Jumps({}));
    EXPECT_EQ(third.jumps, Jumps({Seconds(1)}));
}

TEST_F(HostClockTest, UnwatchingElsewhereWaitsUntilTheWatcherHasBeenTold)
{
    Gate gate;
    std::atomic<bool> ended{false};
    Watcher watcher([&] {
        gate.Stand();
        ended = true;
    });
    clock_.Jump(Seconds(1));
    std::thread reader([&] { Read(); });
    gate.AwaitReached();
    std::thread opener([&] { gate.Open(); });

    watcher.Unwatch();

    EXPECT_TRUE(ended);
    reader.join();
    opener.join();
}

TEST_F(HostClockTest, WhileOneTellsOthersReadWithoutWaiting)
{
    Gate gate;
    Watcher watcher([&] { gate.Stand(); });
    clock_.Jump(Seconds(1));
    std::thread reader([&] { Read(); });
    gate.AwaitReached();

    int64_t read = Read();

    EXPECT_EQ(read, clock_.Wall());
    gate.Open();
    reader.join();
}

TEST(HostClockWatcher, AllZeroMayBeUnwatched)
{
    aiox_host_clock_watcher zero = {};

    aiox_host_clock_unwatch(&zero);
}
} // namespace aiox_test
