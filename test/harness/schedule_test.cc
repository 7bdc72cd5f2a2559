/* SPDX-License-Identifier: MIT */
/*
 * schedule_test.cc - tests of the tester.
 *
 * The shapes of the memory-model literature give exactly the outcomes that each
 * mode stands for, and each way for a run to fail is found and can be repeated.
 */
#include "test/harness/schedule.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include "aiox/atomic.h"

namespace aiox_test
{
namespace
{
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

struct Shared {
    aiox_atomic_u32 x, y;
    uint32_t r[4];
};

using Part = std::function<void(Shared &)>;
using Outcomes = std::set<std::string>;

/* All that the registers, and with @final the variables, can be in the end. */
Outcomes Explore(Mode mode, const std::vector<Part> &parts, int registers, bool final = false)
{
    Outcomes seen;
    ScheduleResult result = ForEachSchedule({9, mode, 60}, [&](Schedule &s) {
        static const char *const kNames[] = {"T0", "T1", "T2", "T3"};
        Shared shared = {};
        std::string outcome;

        for (size_t i = 0; i < parts.size(); i++) {
            s.Thread(kNames[i], [&shared, part = parts[i]] { part(shared); });
        }
        s.Run();
        for (int i = 0; i < registers; i++) {
            outcome += std::to_string(shared.r[i]);
        }
        if (final) {
            outcome += std::to_string(aiox_u32_load_relaxed(&shared.x));
            outcome += std::to_string(aiox_u32_load_relaxed(&shared.y));
        }
        seen.insert(outcome);
    });

    EXPECT_TRUE(result.complete) << result;
    return seen;
}

/* ---- store buffering: both write, then look at the other's ---- */

const Outcomes kSomebodySees = {"01", "10", "11"};
const Outcomes kNobodyMaySee = {"00", "01", "10", "11"};

TEST(StoreBuffering, RelaxedAndReleaseAcquireBothMissOutsideSc)
{
    for (bool ordered : {false, true}) {
        auto store = ordered ? aiox_u32_store_release : aiox_u32_store_relaxed;
        auto load = ordered ? aiox_u32_load_acquire : aiox_u32_load_relaxed;
        std::vector<Part> parts = {
            [=](Shared &s) {
                store(&s.x, 1);
                s.r[0] = load(&s.y);
            },
            [=](Shared &s) {
                store(&s.y, 1);
                s.r[1] = load(&s.x);
            },
        };

        EXPECT_EQ(Explore(Mode::kSc, parts, 2), kSomebodySees);
        EXPECT_EQ(Explore(Mode::kPso, parts, 2), kNobodyMaySee);
        EXPECT_EQ(Explore(Mode::kC11, parts, 2), kNobodyMaySee);
    }
}

TEST(StoreBuffering, SeqCstStoresAndLoadsNeverBothMiss)
{
    std::vector<Part> parts = {
        [](Shared &s) {
            aiox_u32_store_seq_cst(&s.x, 1);
            s.r[0] = aiox_u32_load_seq_cst(&s.y);
        },
        [](Shared &s) {
            aiox_u32_store_seq_cst(&s.y, 1);
            s.r[1] = aiox_u32_load_seq_cst(&s.x);
        },
    };

    for (Mode mode : {Mode::kSc, Mode::kPso, Mode::kC11}) {
        EXPECT_EQ(Explore(mode, parts, 2), kSomebodySees);
    }
}

TEST(StoreBuffering, SeqCstReadModifyWritesNeverBothMiss)
{
    std::vector<Part> parts = {
        [](Shared &s) {
            aiox_u32_swap_seq_cst(&s.x, 1);
            s.r[0] = aiox_u32_load_seq_cst(&s.y);
        },
        [](Shared &s) {
            aiox_u32_or_seq_cst(&s.y, 1);
            s.r[1] = aiox_u32_add_seq_cst(&s.x, 0);
        },
    };

    for (Mode mode : {Mode::kSc, Mode::kPso, Mode::kC11}) {
        EXPECT_EQ(Explore(mode, parts, 2), kSomebodySees);
    }
}

TEST(StoreBuffering, OneSeqCstLoadTooFewAndBothMissInC11)
{
    std::vector<Part> parts = {
        [](Shared &s) {
            aiox_u32_swap_seq_cst(&s.x, 1);
            s.r[0] = aiox_u32_load_acquire(&s.y);
        },
        [](Shared &s) {
            aiox_u32_swap_seq_cst(&s.y, 1);
            s.r[1] = aiox_u32_load_seq_cst(&s.x);
        },
    };

    EXPECT_EQ(Explore(Mode::kPso, parts, 2), kSomebodySees);
    EXPECT_EQ(Explore(Mode::kC11, parts, 2), kNobodyMaySee);
}

TEST(StoreBuffering, AnAcqRelReadModifyWriteIsNoFenceInC11)
{
    std::vector<Part> parts = {
        [](Shared &s) {
            aiox_u32_swap_acq_rel(&s.x, 1);
            s.r[0] = aiox_u32_load_acquire(&s.y);
        },
        [](Shared &s) {
            aiox_u32_swap_acq_rel(&s.y, 1);
            s.r[1] = aiox_u32_load_acquire(&s.x);
        },
    };

    EXPECT_EQ(Explore(Mode::kSc, parts, 2), kSomebodySees);
    EXPECT_EQ(Explore(Mode::kPso, parts, 2), kSomebodySees); /* as on x86 */
    EXPECT_EQ(Explore(Mode::kC11, parts, 2), kNobodyMaySee);
}

TEST(StoreBuffering, OnOneWordRelaxedReadModifyWritesNeverBothMiss)
{
    std::vector<Part> parts = {
        [](Shared &s) { s.r[0] = aiox_u32_or_relaxed(&s.x, 1) / 2; },
        [](Shared &s) { s.r[1] = aiox_u32_or_relaxed(&s.x, 2) & 1; },
    };

    for (Mode mode : {Mode::kSc, Mode::kPso, Mode::kC11}) {
        EXPECT_EQ(Explore(mode, parts, 2), (Outcomes{"01", "10"}));
    }
}

/* ---- message passing: data, then a flag; "10" is the flag without the data ---- */

using StoreFn = void (*)(aiox_atomic_u32 *, uint32_t);
using LoadFn = uint32_t (*)(const aiox_atomic_u32 *);

bool FlagWithoutData(Mode mode, StoreFn store, LoadFn load)
{
    std::vector<Part> parts = {
        [=](Shared &s) {
            aiox_u32_store_relaxed(&s.x, 1);
            store(&s.y, 1);
        },
        [=](Shared &s) {
            s.r[0] = load(&s.y);
            s.r[1] = aiox_u32_load_relaxed(&s.x);
        },
    };
    Outcomes seen = Explore(mode, parts, 2);

    for (const char *usual : {"00", "01", "11"}) {
        EXPECT_THAT(seen, Contains(usual));
    }
    return seen.count("10") != 0;
}

TEST(MessagePassing, RelaxedArrivesOutOfOrder)
{
    EXPECT_FALSE(FlagWithoutData(Mode::kSc, aiox_u32_store_relaxed, aiox_u32_load_relaxed));
    EXPECT_TRUE(FlagWithoutData(Mode::kPso, aiox_u32_store_relaxed, aiox_u32_load_relaxed));
    EXPECT_TRUE(FlagWithoutData(Mode::kC11, aiox_u32_store_relaxed, aiox_u32_load_relaxed));
}

TEST(MessagePassing, ReleaseAndAcquireArriveInOrder)
{
    for (Mode mode : {Mode::kSc, Mode::kPso, Mode::kC11}) {
        EXPECT_FALSE(FlagWithoutData(mode, aiox_u32_store_release, aiox_u32_load_acquire));
        EXPECT_FALSE(FlagWithoutData(mode, aiox_u32_store_seq_cst, aiox_u32_load_seq_cst));
    }
}

TEST(MessagePassing, AReleaseWithoutAnAcquireIsTooLittleInC11)
{
    EXPECT_FALSE(FlagWithoutData(Mode::kPso, aiox_u32_store_release, aiox_u32_load_relaxed));
    EXPECT_TRUE(FlagWithoutData(Mode::kC11, aiox_u32_store_release, aiox_u32_load_relaxed));
}

TEST(MessagePassing, AnAcquireWithoutAReleaseIsTooLittle)
{
    EXPECT_TRUE(FlagWithoutData(Mode::kPso, aiox_u32_store_relaxed, aiox_u32_load_acquire));
    EXPECT_TRUE(FlagWithoutData(Mode::kC11, aiox_u32_store_relaxed, aiox_u32_load_acquire));
}

/* r[0]: the last flag seen; r[1]: the data then. */
Outcomes ExploreReleaseSequence(Mode mode, const Part &second)
{
    return Explore(mode,
                   {
                       [](Shared &s) {
                           aiox_u32_store_relaxed(&s.x, 1);
                           aiox_u32_store_release(&s.y, 1);
                       },
                       second,
                       [](Shared &s) {
                           s.r[0] = aiox_u32_load_acquire(&s.y);
                           s.r[1] = aiox_u32_load_relaxed(&s.x);
                       },
                   },
                   2);
}

TEST(ReleaseSequence, GoesOnThroughReadModifyWritesOfOthers)
{
    Part add = [](Shared &s) { aiox_u32_add_relaxed(&s.y, 4); };

    for (Mode mode : {Mode::kSc, Mode::kPso, Mode::kC11}) {
        Outcomes seen = ExploreReleaseSequence(mode, add);
        EXPECT_THAT(seen, Contains("51"));
        EXPECT_THAT(seen, Not(Contains("50")));
    }
}

TEST(ReleaseSequence, EndsAtAPlainStore)
{
    Outcomes seen = Explore(Mode::kC11,
                            {
                                [](Shared &s) {
                                    aiox_u32_store_relaxed(&s.x, 1);
                                    aiox_u32_store_release(&s.y, 1);
                                    aiox_u32_store_relaxed(&s.y, 2);
                                },
                                [](Shared &s) {
                                    s.r[0] = aiox_u32_load_acquire(&s.y);
                                    s.r[1] = aiox_u32_load_relaxed(&s.x);
                                },
                            },
                            2);

    EXPECT_EQ(seen, (Outcomes{"00", "01", "11", "20", "21"}));
}

/* ---- coherence: one variable has one order ---- */

TEST(Coherence, TwoLoadsNeverGoBack)
{
    std::vector<Part> parts = {
        [](Shared &s) {
            aiox_u32_store_relaxed(&s.x, 1);
            aiox_u32_store_relaxed(&s.x, 2);
        },
        [](Shared &s) {
            s.r[0] = aiox_u32_load_relaxed(&s.x);
            s.r[1] = aiox_u32_load_relaxed(&s.x);
        },
    };

    for (Mode mode : {Mode::kSc, Mode::kPso, Mode::kC11}) {
        EXPECT_EQ(Explore(mode, parts, 2), (Outcomes{"00", "01", "02", "11", "12", "22"}));
    }
}

TEST(Coherence, WhatAnotherHasSeenAndPassedOnIsNotUnseen)
{
    std::vector<Part> parts = {
        [](Shared &s) { aiox_u32_store_relaxed(&s.x, 1); },
        [](Shared &s) {
            s.r[0] = aiox_u32_load_relaxed(&s.x);
            aiox_u32_store_release(&s.y, 1);
        },
        [](Shared &s) {
            s.r[1] = aiox_u32_load_acquire(&s.y);
            s.r[2] = aiox_u32_load_relaxed(&s.x);
        },
    };

    for (Mode mode : {Mode::kSc, Mode::kPso, Mode::kC11}) {
        EXPECT_THAT(Explore(mode, parts, 3), Not(Contains("110")));
    }
}

TEST(Coherence, TwoPairsOfStoresMayCrossOutsideSc)
{
    auto parts = [](StoreFn store) {
        return std::vector<Part>{
            [=](Shared &s) {
                store(&s.x, 1);
                store(&s.y, 2);
            },
            [=](Shared &s) {
                store(&s.y, 1);
                store(&s.x, 2);
            },
        };
    };

    EXPECT_EQ(Explore(Mode::kSc, parts(aiox_u32_store_relaxed), 0, true),
              (Outcomes{"12", "21", "22"}));
    EXPECT_THAT(Explore(Mode::kPso, parts(aiox_u32_store_relaxed), 0, true), Contains("11"));
    EXPECT_THAT(Explore(Mode::kPso, parts(aiox_u32_store_release), 0, true), Not(Contains("11")));
    EXPECT_THAT(Explore(Mode::kC11, parts(aiox_u32_store_relaxed), 0, true), Contains("11"));
    EXPECT_THAT(Explore(Mode::kC11, parts(aiox_u32_store_release), 0, true), Contains("11"));
    EXPECT_THAT(Explore(Mode::kC11, parts(aiox_u32_store_seq_cst), 0, true), Not(Contains("11")));
}

TEST(Coherence, ReadModifyWritesLoseNothing)
{
    Part add = [](Shared &s) { aiox_u32_add_relaxed(&s.x, 1); };

    for (Mode mode : {Mode::kSc, Mode::kPso, Mode::kC11}) {
        EXPECT_EQ(Explore(mode, {add, add, add}, 0, true), (Outcomes{"30"}));
    }
}

TEST(Coherence, OneOfTwoCompareAndSwapsWins)
{
    auto part = [](int i) {
        return [i](Shared &s) {
            uint32_t expected = 0;
            s.r[i] = aiox_u32_cas_relaxed(&s.x, &expected, i + 1);
            s.r[i + 2] = expected;
        };
    };

    for (Mode mode : {Mode::kSc, Mode::kPso, Mode::kC11}) {
        EXPECT_EQ(Explore(mode, {part(0), part(1)}, 4), (Outcomes{"1001", "0120"}));
    }
}

TEST(Coherence, ACompareAndSwapThatFailsMayHaveSeenSomethingOld)
{
    Outcomes seen = Explore(Mode::kC11,
                            {
                                [](Shared &s) { aiox_u32_store_relaxed(&s.x, 1); },
                                [](Shared &s) {
                                    uint32_t expected = 1;
                                    s.r[0] = aiox_u32_cas_relaxed(&s.x, &expected, 2);
                                    s.r[1] = expected;
                                },
                            },
                            2);

    EXPECT_EQ(seen, (Outcomes{"00", "11"}));
}

/* ---- three and four threads ---- */

/* Two write, two look in opposite order; "1010": they disagree on who was first. */
std::vector<Part> IndependentReads(StoreFn store, LoadFn load)
{
    return {
        [=](Shared &s) { store(&s.x, 1); },
        [=](Shared &s) { store(&s.y, 1); },
        [=](Shared &s) {
            s.r[0] = load(&s.x);
            s.r[1] = load(&s.y);
        },
        [=](Shared &s) {
            s.r[2] = load(&s.y);
            s.r[3] = load(&s.x);
        },
    };
}

TEST(IndependentReads, MayDisagreeInC11Alone)
{
    auto parts = IndependentReads(aiox_u32_store_release, aiox_u32_load_acquire);

    EXPECT_THAT(Explore(Mode::kSc, parts, 4), Not(Contains("1010")));
    EXPECT_THAT(Explore(Mode::kPso, parts, 4), Not(Contains("1010")));
    EXPECT_THAT(Explore(Mode::kC11, parts, 4), Contains("1010"));
}

TEST(IndependentReads, SeqCstOnesAgree)
{
    auto parts = IndependentReads(aiox_u32_store_seq_cst, aiox_u32_load_seq_cst);

    EXPECT_THAT(Explore(Mode::kC11, parts, 4), Not(Contains("1010")));
}

/* T0's x passes through T1's y to T2. */
std::vector<Part> Relay(StoreFn store, LoadFn load)
{
    return {
        [](Shared &s) { aiox_u32_store_relaxed(&s.x, 1); },
        [=](Shared &s) {
            s.r[0] = load(&s.x);
            store(&s.y, 1);
        },
        [=](Shared &s) {
            s.r[1] = load(&s.y);
            s.r[2] = aiox_u32_load_relaxed(&s.x);
        },
    };
}

TEST(Relay, NeedsReleaseAndAcquireInC11)
{
    EXPECT_THAT(Explore(Mode::kC11, Relay(aiox_u32_store_relaxed, aiox_u32_load_relaxed), 3),
                Contains("110"));
    EXPECT_THAT(Explore(Mode::kC11, Relay(aiox_u32_store_release, aiox_u32_load_acquire), 3),
                Not(Contains("110")));
}

TEST(LoadBuffering, IsNeverProduced) /* C11 allows it: a known gap */
{
    std::vector<Part> parts = {
        [](Shared &s) {
            s.r[0] = aiox_u32_load_relaxed(&s.x);
            aiox_u32_store_relaxed(&s.y, 1);
        },
        [](Shared &s) {
            s.r[1] = aiox_u32_load_relaxed(&s.y);
            aiox_u32_store_relaxed(&s.x, 1);
        },
    };

    for (Mode mode : {Mode::kSc, Mode::kPso, Mode::kC11}) {
        EXPECT_EQ(Explore(mode, parts, 2), (Outcomes{"00", "01", "10"}));
    }
}

/* ---- the search ---- */

TEST(ScheduleSearch, RunsEveryInterleavingOnce)
{
    Part two = [](Shared &s) {
        aiox_u32_add_relaxed(&s.x, 1);
        aiox_u32_add_relaxed(&s.x, 1);
    };
    ScheduleResult result = ForEachSchedule({0, Mode::kSc}, [&](Schedule &s) {
        Shared shared = {};
        s.Thread("a", [&] { two(shared); });
        s.Thread("b", [&] { two(shared); });
        s.Run();
    });
    EXPECT_EQ(result.runs, 2u); /* a then b, b then a */

    result = ForEachSchedule({9, Mode::kSc}, [&](Schedule &s) {
        Shared shared = {};
        s.Thread("a", [&] { two(shared); });
        s.Thread("b", [&] { two(shared); });
        s.Run();
    });

    EXPECT_TRUE(result.complete);
    EXPECT_EQ(result.runs, 2u + 4u + 6u); /* with at most 0, 1 and 2 preemptions */
}

/* The second of three steps of one thread is between two steps of the other: two preemptions. */
void NeedsTwoPreemptions(Schedule &s)
{
    Shared shared = {};
    s.Thread("a", [&] {
        aiox_u32_store_relaxed(&shared.x, 1);
        uint32_t seen = aiox_u32_load_relaxed(&shared.y);
        aiox_u32_store_relaxed(&shared.x, 2);
        SCHEDULE_CHECK(seen != 1);
    });
    s.Thread("b", [&] {
        if (aiox_u32_load_relaxed(&shared.x) == 1) {
            aiox_u32_store_relaxed(&shared.y, 1);
            if (aiox_u32_load_relaxed(&shared.x) == 2) {
                aiox_u32_store_relaxed(&shared.y, 2);
            }
        }
        aiox_u32_store_relaxed(&shared.y, 3);
    });
    s.Run();
}

TEST(ScheduleSearch, TheBoundCountsPreemptions)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule({1, Mode::kSc}, NeedsTwoPreemptions));

