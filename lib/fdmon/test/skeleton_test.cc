/* SPDX-License-Identifier: MIT */
/*
 * skeleton_test.cc - the backend of the README works, built with today's
 * header and with the frozen one, and the README shows it as it is.
 */
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/eventfd.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "aiox/fdmon.h"

extern "C" aiox_fdmon_entry_fn aiox_fdmon_skeleton;

namespace
{

void *Alloc(const aiox_fdmon_host *, size_t bytes)
{
    return calloc(1, bytes);
}

void Free(const aiox_fdmon_host *, void *memory)
{
    free(memory);
}

std::string Read(const char *path)
{
    std::ifstream file(path);

    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(Skeleton, ReportsWhatItWatches)
{
    const aiox_fdmon_plugin *plugin = aiox_fdmon_skeleton(0);
    aiox_fdmon_host host = {};
    aiox_fdmon_event out[4] = {};
    aiox_fdmon *mon = nullptr;
    int ready = eventfd(1, EFD_CLOEXEC);

    host.size = sizeof(host);
    host.alloc = Alloc;
    host.free = Free;
    ASSERT_EQ(plugin->magic, AIOX_FDMON_MAGIC);
    ASSERT_EQ(plugin->abi_major, AIOX_FDMON_ABI_MAJOR);
    ASSERT_EQ(plugin->ops->open(&host, &mon), 0);
    ASSERT_EQ(plugin->ops->interest(mon, ready, 0, AIOX_FD_READ, 7), 0);

    EXPECT_EQ(plugin->ops->collect(mon, INT64_MAX, out, 4), 1);
    EXPECT_EQ(out[0].token, 7u);
    EXPECT_EQ(out[0].events, (uint32_t)AIOX_FD_READ);
    EXPECT_EQ(plugin->ops->interest(mon, ready, AIOX_FD_READ, 0, 7), 0);
    EXPECT_EQ(plugin->ops->collect(mon, 0, out, 4), 0);
    plugin->ops->close(mon);
    close(ready);
}

TEST(Skeleton, IsWhatTheReadmeShows)
{
    std::string source = Read("lib/fdmon/test/skeleton.c");
    std::string body = source.substr(source.find('\n') + 1);

    ASSERT_FALSE(body.empty());
    EXPECT_NE(Read("lib/fdmon/README.md").find("```c\n" + body + "```"), std::string::npos);
}

} // namespace
