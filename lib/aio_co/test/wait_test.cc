/* SPDX-License-Identifier: MIT */
/* wait_test.cc - until a descriptor is ready, until a time has come, and who may end it. */
#include <cerrno>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aiox/clock.h"
#include "lib/aio_co/test/loop.h"

namespace
{
using co_testing::KeepFd;
using co_testing::Loop;
using co_testing::ReleaseFd;
using co_testing::SleepIn;
using co_testing::SleepNs;
using co_testing::Spawn;
using co_testing::WaitFd;
using ::testing::ElementsAre;

constexpr int64_t kMs = 1000000;

/* Two ends of a stream, closed at the end of the test. */
class Pair
{
  public:
    Pair()
    {
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd_), 0);
    }
    ~Pair()
    {
        for (int i = 0; i < 2; i++) {
            Close(i);
        }
    }
    int operator[](int i) const
    {
        return fd_[i];
    }
    void Close(int i)
    {
        if (fd_[i] >= 0) {
            close(fd_[i]);
            fd_[i] = -1;
        }
    }
    void Say(int i)
    {
        EXPECT_EQ(write(fd_[i], "x", 1), 1);
    }
    char Hear(int i)
    {
        char c = 0;
        EXPECT_EQ(read(fd_[i], &c, 1), 1);
        return c;
    }
    /* Until a write would block. */
    void Fill(int i)
    {
        char much[65536] = {};
        while (write(fd_[i], much, sizeof(much)) > 0) {
        }
    }
    void Drain(int i)
    {
        char much[65536];
        while (read(fd_[i], much, sizeof(much)) > 0) {
        }
    }

  private:
    int fd_[2];
};

class Wait : public ::testing::Test
{
  protected:
    Wait()
    {
        aiox_context_set_current(loop_);
    }
    ~Wait() override
    {
        aiox_context_set_current(nullptr);
    }

    /* A coroutine that waits and leaves what the wait returned in @result. */
    aiox_co *Waiter(int fd, uint32_t events, int *result, int64_t deadline_ns = -1)
    {
        *result = 0;
        aiox_co *co = Spawn([=] { *result = WaitFd(fd, events, deadline_ns); });
        aiox_co_enter_in(loop_, co);
        return co;
    }

    Loop loop_;
    Pair pair_;
};

TEST_F(Wait, EndsWhenTheDescriptorIsReadable)
{
    int result;
    Waiter(pair_[0], AIOX_FD_READ, &result);
    loop_.Settle();
    EXPECT_EQ(result, 0) << "not yet";

    pair_.Say(1);
    loop_.RunUntil([&] { return result != 0; });

    EXPECT_EQ(result, AIOX_FD_READ);
}

TEST_F(Wait, EndsWhenTheDescriptorIsWritable)
{
    pair_.Fill(0);
    int result;
    Waiter(pair_[0], AIOX_FD_WRITE, &result);
    loop_.Settle();
    EXPECT_EQ(result, 0);

    pair_.Drain(1);
    loop_.RunUntil([&] { return result != 0; });

    EXPECT_EQ(result, AIOX_FD_WRITE);
}

TEST_F(Wait, EndsWhenThePeerIsGone)
{
    int result;
    Waiter(pair_[0], AIOX_FD_READ, &result);

    pair_.Close(1);
    loop_.RunUntil([&] { return result != 0; });

    EXPECT_EQ(result, AIOX_FD_READ);
}

TEST_F(Wait, ForSeveralEndsWithTheOneThatHolds)
{
    int result;

    Waiter(pair_[0], AIOX_FD_READ | AIOX_FD_WRITE, &result);
    loop_.RunUntil([&] { return result != 0; });

    EXPECT_EQ(result, AIOX_FD_WRITE);
}

TEST_F(Wait, LeavesNothingBehind)
{
    pair_.Say(1);
    loop_.Run([&] { EXPECT_EQ(WaitFd(pair_[0], AIOX_FD_READ), AIOX_FD_READ); });

    loop_.Settle(); /* would never end if a readable descriptor were still watched */

    EXPECT_FALSE(aiox_poll(loop_, false));
}

