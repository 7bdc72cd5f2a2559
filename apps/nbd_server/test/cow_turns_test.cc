/* SPDX-License-Identifier: MIT */
/*
 * cow_turns_test.cc - who may go on when, and what it costs when very many want to.
 */
#include "apps/nbd_server/cow_turns.h"

#include <memory>
#include <vector>

#include <gtest/gtest.h>

namespace
{

constexpr uint64_t kLooks = 64 + 32 + 32 * (64 + 32); /* of one that is taken and given */

class CowTurnsTest : public ::testing::Test
{
  protected:
    struct Turn {
        cow_turn turn; /* first */

        bool holds = false;
        bool given = false;

        void Go()
        {
            EXPECT_FALSE(holds);
            holds = true;
        }
    };

    CowTurnsTest()
    {
        EXPECT_EQ(aiox_new(&ctx_, nullptr), 0);
        cow_turns_init(&turns_);
        home_.turns = &turns_;
        aiox_list_init(&home_.ready);
        EXPECT_EQ(aiox_bh_new(
                      &home_.bh, aiox_context_bhs(ctx_), "turns",
                      [](void *home) { cow_home_run(static_cast<cow_home *>(home)); }, &home_),
                  0);
    }
    ~CowTurnsTest() override
    {
        cow_turns_fini(&turns_);
        aiox_bh_free(home_.bh);
        aiox_context_unref(ctx_);
    }
    Turn *Take(uint64_t first, uint64_t end)
    {
        all_.push_back(std::make_unique<Turn>());
        Turn *t = all_.back().get();

        t->turn = {};
        t->turn.home = &home_;
        t->turn.first = first;
        t->turn.end = end;
        t->turn.go = [](cow_turn *turn) { reinterpret_cast<Turn *>(turn)->Go(); };
        cow_turn_take(&t->turn);
        return t;
    }
    void Give(Turn *t)
    {
        EXPECT_TRUE(t->holds);
        t->holds = false;
        t->given = true;
        cow_turn_give(&t->turn);
        cow_home_run(&home_);
    }
    /* In the order they came: whoever is next by then holds. */
    void GiveAll()
    {
        for (auto &t : all_) {
            if (!t->given) {
                Give(t.get());
            }
        }
        EXPECT_EQ(turns_.held_count + turns_.waiting_count, 0u);
    }

    aiox_context *ctx_ = nullptr;
    cow_turns turns_;
    cow_home home_ = {};
    std::vector<std::unique_ptr<Turn>> all_;
};

TEST_F(CowTurnsTest, WhoOverlapsWaitsAndOthersDoNot)
{
    Turn *a = Take(0, 4), *b = Take(3, 6), *c = Take(8, 9), *d = Take(5, 7);

    EXPECT_TRUE(a->holds && c->holds);
    EXPECT_FALSE(b->holds || d->holds); /* d would overtake b */
    Give(a);
    EXPECT_TRUE(b->holds);
    EXPECT_FALSE(d->holds);
    Give(b);
    EXPECT_TRUE(d->holds);
    GiveAll();
}

TEST_F(CowTurnsTest, ThousandsWhoWantTheSameBlockCostTheSameEach)
{
    constexpr uint64_t kMany = 20000;

    for (uint64_t i = 0; i < kMany; i++) {
        Take(7, 8);
    }
    EXPECT_EQ(turns_.held_count, 1u);
    GiveAll();

    EXPECT_LE(turns_.looks, kMany * kLooks);
}

TEST_F(CowTurnsTest, ThousandsBehindOneWhoHasAllCostTheSameEach)
{
    constexpr uint64_t kMany = 20000;
    Turn *all = Take(0, kMany);

    for (uint64_t i = 0; i < kMany; i++) {
        Take(i, i + 1);
    }
    EXPECT_EQ(turns_.held_count, 1u);
    Give(all);
    EXPECT_EQ(turns_.held_count, 64u);
    GiveAll();

    EXPECT_LE(turns_.looks, kMany * kLooks);
}

TEST_F(CowTurnsTest, NobodyIsForgottenBehindAWindowOfOthers)
{
    Turn *first = Take(0, 1);
    std::vector<Turn *> behind;
    for (int i = 0; i < 100; i++) {
        behind.push_back(Take(0, 1));
    }

    Turn *other = Take(50, 51); /* so many wait that it joins them */
    EXPECT_FALSE(other->holds);
    Give(first);
    for (int i = 0; i < 100 && !other->holds; i++) {
        EXPECT_TRUE(behind[static_cast<size_t>(i)]->holds);
        Give(behind[static_cast<size_t>(i)]);
    }

    EXPECT_TRUE(other->holds);
    GiveAll();
}

} // namespace
