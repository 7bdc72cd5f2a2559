/* SPDX-License-Identifier: MIT */
/* bh_test.cc - what aiox/bh.h promises, seen from one or two threads. */
#include "aiox/bh.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aiox/log.h"

namespace
{

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kIdleNs = 10 * 1000 * 1000;
constexpr int64_t kForever = -1;

class BhTest : public ::testing::Test
{
  protected:
    BhTest()
    {
        aiox_bh_queue_init(
            &queue_, [](void *self) { static_cast<BhTest *>(self)->wakes_++; }, this);
    }

    ~BhTest() override
    {
        for (auto &one : made_) {
            aiox_bh_free(one->bh);
        }
        aiox_bh_queue_run(&queue_);
        aiox_bh_queue_fini(&queue_);
    }

    struct Made {
        aiox_bh *bh = nullptr;
        std::function<void()> fn;
    };

    static void Call(void *made)
    {
        auto fn = static_cast<Made *>(made)->fn; /* the BH may free what owns it */
        fn();
    }

    /* A BH that writes @name into ran_ and does @more. The fixture frees it. */
    aiox_bh *New(
        const char *name, std::function<void()> more = [] {})
    {
        made_.push_back(std::make_unique<Made>());
        Made *made = made_.back().get();
        made->fn = [this, name, more] {
            ran_.emplace_back(name);
            more();
        };
        EXPECT_EQ(aiox_bh_new(&made->bh, &queue_, name, &Call, made), 0);
        return made->bh;
    }

    /* The fixture no longer frees @bh. */
    void Free(aiox_bh *bh)
    {
        for (auto &one : made_) {
            if (one->bh == bh) {
                one->bh = nullptr;
            }
        }
        aiox_bh_free(bh);
    }

    bool Run()
    {
        return aiox_bh_queue_run(&queue_);
    }

    int64_t TimeoutNs()
    {
        return aiox_bh_queue_timeout_ns(&queue_);
    }

