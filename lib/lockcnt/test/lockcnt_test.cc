/* SPDX-License-Identifier: MIT */
/* lockcnt_test.cc - what aiox/lockcnt.h promises; run with futexes and with mutexes. */
#include "aiox/lockcnt.h"

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace
{

class LockcntTest : public ::testing::Test
{
  protected:
    LockcntTest()
    {
        aiox_lockcnt_init(&lc_);
    }

    ~LockcntTest() override
    {
        aiox_lockcnt_fini(&lc_);
    }

    /* Puts @visits visits of nobody on the count. */
    void Pretend(uint32_t visits)
    {
        aiox_u32_store_relaxed(&lc_.word_, visits * AIOX_LOCKCNT_VISIT_);
    }

    aiox_lockcnt lc_;
};

using LockcntDeathTest = LockcntTest;

/* ---- one thread ---- */

TEST(Lockcnt, AllZeroIsReadyForUse)
{
    aiox_lockcnt lc = {};

    EXPECT_EQ(aiox_lockcnt_count(&lc), 0u);
    aiox_lockcnt_lock(&lc);
    aiox_lockcnt_unlock(&lc);
    aiox_lockcnt_fini(&lc);
}

TEST_F(LockcntTest, CountsVisits)
{
    EXPECT_EQ(aiox_lockcnt_count(&lc_), 0u);
    aiox_lockcnt_inc(&lc_);
    EXPECT_EQ(aiox_lockcnt_count(&lc_), 1u);
    aiox_lockcnt_inc(&lc_);
    EXPECT_EQ(aiox_lockcnt_count(&lc_), 2u);
    aiox_lockcnt_dec(&lc_);
    EXPECT_EQ(aiox_lockcnt_count(&lc_), 1u);
    aiox_lockcnt_dec(&lc_);
    EXPECT_EQ(aiox_lockcnt_count(&lc_), 0u);
}

TEST_F(LockcntTest, VisitsBeginAndEndWhileAnotherGoesOnWhateverTheLock)
{
    aiox_lockcnt_inc(&lc_);
    aiox_lockcnt_lock(&lc_);

    aiox_lockcnt_inc(&lc_);
    aiox_lockcnt_dec(&lc_);
    aiox_lockcnt_dec(&lc_);

    EXPECT_EQ(aiox_lockcnt_count(&lc_), 0u);
    aiox_lockcnt_unlock(&lc_);
}

TEST_F(LockcntTest, DecAndLockOnlyEndsAVisitThatIsNotTheLast)
{
    aiox_lockcnt_inc(&lc_);
    aiox_lockcnt_inc(&lc_);

    EXPECT_FALSE(aiox_lockcnt_dec_and_lock(&lc_));
    EXPECT_EQ(aiox_lockcnt_count(&lc_), 1u);

    aiox_lockcnt_lock(&lc_); /* it is free */
    aiox_lockcnt_unlock(&lc_);
    aiox_lockcnt_dec(&lc_);
}

TEST_F(LockcntTest, DecAndLockLocksAfterTheLastVisit)
{
    aiox_lockcnt_inc(&lc_);

    EXPECT_TRUE(aiox_lockcnt_dec_and_lock(&lc_));
    EXPECT_EQ(aiox_lockcnt_count(&lc_), 0u);

    aiox_lockcnt_unlock(&lc_);
}

TEST_F(LockcntTest, DecAndLockOfOneOfManyDoesNotWaitForTheLock)
{
    aiox_lockcnt_inc(&lc_);
    aiox_lockcnt_inc(&lc_);
    aiox_lockcnt_lock(&lc_);

    EXPECT_FALSE(aiox_lockcnt_dec_and_lock(&lc_));

    aiox_lockcnt_unlock(&lc_);
    aiox_lockcnt_dec(&lc_);
}

TEST_F(LockcntTest, DecIfLockLeavesAVisitThatIsNotTheLast)
{
    aiox_lockcnt_inc(&lc_);
    aiox_lockcnt_inc(&lc_);

    EXPECT_FALSE(aiox_lockcnt_dec_if_lock(&lc_));
    EXPECT_EQ(aiox_lockcnt_count(&lc_), 2u);

    aiox_lockcnt_dec(&lc_);
    aiox_lockcnt_dec(&lc_);
}

TEST_F(LockcntTest, DecIfLockLocksAfterTheLastVisit)
{
    aiox_lockcnt_inc(&lc_);

    EXPECT_TRUE(aiox_lockcnt_dec_if_lock(&lc_));
    EXPECT_EQ(aiox_lockcnt_count(&lc_), 0u);

    aiox_lockcnt_unlock(&lc_);
}

TEST_F(LockcntTest, IncAndUnlockBeginsAVisit)
{
    aiox_lockcnt_lock(&lc_);

    aiox_lockcnt_inc_and_unlock(&lc_);

    EXPECT_EQ(aiox_lockcnt_count(&lc_), 1u);
    EXPECT_TRUE(aiox_lockcnt_dec_and_lock(&lc_)); /* so the lock was free */
    aiox_lockcnt_unlock(&lc_);
}

TEST_F(LockcntTest, AFullTurnOfALoopLeavesNothingBehind)
{
    aiox_lockcnt_inc(&lc_);

    ASSERT_TRUE(aiox_lockcnt_dec_if_lock(&lc_));
    aiox_lockcnt_inc_and_unlock(&lc_);

    EXPECT_EQ(aiox_lockcnt_count(&lc_), 1u);
    aiox_lockcnt_dec(&lc_);
}

TEST_F(LockcntTest, TakesAsManyVisitsAsItSays)
{
    Pretend(AIOX_LOCKCNT_MAX_VISITS - 1);

    aiox_lockcnt_inc(&lc_);

    EXPECT_EQ(aiox_lockcnt_count(&lc_), static_cast<unsigned>(AIOX_LOCKCNT_MAX_VISITS));
    Pretend(0);
}

/* ---- two threads: @waiter must not get on before the lock is given back ---- */

class LockcntWaitTest : public LockcntTest
{
  protected:
    /* Starts @step in a thread; it has to find unlocked_ set afterwards. */
    void Start(std::function<void()> step)
    {
        thread_ = std::thread([this, step] {
            started_ = true;
            step();
            EXPECT_TRUE(unlocked_);
        });
        while (!started_) {
            std::this_thread::yield();
        }
    }

    ~LockcntWaitTest() override
    {
        thread_.join();
    }

    std::thread thread_;
    std::atomic<bool> started_{false};
    std::atomic<bool> unlocked_{false};
};

TEST_F(LockcntWaitTest, NoVisitBeginsAtZeroWhileTheLockIsHeld)
{
    aiox_lockcnt_lock(&lc_);
    Start([this] {
        aiox_lockcnt_inc(&lc_);
        aiox_lockcnt_dec(&lc_);
    });

    unlocked_ = true;
    aiox_lockcnt_unlock(&lc_);
}

TEST_F(LockcntWaitTest, AVisitMayBeginTogetherWithTheUnlock)
{
    aiox_lockcnt_lock(&lc_);
    Start([this] {
        aiox_lockcnt_inc(&lc_);
        aiox_lockcnt_dec(&lc_);
    });

    unlocked_ = true;
    aiox_lockcnt_inc_and_unlock(&lc_);
    aiox_lockcnt_dec(&lc_);
}

TEST_F(LockcntWaitTest, TheLockWaitsForTheLock)
{
    aiox_lockcnt_lock(&lc_);
    Start([this] {
        aiox_lockcnt_lock(&lc_);
        aiox_lockcnt_unlock(&lc_);
    });

    unlocked_ = true;
    aiox_lockcnt_unlock(&lc_);
}

TEST_F(LockcntWaitTest, TheLastVisitorWaitsForTheLock)
{
    aiox_lockcnt_inc(&lc_);
    aiox_lockcnt_lock(&lc_);
    Start([this] {
        EXPECT_TRUE(aiox_lockcnt_dec_and_lock(&lc_));
        aiox_lockcnt_unlock(&lc_);
    });

    unlocked_ = true;
    aiox_lockcnt_unlock(&lc_);
}

TEST_F(LockcntWaitTest, TheLastVisitorWhoWouldLockWaitsForTheLock)
{
    aiox_lockcnt_inc(&lc_);
    aiox_lockcnt_lock(&lc_);
    Start([this] {
        EXPECT_TRUE(aiox_lockcnt_dec_if_lock(&lc_));
        aiox_lockcnt_unlock(&lc_);
    });

    unlocked_ = true;
    aiox_lockcnt_unlock(&lc_);
}

TEST_F(LockcntTest, ManyWaitersGetTheLockOneAfterAnother)
{
    constexpr int kThreads = 8;
    int inside = 0; /* plain: the sanitizer sees if two are inside */
    std::vector<std::thread> threads;
    aiox_lockcnt_lock(&lc_);
    for (int i = 0; i < kThreads; i++) {
        threads.emplace_back([&] {
            aiox_lockcnt_lock(&lc_);
            inside++;
            aiox_lockcnt_unlock(&lc_);
        });
    }

    aiox_lockcnt_unlock(&lc_);
    for (auto &thread : threads) {
        thread.join();
    }

    EXPECT_EQ(inside, kThreads);
}

/* ---- mistakes ---- */

TEST_F(LockcntDeathTest, EndingAVisitThatNobodyBegan)
{
    EXPECT_DEATH(aiox_lockcnt_dec(&lc_), "does not hold");
    EXPECT_DEATH(EXPECT_TRUE(aiox_lockcnt_dec_and_lock(&lc_)), "does not hold");
    EXPECT_DEATH(EXPECT_TRUE(aiox_lockcnt_dec_if_lock(&lc_)), "does not hold");
}

TEST_F(LockcntDeathTest, EndingAVisitThatNobodyBeganWithTheLockHeld)
{
    aiox_lockcnt_lock(&lc_);

    EXPECT_DEATH(aiox_lockcnt_dec(&lc_), "does not hold");

    aiox_lockcnt_unlock(&lc_);
}

TEST_F(LockcntDeathTest, UnlockingWhatIsNotLocked)
{
    EXPECT_DEATH(aiox_lockcnt_unlock(&lc_), "does not hold");
    EXPECT_DEATH(aiox_lockcnt_inc_and_unlock(&lc_), "does not hold");
}

TEST_F(LockcntDeathTest, OneVisitTooMany)
{
    Pretend(AIOX_LOCKCNT_MAX_VISITS);

    EXPECT_DEATH(aiox_lockcnt_inc(&lc_), "MAX_VISITS");
    EXPECT_DEATH(
        {
            aiox_lockcnt_lock(&lc_);
            aiox_lockcnt_inc_and_unlock(&lc_);
        },
        "MAX_VISITS");

    Pretend(0);
}

TEST_F(LockcntDeathTest, EndingItWhileItIsInUse)
{
    aiox_lockcnt_inc(&lc_);
    EXPECT_DEATH(aiox_lockcnt_fini(&lc_), "does not hold");
    aiox_lockcnt_dec(&lc_);

    aiox_lockcnt_lock(&lc_);
    EXPECT_DEATH(aiox_lockcnt_fini(&lc_), "does not hold");
    aiox_lockcnt_unlock(&lc_);
}

} // namespace
