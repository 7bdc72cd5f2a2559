/* SPDX-License-Identifier: MIT */
/* frozen_test.cc - a plugin that was built with the frozen contract serves today's loop. */
#include <filesystem>
#include <string>
#include <sys/eventfd.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "aiox/aio.h"

extern "C" const struct aiox_fdmon_plugin *aiox_fdmon_poll(uint32_t index);

namespace
{

/* The skeleton of lib/fdmon/README.md, compiled with fdmon_v1.h and opened by name. */
class Frozen : public ::testing::Test
{
  protected:
    Frozen()
    {
        static aiox_fdmon_entry_fn *const linked_in[] = {aiox_fdmon_poll, nullptr};
        std::string path = std::filesystem::absolute("test/abi");
        aiox_backend_sources sources = {};
        aiox_error err = {};
        sources.linked_in = linked_in;
        sources.path = path.c_str();
        EXPECT_EQ(aiox_context_new(&ctx_, &sources, &err), 0) << err.message;
        EXPECT_EQ(aiox_context_setup(ctx_, "skeleton", &err), 0) << err.message;
    }

    ~Frozen() override
    {
        aiox_context_unref(ctx_);
    }

    aiox_context *ctx_ = nullptr;
};

TEST_F(Frozen, IsTheBackendInUse)
{
    aiox_backend_info info;

    aiox_context_backend_info(ctx_, &info);

    EXPECT_STREQ(info.name, "skeleton");
    EXPECT_NE(std::string(info.path).find("fdmon_skeleton.so"), std::string::npos) << info.path;
}

TEST_F(Frozen, ReportsADescriptorUntilItIsStopped)
{
    int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    int calls = 0;
    aiox_fd_handler h = {};
    h.read = [](void *o) { ++*static_cast<int *>(o); };
    ASSERT_EQ(aiox_set_fd_handler(ctx_, fd, &h, &calls), 0);

    EXPECT_TRUE(aiox_poll(ctx_, true));
    EXPECT_TRUE(aiox_poll(ctx_, true));
    aiox_clear_fd_handler(ctx_, fd);
    EXPECT_FALSE(aiox_poll(ctx_, false));

    EXPECT_EQ(calls, 2);
    close(fd);
}

TEST_F(Frozen, IsWokenByTheLoopsOwnNotifier)
{
    int runs = 0;
    ASSERT_EQ(aiox_bh_schedule_oneshot(
                  ctx_, "count", [](void *o) { ++*static_cast<int *>(o); }, &runs),
              0);

    EXPECT_TRUE(aiox_poll(ctx_, true));

    EXPECT_EQ(runs, 1);
}

} // namespace