TEST_F(Wait, TimesOut)
{
    int64_t begin = aiox_timer_clock_ns(AIOX_CLOCK_MONOTONIC);
    int result = 0;

    loop_.Run([&] { result = WaitFd(pair_[0], AIOX_FD_READ, begin + 5 * kMs); });

    EXPECT_EQ(result, -ETIMEDOUT);
    EXPECT_GE(aiox_timer_clock_ns(AIOX_CLOCK_MONOTONIC), begin + 5 * kMs);
    pair_.Say(1);
    loop_.Settle();
}

TEST_F(Wait, WithADeadlineInThePastHasALook)
{
    int ready = 0, not_ready = 0;
    pair_.Say(1);

    loop_.Run([&] { ready = WaitFd(pair_[0], AIOX_FD_READ, 0); });
    loop_.Run([&] { not_ready = WaitFd(pair_[1], AIOX_FD_READ, 0); });

    EXPECT_EQ(ready, AIOX_FD_READ);
    EXPECT_EQ(not_ready, -ETIMEDOUT);
}

TEST_F(Wait, OneReadsWhileAnotherWrites)
{
    pair_.Fill(0);
    int reader, writer;
    Waiter(pair_[0], AIOX_FD_READ, &reader);
    Waiter(pair_[0], AIOX_FD_WRITE, &writer);
    loop_.Settle();
    EXPECT_EQ(reader, 0);
    EXPECT_EQ(writer, 0);

    pair_.Drain(1);
    loop_.RunUntil([&] { return writer != 0; });
    EXPECT_EQ(reader, 0) << "it goes on waiting";
    pair_.Say(1);
    loop_.RunUntil([&] { return reader != 0; });

    EXPECT_EQ(reader, AIOX_FD_READ);
    EXPECT_EQ(writer, AIOX_FD_WRITE);
}

TEST_F(Wait, CanBeCancelledAtHome)
{
    int result;
    aiox_co *co = Waiter(pair_[0], AIOX_FD_READ, &result);

    EXPECT_TRUE(aiox_co_wait_fd_cancel(co));

    EXPECT_EQ(result, -ECANCELED);
    pair_.Say(1);
    loop_.Settle();
}

TEST_F(Wait, CanBeCancelledFromAnotherThread)
{
    int result;
    aiox_co *co = Waiter(pair_[0], AIOX_FD_READ, &result);

    std::thread([&] {
        EXPECT_TRUE(aiox_co_wait_fd_cancel(co));
        EXPECT_FALSE(aiox_co_wait_fd_cancel(co)) << "woken, and not gone on yet";
    }).join();
    loop_.RunUntil([&] { return result != 0; });

    EXPECT_EQ(result, -ECANCELED);
}

TEST_F(Wait, ThatNobodyIsInCannotBeCancelled)
{
    aiox_co *co = Spawn([] {});

    EXPECT_FALSE(aiox_co_wait_fd_cancel(co));

    aiox_co_enter_in(loop_, co);
}

TEST_F(Wait, ForWhatIsNotOpenIsAnError)
{
    int closed = eventfd(0, EFD_CLOEXEC);
    close(closed);
    int results[3] = {};

    loop_.Run([&] {
        results[0] = WaitFd(closed, AIOX_FD_READ);
        results[1] = WaitFd(-1, AIOX_FD_READ);
        results[2] = WaitFd(closed, AIOX_FD_READ, 1);
    });

    EXPECT_THAT(results, ElementsAre(-EBADF, -EBADF, -EBADF));
}

TEST_F(Wait, ForAHighDescriptorWorks)
{
    int high = fcntl(pair_[0], F_DUPFD_CLOEXEC, 700);
    ASSERT_GE(high, 700);
    pair_.Say(1);
    int result = 0;

    loop_.Run([&] { result = WaitFd(high, AIOX_FD_READ); });

    EXPECT_EQ(result, AIOX_FD_READ);
    close(high);
}

