/* SPDX-License-Identifier: MIT */
/*
 * abi_test.cc - today's header still means what the frozen one of major 1 meant.
 */
#include "layout.h"

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "aiox/fdmon.h"

namespace
{

std::map<std::string, uint64_t> Map(const layout_fact *fact)
{
    std::map<std::string, uint64_t> map;

    for (; fact->name; fact++) {
        map[fact->name] = fact->value;
    }
    return map;
}

TEST(FdmonAbi, NoFieldHasMoved)
{
    EXPECT_EQ(Map(layout_now.offsets), Map(layout_v1.offsets));
}

TEST(FdmonAbi, NoNumberHasChanged)
{
    EXPECT_EQ(Map(layout_now.numbers), Map(layout_v1.numbers));
}

TEST(FdmonAbi, TablesHaveOnlyGrown)
{
    auto now = Map(layout_now.sizes);

    for (auto &[name, bytes] : Map(layout_v1.sizes)) {
        EXPECT_GE(now[name], bytes) << name;
    }
}

/* An event is an element of the caller's array, and the note stands in files: these cannot grow. */
TEST(FdmonAbi, WhatHasNoSizeOfItsOwnHasKeptIt)
{
    auto now = Map(layout_now.sizes);
    auto then = Map(layout_v1.sizes);

    for (const char *name :
         {"aiox_fdmon_event", "aiox_fdmon_option", "aiox_fdmon_note", "aiox_fdmon_elf_note_"}) {
        EXPECT_EQ(now[name], then[name]) << name;
    }
}

TEST(FdmonAbi, NoNameHasChanged)
{
    for (int i = 0; layout_v1.strings[i]; i++) {
        ASSERT_NE(layout_now.strings[i], nullptr);
        EXPECT_STREQ(layout_now.strings[i], layout_v1.strings[i]);
    }
}

/* A backend built long ago, or a loop, takes a bit for what it meant then. */
TEST(FdmonAbi, ACapabilityThatCameSinceHasABitOfItsOwn)
{
    const std::string prefix = "AIOX_FDMON_CAP_";
    uint64_t taken = 0;

    for (auto &[name, value] : Map(layout_v1.numbers)) {
        taken |= name.compare(0, prefix.size(), prefix) == 0 ? value : 0;
    }
    ASSERT_NE(taken, 0u);

    for (uint64_t cap : {AIOX_FDMON_CAP_POLLFD, AIOX_FDMON_CAP_ROAMS, AIOX_FDMON_CAP_MAY_ROAM}) {
        EXPECT_EQ(__builtin_popcountll(cap), 1);
        EXPECT_EQ(taken & cap, 0u);
        taken |= cap;
    }
}

} // namespace
