/* SPDX-License-Identifier: MIT */
/* shared_resource_test.cc - never more than there is, and nobody overtakes. */
#include "aiox/co_sync.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/coroutine/test/sync.h"

namespace
{
using namespace co_testing;
using ::testing::ElementsAre;

class CoSharedResource : public ::testing::Test
{
  protected:
    CoSharedResource()
    {
        aiox_co_shared_resource_init(&resource_, 10);
    }
    ~CoSharedResource() override
    {
        aiox_co_shared_resource_fini(&resource_);
    }

    /* Enters one that notes when it has @n. */
    void Taker(const std::string &name, uint64_t n, int64_t deadline_ns = -1)
    {
        stage_.Enter([=] {
            int err = GetUntil(&resource_, n, deadline_ns);
            diary_.push_back(err == 0 ? name : name + " left");
        });
    }
    void Return(uint64_t n)
    {
        stage_.Enter([=] { aiox_co_shared_resource_put(&resource_, n); });
    }

    Stage stage_;
    aiox_co_shared_resource resource_;
    Diary diary_;
};

using CoSharedResourceDeathTest = DeathTest;

TEST_F(CoSharedResource, GivesWhatThereIs)
{
    Taker("a", 4);
    Taker("b", 6);
    Taker("c", 1);
    EXPECT_THAT(diary_, ElementsAre("a", "b"));

    Return(1);
    EXPECT_THAT(diary_, ElementsAre("a", "b", "c"));

    Return(10);
}

TEST_F(CoSharedResource, ALargeWishIsNotOvertakenBySmallOnes)
{
    Taker("a", 6);
    Taker("large", 8);
    Taker("small", 1);
    EXPECT_THAT(diary_, ElementsAre("a"));

    Return(3);
    EXPECT_THAT(diary_, ElementsAre("a"));
    Return(3);

    EXPECT_THAT(diary_, ElementsAre("a", "large", "small"));
    Return(9);
}

TEST_F(CoSharedResource, OnePutServesAllWhomItIsEnoughFor)
{
    Taker("all", 10);
    Taker("a", 3);
    Taker("b", 3);
    Taker("c", 5);

    Return(10);

    EXPECT_THAT(diary_, ElementsAre("all", "a", "b"));
    Return(3);
    EXPECT_THAT(diary_, ElementsAre("all", "a", "b", "c"));
    Return(8);
}

TEST_F(CoSharedResource, NothingCanAlwaysBeHadIfNobodyWaits)
{
    Taker("all", 10);

    Taker("nothing", 0);

    EXPECT_THAT(diary_, ElementsAre("all", "nothing"));
    Return(10);
}

TEST_F(CoSharedResource, TryGetDoesNotWaitAndDoesNotOvertake)
{
    stage_.Enter([this] {
        EXPECT_TRUE(aiox_co_shared_resource_try_get(&resource_, 7));
        EXPECT_FALSE(aiox_co_shared_resource_try_get(&resource_, 4));
    });
    Taker("waits", 5);

    stage_.Enter([this] { EXPECT_FALSE(aiox_co_shared_resource_try_get(&resource_, 1)); });

    Return(7);
    EXPECT_THAT(diary_, ElementsAre("waits"));
    Return(5);
}

TEST_F(CoSharedResource, WhoLeavesTheHeadLetsTheOthersIn)
{
    Taker("a", 6);
    Taker("large", 8, 10);
    Taker("small", 1);
    Taker("smaller", 1);

    stage_.Advance(10);

    EXPECT_THAT(diary_, ElementsAre("a", "large left", "small", "smaller"));
    Return(8);
}

TEST_F(CoSharedResource, ADeadlineAfterTheGiftIsTooLate)
{
    Stage other;
    Taker("a", 10);
    Taker("b", 8, 10);

    other.Enter([this] { aiox_co_shared_resource_put(&resource_, 10); });
    stage_.Advance(10);
    EXPECT_THAT(diary_, ElementsAre("a"));
    stage_.Settle();

    EXPECT_THAT(diary_, ElementsAre("a", "b"));
    Return(8);
}

TEST_F(CoSharedResource, CanBeTakenAndPutBackOutsideOfCoroutines)
{
    EXPECT_TRUE(aiox_co_shared_resource_try_get(&resource_, 10));
    Taker("a", 10);

    aiox_co_shared_resource_put(&resource_, 10);

    EXPECT_THAT(diary_, ElementsAre("a"));
    aiox_co_shared_resource_put(&resource_, 10);
}

TEST_F(CoSharedResourceDeathTest, MoreThanThereIsEndsTheProgram)
{
    Stage stage;
    aiox_co_shared_resource r;
    aiox_co_shared_resource_init(&r, 3);

    EXPECT_DEATH(stage.Enter([&] { Get(&r, 4); }), "condition");
    EXPECT_DEATH(stage.Enter([&] { aiox_co_shared_resource_put(&r, 1); }), "condition");
}
} // namespace
