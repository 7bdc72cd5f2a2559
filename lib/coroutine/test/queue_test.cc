/* SPDX-License-Identifier: MIT */
/* queue_test.cc - who waits, and who is woken. */
#include "aiox/co_sync.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/coroutine/test/sync.h"

namespace
{
using namespace co_testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CoQueue : public ::testing::Test
{
  protected:
    CoQueue()
    {
        aiox_co_queue_init(&queue_);
    }

    void Waiter(const std::string &name)
    {
        stage_.Enter([this, name] {
            Wait(&queue_);
            diary_.push_back(name);
        });
    }
    void Impatient(const std::string &name, int64_t deadline_ns)
    {
        stage_.Enter([this, name, deadline_ns] {
            int err = WaitUntil(&queue_, nullptr, deadline_ns);
            diary_.push_back(err == 0 ? name : err == -ETIMEDOUT ? name + " left" : "?");
        });
    }

    Stage stage_;
    aiox_co_queue queue_;
    Diary diary_;
};

using CoQueueDeathTest = DeathTest;

TEST_F(CoQueue, NextWakesTheFirst)
{
    Waiter("a");
    Waiter("b");

    EXPECT_TRUE(aiox_co_queue_next(&queue_));

    EXPECT_THAT(diary_, ElementsAre("a"));
    EXPECT_FALSE(aiox_co_queue_is_empty(&queue_));
    EXPECT_TRUE(aiox_co_queue_next(&queue_));
    EXPECT_THAT(diary_, ElementsAre("a", "b"));
    EXPECT_TRUE(aiox_co_queue_is_empty(&queue_));
    EXPECT_FALSE(aiox_co_queue_next(&queue_));
}

TEST_F(CoQueue, InACoroutineTheWokenRunWhenItYieldsOrEnds)
{
    Waiter("a");
    Waiter("b");

    stage_.Enter([&] {
        aiox_co_queue_next(&queue_);
        diary_.push_back("|");
        Yield();
    });
    EXPECT_THAT(diary_, ElementsAre("|", "a"));
    stage_.Enter([&] {
        aiox_co_queue_next(&queue_);
        diary_.push_back("|");
    });

    EXPECT_THAT(diary_, ElementsAre("|", "a", "|", "b"));
}

TEST_F(CoQueue, WhoWaitsAtTheHeadIsTheNext)
{
    Waiter("a");
    stage_.Enter([this] {
        WaitHead(&queue_);
        diary_.push_back("head");
    });

    aiox_co_queue_restart_all(&queue_);

    EXPECT_THAT(diary_, ElementsAre("head", "a"));
}

TEST_F(CoQueue, RestartAllWakesThoseWhoWaitNow)
{
    stage_.Enter([this] {
        for (int i = 0; i < 2; i++) {
            Wait(&queue_);
            diary_.push_back("again and again");
        }
    });
    Waiter("b");

    aiox_co_queue_restart_all(&queue_);

    EXPECT_THAT(diary_, ElementsAre("again and again", "b"));
    EXPECT_FALSE(aiox_co_queue_is_empty(&queue_));
    aiox_co_queue_restart_all(&queue_);
    EXPECT_TRUE(aiox_co_queue_is_empty(&queue_));
}

TEST_F(CoQueue, MayBeFreedRightAfterARestart)
{
    auto queue = std::make_unique<aiox_co_queue>();
    aiox_co_queue_init(queue.get());
    aiox_co_mutex mutex = {};
    for (const char *name : {"a", "b"}) {
        stage_.Enter([&, name] {
            Lock(&mutex);
            Wait(queue.get(), &mutex);
            diary_.push_back(name);
            Unlock(&mutex);
        });
    }

    stage_.Enter([&] {
        Lock(&mutex);
        aiox_co_queue_restart_all(queue.get());
        queue.reset();
        Unlock(&mutex);
    });

    EXPECT_THAT(diary_, ElementsAre("a", "b"));
}

TEST_F(CoQueue, MayBeFreedByTheFirstThatGoesOn)
{
    auto queue = std::make_unique<aiox_co_queue>();
    aiox_co_queue_init(queue.get());
    stage_.Enter([&] {
        Wait(queue.get());
        queue.reset();
        diary_.push_back("a");
    });
    stage_.Enter([&] {
        Wait(queue.get());
        diary_.push_back("b");
    });

    aiox_co_queue_restart_all(queue.get());

    EXPECT_THAT(diary_, ElementsAre("a", "b"));
}

TEST_F(CoQueue, GivesTheMutexBackWhileItWaits)
{
    aiox_co_mutex mutex = {};
    stage_.Enter([&] {
        Lock(&mutex);
        Wait(&queue_, &mutex);
        EXPECT_FALSE(TryLock(&mutex));
        diary_.push_back("has it again");
        Unlock(&mutex);
    });
    EXPECT_FALSE(aiox_co_mutex_is_locked(&mutex));

    aiox_co *waker = stage_.Enter([&] {
        Lock(&mutex);
        aiox_co_queue_next(&queue_);
        Yield();
        diary_.push_back("unlocks");
        Unlock(&mutex);
    });
    EXPECT_THAT(diary_, IsEmpty());
    aiox_co_enter(waker);

    EXPECT_THAT(diary_, ElementsAre("unlocks", "has it again"));
}

TEST_F(CoQueue, EachWaiterWakesAtHome)
{
    Stage stages[3];
    for (Stage &stage : stages) {
        stage.Enter([&] {
            Wait(&queue_);
            EXPECT_EQ(aiox_co_executor(aiox_co_self()), &stage);
            diary_.push_back(std::to_string(&stage - stages));
        });
    }

    stage_.Enter([this] { aiox_co_queue_restart_all(&queue_); });
    EXPECT_THAT(diary_, IsEmpty());
    for (int i = 2; i >= 0; i--) {
        stages[i].Settle();
    }

    EXPECT_THAT(diary_, ElementsAre("2", "1", "0"));
}

TEST_F(CoQueue, AllZeroIsEmpty)
{
    aiox_co_queue zero = {};

    EXPECT_TRUE(aiox_co_queue_is_empty(&zero));
    EXPECT_FALSE(aiox_co_queue_next(&zero));
    aiox_co_queue_restart_all(&zero);
}

/* ---- deadlines ---- */

TEST_F(CoQueue, AtItsDeadlineAWaiterLeaves)
{
    Impatient("a", 10);
    Impatient("b", 20);

    stage_.Advance(10);

    EXPECT_THAT(diary_, ElementsAre("a left"));
    EXPECT_TRUE(aiox_co_queue_next(&queue_));
    EXPECT_THAT(diary_, ElementsAre("a left", "b"));
    EXPECT_TRUE(aiox_co_queue_is_empty(&queue_));
    EXPECT_EQ(stage_.alarms(), 0u);
}

/* It is about to leave, and waits for the mutex, when others are woken. */
TEST_F(CoQueue, AWakeIsNotLostOnOneWhoIsLeaving)
{
    aiox_co_mutex mutex = {};
    for (int64_t deadline_ns : {10, -1}) {
        stage_.Enter([&, deadline_ns] {
            Lock(&mutex);
            int err = WaitUntil(&queue_, &mutex, deadline_ns);
            diary_.push_back(err == 0 ? "woken" : "left");
            Unlock(&mutex);
        });
    }
    aiox_co *holder = stage_.Enter([&] {
        Lock(&mutex);
        Yield();
        EXPECT_TRUE(aiox_co_queue_next(&queue_));
        EXPECT_TRUE(aiox_co_queue_is_empty(&queue_));
        Unlock(&mutex);
    });

    stage_.Advance(10);
    EXPECT_FALSE(aiox_co_queue_is_empty(&queue_));
    aiox_co_enter(holder);

    EXPECT_THAT(diary_, ElementsAre("left", "woken"));
}

TEST_F(CoQueue, IsEmptyWhenAllAreLeaving)
{
    aiox_co_mutex mutex = {};
    stage_.Enter([&] {
        Lock(&mutex);
        EXPECT_EQ(WaitUntil(&queue_, &mutex, 10), -ETIMEDOUT);
        Unlock(&mutex);
    });
    aiox_co *holder = stage_.Enter([&] {
        Lock(&mutex);
        Yield();
        EXPECT_TRUE(aiox_co_queue_is_empty(&queue_));
        EXPECT_FALSE(aiox_co_queue_next(&queue_));
        Unlock(&mutex);
    });

    stage_.Advance(10);
    aiox_co_enter(holder);

    EXPECT_FALSE(aiox_co_mutex_is_locked(&mutex));
}

TEST_F(CoQueue, ADeadlineAfterTheWakeIsTooLate)
{
    Stage other;
    Impatient("a", 10);

    other.Enter([this] { EXPECT_TRUE(aiox_co_queue_next(&queue_)); });
    stage_.Advance(10);
    EXPECT_THAT(diary_, IsEmpty());
    stage_.Settle();

    EXPECT_THAT(diary_, ElementsAre("a"));
}

TEST_F(CoQueue, NoMemoryForADeadlineIsAnErrorAndLeavesNothing)
{
    stage_.has_no_memory = true;
    int err = 0;

    stage_.Enter([&] { err = WaitUntil(&queue_, nullptr, 10); });

    EXPECT_EQ(err, -ENOMEM);
    EXPECT_TRUE(aiox_co_queue_is_empty(&queue_));
}

TEST_F(CoQueueDeathTest, WaitingWithAMutexThatIsNotHeldEndsTheProgram)
{
    static const aiox_co_class careless = {"careless", 0};
    aiox_co_queue queue = {};
    aiox_co_mutex mutex = {};
    Stage stage;

    EXPECT_DEATH(stage.Enter([&] { Wait(&queue, &mutex); }, &careless), "careless.*does not hold");
}
} // namespace