    EXPECT_SCHEDULES_FAIL("seen != 1", ForEachSchedule({2, Mode::kSc}, NeedsTwoPreemptions));
}

/* How many of two values a reader may see old, after the writer has ended. */
int OldValuesSeen(int at_most)
{
    int most = 0;

    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule({0, Mode::kC11, 20, 0, at_most}, [&](Schedule &s) {
        Shared shared = {};
        bool ended = false;
        int old = 0;
        s.Thread("writer", [&] {
            aiox_u32_store_relaxed(&shared.x, 1);
            aiox_u32_store_relaxed(&shared.y, 1);
            ended = true;
        });
        s.Thread("reader", [&] {
            old += ended && !aiox_u32_load_relaxed(&shared.x);
            old += ended && !aiox_u32_load_relaxed(&shared.y);
        });
        s.Run();
        most = std::max(most, old);
    }));
    return most;
}

TEST(ScheduleSearch, OldValuesCanBeBounded)
{
    EXPECT_EQ(OldValuesSeen(0), 0);
    EXPECT_EQ(OldValuesSeen(1), 1);
    EXPECT_EQ(OldValuesSeen(9), 2);
}

TEST(ScheduleSearch, TimeCutsItShort)
{
    ScheduleResult result = ForEachSchedule({20, Mode::kC11, 0.05}, [](Schedule &s) {
        Shared shared = {};
        for (const char *name : {"a", "b", "c", "d"}) {
            s.Thread(name, [&] {
                for (int i = 0; i < 10; i++) {
                    aiox_u32_add_relaxed(&shared.x, 1);
                }
            });
        }
        s.Run();
    });

    EXPECT_FALSE(result.complete);
    EXPECT_EQ(result.failure, "");
}

