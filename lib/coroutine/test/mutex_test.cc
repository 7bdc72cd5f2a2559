/* SPDX-License-Identifier: MIT */
/* mutex_test.cc - who holds the mutex, and who is the next. */
#include "aiox/co_sync.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/coroutine/test/sync.h"

namespace
{
using namespace co_testing;
using ::testing::ElementsAre;

class CoMutex : public ::testing::Test
{
  protected:
    ~CoMutex() override
    {
        aiox_co_mutex_fini(&mutex_);
    }

    /* Enters one that notes when it has the mutex, and gives it back after a yield. */
    aiox_co *Holder(const std::string &name)
    {
        return stage_.Enter([this, name] {
            Lock(&mutex_);
            diary_.push_back(name);
            Yield();
            Unlock(&mutex_);
        });
    }
    /* The same with a deadline, and without the yield. */
    void Impatient(const std::string &name, int64_t deadline_ns)
    {
        stage_.Enter([this, name, deadline_ns] {
            if (LockUntil(&mutex_, deadline_ns) == 0) {
                diary_.push_back(name);
                Unlock(&mutex_);
            } else {
                diary_.push_back(name + " left");
            }
        });
    }

    Stage stage_;
    aiox_co_mutex mutex_ = {};
    Diary diary_;
};

using CoMutexDeathTest = DeathTest;

TEST_F(CoMutex, IsHeldByOneAtATime)
{
    aiox_co *first = Holder("first");
    aiox_co *second = Holder("second");
    EXPECT_THAT(diary_, ElementsAre("first"));
    EXPECT_TRUE(aiox_co_mutex_is_locked(&mutex_));

    aiox_co_enter(first);
    EXPECT_THAT(diary_, ElementsAre("first", "second"));
    aiox_co_enter(second);

    EXPECT_FALSE(aiox_co_mutex_is_locked(&mutex_));
}

TEST_F(CoMutex, AWaiterOwnsItBeforeUnlockReturnsAndRunsWhenTheUnlockerEnds)
{
    bool done[2] = {};
    bool locked = false, locked_at_unlock = false, was_taken = true;
    auto side = [&](bool *is_done) {
        Lock(&mutex_);
        EXPECT_FALSE(locked);
        locked = true;
        Yield();
        locked = false;
        Unlock(&mutex_);
        if (!*is_done && is_done == &done[0]) {
            locked_at_unlock = aiox_co_mutex_is_locked(&mutex_);
            was_taken = TryLock(&mutex_);
            EXPECT_FALSE(locked);
        }
        *is_done = true;
    };
    aiox_co *c1 = stage_.Enter([&] { side(&done[0]); });
    aiox_co *c2 = stage_.Enter([&] { side(&done[1]); });

    aiox_co_enter(c1);

    EXPECT_TRUE(locked_at_unlock);
    EXPECT_FALSE(was_taken);
    EXPECT_TRUE(locked);
    EXPECT_TRUE(done[0]);
    EXPECT_FALSE(done[1]);

    aiox_co_enter(c2);
    EXPECT_TRUE(done[1]);
    EXPECT_FALSE(locked);
}

TEST_F(CoMutex, WaitersAreServedInTheOrderOfTheirArrival)
{
    aiox_co *holder = Holder("0");
    for (const char *name : {"a", "b", "c"}) {
        stage_.Enter([this, name] {
            Lock(&mutex_);
            diary_.push_back(name);
            Unlock(&mutex_);
        });
    }

    aiox_co_enter(holder);

    EXPECT_THAT(diary_, ElementsAre("0", "a", "b", "c"));
}

/* Two come, one is served, two more come: nobody overtakes. */
TEST_F(CoMutex, LateComersStandBehindThoseWhoWait)
{
    aiox_co *holder = Holder("0");
    aiox_co *a = Holder("a");
    aiox_co *b = Holder("b");
    aiox_co_enter(holder);
    aiox_co *c = Holder("c");
    aiox_co *d = Holder("d");

    for (aiox_co *next : {a, b, c, d}) {
        aiox_co_enter(next);
    }

    EXPECT_THAT(diary_, ElementsAre("0", "a", "b", "c", "d"));
}

TEST_F(CoMutex, TryLockTakesWhatIsFree)
{
    stage_.Enter([this] {
        EXPECT_TRUE(TryLock(&mutex_));
        EXPECT_FALSE(TryLock(&mutex_));
        Unlock(&mutex_);
        EXPECT_TRUE(TryLock(&mutex_));
        Unlock(&mutex_);
    });

    EXPECT_FALSE(aiox_co_mutex_is_locked(&mutex_));
}

void GuardedUntilItReturns(aiox_co_mutex *m, bool early) coroutine_fn
{
    AIOX_CO_MUTEX_GUARD(m);
    EXPECT_TRUE(aiox_co_mutex_is_locked(m));
    if (early) {
        return;
    }
    EXPECT_TRUE(aiox_co_mutex_is_locked(m));
}

void TryGuards(void *m) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    GuardedUntilItReturns(static_cast<aiox_co_mutex *>(m), true);
    EXPECT_FALSE(aiox_co_mutex_is_locked(static_cast<aiox_co_mutex *>(m)));
    GuardedUntilItReturns(static_cast<aiox_co_mutex *>(m), false);
}

