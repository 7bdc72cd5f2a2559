/* SPDX-License-Identifier: MIT */
/* wait_test.cc - in which context a wait takes place, who ends it, and what stays behind. */
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "lib/channel/test/testing.h"

namespace
{
using channel_testing::Channel;
using channel_testing::Noise;
using channel_testing::Pair;
using co_testing::Loop;
using co_testing::LoopThread;
using co_testing::MoveSelf;
using co_testing::Spawn;

constexpr int kNotYet = 12345;

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

    void StartRead(aiox_channel *ch, int *result)
    {
        *result = kNotYet;
        aiox_co_enter_in(loop_, Spawn([=] {
                             char c;
                             *result = (int)aiox_channel_read(ch, &c, 1, -1);
                         }));
    }
    void StartWrite(aiox_channel *ch, int *result)
    {
        *result = kNotYet;
        aiox_co_enter_in(loop_, Spawn([=] {
                             std::string much = Noise(1000 * 1000);
                             *result = aiox_channel_write_full(ch, much.data(), much.size(), -1);
                         }));
    }

    Loop loop_;
    Pair pair_;
};

TEST_F(Wait, OfTheReaderIsEndedAtHome)
{
    int result;
    StartRead(pair_.a, &result);
    EXPECT_EQ(result, kNotYet);

    EXPECT_TRUE(aiox_channel_wake_read(pair_.a));

    EXPECT_EQ(result, -ECANCELED);
    EXPECT_FALSE(aiox_channel_wake_read(pair_.a)) << "nothing is remembered";
}

TEST_F(Wait, OfOneDirectionIsEndedAndTheOtherGoesOn)
{
    int reader, writer;
    StartRead(pair_.a, &reader);
    StartWrite(pair_.a, &writer);

    EXPECT_TRUE(aiox_channel_wake_write(pair_.a));

    EXPECT_EQ(writer, -ECANCELED);
    EXPECT_EQ(reader, kNotYet);
    EXPECT_EQ(aiox_channel_write(pair_.b, "x", 1, -1), 1);
    loop_.RunUntil([&] { return reader != kNotYet; });
    EXPECT_EQ(reader, 1);
}

TEST_F(Wait, IsEndedFromAnotherThreadOnce)
{
    int result;
    StartRead(pair_.a, &result);

    std::thread([&] {
        EXPECT_TRUE(aiox_channel_wake_read(pair_.a));
        EXPECT_FALSE(aiox_channel_wake_read(pair_.a));
    }).join();
    loop_.RunUntil([&] { return result != kNotYet; });

    EXPECT_EQ(result, -ECANCELED);
}

TEST_F(Wait, EndsWhenItIsClosedAndThenTheDescriptorIsGone)
{
    int reader, writer;
    int fd = aiox_channel_socket_fd(pair_.a);
    StartRead(pair_.a, &reader);
    StartWrite(pair_.a, &writer);

    EXPECT_EQ(aiox_channel_close(pair_.a), 0);

    EXPECT_EQ(reader, -ECANCELED);
    EXPECT_EQ(writer, -ECANCELED);
    EXPECT_EQ(fcntl(fd, F_GETFD), -1);
}

TEST_F(Wait, KeepsTheDescriptorOpenWhileAnotherThreadCloses)
{
    int result, fd = aiox_channel_socket_fd(pair_.a);
    StartRead(pair_.a, &result);

    std::thread([&] { EXPECT_EQ(aiox_channel_close(pair_.a), 0); }).join();
    EXPECT_NE(fcntl(fd, F_GETFD), -1) << "its user has not left it";
    loop_.RunUntil([&] { return result != kNotYet; });

    EXPECT_EQ(result, -ECANCELED);
    EXPECT_EQ(fcntl(fd, F_GETFD), -1);
}

/* The last of those who are inside is woken by the close, and drops the last reference. */
TEST_F(Wait, MayDropTheChannelThatWasClosedUnderIt)
{
    aiox_channel *ends[2];
    ASSERT_EQ(aiox_channel_socket_pair(ends), 0);
    Channel peer(ends[1]);
    bool done = false;
    aiox_co_enter_in(loop_, Spawn([&] {
                         char c;
                         EXPECT_EQ(aiox_channel_read(ends[0], &c, 1, -1), -ECANCELED);
                         aiox_channel_unref(ends[0]);
                         done = true;
                     }));

    EXPECT_EQ(aiox_channel_close(ends[0]), 0);

    EXPECT_TRUE(done);
}

TEST_F(Wait, LeavesAWatchThatDoesNotKeepTheLoopBusy)
{
    int result;
    StartRead(pair_.a, &result);
    EXPECT_EQ(aiox_channel_write(pair_.b, "xyz", 3, -1), 3);
    loop_.RunUntil([&] { return result != kNotYet; });

    loop_.Settle(); /* two bytes are there, and nobody wants them */

    EXPECT_FALSE(aiox_poll(loop_, false));
    StartRead(pair_.a, &result);
    EXPECT_EQ(result, 1) << "they are still there";
}