TEST(ScheduleSearch, AFailedRunCanBeRepeated)
{
    ScheduleResult first = ForEachSchedule({2, Mode::kSc}, NeedsTwoPreemptions);
    ASSERT_THAT(first.replay, HasSubstr("sc:2:"));

    setenv("AIOX_SCHEDULE_REPLAY", first.replay.c_str(), 1);
    ScheduleResult again = ForEachSchedule({9, Mode::kSc}, NeedsTwoPreemptions);
    ScheduleResult of_another_mode = ForEachSchedule({9, Mode::kC11}, NeedsTwoPreemptions);
    unsetenv("AIOX_SCHEDULE_REPLAY");

    EXPECT_EQ(again.failure, first.failure);
    EXPECT_EQ(again.trace, first.trace);
    EXPECT_EQ(again.replay, first.replay);
    EXPECT_EQ(of_another_mode.runs, 0u);
}

TEST(ScheduleSearch, TheTraceSaysWhoDidWhatToWhich)
{
    ScheduleResult result = ForEachSchedule({0, Mode::kSc}, [](Schedule &s) {
        aiox_atomic_u32 word = {5};
        s.Name(&word, "the word");
        s.Thread("adder", [&] {
            aiox_u32_add_acq_rel(&word, 2);
            FailSchedule("as wanted");
        });
        s.Run();
    });

    EXPECT_EQ(result.failure, "as wanted");
    EXPECT_EQ(result.trace, "  adder: the word rmw acq_rel: 5 -> 7\n");
}