TEST_F(CoMutex, AGuardHoldsItUntilTheEndOfTheBlock)
{
    stage_.Enter([this] { TryGuards(&mutex_); });

    EXPECT_FALSE(aiox_co_mutex_is_locked(&mutex_));
}

TEST_F(CoMutex, EachWaiterGoesOnInItsOwnExecutor)
{
    Stage other;
    aiox_co *holder = Holder("here");
    other.Enter([&] {
        Lock(&mutex_);
        EXPECT_EQ(aiox_co_executor(aiox_co_self()), &other);
        diary_.push_back("there");
        Unlock(&mutex_);
    });

    aiox_co_enter(holder);
    EXPECT_THAT(diary_, ElementsAre("here"));
    EXPECT_TRUE(aiox_co_mutex_is_locked(&mutex_));
    other.Settle();

    EXPECT_THAT(diary_, ElementsAre("here", "there"));
}

TEST_F(CoMutex, WorksWithoutAnyExecutor)
{
    aiox_co *first = Spawn([&] {
        Lock(&mutex_);
        Yield();
        Unlock(&mutex_);
    });
    bool second_had_it = false;
    aiox_co *second = Spawn([&] {
        Lock(&mutex_);
        second_had_it = true;
        Unlock(&mutex_);
    });
    aiox_co_enter(first);
    aiox_co_enter(second);

    aiox_co_enter(first);

    EXPECT_TRUE(second_had_it);
}

TEST_F(CoMutex, MayBeFreedByWhoeverGetsItLast)
{
    auto mutex = std::make_unique<aiox_co_mutex>();
    aiox_co *first = stage_.Enter([&] {
        Lock(mutex.get());
        Yield();
        Unlock(mutex.get());
    });
    stage_.Enter([&] {
        Lock(mutex.get());
        Unlock(mutex.get());
        mutex.reset();
    });

    aiox_co_enter(first);

    EXPECT_EQ(mutex, nullptr);
}

/* ---- deadlines ---- */

TEST_F(CoMutex, AtItsDeadlineAWaiterLeaves)
{
    aiox_co *holder = Holder("holder");
    Impatient("waiter", 10);

    stage_.Advance(9);
    EXPECT_THAT(diary_, ElementsAre("holder"));
    stage_.Advance(10);

    EXPECT_THAT(diary_, ElementsAre("holder", "waiter left"));
    EXPECT_EQ(stage_.alarms(), 0u);
    aiox_co_enter(holder);
    EXPECT_FALSE(aiox_co_mutex_is_locked(&mutex_));
}

TEST_F(CoMutex, WhoIsInTimeGetsItAndNoAlarmIsLeft)
{
    aiox_co *holder = Holder("holder");
    Impatient("waiter", 10);

    aiox_co_enter(holder);
    stage_.Advance(10);

    EXPECT_THAT(diary_, ElementsAre("holder", "waiter"));
    EXPECT_EQ(stage_.alarms(), 0u);
}

/* Handed over, but not yet awake, when the deadline comes. */
TEST_F(CoMutex, ADeadlineAfterTheHandOverIsTooLate)
{
    Stage other;
    aiox_co *holder = other.Enter([&] {
        Lock(&mutex_);
        Yield();
        Unlock(&mutex_);
    });
    Impatient("waiter", 10);

    aiox_co_enter(holder);
    stage_.Advance(10);
    EXPECT_TRUE(aiox_co_mutex_is_locked(&mutex_));
    stage_.Settle();

    EXPECT_THAT(diary_, ElementsAre("waiter"));
}

