/* SPDX-License-Identifier: MIT */
/* channel_torture.cc - a reader and a writer of one channel in two threads, and closing in between.
 */
#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "lib/channel/test/testing.h"

namespace
{
using channel_testing::Channel;
using channel_testing::Pair;
using co_testing::LoopThread;
using co_testing::MoveSelf;
using co_testing::Spawn;

constexpr int kMessages = 100 * 1000;

/* Ends when as many have counted down. */
class Latch
{
  public:
    explicit Latch(int count) : count_(count)
    {
    }
    void CountDown()
    {
        if (count_.fetch_sub(1) == 1) {
            count_.notify();
        }
    }
    void Wait()
    {
        count_.wait();
    }

  private:
    struct Count : std::atomic<int> {
        using std::atomic<int>::atomic;
        int fd[2];
        explicit Count(int n) : std::atomic<int>(n)
        {
            EXPECT_EQ(pipe2(fd, O_CLOEXEC), 0);
        }
        ~Count()
        {
            close(fd[0]);
            close(fd[1]);
        }
        void notify()
        {
            EXPECT_EQ(write(fd[1], "x", 1), 1);
        }
        void wait()
        {
            char c;
            EXPECT_EQ(read(fd[0], &c, 1), 1);
        }
    } count_;
};

/* Writes numbers into @ch, in batches of changing size. */
void Talk(aiox_channel *ch)
{
    uint32_t batch[100];
    uint32_t next = 0;

    while (next < kMessages) {
        size_t n = 0;
        while (n < 1 + next % 100 && next < kMessages) {
            batch[n++] = next++;
        }
        EXPECT_EQ(aiox_channel_write_full(ch, batch, n * sizeof(*batch), -1), 0);
    }
}

void Hear(aiox_channel *ch)
{
    for (uint32_t i = 0; i < kMessages; i++) {
        uint32_t heard = 0;
        if (aiox_channel_read_full(ch, &heard, sizeof(heard), -1) != 0 || heard != i) {
            ADD_FAILURE() << "message " << i << " is " << heard;
            return;
        }
    }
}

/* Of each end the reader is in one thread, the writer in another. */
TEST(ChannelTorture, ReaderAndWriterInTwoContexts)
{
    LoopThread one, other;
    Pair pair;
    pair.MakeNarrow();
    Latch all(4);
    struct {
        aiox_context *ctx;
        void (*run)(aiox_channel *);
        aiox_channel *ch;
    } parts[] = {
        {one, Talk, pair.a}, {other, Hear, pair.a}, {one, Hear, pair.b}, {other, Talk, pair.b}};

    for (auto &part : parts) {
        aiox_co_enter_in(part.ctx, Spawn([&part, &all] {
                             part.run(part.ch);
                             all.CountDown();
                         }));
    }
    all.Wait();
}

/* Both ends travel between the loops, each at its own pace. */
TEST(ChannelTorture, TravellingReadersAndWriters)
{
    LoopThread one, other;
    Pair pair;
    Latch all(2);
    aiox_context *places[] = {one, other};
    auto travel = [&](aiox_channel *ch, bool begins, unsigned step) {
        for (unsigned i = 0; i < 3000; i++) {
            uint32_t word = i;
            MoveSelf(places[i / step % 2]);
            if (begins) {
                EXPECT_EQ(aiox_channel_write_full(ch, &word, sizeof(word), -1), 0);
            }
            EXPECT_EQ(aiox_channel_read_full(ch, &word, sizeof(word), -1), 0);
            EXPECT_EQ(word, i);
            if (!begins) {
                EXPECT_EQ(aiox_channel_write_full(ch, &word, sizeof(word), -1), 0);
            }
        }
        all.CountDown();
    };

    aiox_co_enter_in(one, Spawn([&] { travel(pair.a, true, 1); }));
    aiox_co_enter_in(other, Spawn([&] { travel(pair.b, false, 3); }));
    all.Wait();
}

/* Closed and woken from a third thread at any moment: who waits is told, nothing is used after. */
TEST(ChannelTorture, ClosedAtAnyMoment)
{
    LoopThread one, other;

    for (int i = 0; i < 500; i++) {
        Pair pair;
        Latch all(2);
        std::atomic<int> moved{0};
        auto exchange = [&](aiox_context *ctx, bool reads) {
            aiox_co_enter_in(ctx, Spawn([&, reads] {
                                 char text[300] = {};
                                 ssize_t n;
                                 do {
                                     n = reads ? aiox_channel_read(pair.a, text, sizeof(text), -1)
                                               : aiox_channel_write(pair.a, text, 300, -1);
                                     moved++;
                                 } while (n > 0);
                                 EXPECT_TRUE(n == -ECANCELED || n == -EBADF) << n;
                                 all.CountDown();
                             }));
        };
        exchange(one, true);
        exchange(other, false);
        EXPECT_GT(aiox_channel_write(pair.b, "hello", 5, -1), 0);
        while (moved.load() < i % 5) {
            std::this_thread::yield();
        }
        if (i % 2) {
            (void)aiox_channel_wake_write(pair.a);
        }
        EXPECT_EQ(aiox_channel_close(pair.a), 0);
        all.Wait();
    }
}
} // namespace