TEST(ScheduleSearch, FindsThatATestIsNotTheSameEachTime)
{
    int runs = 0;
    auto body = [&](Schedule &s) {
        runs++;
        for (const char *name : {"a", "b", "c"}) {
            if (name[0] != 'c' || runs == 2) {
                s.Thread(name, [] {});
            }
        }
        s.Run();
    };

    EXPECT_SCHEDULES_FAIL("does not do the same", ForEachSchedule({3, Mode::kSc}, body));
}

TEST(ScheduleSearch, FindsARunThatDoesNotEnd)
{
    EXPECT_SCHEDULES_FAIL("does not end", ForEachSchedule({0, Mode::kSc}, [](Schedule &s) {
                              Shared shared = {};
                              s.Thread("spins", [&] {
                                  while (!aiox_u32_load_relaxed(&shared.x)) {
                                  }
                              });
                              s.Run();
                          }));
}

TEST(ScheduleSearch, ASpinThatRelaxesLetsOthersGoOn)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule({2, Mode::kC11}, [](Schedule &s) {
        Shared shared = {};
        s.Thread("spins", [&] {
            while (!aiox_u32_load_acquire(&shared.x)) {
                aiox_cpu_relax();
            }
            SCHEDULE_CHECK(aiox_u32_load_relaxed(&shared.y) == 1);
        });
        s.Thread("ends it", [&] {
            aiox_u32_store_relaxed(&shared.y, 1);
            aiox_u32_store_release(&shared.x, 1);
        });
        s.Run();
    }));
}