/* From the stack of newcomers, from the head, the middle and the end of the line. */
TEST_F(CoMutex, WhoLeavesIsPassedOverWhereverItStands)
{
    for (int who = 0; who < 4; who++) {
        for (bool in_line : {false, true}) {
            diary_.clear();
            aiox_co *holder = Holder("0");
            if (in_line) { /* somebody is handed it, which turns the stack into the line */
                Impatient("first", -1);
            }
            for (int i = 0; i < 4; i++) {
                Impatient(std::to_string(i + 1), i == who ? 10 : 20);
            }
            if (in_line) {
                Impatient("and gone", 5);
                stage_.Advance(5);
            }
            stage_.Advance(10);
            aiox_co_enter(holder);

            Diary expected = {"0"};
            if (in_line) {
                expected.push_back("and gone left");
            }
            expected.push_back(std::to_string(who + 1) + " left");
            if (in_line) {
                expected.push_back("first");
            }
            for (int i = 0; i < 4; i++) {
                if (i != who) {
                    expected.push_back(std::to_string(i + 1));
                }
            }
            EXPECT_EQ(diary_, expected);
            EXPECT_FALSE(aiox_co_mutex_is_locked(&mutex_));
        }
    }
}

TEST_F(CoMutex, WhenAllHaveLeftItIsFreeAtUnlock)
{
    aiox_co *holder = Holder("holder");
    Impatient("a", 10);
    Impatient("b", 11);

    stage_.Advance(20);
    aiox_co_enter(holder);

    EXPECT_THAT(diary_, ElementsAre("holder", "a left", "b left"));
    EXPECT_FALSE(aiox_co_mutex_is_locked(&mutex_));
}

TEST_F(CoMutex, NoMemoryForADeadlineIsAnErrorAndLeavesNothing)
{
    aiox_co *holder = Holder("holder");
    stage_.has_no_memory = true;
    int err = 0;

    stage_.Enter([&] { err = LockUntil(&mutex_, 10); });

    EXPECT_EQ(err, -ENOMEM);
    aiox_co_enter(holder);
    EXPECT_FALSE(aiox_co_mutex_is_locked(&mutex_));
}

/* ---- mistakes ---- */

const aiox_co_class kForgetful = {"forgetful", 0};

TEST_F(CoMutexDeathTest, EndingWithALockHeldEndsTheProgram)
{
    aiox_co_mutex mutex = {};
    Stage stage;

    EXPECT_DEATH(stage.Enter([&] { Lock(&mutex); }, &kForgetful), "forgetful.*ends and holds 1");
}

TEST_F(CoMutexDeathTest, UnlockingWhatAnotherHoldsEndsTheProgram)
{
    aiox_co_mutex mutex = {};
    Stage stage;

    EXPECT_DEATH(
        {
            stage.Enter([&] {
                Lock(&mutex);
                Yield();
            });
            stage.Enter([&] { Unlock(&mutex); }, &kForgetful);
        },
        "forgetful.*unlocks a mutex that it does not hold");
    EXPECT_DEATH(stage.Enter([&] { Unlock(&mutex); }, &kForgetful), "forgetful.*does not hold");
}

TEST_F(CoMutexDeathTest, LockingTwiceEndsTheProgram)
{
    aiox_co_mutex mutex = {};
    Stage stage;

    EXPECT_DEATH(stage.Enter(
                     [&] {
                         Lock(&mutex);
                         Lock(&mutex);
                     },
                     &kForgetful),
                 "forgetful.*waits for a mutex that it holds");
}

TEST_F(CoMutexDeathTest, EnteringAWaiterEndsTheProgram)
{
    aiox_co_mutex mutex = {};
    Stage stage;

    EXPECT_DEATH(
        {
            stage.Enter([&] {
                Lock(&mutex);
                Yield();
            });
            aiox_co_enter(stage.Enter([&] { Lock(&mutex); }, &kForgetful));
        },
        "forgetful.*was entered by somebody else while it waits");
}

TEST_F(CoMutexDeathTest, ADeadlineNeedsAClock)
{
    aiox_co_mutex mutex = {};

    EXPECT_DEATH(
        {
            aiox_co_enter(Spawn([&] {
                Lock(&mutex);
                Yield();
            }));
            aiox_co_enter(Spawn([&] { (void)LockUntil(&mutex, 1); }, &kForgetful));
        },
        "forgetful.*its executor has no clock");
}

TEST_F(CoMutexDeathTest, OutsideOfACoroutineItEndsTheProgram)
{
    aiox_co_mutex mutex = {};

    EXPECT_DEATH(Lock(&mutex), "aiox_co_mutex_lock.* outside of a coroutine");
    EXPECT_DEATH(Unlock(&mutex), "aiox_co_mutex_unlock.* outside of a coroutine");
}

TEST_F(CoMutexDeathTest, EndingAMutexThatIsHeldEndsTheProgram)
{
    aiox_co_mutex mutex = {};
    Stage stage;
    aiox_co *holder = stage.Enter([&] {
        Lock(&mutex);
        Yield();
        Unlock(&mutex);
    });

    EXPECT_DEATH(aiox_co_mutex_fini(&mutex), "condition");

    aiox_co_enter(holder);
}
} // namespace