TEST_F(Wait, OfAWriterDoesNotKeepTheLoopBusy)
{
    int result;
    std::string much(1000 * 1000, '\0');
    StartWrite(pair_.a, &result);
    loop_.Run([&] { EXPECT_EQ(aiox_channel_read_full(pair_.b, much.data(), much.size(), -1), 0); });
    loop_.RunUntil([&] { return result != kNotYet; });

    loop_.Settle();

    EXPECT_EQ(result, 0);
    EXPECT_FALSE(aiox_poll(loop_, false));
}

/* The number comes back for another channel; the old watch says nothing about it. */
TEST_F(Wait, OfADroppedChannelIsForgottenWithItsNumber)
{
    for (int i = 0; i < 20; i++) {
        Pair other;
        int result;
        StartRead(other.a, &result);
        EXPECT_TRUE(aiox_channel_wake_read(other.a));
        other.a.Drop();
        other.b.Drop();
        Pair next;

        StartRead(next.a, &result);
        loop_.Settle();
        EXPECT_EQ(result, kNotYet);
        EXPECT_EQ(aiox_channel_write(next.b, "x", 1, -1), 1);
        loop_.RunUntil([&] { return result != kNotYet; });

        EXPECT_EQ(result, 1);
    }
}

TEST_F(Wait, OutlivesAnotherUserOfItsContext)
{
    Channel ch;
    {
        Loop brief;
        aiox_context_set_current(brief);
        Pair pair;
        brief.Run([&] {
            char c;
            EXPECT_EQ(aiox_channel_read(pair.a, &c, 1, 0), -ETIMEDOUT);
        });
        ch = std::move(pair.a);
        aiox_context_set_current(loop_);
    } /* the program has let its context go, the channel has not */

    int result;
    StartRead(ch, &result);
    loop_.RunUntil([&] { return result != kNotYet; });

    EXPECT_EQ(result, 0);
}

/* A coroutine that reads here and there by turns; the bytes come in order. */
TEST_F(Wait, FollowsACoroutineThatMoves)
{
    LoopThread other;
    std::vector<char> heard;
    bool done = false;
    aiox_co_enter_in(loop_, Spawn([&] {
                         for (int i = 0; i < 50; i++) {
                             char c = 0;
                             MoveSelf(i % 2 ? (aiox_context *)other : (aiox_context *)loop_);
                             EXPECT_EQ(aiox_channel_read(pair_.a, &c, 1, -1), 1);
                             heard.push_back(c);
                             EXPECT_EQ(aiox_channel_write(pair_.a, "ok", 2, -1), 2);
                         }
                         MoveSelf(loop_);
                         done = true;
                     }));
    std::thread talker([&] {
        for (char i = 0; i < 50; i++) {
            char answer[2];
            EXPECT_EQ(aiox_channel_write(pair_.b, &i, 1, -1), 1);
            EXPECT_EQ(aiox_channel_read_full(pair_.b, answer, 2, -1), 0);
        }
    });

    loop_.RunUntil([&] { return done; });
    talker.join();

    for (char i = 0; i < 50; i++) {
        EXPECT_EQ(heard[i], i);
    }
}

TEST_F(Wait, ThatDoesNotFollowStaysWhereItFirstWas)
{
    LoopThread other;
    std::atomic<bool> done{false};
    char c = 0, d = 0;
    aiox_channel_set_follow_coroutine_ctx(pair_.a, false);
    loop_.Run([&] { EXPECT_EQ(aiox_channel_read(pair_.a, &c, 1, 0), -ETIMEDOUT); });
    aiox_co_enter_in(other, Spawn([&] {
                         EXPECT_EQ(aiox_channel_read(pair_.a, &c, 1, -1), 1);
                         EXPECT_TRUE(aiox_context_is_home(other));
                         EXPECT_EQ(aiox_channel_read(pair_.a, &d, 1, -1), 1);
                         done = true;
                         aiox_notify(loop_);
                     }));

    EXPECT_EQ(aiox_channel_write(pair_.b, "1", 1, -1), 1);
    EXPECT_EQ(aiox_channel_write(pair_.b, "2", 1, -1), 1);
    loop_.RunUntil([&] { return done.load(); }); /* it is this loop that sees the bytes */

    EXPECT_EQ(c, '1');
    EXPECT_EQ(d, '2');
}

