/* SPDX-License-Identifier: MIT */
/*
 * table_test.cc - who reads an entry gets what was written for the generation
 * he came with, or nothing.
 */
#include "plugins/fdmon_epoll/table.h"

#include <atomic>
#include <cstdlib>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

namespace
{

struct Free {
    void operator()(watch_table *table) const
    {
        free(table);
    }
};

using Table = std::unique_ptr<watch_table, Free>;

Table NewTable(int length)
{
    Table table(
        static_cast<watch_table *>(calloc(1, sizeof(watch_table) + length * sizeof(watch))));

    table->length = length;
    return table;
}

TEST(EpollTable, BringsWhatWasWrittenForThatGeneration)
{
    Table table = NewTable(4);
    watch_table *t = table.get();

    epoll_table_write_(&t->watches[2], AIOX_FD_READ, 7);

    EXPECT_EQ(epoll_table_read_(&t, 2, 1).token, 7u);
    EXPECT_EQ(epoll_table_read_(&t, 2, 1).events, (uint32_t)AIOX_FD_READ);
    EXPECT_EQ(epoll_table_read_(&t, 2, UINT32_MAX).events, 0u) << "an earlier one";
    EXPECT_EQ(epoll_table_read_(&t, 2, 2).events, 0u) << "a later one";
    EXPECT_EQ(epoll_table_read_(&t, 3, 1).events, 0u) << "another one";
    EXPECT_EQ(epoll_table_read_(&t, 4, 1).events, 0u) << "none";
}

TEST(EpollTable, AnEntryThatIsBeingWrittenIsNothing)
{
    Table table = NewTable(1);
    watch_table *t = table.get();
    epoll_table_write_(&t->watches[0], AIOX_FD_READ, 7);

    t->watches[0].generation = 0;

    EXPECT_EQ(epoll_table_read_(&t, 0, 1).events, 0u);
    EXPECT_EQ(epoll_table_read_(&t, 0, 2).events, 0u);
}

TEST(EpollTable, WhatIsKeptIsInTheSetUnderTheGenerationBefore)
{
    watch w{};
    EXPECT_EQ(epoll_table_in_set_(&w), 0u) << "never watched";

    for (uint32_t generation : {uint32_t{0}, UINT32_MAX - 1, UINT32_MAX}) {
        w.generation = generation;
        epoll_table_write_(&w, AIOX_FD_READ, 7);
        uint32_t watched = w.generation;
        EXPECT_NE(watched, 0u);
        EXPECT_EQ(epoll_table_in_set_(&w), watched);
        epoll_table_write_(&w, WATCH_KEPT, 0);

        EXPECT_NE(w.generation, watched);
        EXPECT_EQ(epoll_table_in_set_(&w), watched);
    }

    epoll_table_write_(&w, 0, 0);
    EXPECT_EQ(epoll_table_in_set_(&w), 0u) << "taken out";
}

/* The words of each entry follow from its generation. */
TEST(EpollTable, NoReaderSeesHalfAnEntry)
{
    Table table = NewTable(1);
    watch_table *t = table.get();
    std::atomic<int> seen{0};
    std::atomic<bool> over{false};

    std::thread writer([&] {
        for (uint32_t g = 1; seen < 20000; g++) {
            epoll_table_write_(&t->watches[0], g | 1, UINT64_C(3) * g);
        }
        over = true;
    });
    while (!over) {
        uint32_t now = __atomic_load_n(&t->watches[0].generation, __ATOMIC_RELAXED);
        for (uint32_t generation : {now, now + 1}) {
            if (generation == 0) {
                continue;
            }
            watched w = epoll_table_read_(&t, 0, generation);
            if (w.events) {
                ASSERT_EQ(w.events, generation | 1);
                ASSERT_EQ(w.token, UINT64_C(3) * generation);
                seen++;
            }
        }
    }
    writer.join();
}

} // namespace
