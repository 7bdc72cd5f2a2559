/* SPDX-License-Identifier: MIT */
/* async_request_test.cc - references, cancels, and that done comes once. */
#include <cerrno>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/async_request.h"
#include "lib/aio_pool/test/testing.h"

namespace
{
using pool_testing::Counter;
using pool_testing::Gate;
using pool_testing::Loop;

/* An operation that ends when its cancel, or the test, asks its bottom half to. */
struct Slow {
    aiox_async_request base;
    aiox_bh *bh;
    int result;
    int cancels;
};

int g_freed;

Slow *Of(aiox_async_request *r)
{
    return reinterpret_cast<Slow *>(r); /* it is the first member */
}

void Cancel(aiox_async_request *r)
{
    Slow *slow = Of(r);
    slow->cancels++;
    slow->result = -ECANCELED;
    aiox_bh_schedule(slow->bh);
}

void Free(aiox_async_request *r)
{
    g_freed++;
    aiox_bh_free(Of(r)->bh);
}

void End(void *opaque)
{
    auto *slow = static_cast<Slow *>(opaque);
    aiox_async_complete(&slow->base, slow->result);
}

const aiox_async_class kSlow = {"slow", sizeof(Slow), Cancel, Free};

class Async : public ::testing::Test
{
  protected:
    Async()
    {
        g_freed = 0;
    }
    Slow *Start()
    {
        aiox_async_request *r = nullptr;
        EXPECT_EQ(aiox_async_new(&r, &kSlow, loop_, &Async::Done, this), 0);
        EXPECT_EQ(aiox_bh_new(&Of(r)->bh, aiox_context_bhs(loop_), "slow", End, r), 0);
        return Of(r);
    }
    static void Done(void *self, int result)
    {
        static_cast<Async *>(self)->results_.push_back(result);
    }

    std::vector<int> results_;
    Loop loop_;
};

TEST_F(Async, LivesUntilItsEndAndTellsIt)
{
    Slow *slow = Start();
    slow->result = 5;
    aiox_bh_schedule(slow->bh);

    EXPECT_EQ(g_freed, 0);
    loop_.RunUntil([&] { return g_freed > 0; });

    EXPECT_EQ(results_, std::vector<int>{5});
}

TEST_F(Async, LivesAsLongAsSomebodyHoldsIt)
{
    Slow *slow = Start();
    aiox_async_ref(&slow->base);
    aiox_bh_schedule(slow->bh);
    loop_.RunUntil([&] { return aiox_async_is_complete(&slow->base); });

    EXPECT_EQ(g_freed, 0);
    aiox_async_cancel(&slow->base);
    EXPECT_EQ(slow->cancels, 0) << "too late, and so not asked";
    aiox_async_unref(&slow->base);

    EXPECT_EQ(g_freed, 1);
}

TEST_F(Async, ACancelIsToldInALaterTurn)
{
    Slow *slow = Start();

    aiox_async_cancel(&slow->base);

    EXPECT_TRUE(results_.empty());
    loop_.RunUntil([&] { return g_freed > 0; });
    EXPECT_EQ(results_, std::vector<int>{-ECANCELED});
}

TEST_F(Async, ASynchronousCancelReturnsAfterDone)
{
    Slow *slow = Start();

    aiox_async_cancel_sync(&slow->base);

    EXPECT_EQ(results_, std::vector<int>{-ECANCELED});
    EXPECT_EQ(g_freed, 1);
}

TEST_F(Async, WithoutACancelASynchronousOneWaitsForTheEnd)
{
    static const aiox_async_class kPatient = {"patient", sizeof(Slow), nullptr, Free};
    aiox_async_request *r = nullptr;
    ASSERT_EQ(aiox_async_new(&r, &kPatient, loop_, nullptr, nullptr), 0);
    ASSERT_EQ(aiox_bh_new(&Of(r)->bh, aiox_context_bhs(loop_), "patient", End, r), 0);
    aiox_bh_schedule(Of(r)->bh);

    aiox_async_cancel_sync(r);

    EXPECT_EQ(g_freed, 1);
}

TEST_F(Async, OneThatCannotBeginIsGivenBack)
{
    Slow *slow = Start();

    aiox_async_unref(&slow->base);
    aiox_async_unref(nullptr);

    EXPECT_EQ(g_freed, 1);
    EXPECT_TRUE(results_.empty());
}

/* ---- jobs ---- */

struct Blocker {
    Gate gate;
    Counter began;
    std::vector<int> results;

    static int Run(void *self)
    {
        static_cast<Blocker *>(self)->began.Add();
        static_cast<Blocker *>(self)->gate.Pass();
        return 3;
    }
    static void Done(void *self, int result)
    {
        static_cast<Blocker *>(self)->results.push_back(result);
    }
};

TEST_F(Async, AJobCanBeOne)
{
    Blocker b;
    b.gate.Open();

    ASSERT_EQ(aiox_pool_start(nullptr, loop_, &Blocker::Run, &Blocker::Done, &b), 0);
    aiox_pool_drain(loop_);

    EXPECT_EQ(b.results, std::vector<int>{3});
}

TEST_F(Async, AJobIsCancelledWhileItWaitsAndLeftAloneWhenItRuns)
{
    Blocker b;
    aiox_async_request *running, *waiting;
    ASSERT_EQ(aiox_pool_set_threads(loop_, 0, 1), 0);
    ASSERT_EQ(aiox_pool_start(&running, loop_, &Blocker::Run, &Blocker::Done, &b), 0);
    ASSERT_EQ(aiox_pool_start(&waiting, loop_, &Blocker::Run, &Blocker::Done, &b), 0);
    b.began.Await(1);

    aiox_async_cancel_sync(waiting);
    EXPECT_EQ(b.results, std::vector<int>{-ECANCELED});
    aiox_async_cancel(running);
    b.gate.Open();
    aiox_async_cancel_sync(running);

    EXPECT_EQ(b.results, (std::vector<int>{-ECANCELED, 3}));
    aiox_async_unref(running);
    aiox_async_unref(waiting);
}
} // namespace
