/* SPDX-License-Identifier: MIT */
/* Being a guest of another loop: what is refused, and what happens when descriptors run out. */
#include <cerrno>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "aiox/aio.h"
#include "aiox/clock.h"
#include "aiox/foreign.h"
#include "test/harness/scripted_fdmon.h"

/* The entry of //plugins/fdmon_poll in its static form; it has no header. */
extern "C" const struct aiox_fdmon_plugin *aiox_fdmon_poll(uint32_t index);

namespace
{

using aiox_test::ScriptedFdmon;

/* The scripted backend has no descriptor that could be watched. */
class Hosting : public ::testing::Test
{
  protected:
    Hosting()
    {
        GTEST_FLAG_SET(death_test_style, "threadsafe");
        aiox_backend_sources sources = *script_.sources();
        aiox_fdmon_entry_fn *both[] = {aiox_fdmon_poll, sources.linked_in[0], nullptr};
        sources.linked_in = both;
        EXPECT_EQ(aiox_context_new(&ctx_, &sources, &err_), 0) << err_.message;
    }
    ~Hosting() override
    {
        aiox_context_unref(ctx_);
    }

    std::string Backend()
    {
        aiox_backend_info info;
        aiox_context_backend_info(ctx_, &info);
        return info.name;
    }

    ScriptedFdmon script_;
    aiox_context *ctx_ = nullptr;
    aiox_error err_ = {};
    int fd_ = -1;
};

TEST_F(Hosting, ABackendWithoutADescriptorIsRefused)
{
    aiox_context *ctx;
    ASSERT_EQ(aiox_context_new(&ctx, script_.sources(), &err_), 0) << err_.message;

    EXPECT_EQ(aiox_foreign_begin(ctx, &fd_, &err_), -ENOTSUP);

    EXPECT_NE(std::string(err_.message).find("has no descriptor"), std::string::npos);
    EXPECT_EQ(fd_, -1);
    aiox_foreign_end(ctx);
    aiox_context_unref(ctx);
}

TEST_F(Hosting, AGuestMovesToNoBackendThatHasNoDescriptor)
{
    ASSERT_EQ(aiox_foreign_begin(ctx_, &fd_, &err_), 0) << err_.message;

    EXPECT_EQ(aiox_context_setup(ctx_, "scripted", &err_), -ENOTSUP);
    EXPECT_EQ(Backend(), "poll");
    EXPECT_EQ(aiox_foreign_prepare(ctx_), -1);

    aiox_foreign_end(ctx_);
    EXPECT_EQ(aiox_context_setup(ctx_, "scripted", &err_), 0) << err_.message;
}

/* A descriptor could not be had: the host looks often instead. */
TEST_F(Hosting, WithoutDescriptorsLeftTheWaitIsKeptShort)
{
    ASSERT_EQ(aiox_foreign_begin(ctx_, &fd_, &err_), 0) << err_.message;
    aiox_context *ctx = ctx_; /* UBSan looks at what `this` is through a pipe */
    rlimit before;
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit none = {0, before.rlim_max};

    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    int64_t blind_ns = aiox_foreign_prepare(ctx);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);

    EXPECT_EQ(blind_ns, AIOX_NS_PER_MS);
    EXPECT_EQ(aiox_foreign_prepare(ctx_), -1);
    aiox_foreign_end(ctx_);
}

TEST_F(Hosting, NoDescriptorForAHostIsAnErrorAndNothingIsLeft)
{
    aiox_context *ctx = ctx_;
    int fd;
    rlimit before;
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit none = {0, before.rlim_max};

    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    int code = aiox_foreign_begin(ctx, &fd, nullptr);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);

    EXPECT_EQ(code, -EMFILE);
    EXPECT_EQ(aiox_foreign_begin(ctx_, &fd_, &err_), 0) << err_.message;
    aiox_foreign_end(ctx_);
}

using HostingDeathTest = Hosting;

TEST_F(HostingDeathTest, PhasesWithoutAHostEndTheProgram)
{
    EXPECT_DEATH(aiox_foreign_prepare(ctx_), "is_open");
}

TEST_F(HostingDeathTest, PhasesInTwoThreadsEndTheProgram)
{
    EXPECT_DEATH(
        {
            EXPECT_EQ(aiox_foreign_begin(ctx_, &fd_, &err_), 0);
            aiox_foreign_prepare(ctx_);
            std::thread([&] { aiox_foreign_prepare(ctx_); }).join();
        },
        "another thread is the home");
}

} // namespace
