/* SPDX-License-Identifier: MIT */
/* Readers of several contexts and a writer of the main one, on every backend. */
#include "aiox/graph_lock.h"

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/clock.h"
#include "lib/aio_co/test/loop.h"
#include "lib/coroutine/test/testing.h"

namespace
{

using co_testing::Loop;
using co_testing::LoopThread;
using co_testing::Spawn;

/* For lambdas, which have no place for coroutine_fn. */
void Lock(aiox_graph_lock *lock) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    aiox_graph_rdlock(lock);
}
void Unlock(aiox_graph_lock *lock) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    aiox_graph_rdunlock(lock);
}
void Yield() AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    aiox_co_yield();
}

class GraphLock : public ::testing::Test
{
  protected:
    GraphLock()
    {
        EXPECT_EQ(aiox_graph_lock_new(&lock_, main_), 0);
        aiox_poll(main_, false); /* its home is this thread */
    }
    ~GraphLock() override
    {
        aiox_graph_lock_free(lock_);
    }

    Loop main_;
    aiox_graph_lock *lock_ = nullptr;
};

TEST_F(GraphLock, ReadersDoNotKeepReadersOut)
{
    int inside = 0;
    int most = 0;
    aiox_co *readers[3];

    for (auto &co : readers) {
        co = Spawn([&] {
            Lock(lock_);
            most = std::max(most, ++inside);
            Yield();
            inside--;
            Unlock(lock_);
        });
        aiox_co_enter_in(main_, co);
    }
    for (aiox_co *co : readers) {
        aiox_co_wake(co);
    }

    EXPECT_EQ(most, 3);
    EXPECT_EQ(inside, 0);
}

TEST_F(GraphLock, AWriterTurnsItsLoopUntilReadersHaveLeft)
{
    bool left = false;
    aiox_co *reader = Spawn([&] {
        Lock(lock_);
        co_testing::SleepNs(AIOX_CLOCK_MONOTONIC, 1000000);
        left = true;
        Unlock(lock_);
    });
    aiox_co_enter_in(main_, reader);
    EXPECT_FALSE(left);

    aiox_graph_wrlock(lock_);

    EXPECT_TRUE(left);
    aiox_graph_assert_writable(lock_);
    aiox_graph_wrunlock(lock_);
}

TEST_F(GraphLock, AReaderInsideMayComeInAgainWhileAWriterWaits)
{
    bool left = false;
    aiox_co *reader = Spawn([&] {
        Lock(lock_);
        co_testing::SleepNs(AIOX_CLOCK_MONOTONIC, 1000000); /* the writer comes */
        Lock(lock_);
        co_testing::SleepNs(AIOX_CLOCK_MONOTONIC, 1000000);
        Unlock(lock_);
        left = true;
        Unlock(lock_);
    });
    aiox_co_enter_in(main_, reader);

    aiox_graph_wrlock(lock_);

    EXPECT_TRUE(left);
    aiox_graph_wrunlock(lock_);
}

TEST_F(GraphLock, AReaderWaitsWhileAWriterWrites)
{
    bool read = false;
    aiox_graph_wrlock(lock_);
    aiox_co_enter_in(main_, Spawn([&] {
                         Lock(lock_);
                         read = true;
                         Unlock(lock_);
                     }));
    main_.Settle();
    EXPECT_FALSE(read);
    EXPECT_FALSE(aiox_graph_try_rdlock(lock_, main_));

    aiox_graph_wrunlock(lock_);
    main_.RunUntil([&] { return read; });

    EXPECT_TRUE(aiox_graph_try_rdlock(lock_, main_));
    aiox_graph_rdunlock_in(lock_, main_);
}

TEST_F(GraphLock, TheMainLoopReadsForNothing)
{
    aiox_graph_rdlock_main(lock_);
    aiox_graph_rdlock_main(lock_);
    EXPECT_TRUE(aiox_graph_try_rdlock(lock_, main_));
    aiox_graph_rdunlock_in(lock_, main_);
    aiox_graph_rdunlock_main(lock_);
    aiox_graph_rdunlock_main(lock_);

    aiox_graph_wrlock(lock_);
    aiox_graph_wrunlock(lock_);
}

TEST_F(GraphLock, TwoLocksAreTwo)
{
    aiox_graph_lock *other = nullptr;
    ASSERT_EQ(aiox_graph_lock_new(&other, main_), 0);

    aiox_graph_wrlock(other);
    EXPECT_TRUE(aiox_graph_try_rdlock(lock_, main_));
    aiox_graph_rdunlock_in(lock_, main_);
    EXPECT_FALSE(aiox_graph_try_rdlock(other, main_));
    aiox_graph_wrunlock(other);

    aiox_graph_lock_free(other);
}

