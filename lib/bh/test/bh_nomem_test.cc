/* SPDX-License-Identifier: MIT */
/*
 * bh_nomem_test.cc - what happens when there is no memory.
 *
 * malloc() of bh.c comes here (--wrap). It fails when told, and counts.
 */
#include "aiox/bh.h"

#include <cerrno>
#include <cstdlib>

#include <gtest/gtest.h>

extern "C" {
void *__real_malloc(size_t bytes);
void __real_free(void *p);
void *__wrap_malloc(size_t bytes);
void __wrap_free(void *p);
}

namespace
{
struct {
    bool fails;
    int made;
    int alive;
} memory;
} // namespace

void *__wrap_malloc(size_t bytes)
{
    if (memory.fails) {
        return nullptr;
    }
    memory.made++;
    memory.alive++;
    return __real_malloc(bytes);
}

void __wrap_free(void *p)
{
    memory.alive -= p != nullptr;
    __real_free(p);
}

namespace
{
class BhNomemTest : public ::testing::Test
{
  protected:
    BhNomemTest()
    {
        memory = {};
        aiox_bh_queue_init(&queue_, nullptr, nullptr);
    }

    ~BhNomemTest() override
    {
        aiox_bh_queue_fini(&queue_);
    }

    static void Count(void *n)
    {
        ++*static_cast<int *>(n);
    }

    aiox_bh_queue queue_;
    int runs_ = 0;
};

TEST_F(BhNomemTest, NewSaysSoAndWritesNothing)
{
    aiox_bh *const untouched = reinterpret_cast<aiox_bh *>(&runs_);
    aiox_bh *bh = untouched;

    memory.fails = true;

    EXPECT_EQ(aiox_bh_new(&bh, &queue_, "a", &Count, &runs_), -ENOMEM);
    EXPECT_EQ(bh, untouched);
    EXPECT_FALSE(aiox_bh_queue_run(&queue_));
}

TEST_F(BhNomemTest, OneshotSaysSoAndTheFunctionIsNeverCalled)
{
    memory.fails = true;

    EXPECT_EQ(aiox_bh_queue_oneshot(&queue_, "a", &Count, &runs_), -ENOMEM);
    EXPECT_EQ(aiox_bh_queue_timeout_ns(&queue_), -1);
    EXPECT_FALSE(aiox_bh_queue_run(&queue_));
    EXPECT_EQ(runs_, 0);
}

TEST_F(BhNomemTest, WhatIsThereGoesOnWithoutMemory)
{
    aiox_bh *bh;
    ASSERT_EQ(aiox_bh_new(&bh, &queue_, "a", &Count, &runs_), 0);
    memory.fails = true;

    for (int i = 0; i < 3; i++) {
        aiox_bh_schedule(bh);
        EXPECT_EQ(aiox_bh_queue_timeout_ns(&queue_), 0);
        EXPECT_TRUE(aiox_bh_queue_run(&queue_));
    }
    aiox_bh_free(bh);
    aiox_bh_queue_run(&queue_);

    EXPECT_EQ(runs_, 3);
    EXPECT_EQ(memory.alive, 0);
}

TEST_F(BhNomemTest, AskingAndRunningAllocateNothing)
{
    aiox_bh *bh;
    ASSERT_EQ(aiox_bh_new(&bh, &queue_, "a", &Count, &runs_), 0);
    int made = memory.made;

    for (int i = 0; i < 100; i++) {
        aiox_bh_schedule(bh);
        aiox_bh_schedule_idle(bh);
        aiox_bh_cancel(bh);
        aiox_bh_schedule(bh);
        aiox_bh_queue_run(&queue_);
    }
    aiox_bh_free(bh);
    aiox_bh_queue_run(&queue_);

    EXPECT_EQ(memory.made, made);
    EXPECT_EQ(memory.alive, 0);
}

TEST_F(BhNomemTest, AllThatWasMadeIsFreedInTheRunAfterIt)
{
    for (int i = 0; i < 10; i++) {
        ASSERT_EQ(aiox_bh_queue_oneshot(&queue_, "a", &Count, &runs_), 0);
    }
    EXPECT_EQ(memory.alive, 10);

    aiox_bh_queue_run(&queue_);

    EXPECT_EQ(memory.alive, 0);
    EXPECT_EQ(runs_, 10);
}

} // namespace