TEST_F(Wait, TimesOut)
{
    int64_t deadline = aiox_timer_clock_ns(AIOX_CLOCK_MONOTONIC) + 3 * 1000 * 1000;
    char c;
    int in_coroutine = 1, in_thread = 1;

    loop_.Run([&] { in_coroutine = aiox_channel_read_full(pair_.a, &c, 1, deadline); });
    in_thread = aiox_channel_read_full(pair_.a, &c, 1, deadline + 3 * 1000 * 1000);

    EXPECT_EQ(in_coroutine, -ETIMEDOUT);
    EXPECT_EQ(in_thread, -ETIMEDOUT);
    EXPECT_GE(aiox_timer_clock_ns(AIOX_CLOCK_MONOTONIC), deadline + 3 * 1000 * 1000);
}

/* A reader that is mostly in vain after it has emptied the socket waits at once; nothing is lost.
 */
TEST_F(Wait, AtOnceLosesNothing)
{
    int heard = 0;
    bool done = false;
    aiox_co_enter_in(loop_, Spawn([&] {
                         char text[100];
                         ssize_t n;
                         while ((n = aiox_channel_read(pair_.a, text, sizeof(text), -1)) > 0) {
                             heard += (int)n;
                             if (heard % 3 == 0) { /* while nobody waits, more comes */
                                 EXPECT_EQ(aiox_channel_write(pair_.b, "z", 1, -1), 1);
                                 heard += 1000;
                             }
                         }
                         done = true;
                     }));

    for (int i = 0; i < 300; i++) {
        int before = heard;
        EXPECT_EQ(aiox_channel_write(pair_.b, "x", 1, -1), 1);
        loop_.RunUntil([&] { return heard != before; });
    }
    pair_.b.Drop();
    loop_.RunUntil([&] { return done; });

    EXPECT_EQ(heard % 1000, 300 + heard / 1000) << "each byte of both";
}

TEST_F(Wait, AtOnceLosesNothingOfWhatDidNotFitTheRead)
{
    int heard = 0;
    bool done = false;
    aiox_co_enter_in(loop_, Spawn([&] {
                         char c;
                         while (aiox_channel_read(pair_.a, &c, 1, -1) == 1) {
                             heard++;
                         }
                         done = true;
                     }));

    int sent = 0;
    for (int i = 0; i < 300; i++) {
        int n = i % 7 == 6 ? 3 : 1;
        EXPECT_EQ(aiox_channel_write(pair_.b, "xyz", n, -1), n);
        sent += n;
        loop_.RunUntil([&] { return heard == sent; });
    }
    pair_.b.Drop();
    loop_.RunUntil([&] { return done; });

    EXPECT_EQ(heard, 300 + 2 * (300 / 7));
}

/* ---- external: new work that a loop does not let in ---- */

TEST_F(Wait, OfAnExternalChannelIsNotToldWhileThatIsDisabled)
{
    int result, other;
    Pair usual;
    aiox_channel_set_external(pair_.a, true);
    StartRead(pair_.a, &result);
    StartRead(usual.a, &other);
    aiox_context_disable_external(loop_);

    EXPECT_EQ(aiox_channel_write(pair_.b, "x", 1, -1), 1);
    EXPECT_EQ(aiox_channel_write(usual.b, "x", 1, -1), 1);
    loop_.RunUntil([&] { return other != kNotYet; });
    loop_.Settle();
    EXPECT_EQ(result, kNotYet);

    ASSERT_EQ(aiox_context_enable_external(loop_), 0);
    loop_.RunUntil([&] { return result != kNotYet; });
    EXPECT_EQ(result, 1);
}

TEST_F(Wait, OfAnExternalChannelEndsByItsTimeAndByOthersAllTheSame)
{
    int result, timed_out = kNotYet;
    aiox_channel_set_external(pair_.a, true);
    aiox_context_disable_external(loop_);

    StartRead(pair_.a, &result);
    EXPECT_TRUE(aiox_channel_wake_read(pair_.a));
    EXPECT_EQ(result, -ECANCELED);
    EXPECT_EQ(aiox_channel_write(pair_.b, "x", 1, -1), 1);
    loop_.Run([&] { timed_out = aiox_channel_wait(pair_.a, AIOX_FD_READ, 0); });

    EXPECT_EQ(timed_out, -ETIMEDOUT);
    ASSERT_EQ(aiox_context_enable_external(loop_), 0);
}

using WaitDeathTest = co_testing::DeathTest;

TEST_F(WaitDeathTest, TwoReadersEndTheProgram)
{
    static const aiox_co_class one = {"one", 0}, two = {"two", 0};

    EXPECT_DEATH(
        {
            Loop loop;
            Pair pair;
            aiox_context_set_current(loop);
            auto wait = [&] { EXPECT_GE(aiox_channel_wait(pair.a, AIOX_FD_READ, -1), 0); };
            aiox_co_enter_in(loop, Spawn(wait, &one));
            aiox_co_enter_in(loop, Spawn(wait, &two));
        },
        "two waits in a channel .* where one already does");
}
} // namespace