TEST_F(GraphLock, AContextMayEndBeforeTheLockAndALockBeforeTheContext)
{
    for (int i = 0; i < 3; i++) {
        Loop loop;
        aiox_graph_lock *brief = nullptr;
        ASSERT_EQ(aiox_graph_lock_new(&brief, main_), 0);
        ASSERT_EQ(aiox_graph_lock_attach(lock_, loop), 0);
        ASSERT_EQ(aiox_graph_lock_attach(brief, loop), 0);
        loop.Run([&] {
            Lock(brief);
            Unlock(brief);
        });
        aiox_graph_lock_free(brief);
    }

    aiox_graph_wrlock(lock_);
    aiox_graph_wrunlock(lock_);
}

/* Readers of three loops walk what a writer changes all the time. */
TEST_F(GraphLock, NobodyReadsWhatIsBeingWritten)
{
    enum { LOOPS = 3, READERS = 4, MIN = 100 };
    const char *seconds = std::getenv("AIOX_TORTURE_SECONDS");
    int64_t end_ns = aiox_clock_now_ns() + (seconds ? std::atoi(seconds) : 1) * AIOX_NS_PER_S / 4;
    int64_t text[2] = {0, 0}; /* guarded by the lock */
    std::atomic<bool> stop{false};
    std::atomic<int> running{0};
    std::atomic<int64_t> reads{0};
    int64_t writes = 0;
    auto loops = std::make_unique<LoopThread[]>(LOOPS);
    for (int i = 0; i < LOOPS * READERS; i++) {
        running++;
        aiox_co_enter_in(loops[i % LOOPS], Spawn([&, i] {
                             while (!stop) {
                                 Lock(lock_);
                                 int64_t seen = text[0];
                                 if (i % 2) {
                                     Lock(lock_);
                                     Unlock(lock_);
                                 }
                                 EXPECT_EQ(seen, text[1]);
                                 Unlock(lock_);
                                 reads++;
                                 co_testing::SleepNs(AIOX_CLOCK_MONOTONIC, 1000);
                             }
                             running--;
                             aiox_notify(main_);
                         }));
    }

    while (writes < MIN || reads < MIN || aiox_clock_now_ns() < end_ns) {
        aiox_graph_wrlock(lock_);
        text[0]++;
        text[1]++;
        writes++;
        aiox_graph_wrunlock(lock_);
        aiox_poll(main_, false);
    }
    stop = true;
    main_.RunUntil([&] { return running == 0; });

    EXPECT_EQ(text[0], writes);
    EXPECT_GE(reads, MIN);
    loops.reset();
}

using GraphLockDeathTest = GraphLock;

TEST_F(GraphLockDeathTest, UnlockingWhatIsNotLockedEndsTheProgram)
{
    EXPECT_DEATH(aiox_graph_rdunlock_in(lock_, main_), "word >= VISIT");
    EXPECT_DEATH(aiox_graph_rdunlock_main(lock_), "main_readers > 0");
    EXPECT_DEATH(aiox_graph_wrunlock(lock_), "writes");
}

TEST_F(GraphLockDeathTest, WritingInACoroutineEndsTheProgram)
{
    EXPECT_DEATH(aiox_co_enter_in(main_, Spawn([&] { aiox_graph_wrlock(lock_); })),
                 "aiox_in_coroutine");
}

TEST_F(GraphLockDeathTest, WritingTwiceEndsTheProgram)
{
    aiox_graph_wrlock(lock_);
    EXPECT_DEATH(aiox_graph_wrlock(lock_), "writes");
    EXPECT_DEATH(aiox_graph_rdlock_main(lock_), "writes");
    aiox_graph_wrunlock(lock_);
}

TEST_F(GraphLockDeathTest, WritingWhileTheMainLoopReadsEndsTheProgram)
{
    aiox_graph_rdlock_main(lock_);
    EXPECT_DEATH(aiox_graph_wrlock(lock_), "main_readers == 0");
    aiox_graph_rdunlock_main(lock_);
}

TEST_F(GraphLockDeathTest, ReadingOutsideOfAContextEndsTheProgram)
{
    EXPECT_DEATH(Lock(lock_), "a graph is read by a coroutine");
}

} // namespace
