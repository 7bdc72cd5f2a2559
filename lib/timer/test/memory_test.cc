/* SPDX-License-Identifier: MIT */
/*
 * memory_test.cc - where memory is asked for, and what happens when there is none.
 *
 * The library's only allocation is aligned_alloc(), which this program replaces.
 */
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "lib/timer/test/fixture.h"

namespace
{
int asked;
int left = INT32_MAX;
} // namespace

extern "C" void *aligned_alloc(size_t alignment, size_t size) noexcept
{
    void *memory = nullptr;

    asked++;
    if (left-- <= 0 || posix_memalign(&memory, alignment, size)) {
        errno = ENOMEM;
        return nullptr;
    }
    return memory;
}

namespace aiox_test
{
class TimerMemoryTest : public TimerTest
{
  protected:
    TimerMemoryTest()
    {
        asked = 0;
    }
    ~TimerMemoryTest() override
    {
        left = INT32_MAX;
    }
    int Init(aiox_timer *timer)
    {
        return aiox_timer_init_ns(
            timer, group_, AIOX_CLOCK_MONOTONIC,
            [](void *self) { static_cast<TimerMemoryTest *>(self)->log_ += "x"; }, this);
    }
};

TEST_F(TimerMemoryTest, FirstTimerWithoutMemoryIsAllZeroAndLeavesNothingBehind)
{
    aiox_timer timer, zero = {};
    memset(&timer, 0xff, sizeof(timer));
    left = 0;

    int err = Init(&timer);

    EXPECT_EQ(err, -ENOMEM);
    EXPECT_EQ(memcmp(&timer, &zero, sizeof(zero)), 0);
    aiox_timer_fini(&timer);
    EXPECT_FALSE(group_.Run());
}

TEST_F(TimerMemoryTest, FailedGrowthLeavesTheArmedTimersAsTheyWere)
{
    std::vector<aiox_timer> timers(1000);
    size_t made = 0;
    left = 3;

    while (made < timers.size() && Init(&timers[made]) == 0) {
        aiox_timer_mod_ns(&timers[made], In(10));
        made++;
    }
    aiox_timer more;
    int again = Init(&more);
    clock_.Advance(10);
    group_.Run();

    EXPECT_EQ(asked, 5);
    EXPECT_GT(made, 0u);
    EXPECT_LT(made, timers.size());
    EXPECT_EQ(again, -ENOMEM);
    EXPECT_EQ(log_, std::string(made, 'x'));
    for (size_t i = 0; i < made; i++) {
        aiox_timer_fini(&timers[i]);
    }
}

TEST_F(TimerMemoryTest, AfterAFailureThereIsRoomForWhatWasFinished)
{
    std::vector<aiox_timer> timers(1000);
    size_t made = 0;
    left = 1;
    while (Init(&timers[made]) == 0) {
        made++;
    }

    aiox_timer_fini(&timers[0]);
    int err = Init(&timers[0]);

    EXPECT_EQ(err, 0);
    for (size_t i = 0; i < made; i++) {
        aiox_timer_fini(&timers[i]);
    }
}

TEST_F(TimerMemoryTest, ArmingCancellingAndRunningAskForNothing)
{
    std::vector<aiox_timer> timers(3000);
    for (auto &timer : timers) {
        ASSERT_EQ(Init(&timer), 0);
    }
    int before = asked;

    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < timers.size(); i++) {
            aiox_timer_mod_ns(&timers[i], In(static_cast<int64_t>(i * 7919 % 100)));
        }
        for (size_t i = 0; i < timers.size(); i += 3) {
            aiox_timer_cancel(&timers[i]);
        }
        clock_.Advance(50);
        group_.Run();
        clock_.Advance(50);
        group_.Run();
    }

    EXPECT_EQ(asked, before);
    EXPECT_EQ(log_.size(), 6000u);
    for (auto &timer : timers) {
        aiox_timer_fini(&timer);
    }
}

/* So many that the arrays are of huge pages. */
TEST_F(TimerMemoryTest, QuarterOfAMillionRunInOrderAndAskForMemoryRarely)
{
    constexpr int64_t kMany = 250000;
    struct Armed {
        aiox_timer timer;
        std::vector<int64_t> *ran;
        int64_t deadline;
    };
    std::vector<int64_t> ran;
    std::vector<Armed> armed(kMany);
    for (int64_t i = 0; i < kMany; i++) {
        Armed &a = armed[static_cast<size_t>(i)];
        a.ran = &ran;
        a.deadline = i * 7919 % kMany; /* each once, all mixed */
        auto fn = [](void *o) {
            auto *one = static_cast<Armed *>(o);
            one->ran->push_back(one->deadline);
        };
        ASSERT_EQ(aiox_timer_init_ns(&a.timer, group_, AIOX_CLOCK_MONOTONIC, fn, &a), 0);
        aiox_timer_mod_ns(&a.timer, a.deadline);
    }

    clock_.Advance(kMany);
    group_.Run();

    ASSERT_EQ(ran.size(), static_cast<size_t>(kMany));
    EXPECT_TRUE(std::is_sorted(ran.begin(), ran.end()));
    EXPECT_LE(asked, 20);
    for (Armed &a : armed) {
        aiox_timer_fini(&a.timer);
    }
}

TEST_F(TimerMemoryTest, MakingOneTimerAgainAndAgainAsksOnce)
{
    for (int i = 0; i < 1000; i++) {
        aiox_timer timer;
        ASSERT_EQ(Init(&timer), 0);
        aiox_timer_mod_ns(&timer, 0);
        group_.Run();
        aiox_timer_fini(&timer);
    }

    EXPECT_EQ(asked, 1);
}

TEST_F(TimerMemoryTest, GroupsWithoutTimersAskForNothing)
{
    Group other;

    EXPECT_EQ(asked, 0);
}
} // namespace aiox_test
