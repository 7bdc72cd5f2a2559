/* SPDX-License-Identifier: MIT */
/* pass_test.cc - what a pass runs while its callbacks change what there is to run. */
#include <cctype>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "lib/timer/test/fixture.h"
#include "lib/timer/test/gate.h"

namespace aiox_test
{
TEST_F(TimerTest, ArmedInThePastByItselfRunsOncePerPass)
{
    int runs = 0;
    Timer *self;
    Timer a(group_, [&] {
        runs++;
        self->Arm(0);
    });
    self = &a;
    a.Arm(0);

    for (int pass = 1; pass <= 10; pass++) {
        ASSERT_TRUE(group_.Run());
        ASSERT_EQ(runs, pass);
        ASSERT_EQ(group_.Timeout(), 0);
    }
}

TEST_F(TimerTest, ArmedInThePastByAnotherWaitsForTheNextPass)
{
    Timer b(group_, Note("b")), c(group_, Note("c"));
    Timer a(group_, [&] {
        log_ += "a";
        b.Arm(0);
    });
    a.Arm(1);
    c.Arm(2);

    group_.Run();
    EXPECT_EQ(log_, "ac");
    group_.Run();
    EXPECT_EQ(log_, "acb");
}

TEST_F(TimerTest, ArmedOnALaterClockByACallbackWaitsForTheNextPass)
{
    Timer b(group_, Note("b"), AIOX_CLOCK_VIRTUAL_RT);
    Timer a(group_, [&] {
        log_ += "a";
        b.Arm(0);
    });
    Timer c(group_, Note("c"), AIOX_CLOCK_VIRTUAL_RT);
    a.Arm(0);
    c.Arm(0);

    group_.Run();
    EXPECT_EQ(log_, "ac");
    group_.Run();
    EXPECT_EQ(log_, "acb");
}

TEST_F(TimerTest, DueTimerThatIsCancelledByAnEarlierOneDoesNotRun)
{
    bool was_pending = false;
    Timer b(group_, Note("b")), c(group_, Note("c"));
    Timer a(group_, [&] { was_pending = b.Cancel(); });
    a.Arm(1);
    b.Arm(2);
    c.Arm(3);

    group_.Run();

    EXPECT_TRUE(was_pending);
    EXPECT_EQ(log_, "c");
}

TEST_F(TimerTest, DueTimerThatIsArmedAnewRunsAtItsNewTime)
{
    Timer b(group_, Note("b")), c(group_, Note("c"));
    Timer a(group_, [&] { b.Arm(In(10)); });
    a.Arm(1);
    b.Arm(2);
    c.Arm(3);

    group_.Run();
    EXPECT_EQ(log_, "c");
    EXPECT_EQ(group_.Timeout(), 10);
    clock_.Advance(10);
    group_.Run();
    EXPECT_EQ(log_, "cb");
}

TEST_F(TimerTest, DueTimerThatIsArmedEarlierKeepsItsTurn)
{
    Timer b(group_, Note("b")), c(group_, Note("c"));
    Timer a(group_, [&] { aiox_timer_mod_earlier_ns(c, 1); });
    a.Arm(1);
    b.Arm(2);
    c.Arm(3);

    group_.Run();

    EXPECT_EQ(log_, "bc");
    EXPECT_FALSE(c.IsPending());
}

TEST_F(TimerTest, CallbackMayFinishItselfAndOthersAndFreeThem)
{
    struct Pair {
        aiox_timer first, second;
        Group *group;
    };
    auto *pair = new Pair();
    pair->group = &group_;
    auto free_both = [](void *opaque) {
        auto *p = static_cast<Pair *>(opaque);
        aiox_timer_fini(&p->first);
        aiox_timer_fini(&p->second);
        delete p;
    };
    ASSERT_EQ(aiox_timer_init_ns(&pair->first, group_, AIOX_CLOCK_MONOTONIC, free_both, pair), 0);
    ASSERT_EQ(aiox_timer_init_ns(&pair->second, group_, AIOX_CLOCK_MONOTONIC, free_both, pair), 0);
    aiox_timer_mod_ns(&pair->first, 1);
    aiox_timer_mod_ns(&pair->second, 2);

    EXPECT_TRUE(group_.Run());
    EXPECT_FALSE(group_.Run());
}

TEST_F(TimerTest, CallbackMayMakeTimers)
{
    std::vector<std::unique_ptr<Timer>> made;
    Timer a(group_, [&] {
        for (int i = 0; i < 100; i++) {
            made.push_back(std::make_unique<Timer>(group_, Note("m")));
            made.back()->Arm(0);
        }
    });
    a.Arm(0);

    group_.Run();
    EXPECT_EQ(log_, "");
    group_.Run();
    EXPECT_EQ(log_, std::string(100, 'm'));
}

TEST_F(TimerTest, InnerPassRunsWhatTheOuterHasLeft)
{
    bool inner = false;
    Timer b(group_, Note("b")), c(group_, Note("c"));
    Timer a(group_, [&] {
        log_ += "a{";
        inner = group_.Run();
        log_ += "}";
    });
    a.Arm(1);
    b.Arm(2);
    c.Arm(3);

    bool outer = group_.Run();

    EXPECT_TRUE(inner);
    EXPECT_TRUE(outer);
    EXPECT_EQ(log_, "a{bc}");
}

TEST_F(TimerTest, InnerPassIsTheNextPassForWhatWasArmedMeanwhile)
{
    Timer b(group_, Note("b")), c(group_, Note("c"));
    Timer a(group_, [&] {
        c.Arm(0);
        log_ += "a{";
        group_.Run();
        log_ += "}";
    });
    a.Arm(1);
    b.Arm(2);

    group_.Run();

    EXPECT_EQ(log_, "a{bc}");
}

/* Memory is for eight timers at first: due ones that were armed anew leave holes, which are needed.
 */
TEST_F(TimerTest, ManyArmedAnewFindRoomBehindWhatTheOuterPassHasLeft)
{
    std::map<char, std::unique_ptr<Timer>> timers;
    for (char name : std::string("abcdefgh")) {
        timers[name] = std::make_unique<Timer>(group_, [this, &timers, name] {
            log_ += name;
            if (name == 'a') {
                for (char again : std::string("ceg")) {
                    timers[again]->Arm(0);
                }
                group_.Run();
                log_ += '.';
            } else if (name == 'b') {
                EXPECT_TRUE(timers['h']->Cancel());
                EXPECT_TRUE(timers['e']->Cancel());
            }
        });
        timers[name]->Arm(1);
    }

    group_.Run();

    EXPECT_EQ(log_, "abdfcg.");
}

TEST_F(TimerTest, InnerPassPutsBackOnlyWhatItFoundDueItself)
{
    for (const std::string rest : {"efg", "efgh"}) { /* room for one more, and for none */
        std::map<char, std::unique_ptr<Timer>> timers;
        for (char name : "abcd" + rest) {
            uint32_t attributes = name == 'b' || name == 'd' ? AIOX_TIMER_EXTERNAL : 0;
            auto fn = [this, &timers, name] {
                log_ += name;
                if (name == 'a') {
                    timers['c']->Arm(0);
                    timers['d']->Arm(0);
                    aiox_timer_group_run_without(group_, AIOX_TIMER_EXTERNAL);
                    log_ += '.';
                }
            };
            timers[name] = std::make_unique<Timer>(group_, fn, AIOX_CLOCK_MONOTONIC, AIOX_SCALE_NS,
                                                   attributes);
            timers[name]->Arm(1);
        }

        group_.Run();
        log_ += '/';
        group_.Run();

        EXPECT_EQ(log_, "a" + rest + "c.b/d");
        log_.clear();
    }
}

/* B, D and F are external: the inner pass, which runs in a, leaves them to the outer one. */
TEST_F(TimerTest, WhatAnInnerPassLeavesKeepsItsOrderAndCanBeCancelledAndArmed)
{
    std::map<char, std::unique_ptr<Timer>> timers;
    for (char name : std::string("aBcDeFg")) {
        auto fn = [this, &timers, name] {
            log_ += name;
            if (name == 'a') {
                aiox_timer_group_run_without(group_, AIOX_TIMER_EXTERNAL);
                log_ += '.';
                EXPECT_TRUE(timers['D']->Cancel());
                timers['B']->Arm(0);
            }
        };
        timers[name] = std::make_unique<Timer>(group_, fn, AIOX_CLOCK_MONOTONIC, AIOX_SCALE_NS,
                                               isupper(name) ? AIOX_TIMER_EXTERNAL : 0);
        timers[name]->Arm(1);
    }

    group_.Run();
    log_ += '/';
    group_.Run();

    EXPECT_EQ(log_, "aceg.F/B");
}

TEST_F(TimerTest, InnerLoopNeedNotWaitWhileTheOuterPassHasSomethingLeft)
{
    int64_t with_rest = -2, without_rest = -2;
    Timer a(group_, [&] { with_rest = group_.Timeout(); });
    Timer b(group_, [&] { without_rest = group_.Timeout(); });
    Timer c(group_, Note("c"));
    a.Arm(1);
    b.Arm(2);
    c.Arm(In(70));

    group_.Run();

    EXPECT_EQ(with_rest, 0);
    EXPECT_EQ(without_rest, 70);
}

TEST_F(TimerTest, PassesNestDeeply)
{
    int depth = 0, deepest = 0;
    Timer *self;
    Timer a(group_, [&] {
        depth++;
        deepest = std::max(deepest, depth);
        if (depth < 64) {
            self->Arm(0);
            group_.Run();
        }
        depth--;
    });
    self = &a;
    a.Arm(0);

    group_.Run();

    EXPECT_EQ(deepest, 64);
}

TEST_F(TimerTest, CallbackLongerThanThePeriodDoesNotPileUp)
{
    int runs = 0;
    Timer *self;
    Timer a(group_, [&] {
        runs++;
        self->Arm(In(10));
        clock_.Advance(35);
    });
    self = &a;
    a.Arm(0);

    for (int pass = 1; pass <= 5; pass++) {
        group_.Run();
        EXPECT_EQ(runs, pass);
    }
}

TEST_F(TimerTest, IgnoredAttributesStayArmedAndDoNotCountAsNext)
{
    Timer a(group_, Note("a"), AIOX_CLOCK_MONOTONIC, AIOX_SCALE_NS, AIOX_TIMER_EXTERNAL);
    Timer b(group_, Note("b")), d(group_, Note("d"));
    Timer c(group_, Note("c"), AIOX_CLOCK_MONOTONIC, AIOX_SCALE_NS, AIOX_TIMER_USER);
    a.Arm(In(0));
    b.Arm(In(0));
    c.Arm(In(0));
    d.Arm(In(80));

    int64_t due = aiox_timer_group_timeout_without_ns(group_, AIOX_TIMER_EXTERNAL);
    bool ran = aiox_timer_group_run_without(group_, AIOX_TIMER_EXTERNAL | AIOX_TIMER_USER);
    bool again = aiox_timer_group_run_without(group_, AIOX_TIMER_EXTERNAL | AIOX_TIMER_USER);

    EXPECT_EQ(due, 0);
    EXPECT_TRUE(ran);
    EXPECT_FALSE(again);
    EXPECT_EQ(log_, "b");
    EXPECT_TRUE(a.IsPending());
    EXPECT_EQ(aiox_timer_group_timeout_without_ns(group_, AIOX_TIMER_EXTERNAL | AIOX_TIMER_USER),
              80);
    EXPECT_EQ(group_.Timeout(), 0);
}

TEST_F(TimerTest, IgnoredTimersKeepTheirOrder)
{
    std::vector<std::unique_ptr<Timer>> timers;
    for (int i = 0; i < 200; i++) {
        timers.push_back(std::make_unique<Timer>(group_, Note(std::string(1, 'A' + i % 50)),
                                                 AIOX_CLOCK_MONOTONIC, AIOX_SCALE_NS,
                                                 i % 2 ? AIOX_TIMER_EXTERNAL : 0));
        timers.back()->Arm(i / 50);
    }
    Timer late(group_, Note("!"));
    std::string even, odd;
    for (int i = 0; i < 200; i++) {
        (i % 2 ? odd : even) += static_cast<char>('A' + i % 50);
    }

    aiox_timer_group_run_without(group_, AIOX_TIMER_EXTERNAL);
    late.Arm(3);
    EXPECT_EQ(log_, even);
    log_.clear();
    group_.Run();

    EXPECT_EQ(log_, odd + "!");
}

TEST_F(TimerTest, InnerPassLeavesToTheOuterWhatItIgnores)
{
    Timer a(group_, [&] {
        log_ += "a{";
        aiox_timer_group_run_without(group_, AIOX_TIMER_EXTERNAL);
        log_ += "}";
    });
    Timer b(group_, Note("b"), AIOX_CLOCK_MONOTONIC, AIOX_SCALE_NS, AIOX_TIMER_EXTERNAL);
    Timer c(group_, Note("c"));
    a.Arm(1);
    b.Arm(2);
    c.Arm(3);

    group_.Run();

    EXPECT_EQ(log_, "a{c}b");
}

TEST_F(TimerTest, CancelFromAnotherThreadDoesNotWaitForTheCallback)
{
    Gate gate;
    Timer a(group_, [&] { gate.Stand(); });
    a.Arm(0);
    std::thread home([&] { group_.Run(); });

    gate.AwaitReached();
    bool was_pending = a.Cancel();
    gate.Open();
    home.join();

    EXPECT_FALSE(was_pending);
}

TEST_F(TimerTest, CancelSyncReturnsAfterTheCallbackAndTakesBackWhatItArmed)
{
    Gate gate;
    std::atomic<bool> ended{false};
    Timer *self;
    Timer a(group_, [&] {
        gate.Stand();
        self->Arm(0);
        ended = true;
    });
    self = &a;
    a.Arm(0);
    std::thread home([&] { group_.Run(); });
    gate.AwaitReached();
    std::thread opener([&] { gate.Open(); });

    aiox_timer_cancel_sync(a);

    EXPECT_TRUE(ended);
    EXPECT_FALSE(a.IsPending());
    opener.join();
    home.join();
    EXPECT_FALSE(group_.Run());
}

TEST_F(TimerTest, CancelSyncOfOneDoesNotWaitForAnother)
{
    Gate gate;
    Timer a(group_, [&] { gate.Stand(); }), b(group_, Note("b"));
    a.Arm(0);
    b.Arm(1);
    std::thread home([&] { group_.Run(); });
    gate.AwaitReached();

    bool was_pending = aiox_timer_cancel_sync(b);
    gate.Open();
    home.join();

    EXPECT_TRUE(was_pending);
    EXPECT_EQ(log_, "");
}

TEST_F(TimerTest, CancelSyncInsideTheCallbackDoesNotWait)
{
    Timer *self;
    Timer a(group_, [&] {
        self->Arm(5);
        EXPECT_TRUE(aiox_timer_cancel_sync(*self));
        log_ += "a";
    });
    self = &a;
    a.Arm(0);

    group_.Run();

    EXPECT_EQ(log_, "a");
    EXPECT_FALSE(a.IsPending());
}
} // namespace aiox_test
