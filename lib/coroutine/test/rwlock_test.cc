/* SPDX-License-Identifier: MIT */
/* rwlock_test.cc - readers together, writers alone, all in their turn. */
#include "aiox/co_sync.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/coroutine/test/sync.h"

namespace
{
using namespace co_testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CoRwlock : public ::testing::Test
{
  protected:
    ~CoRwlock() override
    {
        aiox_co_rwlock_fini(&lock_);
    }

    /* They note when they are in, and leave when they are entered again. */
    aiox_co *Reader(const std::string &name)
    {
        return stage_.Enter([this, name] {
            RdLock(&lock_);
            diary_.push_back(name);
            Yield();
            RwUnlock(&lock_);
        });
    }
    aiox_co *Writer(const std::string &name)
    {
        return stage_.Enter([this, name] {
            WrLock(&lock_);
            diary_.push_back(name);
            Yield();
            RwUnlock(&lock_);
        });
    }
    /* In and out. */
    void ImpatientWriter(const std::string &name, int64_t deadline_ns)
    {
        stage_.Enter([this, name, deadline_ns] {
            int err = WrLockUntil(&lock_, deadline_ns);
            diary_.push_back(err == 0 ? name : name + " left");
            if (err == 0) {
                RwUnlock(&lock_);
            }
        });
    }
    void ImpatientReader(const std::string &name, int64_t deadline_ns)
    {
        stage_.Enter([this, name, deadline_ns] {
            int err = RdLockUntil(&lock_, deadline_ns);
            diary_.push_back(err == 0 ? name : name + " left");
            if (err == 0) {
                RwUnlock(&lock_);
            }
        });
    }
    void Leave(std::initializer_list<aiox_co *> all)
    {
        for (aiox_co *co : all) {
            aiox_co_enter(co);
        }
    }

    Stage stage_;
    aiox_co_rwlock lock_ = {};
    Diary diary_;
};

using CoRwlockDeathTest = DeathTest;

TEST_F(CoRwlock, ReadersAreTogether)
{
    aiox_co *a = Reader("a");
    aiox_co *b = Reader("b");

    EXPECT_THAT(diary_, ElementsAre("a", "b"));
    Leave({a, b});
}

TEST_F(CoRwlock, AWriterIsAlone)
{
    aiox_co *a = Reader("a");
    aiox_co *b = Reader("b");
    aiox_co *w = Writer("w");
    EXPECT_THAT(diary_, ElementsAre("a", "b"));

    Leave({a});
    EXPECT_THAT(diary_, ElementsAre("a", "b"));
    Leave({b});
    EXPECT_THAT(diary_, ElementsAre("a", "b", "w"));
    aiox_co *v = Writer("v");
    EXPECT_THAT(diary_, ElementsAre("a", "b", "w"));
    Leave({w});

    EXPECT_THAT(diary_, ElementsAre("a", "b", "w", "v"));
    Leave({v});
}

TEST_F(CoRwlock, AReaderWaitsBehindAWriterThatWaits)
{
    aiox_co *a = Reader("a");
    aiox_co *w = Writer("w");
    aiox_co *b = Reader("b");
    EXPECT_THAT(diary_, ElementsAre("a"));

    Leave({a});
    EXPECT_THAT(diary_, ElementsAre("a", "w"));
    Leave({w});

    EXPECT_THAT(diary_, ElementsAre("a", "w", "b"));
    Leave({b});
}

TEST_F(CoRwlock, AdmitsARunOfReadersThenTheWriterBehindThem)
{
    aiox_co *w = Writer("w");
    aiox_co *a = Reader("a");
    aiox_co *b = Reader("b");
    aiox_co *v = Writer("v");
    aiox_co *c = Reader("c");

    Leave({w});
    EXPECT_THAT(diary_, ElementsAre("w", "a", "b"));
    Leave({a, b});
    EXPECT_THAT(diary_, ElementsAre("w", "a", "b", "v"));
    Leave({v});

    EXPECT_THAT(diary_, ElementsAre("w", "a", "b", "v", "c"));
    Leave({c});
}

TEST_F(CoRwlock, TryTakesWhatCanBeHadAtOnce)
{
    aiox_co *a = Reader("a");
    stage_.Enter([this] {
        EXPECT_FALSE(TryWrLock(&lock_));
        EXPECT_TRUE(TryRdLock(&lock_));
        RwUnlock(&lock_);
    });
    aiox_co *w = Writer("w");
    stage_.Enter([this] { EXPECT_FALSE(TryRdLock(&lock_)) << "a writer waits"; });
    Leave({a, w});

    stage_.Enter([this] {
        EXPECT_TRUE(TryWrLock(&lock_));
        EXPECT_FALSE(TryRdLock(&lock_));
        RwUnlock(&lock_);
    });
}

/* ---- upgrade and downgrade ---- */

TEST_F(CoRwlock, TheOnlyReaderUpgradesInPlace)
{
    stage_.Enter([this] {
        RdLock(&lock_);
        EXPECT_TRUE(Upgrade(&lock_));
        EXPECT_FALSE(TryRdLock(&lock_));
        RwUnlock(&lock_);
    });

    EXPECT_EQ(lock_.owners_, 0);
}

TEST_F(CoRwlock, ASoleReaderThatUpgradesStillQueuesBehindAWaitingWriter)
{
    aiox_co *r = stage_.Enter([this] {
        RdLock(&lock_);
        Yield();
        diary_.push_back("asks");
        EXPECT_FALSE(Upgrade(&lock_));
        diary_.push_back("upgraded");
        RwUnlock(&lock_);
    });
    aiox_co *w = Writer("w");

    aiox_co_enter(r);
    EXPECT_THAT(diary_, ElementsAre("asks", "w"));
    Leave({w});

    EXPECT_THAT(diary_, ElementsAre("asks", "w", "upgraded"));
}

TEST_F(CoRwlock, AnUpgradeWaitsForTheOtherReaders)
{
    aiox_co *a = Reader("a");
    stage_.Enter([this] {
        RdLock(&lock_);
        EXPECT_FALSE(Upgrade(&lock_));
        diary_.push_back("upgraded");
        RwUnlock(&lock_);
    });
    EXPECT_THAT(diary_, ElementsAre("a"));

    Leave({a});

    EXPECT_THAT(diary_, ElementsAre("a", "upgraded"));
}

TEST_F(CoRwlock, TwoUpgradesDoNotWaitForEachOther)
{
    aiox_co *co[2];
    for (int i = 0; i < 2; i++) {
        co[i] = stage_.Enter([this, i] {
            RdLock(&lock_);
            Yield();
            EXPECT_FALSE(Upgrade(&lock_));
            diary_.push_back(std::to_string(i));
            RwUnlock(&lock_);
        });
    }

    Leave({co[0], co[1]});

    EXPECT_THAT(diary_, ElementsAre("0", "1"));
}

TEST_F(CoRwlock, TryUpgradeStaysAReaderIfItMustWait)
{
    aiox_co *a = Reader("a");
    aiox_co *r = stage_.Enter([this] {
        RdLock(&lock_);
        EXPECT_FALSE(TryUpgrade(&lock_));
        EXPECT_EQ(lock_.owners_, 2);
        Yield();
        EXPECT_TRUE(TryUpgrade(&lock_));
        EXPECT_EQ(lock_.owners_, -1);
        RwUnlock(&lock_);
    });

    Leave({a, r});

    EXPECT_EQ(lock_.owners_, 0);
}

TEST_F(CoRwlock, ADowngradeWakesExactlyTheReadersAtTheHeadThenTheWriterBehindThem)
{
    aiox_co *w = stage_.Enter([this] {
        WrLock(&lock_);
        Yield();
        Downgrade(&lock_);
        diary_.push_back("reads");
        Yield();
        diary_.push_back("leaves");
        RwUnlock(&lock_);
    });
    aiox_co *a = Reader("a");
    aiox_co *b = Reader("b");
    aiox_co *v = Writer("v");
    aiox_co *c = Reader("c");

    aiox_co_enter(w);
    EXPECT_THAT(diary_, ElementsAre("reads", "a", "b"));
    Leave({a, b});
    EXPECT_THAT(diary_, ElementsAre("reads", "a", "b"));
    Leave({w});
    EXPECT_THAT(diary_, ElementsAre("reads", "a", "b", "leaves", "v"));
    Leave({v});

    EXPECT_THAT(diary_, ElementsAre("reads", "a", "b", "leaves", "v", "c"));
    Leave({c});
}

TEST_F(CoRwlock, ADowngradeWakesNobodyIfAWriterIsTheNext)
{
    aiox_co *w = stage_.Enter([this] {
        WrLock(&lock_);
        Yield();
        Downgrade(&lock_);
        Yield();
        RwUnlock(&lock_);
    });
    aiox_co *v = Writer("v");
    aiox_co *a = Reader("a");

    aiox_co_enter(w);
    EXPECT_THAT(diary_, IsEmpty());
    Leave({w});
    EXPECT_THAT(diary_, ElementsAre("v"));

    Leave({v, a});
}

TEST_F(CoRwlock, EachWaiterGoesOnInItsOwnExecutor)
{
    Stage other;
    aiox_co *w = Writer("w");
    other.Enter([&] {
        RdLock(&lock_);
        EXPECT_EQ(aiox_co_executor(aiox_co_self()), &other);
        diary_.push_back("there");
        RwUnlock(&lock_);
    });

    Leave({w});
    EXPECT_THAT(diary_, ElementsAre("w"));
    EXPECT_EQ(lock_.owners_, 1);
    other.Settle();

    EXPECT_THAT(diary_, ElementsAre("w", "there"));
}

TEST_F(CoRwlock, MayBeFreedByWhoeverGetsItLast)
{
    auto lock = std::make_unique<aiox_co_rwlock>();
    aiox_co *first = stage_.Enter([&] {
        RdLock(lock.get());
        Yield();
        RwUnlock(lock.get());
    });
    stage_.Enter([&] {
        WrLock(lock.get());
        RwUnlock(lock.get());
        lock.reset();
    });

    aiox_co_enter(first);

    EXPECT_EQ(lock, nullptr);
}

/* ---- deadlines ---- */

TEST_F(CoRwlock, AWriterThatLeavesTheHeadLetsTheReadersBehindItIn)
{
    aiox_co *a = Reader("a");
    ImpatientWriter("w", 10);
    aiox_co *b = Reader("b");
    aiox_co *c = Reader("c");
    EXPECT_THAT(diary_, ElementsAre("a"));

    stage_.Advance(10);

    EXPECT_THAT(diary_, ElementsAre("a", "w left", "b", "c"));
    Leave({a, b, c});
}

TEST_F(CoRwlock, AReaderThatLeavesTheMiddleChangesNothingForTheOthers)
{
    aiox_co *w = Writer("w");
    aiox_co *v = Writer("v");
    ImpatientReader("r", 10);
    aiox_co *b = Reader("b");

    stage_.Advance(10);
    EXPECT_THAT(diary_, ElementsAre("w", "r left"));
    Leave({w});
    EXPECT_THAT(diary_, ElementsAre("w", "r left", "v"));
    Leave({v});

    EXPECT_THAT(diary_, ElementsAre("w", "r left", "v", "b"));
    Leave({b});
}

TEST_F(CoRwlock, ADeadlineAfterTheAdmissionIsTooLate)
{
    Stage other;
    aiox_co *w = other.Enter([&] {
        WrLock(&lock_);
        Yield();
        RwUnlock(&lock_);
    });
    ImpatientReader("r", 10);

    aiox_co_enter(w);
    stage_.Advance(10);
    EXPECT_EQ(lock_.owners_, 1);
    stage_.Settle();

    EXPECT_THAT(diary_, ElementsAre("r"));
    EXPECT_EQ(stage_.alarms(), 0u);
}

/* Its share is given back and it is about to leave when the lock becomes free. */
TEST_F(CoRwlock, AnUpgradeThatIsTooLateHoldsNothing)
{
    aiox_co *a = Reader("a");
    stage_.Enter([this] {
        RdLock(&lock_);
        EXPECT_EQ(UpgradeUntil(&lock_, 10), -ETIMEDOUT);
        diary_.push_back("left");
    });

    stage_.Advance(10);

    EXPECT_THAT(diary_, ElementsAre("a", "left"));
    EXPECT_EQ(lock_.owners_, 1);
    Leave({a});
    EXPECT_EQ(lock_.owners_, 0);
}

TEST_F(CoRwlock, AnUpgradeInTimeTellsWhetherItWasInPlace)
{
    stage_.Enter([this] {
        RdLock(&lock_);
        EXPECT_EQ(UpgradeUntil(&lock_, 10), 1);
        RwUnlock(&lock_);
    });
    aiox_co *a = Reader("a");
    stage_.Enter([this] {
        RdLock(&lock_);
        EXPECT_EQ(UpgradeUntil(&lock_, 10), 0);
        RwUnlock(&lock_);
    });

    Leave({a});

    EXPECT_EQ(lock_.owners_, 0);
}

TEST_F(CoRwlock, NoMemoryForADeadlineIsAnErrorAndLeavesNothing)
{
    aiox_co *a = Reader("a");
    stage_.has_no_memory = true;
    int err = 0;

    stage_.Enter([&] { err = WrLockUntil(&lock_, 10); });

    EXPECT_EQ(err, -ENOMEM);
    EXPECT_TRUE(aiox_list_is_empty(&lock_.line_.tickets_));
    Leave({a});
}

/* ---- mistakes ---- */

const aiox_co_class kForgetful = {"forgetful", 0};

TEST_F(CoRwlockDeathTest, EndingWithAShareHeldEndsTheProgram)
{
    aiox_co_rwlock lock = {};
    Stage stage;

    EXPECT_DEATH(stage.Enter([&] { RdLock(&lock); }, &kForgetful), "forgetful.*ends and holds 1");
    EXPECT_DEATH(stage.Enter([&] { WrLock(&lock); }, &kForgetful), "forgetful.*ends and holds 1");
}

TEST_F(CoRwlockDeathTest, UnlockingWhatItDoesNotHoldEndsTheProgram)
{
    Stage stage;

    EXPECT_DEATH(
        {
            aiox_co_rwlock lock = {};
            stage.Enter([&] {
                WrLock(&lock);
                Yield();
            });
            stage.Enter([&] { RwUnlock(&lock); }, &kForgetful);
        },
        "forgetful.*unlocks a lock for readers and writers that it does not hold");
    EXPECT_DEATH(
        {
            aiox_co_rwlock lock = {};
            stage.Enter([&] {
                RdLock(&lock);
                Yield();
            });
            stage.Enter([&] { RwUnlock(&lock); }, &kForgetful);
        },
        "forgetful.*does not hold");
}

TEST_F(CoRwlockDeathTest, UpgradingAWriterAndDowngradingAReaderEndTheProgram)
{
    aiox_co_rwlock lock = {};
    Stage stage;

    EXPECT_DEATH(stage.Enter([&] {
        WrLock(&lock);
        Upgrade(&lock);
    }),
                 "condition");
    EXPECT_DEATH(stage.Enter([&] {
        RdLock(&lock);
        Downgrade(&lock);
    }),
                 "condition");
}
} // namespace