/* A watch that is kept fires while nobody waits: it must not keep the loop busy. */
TEST_F(Wait, KeptFiresForNobodyOnce)
{
    loop_.Run([&] {
        EXPECT_EQ(KeepFd(pair_[0]), 0);
        pair_.Say(1);
        EXPECT_EQ(WaitFd(pair_[0], AIOX_FD_READ), AIOX_FD_READ);
    });

    loop_.Settle();
    EXPECT_FALSE(aiox_poll(loop_, false));

    loop_.Run([&] { /* and it is watched again when it is waited for */
                    EXPECT_EQ(WaitFd(pair_[0], AIOX_FD_READ), AIOX_FD_READ);
                    ReleaseFd(pair_[0]);
    });
    loop_.Settle();
}

TEST_F(Wait, KeptWaitsAsOften)
{
    int heard = 0;
    aiox_co_enter_in(loop_, Spawn([&] {
                         EXPECT_EQ(KeepFd(pair_[0]), 0);
                         while (heard < 100) {
                             EXPECT_EQ(WaitFd(pair_[0], AIOX_FD_READ), AIOX_FD_READ);
                             pair_.Hear(0);
                             heard++;
                         }
                         ReleaseFd(pair_[0]);
                     }));

    for (int i = 1; i <= 100; i++) {
        pair_.Say(1);
        loop_.RunUntil([&] { return heard == i; });
    }

    pair_.Say(1);
    loop_.Settle();
    EXPECT_EQ(heard, 100);
}

/* The number comes back for another file; the old watch says nothing about it. */
TEST_F(Wait, ReleasedAndClosedTheNumberIsFree)
{
    for (int i = 0; i < 20; i++) {
        Pair other;
        int result;
        loop_.Run([&] {
            EXPECT_EQ(KeepFd(other[0]), 0);
            EXPECT_EQ(WaitFd(other[0], AIOX_FD_READ, 0), -ETIMEDOUT);
            ReleaseFd(other[0]);
        });
        other.Close(0);
        Pair next;

        Waiter(next[0], AIOX_FD_READ, &result);
        loop_.Settle();
        EXPECT_EQ(result, 0);
        next.Say(1);
        loop_.RunUntil([&] { return result != 0; });

        EXPECT_EQ(result, AIOX_FD_READ);
    }
}

using WaitDeathTest = co_testing::DeathTest;

TEST_F(WaitDeathTest, TwoThatReadEndTheProgram)
{
    static const aiox_co_class one = {"one", 0}, two = {"two", 0};

    EXPECT_DEATH(
        {
            Loop loop;
            Pair pair;
            aiox_context_set_current(loop);
            auto wait = [&] { (void)WaitFd(pair[0], AIOX_FD_READ); };
            aiox_co_enter_in(loop, Spawn(wait, &one));
            aiox_co_enter_in(loop, Spawn(wait, &two));
        },
        "two waits for descriptor .* for which one already waits");
}

TEST_F(WaitDeathTest, AWakeOfOneThatWaitsEndsTheProgram)
{
    EXPECT_DEATH(
        {
            Loop loop;
            Pair pair;
            aiox_context_set_current(loop);
            aiox_co *co = Spawn([&] { (void)WaitFd(pair[0], AIOX_FD_READ); });
            aiox_co_enter_in(loop, co);
            std::thread([co] { aiox_co_wake(co); }).join();
        },
        "aiox_co_schedule schedules coroutine .* already scheduled by aiox_co_wait_fd");
}

/* ---- time ---- */

class Sleep : public Wait
{
};

TEST_F(Sleep, LastsAsLongAsAsked)
{
    int64_t begin = aiox_timer_clock_ns(AIOX_CLOCK_MONOTONIC);

    loop_.Run([&] { EXPECT_EQ(SleepNs(AIOX_CLOCK_MONOTONIC, 3 * kMs), 0); });

    EXPECT_GE(aiox_timer_clock_ns(AIOX_CLOCK_MONOTONIC), begin + 3 * kMs);
}

TEST_F(Sleep, OfNoTimeLetsTheOthersRun)
{
    std::vector<int> order;
    aiox_co *first = Spawn([&] {
        order.push_back(1);
        EXPECT_EQ(SleepNs(AIOX_CLOCK_MONOTONIC, -1), 0);
        order.push_back(3);
    });
    aiox_co_schedule(loop_, first);
    aiox_co_schedule(loop_, Spawn([&] { order.push_back(2); }));

    loop_.RunUntil([&] { return order.size() == 3; });

    EXPECT_THAT(order, ElementsAre(1, 2, 3));
}