/* ---- plain data ---- */

void PassPlainData(Schedule &s, StoreFn store, LoadFn load)
{
    struct {
        aiox_atomic_u32 flag;
        int data;
    } m = {};
    s.Thread("writer", [&] {
        AIOX_PLAIN_WRITE(&m.data);
        m.data = 1;
        store(&m.flag, 1);
    });
    s.Thread("reader", [&] {
        if (load(&m.flag)) {
            AIOX_PLAIN_READ(&m.data);
            SCHEDULE_CHECK(m.data == 1);
        }
    });
    s.Run();
}

TEST(PlainData, PassedOnInOrderIsNoRace)
{
    for (Mode mode : {Mode::kSc, Mode::kPso, Mode::kC11}) {
        EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule({9, mode}, [](Schedule &s) {
            PassPlainData(s, aiox_u32_store_release, aiox_u32_load_acquire);
        }));
    }
}

TEST(PlainData, PassedOnWithoutOrderIsARaceInEachMode)
{
    for (Mode mode : {Mode::kSc, Mode::kPso, Mode::kC11}) {
        EXPECT_SCHEDULES_FAIL("race: read of &m.data", ForEachSchedule({9, mode}, [](Schedule &s) {
                                  PassPlainData(s, aiox_u32_store_relaxed, aiox_u32_load_acquire);
                              }));
        EXPECT_SCHEDULES_FAIL("race: read of &m.data", ForEachSchedule({9, mode}, [](Schedule &s) {
                                  PassPlainData(s, aiox_u32_store_release, aiox_u32_load_relaxed);
                              }));
    }
}

