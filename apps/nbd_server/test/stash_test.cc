/* SPDX-License-Identifier: MIT */
#include "apps/nbd_server/stash.h"

#include <cstring>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace
{

TEST(Stash, WhatIsTakenIsNobodyElses)
{
    stash s = {};
    std::set<void *> taken;

    for (int i = 0; i < 3 * STASH_KEEP + 3; i++) {
        void *room = stash_take(&s);

        ASSERT_NE(room, nullptr);
        memset(room, i, STASH_BYTES);
        taken.insert(room);
    }

    EXPECT_EQ(taken.size(), 3U * STASH_KEEP + 3);
    for (void *room : taken) {
        stash_give(&s, room);
    }
    stash_fini(&s);
}

TEST(Stash, WhatWasGivenBackLastIsTakenFirst)
{
    if (STASH_KEEP == 0) {
        GTEST_SKIP() << "none are kept under AddressSanitizer";
    }
    stash s = {};
    void *a = stash_take(&s), *b = stash_take(&s);

    stash_give(&s, a);
    stash_give(&s, b);

    EXPECT_EQ(stash_take(&s), b);
    EXPECT_EQ(stash_take(&s), a);
    stash_give(&s, a);
    stash_give(&s, b);
    stash_fini(&s);
}

TEST(Stash, OnlyAFewAreKept)
{
    stash s = {};
    std::vector<void *> taken(STASH_KEEP + 5);

    for (void *&room : taken) {
        room = stash_take(&s);
    }
    for (void *room : taken) {
        stash_give(&s, room);
    }
    stash_give(&s, nullptr);

    EXPECT_EQ(s.count, STASH_KEEP);
    stash_fini(&s);
    EXPECT_EQ(s.count, 0);
}

} // namespace
