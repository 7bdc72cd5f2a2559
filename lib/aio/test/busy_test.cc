/* SPDX-License-Identifier: MIT */
/* Adaptive polling, on a clock that moves when told. */
#include <cerrno>
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "aiox/aio.h"
#include "aiox/clock.h"
#include "test/harness/scripted_fdmon.h"

namespace
{

using aiox_test::ScriptedFdmon;

constexpr int kFd = 7;

class Busy : public ::testing::TestWithParam<ScriptedFdmon::Asking>
{
  public:
    Busy()
    {
        script_.tick_ns = 10;
        EXPECT_EQ(aiox_context_new(&ctx_, script_.sources(), nullptr), 0);
        handler_.read = [](void *o) { static_cast<Busy *>(o)->reads_++; };
        handler_.poll = [](void *o) { return static_cast<Busy *>(o)->Poll(); };
        handler_.poll_ready = [](void *o) { static_cast<Busy *>(o)->PollReady(); };
        handler_.poll_begin = [](void *o) { static_cast<Busy *>(o)->begun_++; };
        handler_.poll_end = [](void *o) { static_cast<Busy *>(o)->PollEnd(); };
        other_handler_.read = [](void *) {};
        other_handler_.poll = [](void *o) { return ++*static_cast<int *>(o) > 0; };
        EXPECT_EQ(aiox_set_fd_handler(ctx_, kFd, &handler_, this), 0);
        for (int i = 0; GetParam() == ScriptedFdmon::kDear && i < 8; i++) {
            EXPECT_EQ(aiox_set_fd_handler(ctx_, kFd + 100 + i, &other_handler_, &others_), 0);
        }
        EXPECT_FALSE(aiox_poll(ctx_, false)); /* setting the handler has rung */
        EXPECT_EQ(aiox_context_set_busy_poll(ctx_, 32000, 0, 0), 0);
    }

    ~Busy() override
    {
        aiox_context_unref(ctx_);
    }

    bool Poll()
    {
        looks_++;
        script_.Advance(100);
        if (on_look_) {
            on_look_();
        }
        return ready_ || script_.now_ns() >= ready_at_ns_;
    }

    void PollReady()
    {
        polls_ready_++;
        ready_ = false;
        ready_at_ns_ = INT64_MAX;
        if (on_ready_) {
            std::function<void()> once;
            once.swap(on_ready_);
            once();
        }
    }

    void PollEnd()
    {
        ended_++;
        if (on_end_) {
            on_end_();
        }
    }

    /* The kernel reports @fd @after_ns after the turn began. */
    void WakeAfter(int64_t after_ns, int fd = kFd)
    {
        script_.on_collect = [this, after_ns, fd](int64_t timeout_ns) {
            if (timeout_ns != 0) {
                script_.Advance(after_ns);
                script_.Ready(fd, AIOX_FD_READ);
            }
        };
        EXPECT_TRUE(aiox_poll(ctx_, true));
        script_.on_collect = nullptr;
    }