TEST(PlainData, TwoWritersWithoutOrderRaceAndTwoReadersDoNot)
{
    int data = 0;

    EXPECT_SCHEDULES_FAIL("race: write", ForEachSchedule({0, Mode::kSc}, [&](Schedule &s) {
                              s.Thread("a", [&] { AIOX_PLAIN_WRITE(&data); });
                              s.Thread("b", [&] { AIOX_PLAIN_WRITE(&data); });
                              s.Run();
                          }));
    EXPECT_SCHEDULES_FAIL("race: write", ForEachSchedule({0, Mode::kSc}, [&](Schedule &s) {
                              s.Thread("a", [&] { AIOX_PLAIN_READ(&data); });
                              s.Thread("b", [&] { AIOX_PLAIN_WRITE(&data); });
                              s.Run();
                          }));
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule({0, Mode::kSc}, [&](Schedule &s) {
        s.Thread("a", [&] { AIOX_PLAIN_READ(&data); });
        s.Thread("b", [&] { AIOX_PLAIN_READ(&data); });
        s.Run();
    }));
}

/* ---- memory ---- */

void LastOneFrees(Schedule &s, bool ordered)
{
    auto *count = static_cast<aiox_atomic_u32 *>(malloc(sizeof(aiox_atomic_u32)));
    aiox_u32_store_relaxed(count, 2);
    for (const char *name : {"a", "b"}) {
        s.Thread(name, [=] {
            uint32_t old =
                ordered ? aiox_u32_sub_acq_rel(count, 1) : aiox_u32_sub_relaxed(count, 1);
            if (old == 1) {
                free(count);
            }
        });
    }
    s.Run();
}

