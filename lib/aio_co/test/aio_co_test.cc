/* SPDX-License-Identifier: MIT */
/* aio_co_test.cc - which loop a coroutine runs in, and when. */
#include "aiox/aio_co.h"

#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/aio_co/test/loop.h"

namespace
{
using co_testing::Loop;
using co_testing::LoopThread;
using co_testing::MoveSelf;
using co_testing::SleepNs;
using co_testing::Spawn;
using co_testing::Yield;
using ::testing::ElementsAre;

using Diary = std::vector<std::string>;

aiox_context *Here()
{
    return aiox_co_context(aiox_co_self());
}

/* ---- enter ---- */

TEST(AioCoEnter, AtHomeOutsideOfCoroutinesIsNow)
{
    Loop loop;
    aiox_context_set_current(loop);
    aiox_context *seen = nullptr;

    aiox_co_enter_in(loop, Spawn([&] { seen = Here(); }));

    EXPECT_TRUE(seen == loop);
}

TEST(AioCoEnter, InACoroutineOfTheSameLoopWaitsForItsYield)
{
    Loop loop;
    aiox_context_set_current(loop);
    Diary diary;
    aiox_co *inner = Spawn([&] {
        EXPECT_TRUE(Here() == loop);
        diary.push_back("inner");
    });

    aiox_co_enter_in(loop, Spawn([&] {
                         aiox_co_enter_in(loop, inner);
                         diary.push_back("outer");
                     }));

    EXPECT_THAT(diary, ElementsAre("outer", "inner"));
}

TEST(AioCoEnter, InACoroutineOfAnotherLoopIsLater)
{
    Loop one, two;
    aiox_context_set_current(one);
    Diary diary;
    aiox_co *other = Spawn([&] {
        EXPECT_TRUE(Here() == two);
        diary.push_back("other");
    });

    aiox_co_enter_in(one, Spawn([&] { aiox_co_enter_in(two, other); }));
    diary.push_back("|");
    two.Settle();

    EXPECT_THAT(diary, ElementsAre("|", "other"));
}

TEST(AioCoEnter, FromAnotherThreadIsScheduled)
{
    LoopThread home;
    std::atomic<pid_t> ran_in{0};

    aiox_co_enter_in(home, Spawn([&] { ran_in = gettid(); }));

    while (!ran_in) {
        std::this_thread::yield();
    }
    EXPECT_NE(ran_in, gettid());
}

/* Two coroutines that enter each other: 25,000 times in one frame. */
TEST(AioCoEnter, AlternatesAtConstantDepth)
{
    constexpr int kMax = 25000;
    Loop loop;
    aiox_context_set_current(loop);
    int i = 0;
    bool done[2] = {};
    aiox_co *co[2] = {};
    auto side = [&](int me) {
        return [&, me] {
            while (i < kMax) {
                i++;
                aiox_co_enter_in(loop, co[!me]);
                Yield();
            }
            done[me] = true;
        };
    };
    co[0] = Spawn(side(0));
    co[1] = Spawn(side(1));

    aiox_co_enter_in(loop, co[0]);

    EXPECT_EQ(i, kMax);
    ASSERT_EQ(done[0] + done[1], 1);
    aiox_co_enter_in(loop, co[done[0] ? 1 : 0]);
    EXPECT_TRUE(done[0] && done[1]);
}

/* ---- schedule ---- */

TEST(AioCoSchedule, RunsInALaterTurnInTheOrderOfTheCalls)
{
    Loop loop;
    aiox_context_set_current(loop);
    Diary diary;
    for (const char *name : {"x", "y", "z"}) {
        aiox_co_schedule(loop, Spawn([&diary, name] { diary.push_back(name); }));
    }
    EXPECT_TRUE(diary.empty());

    bool progress = aiox_poll(loop, true);

    EXPECT_TRUE(progress);
    EXPECT_THAT(diary, ElementsAre("x", "y", "z"));
    EXPECT_FALSE(aiox_poll(loop, false));
}

TEST(AioCoSchedule, OfItselfWaitsForTheNextTurn)
{
    Loop loop;
    aiox_context_set_current(loop);
    int steps = 0;
    aiox_co_schedule(loop, Spawn([&] {
                         for (int i = 0; i < 3; i++) {
                             steps++;
                             aiox_co_schedule(loop, aiox_co_self());
                             Yield();
                         }
                     }));

    for (int turn = 1; turn <= 3; turn++) {
        aiox_poll(loop, false);
        EXPECT_EQ(steps, turn);
    }
    aiox_poll(loop, false);
}

/* The loop turns inside the first of three coroutines: the others do not wait for it. */
TEST(AioCoSchedule, ANestedTurnRunsTheRest)
{
    Loop loop;
    aiox_context_set_current(loop);
    Diary diary;
    aiox_co_schedule(loop, Spawn([&] {
                         diary.push_back("first begins");
                         [&]() AIOX_NO_THREAD_SAFETY_ANALYSIS { aiox_poll(loop, false); }();
                         diary.push_back("first ends");
                     }));
    aiox_co_schedule(loop, Spawn([&] { diary.push_back("second"); }));
    aiox_co_schedule(loop, Spawn([&] { diary.push_back("third"); }));

    aiox_poll(loop, false);

    EXPECT_THAT(diary, ElementsAre("first begins", "second", "third", "first ends"));
    EXPECT_FALSE(aiox_poll(loop, false)) << "nothing is left to do, nor counted as done";
}

/* What is scheduled while several run is not lost with the wish for a nested turn. */
TEST(AioCoSchedule, FromOneOfSeveralIsNotLost)
{
    Loop loop;
    aiox_context_set_current(loop);
    Diary diary;
    for (const char *name : {"a", "b"}) {
        aiox_co_schedule(loop, Spawn([&, name] {
                             diary.push_back(name);
                             aiox_co_schedule(loop, Spawn([&] { diary.push_back("later"); }));
                         }));
    }

    aiox_poll(loop, false);
    diary.push_back("|");
    aiox_poll(loop, false);

    EXPECT_THAT(diary, ElementsAre("a", "b", "|", "later", "later"));
}

TEST(AioCoSchedule, WakesALoopThatSleeps)
{
    LoopThread home;
    for (int i = 0; i < 100; i++) {
        std::atomic<bool> ran{false};

        aiox_co_schedule(home, Spawn([&] { ran = true; }));

        while (!ran) {
            std::this_thread::yield();
        }
    }
}

TEST(AioCoSchedule, CarriesWhatTheCallerWrote)
{
    LoopThread home;
    int plain = 0;
    int seen = 0;
    std::atomic<bool> done{false};
    aiox_co *co = Spawn([&] {
        seen = plain;
        done.store(true, std::memory_order_release);
    });

    plain = 7;
    aiox_co_schedule(home, co);

    while (!done.load(std::memory_order_acquire)) {
        std::this_thread::yield();
    }
    EXPECT_EQ(seen, 7);
}

/* ---- wake ---- */

TEST(AioCoWake, FromAnotherThreadGoesOnAtHome)
{
    LoopThread home;
    std::atomic<aiox_co *> waits{nullptr};
    std::atomic<bool> done{false};
    pid_t before = 0, after = 0;
    aiox_co_enter_in(home, Spawn([&] {
                         before = gettid();
                         waits = aiox_co_self();
                         Yield();
                         after = gettid();
                         done = true;
                     }));
    while (!waits) {
        std::this_thread::yield();
    }

    aiox_co_wake(waits); /* it may not have yielded yet */

    while (!done) {
        std::this_thread::yield();
    }
    EXPECT_EQ(before, after);
    EXPECT_NE(after, gettid());
}

TEST(AioCoWake, FromACallbackAtHomeIsNow)
{
    Loop loop;
    aiox_context_set_current(loop);
    Diary diary;
    aiox_co *co = Spawn([&] {
        Yield();
        diary.push_back("woken");
    });
    aiox_co_enter_in(loop, co);

    aiox_co_wake(co);
    diary.push_back("|");

    EXPECT_THAT(diary, ElementsAre("woken", "|"));
}

/* A loop that is no thread's home yet, and so not the caller's either. */
TEST(AioCoWake, OfOneInALoopThatNobodyTurnsYetIsLater)
{
    Loop loop;
    bool ran = false;

    aiox_co_enter_in(loop, Spawn([&] { ran = true; }));
    EXPECT_FALSE(ran);

    loop.Settle();
    EXPECT_TRUE(ran);
}

/* ---- move ---- */

TEST(AioCoMove, GoesOnInTheOtherLoop)
{
    Loop home;
    LoopThread away;
    std::vector<pid_t> threads;
    std::vector<aiox_context *> contexts;
    auto note = [&] {
        threads.push_back(gettid());
        contexts.push_back(Here());
    };

    home.Run([&] {
        note();
        MoveSelf(away);
        note();
        MoveSelf(away);
        note();
        MoveSelf(home);
        note();
    });

    ASSERT_EQ(threads.size(), 4u);
    aiox_context *there = away, *here = home;
    EXPECT_THAT(contexts, ElementsAre(here, there, there, here));
    EXPECT_NE(threads[0], threads[1]);
    EXPECT_EQ(threads[1], threads[2]);
    EXPECT_EQ(threads[0], threads[3]);
    EXPECT_EQ(threads[0], gettid());
}

TEST(AioCoMove, ManyAtOnceThereAndBack)
{
    constexpr int kMany = 50;
    constexpr int kTrips = 20;
    Loop home;
    LoopThread away;
    int back = 0;
    for (int i = 0; i < kMany; i++) {
        aiox_co_schedule(home, Spawn([&] {
                             for (int trip = 0; trip < kTrips; trip++) {
                                 MoveSelf(away);
                                 MoveSelf(home);
                             }
                             back++;
                         }));
    }

    home.RunUntil([&] { return back == kMany; });

    EXPECT_EQ(back, kMany);
}

/* ---- mistakes ---- */

using AioCoDeathTest = co_testing::DeathTest;

TEST_F(AioCoDeathTest, SchedulesTwice)
{
    EXPECT_DEATH(
        {
            Loop loop;
            aiox_co *co = Spawn([] {});
            aiox_co_schedule(loop, co);
            aiox_co_schedule(loop, co);
        },
        "aiox_co_schedule schedules coroutine .* already scheduled by aiox_co_schedule");
}

TEST_F(AioCoDeathTest, EntersAScheduledOne)
{
    EXPECT_DEATH(
        {
            Loop loop;
            aiox_co *co = Spawn([] {});
            aiox_co_schedule(loop, co);
            aiox_co_enter(co);
        },
        "the thread enters coroutine .* scheduled by aiox_co_schedule");
}

TEST_F(AioCoDeathTest, WakesASleeper)
{
    EXPECT_DEATH(
        {
            Loop loop;
            aiox_context_set_current(loop);
            aiox_co *co = Spawn([] { (void)SleepNs(AIOX_CLOCK_MONOTONIC, INT64_MAX); });
            aiox_co_enter_in(loop, co);
            aiox_co_wake(co);
        },
        "the thread enters coroutine .* scheduled by aiox_co_sleep");
}

TEST_F(AioCoDeathTest, WaitsOutsideOfALoop)
{
    EXPECT_DEATH(aiox_co_enter(Spawn([] { (void)SleepNs(AIOX_CLOCK_MONOTONIC, 1); })),
                 "coroutine is not in a context");
}

TEST_F(AioCoDeathTest, EndsALoopWithAScheduledCoroutine)
{
    EXPECT_DEATH(
        {
            Loop loop;
            aiox_co_schedule(loop, Spawn([] {}));
        },
        "a context ends while the coroutine coroutine .* is scheduled in it");
}
} // namespace