    aiox_bh_queue queue_;
    std::vector<std::unique_ptr<Made>> made_;
    std::vector<std::string> ran_;
    std::atomic<int> wakes_{0};
};

/* ---- asking and running ---- */

TEST_F(BhTest, RunsOnceAfterOneAsk)
{
    aiox_bh *a = New("a");

    aiox_bh_schedule(a);

    EXPECT_TRUE(Run());
    EXPECT_FALSE(Run());
    EXPECT_THAT(ran_, ElementsAre("a"));
}

TEST_F(BhTest, DoesNotRunUnasked)
{
    New("a");

    EXPECT_FALSE(Run());

    EXPECT_THAT(ran_, IsEmpty());
}

TEST_F(BhTest, AskingThreeTimesIsOneRun)
{
    aiox_bh *a = New("a");

    aiox_bh_schedule(a);
    aiox_bh_schedule(a);
    aiox_bh_schedule(a);
    Run();
    Run();

    EXPECT_THAT(ran_, ElementsAre("a"));
}

TEST_F(BhTest, FirstAskedFirstRun)
{
    aiox_bh *a = New("a"), *b = New("b"), *c = New("c");

    aiox_bh_schedule(b);
    aiox_bh_schedule(c);
    aiox_bh_schedule(a);
    Run();

    EXPECT_THAT(ran_, ElementsAre("b", "c", "a"));
}

TEST_F(BhTest, AskingAgainKeepsItsPlaceInTheLine)
{
    aiox_bh *a = New("a"), *b = New("b");

    aiox_bh_schedule(a);
    aiox_bh_schedule(b);
    aiox_bh_schedule(a);
    Run();

    EXPECT_THAT(ran_, ElementsAre("a", "b"));
}

TEST_F(BhTest, OrderHoldsAcrossALookAtTheTimeout)
{
    aiox_bh *a = New("a"), *b = New("b"), *c = New("c");

    aiox_bh_schedule(a);
    aiox_bh_schedule(b);
    EXPECT_EQ(TimeoutNs(), 0);
    aiox_bh_schedule(c);
    Run();

    EXPECT_THAT(ran_, ElementsAre("a", "b", "c"));
}

TEST_F(BhTest, ARunIsASnapshot)
{
    aiox_bh *later = New("later");
    aiox_bh *a = New("a", [&] { aiox_bh_schedule(later); });

    aiox_bh_schedule(a);

    EXPECT_TRUE(Run());
    EXPECT_THAT(ran_, ElementsAre("a"));
    EXPECT_TRUE(Run());
    EXPECT_THAT(ran_, ElementsAre("a", "later"));
}

TEST_F(BhTest, TenReschedulesTakeTenRuns)
{
    int left = 10;
    aiox_bh *a = nullptr;
    a = New("a", [&] {
        if (--left > 0) {
            aiox_bh_schedule(a);
        }
    });
    int runs = 0;

    aiox_bh_schedule(a);
    while (Run()) {
        runs++;
    }

    EXPECT_EQ(runs, 10);
    EXPECT_EQ(left, 0);
}

TEST_F(BhTest, AMillionInOneRunStayInOrder)
{
    constexpr int kCount = 1000000;
    std::vector<int> order;
    struct Numbered {
        std::vector<int> *order;
        int number;
    };
    std::vector<Numbered> all(kCount);
    for (int i = 0; i < kCount; i++) {
        all[i] = {&order, i};
        ASSERT_EQ(aiox_bh_queue_oneshot(
                      &queue_, "numbered",
                      [](void *opaque) {
                          auto *n = static_cast<Numbered *>(opaque);
                          n->order->push_back(n->number);
                      },
                      &all[i]),
                  0);
    }

    Run();

    ASSERT_EQ(order.size(), static_cast<size_t>(kCount));
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(BhTest, AskedFromAnotherThreadRunsHere)
{
    std::thread::id ran_in;
    aiox_bh *a = New("a", [&] { ran_in = std::this_thread::get_id(); });

    std::thread([&] { aiox_bh_schedule(a); }).join();
    Run();

    EXPECT_EQ(ran_in, std::this_thread::get_id());
}

TEST_F(BhTest, NamesAreKept)
{
    EXPECT_STREQ(aiox_bh_name(New("a name")), "a name");
}

/* ---- cancelling ---- */

TEST_F(BhTest, CancelledDoesNotRunAndIsNoProgress)
{
    aiox_bh *a = New("a");

    aiox_bh_schedule(a);

    EXPECT_TRUE(aiox_bh_cancel(a));
    EXPECT_FALSE(Run());
    EXPECT_THAT(ran_, IsEmpty());
}

TEST_F(BhTest, CancelTellsWhetherThereWasAnAsk)
{
    aiox_bh *a = New("a");

    EXPECT_FALSE(aiox_bh_cancel(a));
    aiox_bh_schedule(a);
    EXPECT_TRUE(aiox_bh_cancel(a));
    EXPECT_FALSE(aiox_bh_cancel(a));
    aiox_bh_schedule_idle(a);
    EXPECT_TRUE(aiox_bh_cancel(a));
    aiox_bh_schedule(a);
    Run();
    EXPECT_FALSE(aiox_bh_cancel(a));
}

TEST_F(BhTest, AskCancelAskIsOneRun)
{
    aiox_bh *a = New("a");

    aiox_bh_schedule(a);
    aiox_bh_cancel(a);
    aiox_bh_schedule(a);

    EXPECT_TRUE(Run());
    EXPECT_FALSE(Run());
    EXPECT_THAT(ran_, ElementsAre("a"));
}

TEST_F(BhTest, CancelledByAnEarlierOneOfTheSameRunDoesNotRun)
{
    aiox_bh *b = New("b");
    aiox_bh *a = New("a", [&] { EXPECT_TRUE(aiox_bh_cancel(b)); });

    aiox_bh_schedule(a);
    aiox_bh_schedule(b);
    Run();

    EXPECT_THAT(ran_, ElementsAre("a"));
}

TEST_F(BhTest, CancelInItsOwnFunctionTakesBackTheNextAskOnly)
{
    aiox_bh *a = nullptr;
    a = New("a", [&] {
        EXPECT_FALSE(aiox_bh_cancel(a));
        aiox_bh_schedule(a);
        EXPECT_TRUE(aiox_bh_cancel(a));
    });

    aiox_bh_schedule(a);
    Run();
    Run();

    EXPECT_THAT(ran_, ElementsAre("a"));
}

/* ---- freeing ---- */

TEST_F(BhTest, FreedWhileQueuedNeverRuns)
{
    aiox_bh *a = New("a");

    aiox_bh_schedule(a);
    Free(a);

    EXPECT_FALSE(Run());
    EXPECT_THAT(ran_, IsEmpty());
}

TEST_F(BhTest, FreedByAnEarlierOneOfTheSameRunNeverRuns)
{
    aiox_bh *b = New("b");
    aiox_bh *a = New("a", [&] { Free(b); });

    aiox_bh_schedule(a);
    aiox_bh_schedule(b);
    Run();
    Run();

    EXPECT_THAT(ran_, ElementsAre("a"));
}

TEST_F(BhTest, FreedInItsOwnFunctionEndsAfterIt)
{
    aiox_bh *a = nullptr;
    a = New("a", [&] {
        Free(a);
        EXPECT_STREQ(aiox_bh_name(a), "a"); /* still there */
    });

    aiox_bh_schedule(a);

    EXPECT_TRUE(Run());
    EXPECT_FALSE(Run());
    EXPECT_THAT(ran_, ElementsAre("a"));
}

TEST_F(BhTest, FreedInItsOwnFunctionAfterAskingForMoreRunsNoMore)
{
    aiox_bh *a = nullptr;
    a = New("a", [&] {
        aiox_bh_schedule(a);
        Free(a);
    });

    aiox_bh_schedule(a);
    Run();
    Run();

    EXPECT_THAT(ran_, ElementsAre("a"));
}

TEST_F(BhTest, FreeingTwiceBeforeTheRunIsHarmless)
{
    aiox_bh *a = New("a");

    aiox_bh_schedule(a);
    Free(a);
    aiox_bh_free(a);

    EXPECT_FALSE(Run());
    EXPECT_THAT(ran_, IsEmpty());
}

TEST_F(BhTest, AskedAfterItWasFreedNeverRuns)
{
    aiox_bh *a = New("a");

    Free(a);
    aiox_bh_schedule(a);

    EXPECT_FALSE(Run());
    EXPECT_THAT(ran_, IsEmpty());
}

TEST_F(BhTest, FreeingNothingIsAllowed)
{
    aiox_bh_free(nullptr);

    EXPECT_EQ(TimeoutNs(), kForever);
}

/* ---- idle ---- */

TEST_F(BhTest, IdleRunsAndIsNoProgress)
{
    aiox_bh *a = New("a");

    aiox_bh_schedule_idle(a);

    EXPECT_FALSE(Run());
    EXPECT_THAT(ran_, ElementsAre("a"));
}

TEST_F(BhTest, IdleWaitsTenMilliseconds)
{
    aiox_bh_schedule_idle(New("a"));

    EXPECT_EQ(TimeoutNs(), kIdleNs);
    EXPECT_EQ(TimeoutNs(), kIdleNs);
}

TEST_F(BhTest, AnAskCountsForMoreThanAnIdleOneBeforeIt)
{
    aiox_bh *a = New("a");

    aiox_bh_schedule_idle(a);
    aiox_bh_schedule(a);

    EXPECT_EQ(TimeoutNs(), 0);
    EXPECT_TRUE(Run());
    EXPECT_FALSE(Run());
    EXPECT_THAT(ran_, ElementsAre("a"));
}

TEST_F(BhTest, AnAskCountsForMoreThanAnIdleOneAfterIt)
{
    aiox_bh *a = New("a");

    aiox_bh_schedule(a);
    aiox_bh_schedule_idle(a);

    EXPECT_EQ(TimeoutNs(), 0);
    EXPECT_TRUE(Run());
    EXPECT_THAT(ran_, ElementsAre("a"));
}

TEST_F(BhTest, AnIdleOneThatAsksForItselfKeepsNoLoopAwake)
{
    aiox_bh *a = nullptr;
    a = New("a", [&] { aiox_bh_schedule_idle(a); });
    aiox_bh_schedule_idle(a);
    TimeoutNs();
    wakes_ = 0;

    for (int turn = 0; turn < 5; turn++) {
        EXPECT_FALSE(Run());
        EXPECT_EQ(TimeoutNs(), kIdleNs);
    }

    EXPECT_EQ(wakes_, 0);
    EXPECT_EQ(ran_.size(), 5u);
}

/* ---- the timeout ---- */

TEST_F(BhTest, NothingToDoIsForEver)
{
    aiox_bh *a = New("a");
    EXPECT_EQ(TimeoutNs(), kForever);

    aiox_bh_schedule(a);
    Run();

    EXPECT_EQ(TimeoutNs(), kForever);
}

TEST_F(BhTest, SomethingToDoIsAtOnce)
{
    aiox_bh_schedule_idle(New("idle"));
    aiox_bh_schedule(New("a"));

    EXPECT_EQ(TimeoutNs(), 0);
}

TEST_F(BhTest, CancelledAndFreedOnesKeepNoLoopAwake)
{
    aiox_bh *a = New("a"), *b = New("b");

    aiox_bh_schedule(a);
    aiox_bh_cancel(a);
    aiox_bh_schedule(b);
    Free(b);

    EXPECT_EQ(TimeoutNs(), kForever);
}

TEST_F(BhTest, InANestedLoopTheOuterRestIsDue)
{
    int64_t inside = kForever;
    aiox_bh *a = New("a", [&] { inside = TimeoutNs(); });

    aiox_bh_schedule(a);
    aiox_bh_schedule(New("b"));
    Run();

    EXPECT_EQ(inside, 0);
}

/* ---- waking ---- */

TEST_F(BhTest, TheFirstAskerWakesASleepingHome)
{
    aiox_bh *a = New("a"), *b = New("b");
    TimeoutNs();

    aiox_bh_schedule(a);
    EXPECT_EQ(wakes_, 1);
    aiox_bh_schedule(b);
    aiox_bh_schedule(a);

    EXPECT_EQ(wakes_, 1);
}

TEST_F(BhTest, AskingInATurnWakesNobody)
{
    aiox_bh *b = New("b");
    aiox_bh *a = New("a", [&] { aiox_bh_schedule(b); });
    TimeoutNs();
    aiox_bh_schedule(a);
    wakes_ = 0;

    Run();

    EXPECT_EQ(wakes_, 0);
    EXPECT_EQ(TimeoutNs(), 0);
}

TEST_F(BhTest, EachSleepCanBeWoken)
{
    aiox_bh *a = New("a");

    for (int sleep = 1; sleep <= 3; sleep++) {
        EXPECT_EQ(TimeoutNs(), kForever);
        aiox_bh_schedule(a);
        EXPECT_EQ(wakes_, sleep);
        Run();
    }
}

TEST_F(BhTest, AnAskWakesAHomeThatSleepsOnAnIdleOne)
{
    aiox_bh *a = New("a");
    aiox_bh_schedule_idle(a);
    EXPECT_EQ(TimeoutNs(), kIdleNs);
    wakes_ = 0;

    aiox_bh_schedule(a);

    EXPECT_EQ(wakes_, 1);
    EXPECT_EQ(TimeoutNs(), 0);
}

TEST_F(BhTest, AnAskOnTopOfAnIdleOneWakes)
{
    aiox_bh_schedule_idle(New("idle"));
    EXPECT_EQ(TimeoutNs(), kIdleNs);
    wakes_ = 0;

    aiox_bh_schedule(New("a"));

    EXPECT_EQ(wakes_, 1);
}

TEST_F(BhTest, AnAskWakesAHomeThatSleepsOnACancelledOne)
{
    aiox_bh *a = New("a");
    aiox_bh_schedule(a);
    aiox_bh_cancel(a);
    EXPECT_EQ(TimeoutNs(), kForever);
    wakes_ = 0;

    aiox_bh_schedule_idle(a);
    EXPECT_EQ(wakes_, 1);
    EXPECT_EQ(TimeoutNs(), kIdleNs);
    aiox_bh_schedule(a);
    EXPECT_EQ(wakes_, 2);
}

TEST_F(BhTest, ARunWithNothingToDoLeavesTheHomeToBeWoken)
{
    aiox_bh *a = New("a");
    TimeoutNs();

    Run();
    aiox_bh_schedule(a);

    EXPECT_EQ(wakes_, 1);
}

/* ---- nesting ---- */

TEST_F(BhTest, ANestedRunFinishesTheOuterRest)
{
    aiox_bh *x = New("x", [&] {
        EXPECT_TRUE(Run());
        ran_.emplace_back("/x");
    });

    aiox_bh_schedule(New("a"));
    aiox_bh_schedule(x);
    aiox_bh_schedule(New("b"));
    aiox_bh_schedule(New("c"));

    EXPECT_TRUE(Run());
    EXPECT_THAT(ran_, ElementsAre("a", "x", "b", "c", "/x"));
    EXPECT_FALSE(Run());
}

TEST_F(BhTest, ANestedRunTakesTheOuterRestBeforeWhatCameLater)
{
    aiox_bh *later = New("later");
    aiox_bh *x = New("x", [&] {
        aiox_bh_schedule(later);
        EXPECT_EQ(TimeoutNs(), 0);
        Run();
    });

    aiox_bh_schedule(x);
    aiox_bh_schedule(New("b"));
    Run();

    EXPECT_THAT(ran_, ElementsAre("x", "b", "later"));
}

TEST_F(BhTest, ALookAtTheTimeoutInAFunctionAddsNothingToTheRun)
{
    aiox_bh *later = New("later");
    aiox_bh *x = New("x", [&] {
        aiox_bh_schedule(later);
        TimeoutNs();
    });

    aiox_bh_schedule(x);
    aiox_bh_schedule(New("b"));
    Run();

    EXPECT_THAT(ran_, ElementsAre("x", "b"));
}

TEST_F(BhTest, ANestedRunMayEnterTheSameFunction)
{
    int depth = 0;
    aiox_bh *a = nullptr;
    a = New("a", [&] {
        if (++depth < 64) {
            aiox_bh_schedule(a);
            EXPECT_TRUE(Run());
        }
    });

    aiox_bh_schedule(a);

    EXPECT_TRUE(Run());
    EXPECT_EQ(depth, 64);
    EXPECT_FALSE(Run());
}

TEST_F(BhTest, ANestedRunMayFreeTheOneThatRuns)
{
    aiox_bh *a = nullptr;
    a = New("a", [&] {
        Free(a);
        EXPECT_FALSE(Run());
    });

    aiox_bh_schedule(a);

    EXPECT_TRUE(Run());
    EXPECT_FALSE(Run());
}

/* ---- in a turn that does more than run ---- */

class BhTurnTest : public BhTest
{
  protected:
    /* What a loop does in a turn, besides its bottom halves. */
    void InATurn(const std::function<void()> &callback)
    {
        aiox_bh_queue *outer = aiox_bh_queue_begin(&queue_);
        callback();
        aiox_bh_queue_end(outer);
    }

    void AskInATurn(aiox_bh *bh)
    {
        InATurn([bh] { aiox_bh_schedule(bh); });
    }
};

TEST_F(BhTurnTest, WhatIsAskedForRunsInTheNextRun)
{
    aiox_bh *a = New("a");

    AskInATurn(a);

    EXPECT_EQ(TimeoutNs(), 0);
    EXPECT_TRUE(Run());
    EXPECT_FALSE(Run());
    EXPECT_THAT(ran_, ElementsAre("a"));
}

TEST_F(BhTurnTest, AskingThreeTimesIsOneRun)
{
    aiox_bh *a = New("a");

    InATurn([a] {
        for (int i = 0; i < 3; i++) {
            aiox_bh_schedule(a);
        }
    });

    EXPECT_TRUE(Run());
    EXPECT_FALSE(Run());
    EXPECT_THAT(ran_, ElementsAre("a"));
}

TEST_F(BhTurnTest, AskedForInItAndBeforeItAndElsewhereIsOneRun)
{
    aiox_bh *before = New("before"), *within = New("within");

    aiox_bh_schedule(before);
    InATurn([&] {
        aiox_bh_schedule(before);
        aiox_bh_schedule(within);
        std::thread([&] {
            aiox_bh_schedule(before);
            aiox_bh_schedule(within);
        }).join();
    });

    EXPECT_TRUE(Run());
    EXPECT_FALSE(Run());
    EXPECT_THAT(ran_, ElementsAre("before", "within"));
}

TEST_F(BhTurnTest, FirstAskedFirstRunWithinAndBetweenTurns)
{
    AskInATurn(New("a"));
    aiox_bh_schedule(New("b"));
    InATurn([this] {
        aiox_bh_schedule(New("c"));
        aiox_bh_schedule(New("d"));
    });
    aiox_bh_schedule(New("e"));

    Run();

    EXPECT_THAT(ran_, ElementsAre("a", "b", "c", "d", "e"));
}

TEST_F(BhTurnTest, CancelInItOrElsewhereSaysWhetherItWillNotRun)
{
    aiox_bh *here = New("here"), *there = New("there"), *never = New("never");
    bool cancelled[3] = {};

    InATurn([&] {
        aiox_bh_schedule(here);
        aiox_bh_schedule(there);
        cancelled[0] = aiox_bh_cancel(here);
        std::thread([&] { cancelled[1] = aiox_bh_cancel(there); }).join();
        cancelled[2] = aiox_bh_cancel(never);
    });

    EXPECT_THAT(cancelled, ElementsAre(true, true, false));
    EXPECT_EQ(TimeoutNs(), kForever);
    EXPECT_FALSE(Run());
    EXPECT_FALSE(aiox_bh_cancel(here) || aiox_bh_cancel(there));
    EXPECT_THAT(ran_, IsEmpty());
}

TEST_F(BhTurnTest, AskCancelAskIsOneRun)
{
    aiox_bh *a = New("a");

    InATurn([a] {
        aiox_bh_schedule(a);
        aiox_bh_cancel(a);
        aiox_bh_schedule(a);
    });

    EXPECT_TRUE(Run());
    EXPECT_FALSE(Run());
    EXPECT_THAT(ran_, ElementsAre("a"));
}

TEST_F(BhTurnTest, FreedInWhateverOrderItNeverRunsAndGoesOnce)
{
    for (int order = 0; order < 8; order++) {
        aiox_bh *a = New("a");
        if (order & 1) {
            aiox_bh_schedule(a);
        }
        InATurn([&] {
            aiox_bh_schedule(a);
            if (order & 2) {
                std::thread([a] { aiox_bh_schedule(a); }).join();
            }
            if (order & 4) {
                Free(a);
            }
        });
        if (!(order & 4)) {
            std::thread([&] { Free(a); }).join();
        }

        EXPECT_FALSE(Run());
    }

    EXPECT_THAT(ran_, IsEmpty());
}

TEST_F(BhTurnTest, AnAskCountsForMoreThanAnIdleOneBeforeOrAfterIt)
{
    aiox_bh *a = New("a"), *b = New("b");

    InATurn([&] {
        aiox_bh_schedule_idle(a);
        EXPECT_EQ(TimeoutNs(), kIdleNs);
    });
    InATurn([&] {
        aiox_bh_schedule(a);
        aiox_bh_schedule(b);
        aiox_bh_schedule_idle(b);
    });

    EXPECT_EQ(TimeoutNs(), 0);
    EXPECT_TRUE(Run());
    EXPECT_FALSE(Run());
    EXPECT_THAT(ran_, ElementsAre("a", "b"));
}

TEST_F(BhTurnTest, IdleRunsAndIsNoProgress)
{
    InATurn([this] { aiox_bh_schedule_idle(New("a")); });

    EXPECT_EQ(TimeoutNs(), kIdleNs);
    EXPECT_FALSE(Run());
    EXPECT_THAT(ran_, ElementsAre("a"));
}

TEST_F(BhTurnTest, WhatIsAskedForWakesNobody)
{
    EXPECT_EQ(TimeoutNs(), kForever);

    AskInATurn(New("a"));

    EXPECT_EQ(wakes_, 0);
    EXPECT_EQ(TimeoutNs(), 0);
}

/* A callback that waits as a loop does: what it asks for once it may sleep wakes it. */
TEST_F(BhTurnTest, WhoMaySleepInItIsWoken)
{
    aiox_bh *b = New("b");
    aiox_bh *a = New("a", [&] {
        EXPECT_EQ(TimeoutNs(), kForever);
        wakes_ = 0;
        aiox_bh_schedule(b);
        EXPECT_EQ(wakes_, 1);
        EXPECT_EQ(TimeoutNs(), 0);
    });

    aiox_bh_schedule(a);
    Run();
    Run();

    EXPECT_THAT(ran_, ElementsAre("a", "b"));
}

TEST_F(BhTurnTest, AnotherQueuesTurnIsNotIts)
{
    struct aiox_bh_queue other;
    aiox_bh *a = New("a"), *b = New("b"), *c = New("c");
    int runs = 0;
    aiox_bh_queue_init(&other, nullptr, nullptr);

    InATurn([&] {
        aiox_bh_schedule(a);
        aiox_bh_queue *outer = aiox_bh_queue_begin(&other);
        aiox_bh_schedule(b);
        ASSERT_EQ(aiox_bh_queue_oneshot(
                      &other, "other", [](void *n) { ++*static_cast<int *>(n); }, &runs),
                  0);
        EXPECT_TRUE(aiox_bh_queue_run(&other));
        aiox_bh_queue_end(outer);
        aiox_bh_schedule(c);
    });
    Run();

    EXPECT_EQ(runs, 1);
    EXPECT_THAT(ran_, ElementsAre("a", "b", "c"));
    aiox_bh_queue_fini(&other);
}

TEST_F(BhTurnTest, AOneshotRunsOnceInItsOrder)
{
    aiox_bh_fn *once = [](void *ran) {
        static_cast<std::vector<std::string> *>(ran)->emplace_back("once");
    };

    aiox_bh_schedule(New("a"));
    InATurn([&] {
        ASSERT_EQ(aiox_bh_queue_oneshot(&queue_, "once", once, &ran_), 0);
        aiox_bh_schedule(New("b"));
    });

    EXPECT_EQ(TimeoutNs(), 0);
    EXPECT_TRUE(Run());
    EXPECT_FALSE(Run());
    EXPECT_THAT(ran_, ElementsAre("a", "once", "b"));
}

TEST_F(BhTurnTest, TheEndDropsOneshotsAndFreesWhatWasGivenUp)
{
    struct aiox_bh_queue queue;
    struct aiox_bh *bh;
    int runs = 0;
    aiox_bh_fn *count = [](void *n) { ++*static_cast<int *>(n); };
    aiox_bh_queue_init(&queue, nullptr, nullptr);
    ASSERT_EQ(aiox_bh_new(&bh, &queue, "given up", count, &runs), 0);
    aiox_bh_schedule(bh);
    aiox_bh_queue *outer = aiox_bh_queue_begin(&queue);
    ASSERT_EQ(aiox_bh_queue_oneshot(&queue, "once", count, &runs), 0);
    aiox_bh_schedule(bh);
    aiox_bh_free(bh);
    aiox_bh_queue_end(outer);

    aiox_bh_queue_fini(&queue); /* the leak checker sees that nothing is left */

    EXPECT_EQ(runs, 0);
}

/* ---- guards ---- */

class BhGuardTest : public BhTest
{
  protected:
    BhGuardTest()
    {
        aiox_log_set_hook(
            [](void *self, enum aiox_log_level, const char *line) {
                static_cast<BhGuardTest *>(self)->log_.emplace_back(line);
            },
            this, AIOX_LOG_WARN);
    }

    ~BhGuardTest() override
    {
        aiox_log_set_hook(nullptr, nullptr, AIOX_LOG_ERROR);
    }

    aiox_bh *NewGuarded(
        const char *name, std::function<void()> more = [] {})
    {
        aiox_bh *bh = New(name, more);
        aiox_bh_set_guard(bh, &guard_);
        return bh;
    }

    aiox_bh_guard guard_ = {};
    std::vector<std::string> log_;
};

TEST_F(BhGuardTest, NoGuardedFunctionIsEnteredInAnother)
{
    aiox_bh *x = NewGuarded("x", [&] {
        EXPECT_TRUE(Run()); /* c ran */
        ran_.emplace_back("/x");
    });

    aiox_bh_schedule(x);
    aiox_bh_schedule(NewGuarded("b"));
    aiox_bh_schedule(New("c"));

    EXPECT_TRUE(Run());
    EXPECT_THAT(ran_, ElementsAre("x", "c", "/x"));
    EXPECT_TRUE(Run());
    EXPECT_THAT(ran_, ElementsAre("x", "c", "/x", "b"));
}

TEST_F(BhGuardTest, AGuardedFunctionIsNotEnteredInItself)
{
    int left = 3;
    aiox_bh *x = nullptr;
    x = NewGuarded("x", [&] {
        if (left-- > 0) {
            aiox_bh_schedule(x);
            EXPECT_FALSE(Run());
        }
    });

    aiox_bh_schedule(x);

    EXPECT_TRUE(Run());
    EXPECT_THAT(ran_, ElementsAre("x"));
    EXPECT_TRUE(Run());
    EXPECT_THAT(ran_, ElementsAre("x", "x"));
}

TEST_F(BhGuardTest, OnePutOffKeepsNoNestedLoopAwakeAndIsDueAfterwards)
{
    int64_t inside = 0;
    aiox_bh *x = NewGuarded("x", [&] {
        Run();
        inside = TimeoutNs();
    });

    aiox_bh_schedule(x);
    aiox_bh_schedule(NewGuarded("b"));
    Run();

    EXPECT_EQ(inside, kForever);
    EXPECT_EQ(TimeoutNs(), 0);
}

TEST_F(BhGuardTest, OnePutOffGoesAheadOfWhatWasAskedLater)
{
    aiox_bh *later = New("later");
    aiox_bh *x = NewGuarded("x", [&] {
        Run();
        aiox_bh_schedule(later);
        TimeoutNs();
    });

    aiox_bh_schedule(x);
    aiox_bh_schedule(NewGuarded("b"));
    Run();
    Run();

    EXPECT_THAT(ran_, ElementsAre("x", "b", "later"));
}

TEST_F(BhGuardTest, CancelledOrFreedWhilePutOffDoesNotRun)
{
    aiox_bh *b = NewGuarded("b"), *c = NewGuarded("c"), *d = NewGuarded("d");
    aiox_bh *x = NewGuarded("x", [&] {
        Run();
        aiox_bh_cancel(b);
        Free(c);
    });

    aiox_bh_schedule(x);
    aiox_bh_schedule(b);
    aiox_bh_schedule(c);
    aiox_bh_schedule(d);
    Run();

    EXPECT_TRUE(Run());
    EXPECT_THAT(ran_, ElementsAre("x", "d"));
}

TEST_F(BhGuardTest, FreedBeforeItWouldBePutOffIsGone)
{
    aiox_bh *b = NewGuarded("b");
    aiox_bh *x = NewGuarded("x", [&] {
        Free(b);
        Run();
    });

    aiox_bh_schedule(x);
    aiox_bh_schedule(b);
    Run();

    EXPECT_EQ(TimeoutNs(), kForever);
    EXPECT_THAT(ran_, ElementsAre("x"));
}

/* Asked for in both ways, it is put off by both and runs once. */
TEST_F(BhGuardTest, OneThatIsAskedForInTheTurnAndBeforeItIsPutOffAndRunsOnce)
{
    aiox_bh *b = NewGuarded("b");
    aiox_bh *x = NewGuarded("x", [&] {
        aiox_bh_schedule(b);
        EXPECT_FALSE(Run());
    });

    aiox_bh_schedule(x);
    aiox_bh_schedule(b);
    Run();

    EXPECT_TRUE(Run());
    EXPECT_FALSE(Run());
    EXPECT_THAT(ran_, ElementsAre("x", "b"));
}

TEST_F(BhGuardTest, TheFirstPutOffIsLoggedOnce)
{
    aiox_bh *x = NewGuarded("x", [&] { Run(); });

    for (int i = 0; i < 3; i++) {
        aiox_bh_schedule(x);
        aiox_bh_schedule(NewGuarded("b"));
        Run();
        Run();
    }

    EXPECT_THAT(log_, ElementsAre(HasSubstr("'b'")));
}

TEST_F(BhGuardTest, CancelledBeforeItWouldBePutOffIsNoReasonToWarn)
{
    aiox_bh *b = NewGuarded("b");
    aiox_bh *x = NewGuarded("x", [&] {
        aiox_bh_cancel(b);
        Run();
    });

    aiox_bh_schedule(x);
    aiox_bh_schedule(b);
    Run();

    EXPECT_FALSE(Run());
    EXPECT_THAT(log_, IsEmpty());
}

TEST_F(BhGuardTest, WithoutNestingAGuardChangesNothing)
{
    aiox_bh_schedule(NewGuarded("a"));
    aiox_bh_schedule(NewGuarded("b"));

    EXPECT_TRUE(Run());
    EXPECT_THAT(ran_, ElementsAre("a", "b"));
    EXPECT_THAT(log_, IsEmpty());
}

/* ---- oneshots, birth and end ---- */

TEST_F(BhTest, AOneshotRunsOnceAndIsGone)
{
    int runs = 0;

    ASSERT_EQ(aiox_bh_queue_oneshot(
                  &queue_, "once", [](void *n) { ++*static_cast<int *>(n); }, &runs),
              0);

    EXPECT_EQ(TimeoutNs(), 0);
    EXPECT_TRUE(Run());
    EXPECT_FALSE(Run());
    EXPECT_EQ(runs, 1);
}

TEST_F(BhTest, AOneshotWakesASleepingHome)
{
    TimeoutNs();

    ASSERT_EQ(aiox_bh_queue_oneshot(
                  &queue_, "once", [](void *) {}, nullptr),
              0);

    EXPECT_EQ(wakes_, 1);
}

TEST_F(BhTest, OneshotsKeepTheOrderToo)
{
    aiox_bh_schedule(New("a"));
    ASSERT_EQ(
        aiox_bh_queue_oneshot(
            &queue_, "once",
            [](void *ran) { static_cast<std::vector<std::string> *>(ran)->emplace_back("once"); },
            &ran_),
        0);
    aiox_bh_schedule(New("b"));

    Run();

    EXPECT_THAT(ran_, ElementsAre("a", "once", "b"));
}

TEST(BhQueue, AnAllZeroQueueWorksAndNobodyIsWoken)
{
    struct aiox_bh_queue queue = {};
    int runs = 0;

    ASSERT_EQ(aiox_bh_queue_oneshot(
                  &queue, "once", [](void *n) { ++*static_cast<int *>(n); }, &runs),
              0);

    EXPECT_TRUE(aiox_bh_queue_run(&queue));
    EXPECT_EQ(runs, 1);
    aiox_bh_queue_fini(&queue);
}

TEST(BhQueue, TheEndDropsOneshotsAndFreesWhatWasGivenUp)
{
    struct aiox_bh_queue queue;
    struct aiox_bh *bh;
    int runs = 0;
    aiox_bh_fn *count = [](void *n) { ++*static_cast<int *>(n); };
    aiox_bh_queue_init(&queue, nullptr, nullptr);
    ASSERT_EQ(aiox_bh_new(&bh, &queue, "given up", count, &runs), 0);
    ASSERT_EQ(aiox_bh_queue_oneshot(&queue, "once", count, &runs), 0);
    aiox_bh_schedule(bh);
    aiox_bh_free(bh);

    aiox_bh_queue_fini(&queue); /* the leak checker sees that nothing is left */

    EXPECT_EQ(runs, 0);
}

TEST(BhQueueDeathTest, TheEndNamesABhThatIsAlive)
{
    struct aiox_bh_queue queue;
    struct aiox_bh *bh, *freed;
    aiox_bh_queue_init(&queue, nullptr, nullptr);
    ASSERT_EQ(aiox_bh_new(
                  &bh, &queue, "the forgotten one", [](void *) {}, nullptr),
              0);
    ASSERT_EQ(aiox_bh_new(
                  &freed, &queue, "the freed one", [](void *) {}, nullptr),
              0);
    aiox_bh_free(freed);

    EXPECT_DEATH(aiox_bh_queue_fini(&queue), "'the forgotten one'");

    aiox_bh_free(bh);
    aiox_bh_queue_fini(&queue);
}

TEST(BhQueueDeathTest, TheEndNamesABhThatIsAliveAndAskedFor)
{
    struct aiox_bh_queue queue;
    struct aiox_bh *bh;
    aiox_bh_queue_init(&queue, nullptr, nullptr);
    ASSERT_EQ(aiox_bh_new(
                  &bh, &queue, "the busy one", [](void *) {}, nullptr),
              0);
    aiox_bh_schedule(bh);

    EXPECT_DEATH(aiox_bh_queue_fini(&queue), "'the busy one'");

    aiox_bh_free(bh);
    aiox_bh_queue_fini(&queue);
}

TEST(BhQueueDeathTest, AFunctionMustNotEndItsQueue)
{
    struct aiox_bh_queue queue;
    aiox_bh_queue_init(&queue, nullptr, nullptr);
    ASSERT_EQ(aiox_bh_queue_oneshot(
                  &queue, "ends its queue",
                  [](void *q) { aiox_bh_queue_fini(static_cast<aiox_bh_queue *>(q)); }, &queue),
              0);

    EXPECT_DEATH(aiox_bh_queue_run(&queue), "depth_ == 0");

    aiox_bh_queue_fini(&queue);
}

TEST(BhQueueDeathTest, AGuardIsNotChangedUnderAnAsk)
{
    struct aiox_bh_queue queue;
    struct aiox_bh_guard guard = {};
    struct aiox_bh *bh;
    aiox_bh_queue_init(&queue, nullptr, nullptr);
    ASSERT_EQ(aiox_bh_new(
                  &bh, &queue, "a", [](void *) {}, nullptr),
              0);
    aiox_bh_schedule(bh);

    EXPECT_DEATH(aiox_bh_set_guard(bh, &guard), "QUEUED");
    aiox_bh_queue_run(&queue);
    aiox_bh_queue *outer = aiox_bh_queue_begin(&queue);
    aiox_bh_schedule(bh);
    aiox_bh_queue_end(outer);
    EXPECT_DEATH(aiox_bh_set_guard(bh, &guard), "LISTED");

    aiox_bh_free(bh);
    aiox_bh_queue_fini(&queue);
}

} // namespace