TEST_F(Sleep, GoesByTheClockThatWasAskedFor)
{
    aiox_virtual_clock_stop();
    bool done = false;
    aiox_co_enter_in(loop_, Spawn([&] {
                         EXPECT_EQ(SleepNs(AIOX_CLOCK_VIRTUAL, 1000 * 1000 * kMs), 0);
                         done = true;
                     }));
    loop_.Settle();
    EXPECT_FALSE(done);

    aiox_virtual_clock_step_ns(1000 * 1000 * kMs);
    loop_.Settle();

    EXPECT_TRUE(done);
    aiox_virtual_clock_start();
}

TEST_F(Sleep, WokenEarlySaysSo)
{
    aiox_co_sleep sleep = {};
    int result = 1;
    aiox_co_enter_in(loop_, Spawn([&] { result = SleepIn(&sleep, AIOX_CLOCK_MONOTONIC, -1); }));
    EXPECT_EQ(result, 1);

    EXPECT_TRUE(aiox_co_sleep_wake(&sleep));

    EXPECT_EQ(result, -ECANCELED);
    EXPECT_FALSE(aiox_co_sleep_wake(&sleep)) << "nobody sleeps any more";
}

TEST_F(Sleep, ThatWasNotWokenSaysSo)
{
    aiox_co_sleep sleep = {};
    int result = 1;

    loop_.Run([&] { result = SleepIn(&sleep, AIOX_CLOCK_MONOTONIC, kMs); });

    EXPECT_EQ(result, 0);
}

TEST_F(Sleep, IsNotEndedByAWakeBeforeIt)
{
    aiox_co_sleep sleep = {};
    EXPECT_FALSE(aiox_co_sleep_wake(&sleep));
    int result = 1;

    loop_.Run([&] { result = SleepIn(&sleep, AIOX_CLOCK_MONOTONIC, kMs); });

    EXPECT_EQ(result, 0);
}

TEST_F(Sleep, CanBeEndedFromAnotherThread)
{
    aiox_co_sleep sleep = {};
    int result = 1;
    int note = 0;
    aiox_co_enter_in(loop_, Spawn([&] {
                         result = SleepIn(&sleep, AIOX_CLOCK_MONOTONIC, 3600 * 1000 * kMs);
                         EXPECT_EQ(note, 7) << "what the waker wrote is seen";
                     }));

    std::thread waker([&] {
        note = 7;
        EXPECT_TRUE(aiox_co_sleep_wake(&sleep));
    });
    loop_.RunUntil([&] { return result != 1; });
    waker.join();

    EXPECT_EQ(result, -ECANCELED);
}

TEST_F(Sleep, OfManyEndInTheOrderOfTheirTimes)
{
    aiox_virtual_clock_stop();
    std::vector<int> order;
    for (int i : {3, 1, 2}) {
        aiox_co_enter_in(loop_, Spawn([&order, i] {
                             EXPECT_EQ(SleepNs(AIOX_CLOCK_VIRTUAL, i * kMs), 0);
                             order.push_back(i);
                         }));
    }

    aiox_virtual_clock_step_ns(3 * kMs);
    loop_.Settle();

    EXPECT_THAT(order, ElementsAre(1, 2, 3));
    aiox_virtual_clock_start();
}

using SleepDeathTest = co_testing::DeathTest;

TEST_F(SleepDeathTest, TwoInOnePlaceEndTheProgram)
{
    static const aiox_co_class one = {"one", 0}, two = {"two", 0};

    EXPECT_DEATH(
        {
            Loop loop;
            aiox_co_sleep sleep = {};
            aiox_context_set_current(loop);
            auto nap = [&] { (void)SleepIn(&sleep, AIOX_CLOCK_MONOTONIC, -1); };
            aiox_co_enter_in(loop, Spawn(nap, &one));
            aiox_co_enter_in(loop, Spawn(nap, &two));
        },
        "two sleeps where one already does");
}
} // namespace