    ScriptedFdmon script_{GetParam()};
    aiox_context *ctx_ = nullptr;
    int64_t ready_at_ns_ = INT64_MAX;
    bool ready_ = false;
    std::function<void()> on_look_, on_end_, on_ready_;
    aiox_fd_handler handler_ = {}, other_handler_ = {};
    int others_ = 0;
    int reads_ = 0, polls_ready_ = 0, begun_ = 0, ended_ = 0, looks_ = 0;
};

TEST_P(Busy, DoesNotLookBeforeLookingHasPaid)
{
    aiox_notify(ctx_);
    (void)aiox_poll(ctx_, true);

    EXPECT_EQ(looks_, 0);
    EXPECT_EQ(begun_, 0);
}

TEST_P(Busy, LooksOnceAnEventCameSoonAfterTheSleep)
{
    WakeAfter(2000);
    WakeAfter(2000);
    int looked = looks_;
    ready_at_ns_ = script_.now_ns() + 1000;

    EXPECT_TRUE(aiox_poll(ctx_, true));

    EXPECT_GT(looks_, looked);
    EXPECT_EQ(polls_ready_, 1);
    EXPECT_EQ(script_.timeouts().back(), 0);
}

TEST_P(Busy, ForgetsWhenEvenTheLongestLookWouldNotHavePaid)
{
    WakeAfter(2000);
    WakeAfter(2000);
    WakeAfter(1000000);
    int looked = looks_;

    WakeAfter(1000000);

    EXPECT_EQ(looks_, looked);
}

TEST_P(Busy, TellsTheOtherSideWhenItStopsLookingAndLooksOnceMore)
{
    WakeAfter(2000);
    WakeAfter(2000);
    WakeAfter(5000); /* looks in vain, then sleeps */

    EXPECT_GE(begun_, 1);
    EXPECT_EQ(begun_, ended_);
}

TEST_P(Busy, AnEventBetweenTheEndOfLookingAndTheSleepIsNotSleptOver)
{
    WakeAfter(2000);
    WakeAfter(2000);
    on_end_ = [this] { ready_ = true; };

    EXPECT_TRUE(aiox_poll(ctx_, true));

    EXPECT_EQ(polls_ready_, 1);
    EXPECT_EQ(script_.timeouts().back(), 0);
}

TEST_P(Busy, ARingEndsTheLookWithoutASleep)
{
    WakeAfter(2000);
    WakeAfter(2000);
    aiox_bh *bh;
    int runs = 0;
    ASSERT_EQ(
        aiox_bh_new(
            &bh, aiox_context_bhs(ctx_), "bh", [](void *o) { ++*static_cast<int *>(o); }, &runs),
        0);
    on_look_ = [bh] { aiox_bh_schedule(bh); };

    EXPECT_TRUE(aiox_poll(ctx_, true));

    EXPECT_EQ(runs, 1);
    EXPECT_EQ(script_.timeouts().back(), 0);
    aiox_bh_free(bh);
}

TEST_P(Busy, ADescriptorEndsTheLookIfTheBackendSeesItWithoutTheKernel)
{
    WakeAfter(2000);
    WakeAfter(2000);
    on_look_ = [this] {
        on_look_ = [this] { script_.Ready(kFd, AIOX_FD_READ); }; /* not the first time */
    };

    EXPECT_TRUE(aiox_poll(ctx_, true));

    EXPECT_EQ(script_.timeouts().back(), GetParam() == ScriptedFdmon::kDear ? -1 : 0);
}

TEST_P(Busy, WhatIsReadyBeforeTheLookDoesNotWaitForItsEnd)
{
    WakeAfter(2000);
    WakeAfter(2000);
    int looked = looks_;
    script_.Ready(kFd, AIOX_FD_READ);

    EXPECT_TRUE(aiox_poll(ctx_, true));

    EXPECT_EQ(looks_, looked + 1);
}

TEST_P(Busy, WhatALookFindsIsServedOnce)
{
    WakeAfter(2000);
    WakeAfter(2000);
    on_look_ = [this] {
        on_look_ = nullptr;
        script_.Ready(kFd, AIOX_FD_READ);
    };
    int reads = reads_;
    size_t asked = script_.timeouts().size();

    EXPECT_TRUE(aiox_poll(ctx_, true));

    EXPECT_EQ(reads_, reads + 1);
    EXPECT_EQ(script_.timeouts().size(), asked + 1);
}

/* The look has taken the report out of the backend: nobody would get it again. */
TEST_P(Busy, AHandlerThatIsStoppedByTheLookIsNotServed)
{
    WakeAfter(2000);
    WakeAfter(2000);
    script_.on_collect = [this](int64_t) {
        script_.Ready(kFd, AIOX_FD_READ);
        aiox_clear_fd_handler(ctx_, kFd);
    };
    int reads = reads_;

    (void)aiox_poll(ctx_, true);

    EXPECT_EQ(reads_, reads);
    script_.on_collect = nullptr;
}

TEST_P(Busy, ABackendThatFailsInALookIsReplacedAndNothingIsLost)
{
    WakeAfter(2000);
    WakeAfter(2000);
    script_.Fail(-EIO);

    EXPECT_FALSE(aiox_poll(ctx_, true));

    aiox_backend_info info;
    aiox_context_backend_info(ctx_, &info);
    EXPECT_STREQ(info.name, "spare");
    EXPECT_EQ(script_.opened(), 1);
    WakeAfter(2000);
    EXPECT_EQ(reads_, 3);
}

TEST_P(Busy, AnIdleHandlerIsLeftToABackendThatSeesWithoutTheKernel)
{
    aiox_fd_handler plain = {};
    plain.read = [](void *) {};
    ASSERT_EQ(aiox_set_fd_handler(ctx_, kFd + 1, &plain, nullptr), 0);
    WakeAfter(2000);
    WakeAfter(2000);
    script_.Advance(8 * AIOX_NS_PER_S);

    for (int i = 0; i < 300; i++) {
        WakeAfter(2000, kFd + 1);
    }
    int looked = looks_;
    for (int i = 0; i < 2000; i++) {
        WakeAfter(2000, kFd + 1);
    }

    EXPECT_EQ(looks_ == looked, GetParam() == ScriptedFdmon::kFree);
    aiox_clear_fd_handler(ctx_, kFd + 1);
}

/* Turns on looking: two events that came soon. */
#define START_LOOKING()                                                                            \
    do {                                                                                           \
        WakeAfter(2000);                                                                           \
        WakeAfter(2000);                                                                           \
        ready_at_ns_ = script_.now_ns() + 500;                                                     \
        ASSERT_TRUE(aiox_poll(ctx_, true));                                                        \
        ASSERT_EQ(begun_, ended_ + 1);                                                             \
    } while (0)

TEST_P(Busy, AWaitThatOnlyATimerEndsTeachesThatLookingDoesNotPay)
{
    START_LOOKING();
    aiox_timer timer;
    ASSERT_EQ(aiox_timer_init_ns(
                  &timer, aiox_context_timers(ctx_), AIOX_CLOCK_MONOTONIC, [](void *) {}, nullptr),
              0);
    auto wait = [&] {
        aiox_timer_mod_ns(&timer, script_.now_ns() + 1000000);
        while (!aiox_poll(ctx_, true)) { /* arming has rung */
        }
    };
    wait();
    int looked = looks_;

    wait();

    EXPECT_EQ(looks_, looked);
    aiox_timer_fini(&timer);
}

TEST_P(Busy, ALookThatATimerEndsIsNotInVain)
{
    START_LOOKING();
    aiox_timer timer;
    ASSERT_EQ(aiox_timer_init_ns(
                  &timer, aiox_context_timers(ctx_), AIOX_CLOCK_MONOTONIC, [](void *) {}, nullptr),
              0);

    for (int i = 0; i < 20; i++) {
        int looked = looks_;
        aiox_timer_mod_ns(&timer, script_.now_ns() + 1000);
        while (!aiox_poll(ctx_, true)) { /* arming has rung */
        }
        EXPECT_GT(looks_, looked + 2) << i;
    }

    aiox_timer_fini(&timer);
}

/* Each event comes just after the loop has given up: as when it could not come before. */
TEST_P(Busy, AfterThreeLooksInVainItRests)
{
    START_LOOKING();
    for (int i = 0; i < 3; i++) {
        int looked = looks_;
        WakeAfter(100);
        EXPECT_GT(looks_, looked) << i;
    }
    int looked = looks_;

    for (int i = 0; i < 8; i++) {
        WakeAfter(100);
    }
    EXPECT_EQ(looks_, looked);
    WakeAfter(100);

    EXPECT_GT(looks_, looked);
}

TEST_P(Busy, ItRestsTwiceAsLongEachTime)
{
    START_LOOKING();
    int waits[3] = {};

    for (int &waited : waits) {
        for (int tries = 0; tries < 3; waited++) {
            int looked = looks_;
            WakeAfter(100);
            tries += looks_ > looked;
        }
    }

    EXPECT_EQ(waits[1], waits[0] + 8);
    EXPECT_EQ(waits[2], waits[1] + 8);
}

TEST_P(Busy, SettingItAnewEndsTheRest)
{
    START_LOOKING();
    for (int i = 0; i < 3; i++) {
        WakeAfter(100);
    }

    ASSERT_EQ(aiox_context_set_busy_poll(ctx_, 32000, 0, 0), 0);

    WakeAfter(2000);
    int looked = looks_;
    WakeAfter(2000);
    EXPECT_GT(looks_, looked);
}

TEST_P(Busy, ALookThatPaysEndsTheRow)
{
    START_LOOKING();

    for (int i = 0; i < 20; i++) {
        int looked = looks_;
        WakeAfter(100);
        EXPECT_GT(looks_, looked) << i;
        ready_at_ns_ = script_.now_ns() + 500;
        EXPECT_TRUE(aiox_poll(ctx_, true));
    }
}

TEST_P(Busy, ASleepInsideAPollReadyCallbackTellsItsOtherSide)
{
    WakeAfter(2000);
    WakeAfter(2000);
    on_ready_ = [this] {
        int looked = looks_;
        int64_t timeout_ns = 0;
        script_.on_collect = [&](int64_t ns) { timeout_ns = ns; };
        (void)aiox_poll(ctx_, true);
        script_.on_collect = nullptr;
        EXPECT_EQ(timeout_ns, -1);
        EXPECT_EQ(looks_, looked); /* not while it is served */
        EXPECT_EQ(begun_, ended_);
    };
    ready_at_ns_ = script_.now_ns() + 1000;

    EXPECT_TRUE(aiox_poll(ctx_, true));

    EXPECT_EQ(polls_ready_, 1);
    EXPECT_EQ(begun_, ended_);
}

TEST_P(Busy, ATurnInsideServesWhatOnlyThePollCallbackSees)
{
    struct Other {
        bool ready = false;
        int served = 0;
    } other;
    aiox_fd_handler h = {};
    h.poll = [](void *o) { return static_cast<Other *>(o)->ready; };
    h.poll_ready = [](void *o) {
        static_cast<Other *>(o)->ready = false;
        static_cast<Other *>(o)->served++;
    };
    ASSERT_EQ(aiox_set_fd_handler(ctx_, kFd + 1, &h, &other), 0);
    START_LOOKING();
    script_.Ready(kFd + 1, AIOX_FD_READ);
    ASSERT_TRUE(aiox_poll(ctx_, true)); /* from now on it is looked at, too */
    ASSERT_EQ(other.served, 1);
    ready_ = other.ready = true;
    on_ready_ = [&] {
        for (int i = 0; i < 3 && other.served < 2; i++) {
            aiox_poll(ctx_, true);
        }
        EXPECT_EQ(other.served, 2);
    };

    EXPECT_TRUE(aiox_poll(ctx_, true));

    EXPECT_EQ(polls_ready_, 2);
    EXPECT_EQ(other.served, 2);
    aiox_clear_fd_handler(ctx_, kFd + 1);
}

TEST_P(Busy, AHandlerThatIsReplacedByItsLikeKeepsItsPlace)
{
    START_LOOKING();
    ASSERT_EQ(aiox_set_fd_handler(ctx_, kFd, &handler_, this), 0);
    int looked = looks_;
    ready_at_ns_ = script_.now_ns() + 1000;

    EXPECT_TRUE(aiox_poll(ctx_, true));

    EXPECT_GT(looks_, looked);
    EXPECT_EQ(polls_ready_, 2);
    EXPECT_EQ(begun_, ended_ + 1);
}

TEST_P(Busy, AHandlerThatReplacesItselfByItsLikeIsTold)
{
    WakeAfter(2000);
    WakeAfter(2000);
    on_ready_ = [this] {
        EXPECT_EQ(aiox_set_fd_handler(ctx_, kFd, &handler_, this), 0);
        EXPECT_EQ(begun_, ended_ + 1);
        ready_ = true; /* the other side does not ring */
        EXPECT_TRUE(aiox_poll(ctx_, false));
        EXPECT_EQ(polls_ready_, 2);
        (void)aiox_poll(ctx_, true); /* sleeps */
        EXPECT_EQ(begun_, ended_);
    };
    ready_at_ns_ = script_.now_ns() + 1000;

    EXPECT_TRUE(aiox_poll(ctx_, true));

    EXPECT_EQ(polls_ready_, 2);
    EXPECT_EQ(begun_, ended_);
}

TEST_P(Busy, AHandlerThatIsReplacedByAnotherIsLookedAtOnlyWhenThatHasPaid)
{
    START_LOOKING();
    int other = 0;
    ASSERT_EQ(aiox_set_fd_handler(ctx_, kFd, &other_handler_, &other), 0);
    int looked = looks_;

    (void)aiox_poll(ctx_, true);

    EXPECT_EQ(looks_, looked);
    EXPECT_EQ(other, 0);
}

TEST_P(Busy, AHandlerIsToldThatLookingWasSwitchedOffAndLosesNoEvent)
{
    START_LOOKING();
    on_end_ = [this] { ready_ = true; };

    ASSERT_EQ(aiox_context_set_busy_poll(ctx_, 0, 0, 0), 0);
    EXPECT_TRUE(aiox_poll(ctx_, true));

    EXPECT_EQ(polls_ready_, 2);
    EXPECT_EQ(begun_, ended_);
}

TEST_P(Busy, WhileLookingATurnThatMayNotBlockLooksToo)
{
    START_LOOKING();
    ready_ = true;

    EXPECT_TRUE(aiox_poll(ctx_, false));

    EXPECT_EQ(polls_ready_, 2);
}

TEST_P(Busy, APollCallbackThatNobodyCouldServeIsIgnored)
{
    aiox_fd_handler h = {};
    h.write = [](void *o) { ++*static_cast<int *>(o); };
    h.poll = [](void *) { return true; };
    int writes = 0;
    ASSERT_EQ(aiox_set_fd_handler(ctx_, kFd, &h, &writes), 0);
    for (int i = 0; i < 3; i++) {
        script_.Ready(kFd, AIOX_FD_WRITE);
        EXPECT_TRUE(aiox_poll(ctx_, true));
    }

    EXPECT_FALSE(aiox_poll(ctx_, true));

    EXPECT_EQ(script_.timeouts().back(), -1);
    EXPECT_EQ(writes, 3);
}

TEST_P(Busy, NegativeTimesAreRefused)
{
    EXPECT_EQ(aiox_context_set_busy_poll(ctx_, -1, 0, 0), -EINVAL);
}

TEST_P(Busy, SwitchedOffItNeverLooks)
{
    WakeAfter(2000);
    WakeAfter(2000);
    ASSERT_EQ(aiox_context_set_busy_poll(ctx_, 0, 0, 0), 0);
    int looked = looks_;

    WakeAfter(2000);

    EXPECT_EQ(looks_, looked);
    EXPECT_EQ(begun_, ended_);
}

std::string NameOf(const ::testing::TestParamInfo<ScriptedFdmon::Asking> &asking)
{
    return asking.param == ScriptedFdmon::kFree    ? "ThatSeesWithoutTheKernel"
           : asking.param == ScriptedFdmon::kCheap ? "ThatIsCheapToAsk"
                                                   : "ThatIsDearToAsk";
}

INSTANTIATE_TEST_SUITE_P(Backend, Busy,
                         ::testing::Values(ScriptedFdmon::kDear, ScriptedFdmon::kCheap,
                                           ScriptedFdmon::kFree),
                         NameOf);

} // namespace
