/* SPDX-License-Identifier: MIT */
/* coroutine_test.cc - who runs when, and which mistakes end the program. */
#include "aiox/coroutine.h"

#include <cfenv>
#include <csetjmp>
#include <csignal>
#include <pthread.h>

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/coroutine/test/testing.h"

namespace
{
using co_testing::Spawn;
using co_testing::Yield;
using ::testing::ElementsAre;

using Diary = std::vector<std::string>;

/* Notes who was asked for and enters nobody. */
struct NotingExecutor : aiox_executor {
    NotingExecutor()
    {
        schedule = [](aiox_executor *ex, aiox_co *co) {
            static_cast<NotingExecutor *>(ex)->asked.push_back(co);
        };
    }
    std::vector<aiox_co *> asked;
};

void NeverRuns(void *)
{
    abort();
}

/* ---- life ---- */

TEST(Coroutine, RunsNothingUntilItIsEntered)
{
    bool ran = false;
    aiox_co *co = Spawn([&] { ran = true; });

    EXPECT_FALSE(ran);
    aiox_co_enter(co);

    EXPECT_TRUE(ran);
}

TEST(Coroutine, GoesOnBelowItsYield)
{
    Diary diary;
    aiox_co *co = Spawn([&] {
        diary.push_back("one");
        Yield();
        diary.push_back("two");
        Yield();
        diary.push_back("three");
    });

    for (int i = 0; i < 3; i++) {
        aiox_co_enter(co);
        diary.push_back("|");
    }

    EXPECT_THAT(diary, ElementsAre("one", "|", "two", "|", "three", "|"));
}

TEST(Coroutine, KeepsItsLocalsAndRegisters)
{
    double sums[4] = {};
    aiox_co *co[4];
    for (int i = 0; i < 4; i++) {
        co[i] = Spawn([&sums, i] {
            double a = i, b = i * 0.5;
            long c = i * 7, d = i * 11, e = i * 13;
            for (int n = 0; n < 100; n++) {
                a += b;
                c += d ^ e;
                Yield();
            }
            sums[i] = a + static_cast<double>(c);
        });
    }

    for (int n = 0; n < 101; n++) {
        for (aiox_co *each : co) {
            aiox_co_enter(each);
        }
    }

    for (int i = 0; i < 4; i++) {
        EXPECT_EQ(sums[i], i + 100 * i * 0.5 + i * 7 + 100.0 * ((i * 11) ^ (i * 13)));
    }
}

TEST(Coroutine, NeverEnteredCanBeFreed)
{
    size_t before = co_testing::Stats().in_use - co_testing::Stats().warm_here;
    aiox_co *co;
    ASSERT_EQ(aiox_co_create(&co, nullptr, &NeverRuns, nullptr), 0);

    aiox_co_free(co);
    aiox_co_free(nullptr);

    EXPECT_EQ(co_testing::Stats().in_use - co_testing::Stats().warm_here, before);
}

TEST(Coroutine, GetsItsArgument)
{
    int value = 0;
    aiox_co *co;
    ASSERT_EQ(aiox_co_create(
                  &co, nullptr, [](void *opaque) { *static_cast<int *>(opaque) = 7; }, &value),
              0);

    aiox_co_enter(co);

    EXPECT_EQ(value, 7);
}

TEST(Coroutine, HasTheNameOfItsClass)
{
    static const aiox_co_class named = {"reader", 0};
    aiox_co *co = Spawn([] {}, &named);
    aiox_co *other = Spawn([] {});

    EXPECT_STREQ(aiox_co_name(co), "reader");
    EXPECT_STREQ(aiox_co_name(other), "coroutine");

    aiox_co_enter(co);
    aiox_co_enter(other);
}

/* ---- who am I ---- */

TEST(Coroutine, KnowsItself)
{
    aiox_co *seen = nullptr;
    bool in = false;
    aiox_co *co = Spawn([&] {
        seen = aiox_co_self();
        in = aiox_in_coroutine();
    });

    aiox_co_enter(co);

    EXPECT_EQ(seen, co);
    EXPECT_TRUE(in);
    EXPECT_EQ(aiox_co_self(), nullptr);
    EXPECT_FALSE(aiox_in_coroutine());
}

TEST(Coroutine, IsItselfAgainAfterItEnteredAnother)
{
    std::vector<aiox_co *> seen;
    aiox_co *inner = Spawn([&] {
        seen.push_back(aiox_co_self());
        Yield();
        seen.push_back(aiox_co_self());
    });
    aiox_co *outer = Spawn([&] {
        aiox_co_enter(inner);
        seen.push_back(aiox_co_self());
        aiox_co_enter(inner);
        seen.push_back(aiox_co_self());
    });

    aiox_co_enter(outer);

    EXPECT_THAT(seen, ElementsAre(inner, outer, inner, outer));
}

TEST(Coroutine, IsEnteredWhileItRunsOrAnAncestorOfTheRunningOne)
{
    std::vector<bool> outer_seen;
    aiox_co *outer = nullptr;
    aiox_co *inner = Spawn([&] {
        outer_seen.push_back(aiox_co_is_entered(outer));
        Yield();
    });
    outer = Spawn([&] {
        outer_seen.push_back(aiox_co_is_entered(outer));
        aiox_co_enter(inner);
        Yield();
    });

    outer_seen.push_back(aiox_co_is_entered(outer));
    aiox_co_enter(outer);
    outer_seen.push_back(aiox_co_is_entered(outer));

    EXPECT_THAT(outer_seen, ElementsAre(false, true, true, false));
    EXPECT_FALSE(aiox_co_is_entered(inner));
    aiox_co_enter(inner);
    aiox_co_enter(outer);
}

/* One had entered two; one is dead and its record used again when two is entered. */
TEST(Coroutine, EnteredByTheDeadItIsEnteredAgain)
{
    Diary diary;
    aiox_co *two = Spawn([&] {
        diary.push_back("two");
        Yield();
        diary.push_back("two again");
    });
    aiox_co *one = Spawn([&] { aiox_co_enter(two); });
    aiox_co_enter(one);
    aiox_co *three = Spawn([&] {
        diary.push_back("three");
        aiox_co_enter(two);
    });

    aiox_co_enter(three);

    EXPECT_EQ(three, one) << "the stack of the dead is the next one";
    EXPECT_THAT(diary, ElementsAre("two", "three", "two again"));
}

/* ---- whom it wakes ---- */

TEST(CoroutineWake, OutsideOfCoroutinesEntersNow)
{
    bool ran = false;
    aiox_co *co = Spawn([&] { ran = true; });

    aiox_co_wake(co);

    EXPECT_TRUE(ran);
}

TEST(CoroutineWake, InACoroutineWaitsForItsYield)
{
    Diary diary;
    aiox_co *a = Spawn([&] { diary.push_back("a"); });
    aiox_co *b = Spawn([&] { diary.push_back("b"); });
    aiox_co *waker = Spawn([&] {
        aiox_co_wake(a);
        aiox_co_wake(b);
        diary.push_back("yields");
        Yield();
        diary.push_back("ends");
    });

    aiox_co_enter(waker);
    diary.push_back("|");
    aiox_co_enter(waker);

    EXPECT_THAT(diary, ElementsAre("yields", "a", "b", "|", "ends"));
}

TEST(CoroutineWake, InACoroutineWaitsForItsEnd)
{
    Diary diary;
    aiox_co *a = Spawn([&] { diary.push_back("a"); });
    aiox_co *waker = Spawn([&] {
        aiox_co_wake(a);
        diary.push_back("ends");
    });

    aiox_co_enter(waker);

    EXPECT_THAT(diary, ElementsAre("ends", "a"));
}

TEST(CoroutineWake, IsDepthFirst)
{
    Diary diary;
    auto leaf = [&](const char *name) { return Spawn([&diary, name] { diary.push_back(name); }); };
    aiox_co *a1 = leaf("a1"), *a2 = leaf("a2"), *b1 = leaf("b1");
    aiox_co *a = Spawn([&] {
        diary.push_back("a");
        aiox_co_wake(a1);
        aiox_co_wake(a2);
    });
    aiox_co *b = Spawn([&] {
        diary.push_back("b");
        aiox_co_wake(b1);
    });
    aiox_co *waker = Spawn([&] {
        aiox_co_wake(a);
        aiox_co_wake(b);
    });

    aiox_co_enter(waker);

    EXPECT_THAT(diary, ElementsAre("a", "a1", "a2", "b", "b1"));
}

TEST(CoroutineWake, RunsInsideTheEnterThatEnteredTheWaker)
{
    Diary diary;
    aiox_co *woken = Spawn([&] { diary.push_back("woken"); });
    aiox_co *inner = Spawn([&] { aiox_co_wake(woken); });
    aiox_co *outer = Spawn([&] {
        aiox_co_enter(inner);
        diary.push_back("outer");
    });

    aiox_co_enter(outer);

    EXPECT_THAT(diary, ElementsAre("woken", "outer"));
}

/* Two coroutines that wake each other: 25,000 times in one frame. */
TEST(CoroutineWake, AlternatesAtConstantDepth)
{
    constexpr int kMax = 25000;
    int i = 0;
    bool done[2] = {};
    aiox_co *co[2] = {};
    std::vector<const char *> depths;
    auto side = [&](int me) {
        return [&, me] {
            char here;
            while (i < kMax) {
                if (i % 1000 == 0) {
                    depths.push_back(&here);
                }
                i++;
                aiox_co_wake(co[!me]);
                Yield();
            }
            done[me] = true;
        };
    };
    co[0] = Spawn(side(0));
    co[1] = Spawn(side(1));

    aiox_co_enter(co[0]);

    EXPECT_EQ(i, kMax);
    EXPECT_EQ(done[0] + done[1], 1) << "the other side is one turn behind";
    for (size_t n = 2; n < depths.size(); n++) {
        EXPECT_EQ(depths[n], depths[n % 2]);
    }
    aiox_co_enter(co[done[0] ? 1 : 0]);
    EXPECT_TRUE(done[0] && done[1]);
}

/* A chain in which each one is entered, wakes the next and ends. */
TEST(CoroutineWake, AChainOfAHundredThousandUsesOneFrame)
{
    constexpr int kLength = AIOX_ASAN ? 10000 : 100000; /* the time it takes */
    int ran = 0;
    std::function<void()> link = [&] {
        if (++ran < kLength) {
            aiox_co_wake(Spawn(link));
        }
    };

    aiox_co_enter(Spawn(link));

    EXPECT_EQ(ran, kLength);
    EXPECT_LE(co_testing::Stats().in_use, 200u + co_testing::Stats().warm_shared);
}

TEST(CoroutineWake, OfItselfGoesOnRightAfterTheYield)
{
    Diary diary;
    aiox_co *co = Spawn([&] {
        aiox_co_wake(aiox_co_self());
        diary.push_back("before");
        Yield();
        diary.push_back("after");
    });

    aiox_co_enter(co);

    EXPECT_THAT(diary, ElementsAre("before", "after"));
}

TEST(CoroutineWake, OfOneThatRunsBeforeItsOwnYieldIsKept)
{
    Diary diary;
    aiox_co *outer = nullptr;
    aiox_co *waker = Spawn([&] { aiox_co_wake(outer); });
    outer = Spawn([&] {
        aiox_co_wake(waker);
        diary.push_back("waits");
        Yield();
        diary.push_back("woken");
    });

    aiox_co_enter(outer);

    EXPECT_THAT(diary, ElementsAre("waits", "woken"));
}

/* ---- executors ---- */

TEST(CoroutineExecutor, IsTheOneItWasLastEnteredIn)
{
    NotingExecutor one, two;
    aiox_co *co = Spawn([] {
        Yield();
        Yield();
    });

    aiox_co_enter_on(&one, co);
    EXPECT_EQ(aiox_co_executor(co), &one);
    aiox_co_enter_on(&two, co);
    EXPECT_EQ(aiox_co_executor(co), &two);
    aiox_co_enter(co);
}

TEST(CoroutineExecutor, IsKeptByAnEnterOutsideOfCoroutines)
{
    NotingExecutor ex;
    aiox_co *co = Spawn([] {
        Yield();
        Yield();
    });

    aiox_co_enter_on(&ex, co);
    aiox_co_enter(co);

    EXPECT_EQ(aiox_co_executor(co), &ex);
    aiox_co_enter(co);
}

TEST(CoroutineExecutor, IsTakenOverFromTheCoroutineThatEnters)
{
    NotingExecutor ex;
    aiox_co *inner = Spawn([] { Yield(); });
    aiox_co *outer = Spawn([&] { aiox_co_enter(inner); });

    aiox_co_enter_on(&ex, outer);

    EXPECT_EQ(aiox_co_executor(inner), &ex);
    aiox_co_enter(inner);
}

TEST(CoroutineExecutor, IsAskedByAWakeFromOutside)
{
    NotingExecutor ex;
    aiox_co *co = Spawn([] { Yield(); });
    aiox_co_enter_on(&ex, co);

    aiox_co_wake(co);

    EXPECT_THAT(ex.asked, ElementsAre(co));
    aiox_co_enter(co);
}

TEST(CoroutineExecutor, IsAskedByACoroutineOfAnotherOne)
{
    NotingExecutor ex, other;
    aiox_co *co = Spawn([] { Yield(); });
    aiox_co_enter_on(&ex, co);
    aiox_co *waker = Spawn([&] { aiox_co_wake(co); });

    aiox_co_enter_on(&other, waker);

    EXPECT_THAT(ex.asked, ElementsAre(co));
    EXPECT_TRUE(other.asked.empty());
    aiox_co_enter(co);
}

TEST(CoroutineExecutor, IsNotAskedByACoroutineOfTheSameOne)
{
    NotingExecutor ex;
    bool woken = false;
    aiox_co *co = Spawn([&] {
        Yield();
        woken = true;
    });
    aiox_co_enter_on(&ex, co);
    aiox_co *waker = Spawn([&] { aiox_co_wake(co); });

    aiox_co_enter_on(&ex, waker);

    EXPECT_TRUE(woken);
    EXPECT_TRUE(ex.asked.empty());
}

TEST(CoroutineExecutor, ANewOneIsSentThereByAWake)
{
    NotingExecutor ex;
    aiox_executor *seen = nullptr;
    aiox_co *co = Spawn([&] { seen = aiox_co_executor(aiox_co_self()); });
    aiox_co *far = Spawn([] {});
    aiox_co *waker = Spawn([&] { aiox_co_wake_on(&ex, co); });

    aiox_co_enter_on(&ex, waker);
    aiox_co_wake_on(&ex, far);

    EXPECT_EQ(seen, &ex) << "behind a coroutine of the same executor";
    EXPECT_THAT(ex.asked, ElementsAre(far)) << "by the executor from elsewhere";
    aiox_co_enter(far);
}

TEST(CoroutineExecutor, OfANewCoroutineIsNone)
{
    NotingExecutor ex;
    aiox_co *first = Spawn([] {});
    aiox_co_enter_on(&ex, first);
    aiox_co *second = Spawn([] {});

    EXPECT_EQ(aiox_co_executor(second), nullptr);

    aiox_co_enter(second);
}

/* ---- the mark ---- */

TEST(CoroutineMark, IsTakenByOneOfTwo)
{
    static const char here[] = "here";
    static const char there[] = "there";
    aiox_co *co = Spawn([] {});

    aiox_co_mark(co, here);

    EXPECT_FALSE(aiox_co_unmark(co, there));
    EXPECT_TRUE(aiox_co_unmark(co, here));
    EXPECT_FALSE(aiox_co_unmark(co, here));
    aiox_co_enter(co);
}

TEST(CoroutineMark, LinkLeadsBackToTheCoroutine)
{
    aiox_co *co = Spawn([] {});

    EXPECT_EQ(aiox_co_of_link(aiox_co_link(co)), co);

    aiox_co_enter(co);
}

/* ---- what is not saved, what is ---- */

TEST(Coroutine, JumpsWithinItsOwnStack)
{
    int rounds = 0;
    aiox_co *co = Spawn([&] {
        static jmp_buf there;
        for (volatile int i = 0; i < 10; i = i + 1) {
            if (setjmp(there) == 0) {
                longjmp(there, 1);
            }
            rounds++;
            Yield();
        }
    });

    for (int i = 0; i < 11; i++) {
        aiox_co_enter(co);
    }

    EXPECT_EQ(rounds, 10);
}

TEST(Coroutine, CatchesItsOwnExceptions)
{
    Diary diary;
    aiox_co *co = Spawn([&] {
        try {
            Yield();
            throw std::string("caught");
        } catch (const std::string &what) {
            diary.push_back(what);
        }
    });

    aiox_co_enter(co);
    aiox_co_enter(co);

    EXPECT_THAT(diary, ElementsAre("caught"));
}

TEST(Coroutine, LeavesTheRoundingModeToTheThread)
{
    if (std::string(aiox_co_switch_name()) == "ucontext") {
        GTEST_SKIP() << "swapcontext() saves it";
    }
    int inside = -1;
    aiox_co *co = Spawn([&] {
        Yield();
        inside = fegetround();
    });
    aiox_co_enter(co);

    fesetround(FE_UPWARD);
    aiox_co_enter(co);
    fesetround(FE_TONEAREST);

    EXPECT_EQ(inside, FE_UPWARD);
}

/* ---- mistakes ---- */

using CoroutineDeathTest = co_testing::DeathTest;

TEST_F(CoroutineDeathTest, YieldOutside)
{
    EXPECT_DEATH(Yield(), "a yield outside of a coroutine");
}

TEST_F(CoroutineDeathTest, EntersItself)
{
    static const aiox_co_class named = {"snake", 0};

    EXPECT_DEATH(aiox_co_enter(Spawn([] { aiox_co_enter(aiox_co_self()); }, &named)),
                 "snake .* enters snake .* already been entered by a thread");
}

TEST_F(CoroutineDeathTest, EntersTheOneThatEnteredIt)
{
    static const aiox_co_class parent = {"parent", 0}, child = {"child", 0};

    EXPECT_DEATH(aiox_co_enter(Spawn(
                     [] {
                         aiox_co *self = aiox_co_self();
                         aiox_co_enter(Spawn([self] { aiox_co_enter(self); }, &child));
                     },
                     &parent)),
                 "child .* enters parent .* already been entered by a thread");
}

TEST_F(CoroutineDeathTest, EntersADeadOne)
{
    aiox_co *co = Spawn([] {});
    aiox_co_enter(co);

    EXPECT_DEATH(aiox_co_enter(co), "enters a coroutine that has ended");
}

TEST_F(CoroutineDeathTest, EntersAScheduledOne)
{
    aiox_co *co = Spawn([] {});
    static const char loop[] = "the other loop";
    aiox_co_mark(co, loop);

    EXPECT_DEATH(aiox_co_enter(co), "the thread enters coroutine .* scheduled by the other loop");

    ASSERT_TRUE(aiox_co_unmark(co, loop));
    EXPECT_DEATH(aiox_co_enter_on(nullptr, (aiox_co_mark(co, "x"), co)), "scheduled by x");
    aiox_co_enter(co);
}

TEST_F(CoroutineDeathTest, MarksTwice)
{
    aiox_co *co = Spawn([] {});

    EXPECT_DEATH((aiox_co_mark(co, "one"), aiox_co_mark(co, "two")),
                 "two schedules coroutine .* already scheduled by one");

    aiox_co_enter(co);
}

TEST_F(CoroutineDeathTest, WakesTwice)
{
    EXPECT_DEATH(aiox_co_enter(Spawn([] {
                     aiox_co *co = Spawn([] {});
                     aiox_co_wake(co);
                     aiox_co_wake(co);
                 })),
                 "aiox_co_wake schedules .* already scheduled by aiox_co_wake");
}

TEST_F(CoroutineDeathTest, EndsWhileScheduled)
{
    EXPECT_DEATH(aiox_co_enter(Spawn([] { aiox_co_mark(aiox_co_self(), "somebody"); })),
                 "coroutine .* ends while it is scheduled by somebody");
}

TEST_F(CoroutineDeathTest, FreesAnEnteredOne)
{
    EXPECT_DEATH(
        {
            aiox_co *co = Spawn([] { Yield(); });
            aiox_co_enter(co);
            aiox_co_free(co);
        },
        "is freed, but it has been entered");
}

TEST_F(CoroutineDeathTest, FreesTwice)
{
    EXPECT_DEATH(
        {
            aiox_co *co;
            if (aiox_co_create(&co, nullptr, &NeverRuns, nullptr) == 0) {
                aiox_co_free(co);
                aiox_co_free(co);
            }
        },
        "is freed, but");
}

TEST_F(CoroutineDeathTest, AsksForTooLargeAStack)
{
    static const aiox_co_class huge = {"huge", AIOX_CO_STACK_MAX_BYTES + 1};

    EXPECT_DEATH(Spawn([] {}, &huge), "AIOX_CO_STACK_MAX_BYTES");
}

TEST_F(CoroutineDeathTest, LetsAnExceptionOut)
{
    EXPECT_DEATH(aiox_co_enter(Spawn([] { throw 1; })), "");
}

TEST_F(CoroutineDeathTest, EndsItsThread)
{
    EXPECT_DEATH(aiox_co_enter(Spawn([] { pthread_exit(nullptr); })),
                 AIOX_TSAN ? "" : "is left by an exception, by pthread_exit");
}
TEST(Coroutine, WhatItIsGivenMayChangeUntilItBegins)
{
    int first = 0, second = 0, late = 0;
    aiox_co *co;
    ASSERT_EQ(aiox_co_create(
                  &co, nullptr,
                  [](void *opaque) {
                      ++*static_cast<int *>(opaque);
                      Yield();
                      ++*static_cast<int *>(opaque);
                  },
                  &first),
              0);

    aiox_co_set_opaque(co, &second);
    aiox_co_enter(co);
    aiox_co_set_opaque(co, &late);
    aiox_co_enter(co);

    EXPECT_EQ(first, 0);
    EXPECT_EQ(second, 2);
    EXPECT_EQ(late, 0);
}

} // namespace