TEST(FreedMemory, OneThatKnowsThatAllAreDoneMayFree)
{
    EXPECT_ALL_SCHEDULES_PASS(
        ForEachSchedule({9, Mode::kC11}, [](Schedule &s) { LastOneFrees(s, true); }));
}

TEST(FreedMemory, OneThatDoesNotKnowRaces)
{
    EXPECT_SCHEDULES_FAIL("race: free", ForEachSchedule({9, Mode::kC11}, [](Schedule &s) {
                              LastOneFrees(s, false);
                          }));
}

TEST(FreedMemory, UseAfterwardsIsFound)
{
    EXPECT_SCHEDULES_FAIL("use after free", ForEachSchedule({9, Mode::kSc}, [](Schedule &s) {
                              auto *word = static_cast<aiox_atomic_u32 *>(malloc(4));
                              aiox_u32_store_relaxed(word, 0);
                              s.Thread("frees", [=] { free(word); });
                              s.Thread("uses", [=] { aiox_u32_load_relaxed(word); });
                              s.Run();
                          }));
}

/* ---- waiting ---- */

TEST(Waiting, ALostWakeUpIsFoundAndNamed)
{
    ScheduleResult result = ForEachSchedule({9, Mode::kSc}, [](Schedule &s) {
        Shared shared = {};
        s.Thread("sleeper", [&] {
            if (!aiox_u32_load_acquire(&shared.x)) {
                aiox_sched_futex_wait_(&shared.y, 0); /* on another word: no re-check */
            }
        });
        s.Thread("waker", [&] {
            aiox_u32_store_release(&shared.x, 1);
            aiox_sched_futex_wake_(&shared.y, 1);
        });
        s.Run();
    });

    EXPECT_EQ(result.failure, "nobody can go on, a wake-up is lost: 'sleeper' waits for ever");
}

void SleepOnTheWord(Schedule &s, bool checks_again)
{
    Shared shared = {};
    s.Thread("sleeper", [&] {
        do {
            aiox_sched_futex_wait_(&shared.x, 0);
        } while (checks_again && !aiox_u32_load_acquire(&shared.x));
        SCHEDULE_CHECK(aiox_u32_load_relaxed(&shared.y) == 1);
    });
    s.Thread("waker", [&] {
        aiox_u32_store_relaxed(&shared.y, 1);
        aiox_u32_store_release(&shared.x, 1);
        aiox_sched_futex_wake_(&shared.x, 1);
    });
    s.Run();
}

TEST(Waiting, AFutexLooksAtItsWordFirst)
{
    for (Mode mode : {Mode::kSc, Mode::kPso, Mode::kC11}) {
        EXPECT_ALL_SCHEDULES_PASS(
            ForEachSchedule({9, mode, 20, 2}, [](Schedule &s) { SleepOnTheWord(s, true); }));
    }
}

TEST(Waiting, SpuriousWakesAreFoundByThoseWhoDoNotLookAgain)
{
    EXPECT_ALL_SCHEDULES_PASS(
        ForEachSchedule({9, Mode::kSc, 20, 0}, [](Schedule &s) { SleepOnTheWord(s, false); }));

    EXPECT_SCHEDULES_FAIL("== 1", ForEachSchedule({9, Mode::kSc, 20, 1},
                                                  [](Schedule &s) { SleepOnTheWord(s, false); }));
}

TEST(Waiting, AWakeMayGoToAnyOfThoseWhoSleep)
{
    std::set<uint32_t> first;

    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule({2, Mode::kSc}, [&](Schedule &s) {
        Shared shared = {};
        for (uint32_t i = 1; i <= 2; i++) {
            s.Thread(i == 1 ? "one" : "two", [&shared, i] {
                aiox_sched_futex_wait_(&shared.x, 0);
                uint32_t nobody = 0;
                aiox_u32_cas_relaxed(&shared.y, &nobody, i);
                aiox_sched_futex_wake_(&shared.x, 1);
            });
        }
        s.Thread("waker", [&] {
            aiox_u32_store_relaxed(&shared.x, 1);
            aiox_sched_futex_wake_(&shared.x, 1);
        });
        s.Run();
        first.insert(aiox_u32_load_relaxed(&shared.y));
    }));

    EXPECT_EQ(first, (std::set<uint32_t>{1, 2}));
}

TEST(Waiting, AnEventCarriesWhatWasDoneBefore)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule({9, Mode::kC11}, [](Schedule &s) {
        Event event;
        int data = 0;
        s.Thread("setter", [&] {
            AIOX_PLAIN_WRITE(&data);
            data = 1;
            event.Set();
        });
        s.Thread("waiter", [&] {
            event.Wait();
            AIOX_PLAIN_READ(&data);
            SCHEDULE_CHECK(data == 1);
        });
        s.Run();
    }));
}

TEST(Waiting, ADaemonMayWaitForEverAndAConditionIsNoticed)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule({9, Mode::kPso}, [](Schedule &s) {
        Shared shared = {};
        Event never;
        int noticed = 0;
        s.Daemon("daemon", [&] {
            WaitUntil([&] { return aiox_u32_load_relaxed(&shared.x) == 1; });
            noticed++;
            never.Wait();
        });
        s.Thread("setter", [&] { aiox_u32_store_relaxed(&shared.x, 1); });
        s.Run();
        SCHEDULE_CHECK(noticed == 1);
    }));
}

/* ---- mutexes ---- */

TEST(Mutexes, ExcludeAndCarry)
{
    EXPECT_ALL_SCHEDULES_PASS(ForEachSchedule({9, Mode::kC11}, [](Schedule &s) {
        pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
        int count = 0;
        for (const char *name : {"a", "b"}) {
            s.Thread(name, [&] {
                pthread_mutex_lock(&mutex);
                AIOX_PLAIN_WRITE(&count);
                count++;
                pthread_mutex_unlock(&mutex);
            });
        }
        s.Run();
        SCHEDULE_CHECK(count == 2);
    }));
}

TEST(Mutexes, TakenCrosswiseDeadlock)
{
    EXPECT_SCHEDULES_FAIL(
        "nobody can go on", ForEachSchedule({1, Mode::kSc}, [](Schedule &s) {
            pthread_mutex_t m[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
            for (int i = 0; i < 2; i++) {
                s.Thread(i ? "b" : "a", [&m, i] {
                    pthread_mutex_lock(&m[i]);
                    pthread_mutex_lock(&m[1 - i]);
                    pthread_mutex_unlock(&m[1 - i]);
                    pthread_mutex_unlock(&m[i]);
                });
            }
            s.Run();
        }));
}

/* ---- failures from elsewhere ---- */

TEST(ScheduleDeathTest, ACrashSaysWhichRunItWas)
{
    EXPECT_DEATH(ForEachSchedule({2, Mode::kSc},
                                 [](Schedule &s) {
                                     Shared shared = {};
                                     s.Thread("a", [&] { aiox_u32_store_relaxed(&shared.x, 1); });
                                     s.Thread("b", [&] {
                                         if (aiox_u32_load_relaxed(&shared.x)) {
                                             abort();
                                         }
                                     });
                                     s.Run();
                                 }),
                 "AIOX_SCHEDULE_REPLAY='sc:0:");
}

TEST(Schedule, OutsideOfARunAccessesAreDirect)
{
    aiox_atomic_u32 word = {1};
    uint32_t expected = 3;

    EXPECT_EQ(aiox_u32_add_relaxed(&word, 2), 1u);
    EXPECT_TRUE(aiox_u32_cas_acq_rel(&word, &expected, 9));
    EXPECT_EQ(aiox_u32_load_acquire(&word), 9u);
}
} // namespace
} // namespace aiox_test
