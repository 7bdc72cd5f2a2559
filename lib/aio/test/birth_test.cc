/* SPDX-License-Identifier: MIT */
/* A context that is born on the backend that somebody asks for. */
#include <cerrno>
#include <string>
#include <sys/eventfd.h>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/aio.h"
#include "test/harness/scripted_fdmon.h"

/* The entry of //plugins/fdmon_poll in its static form; it has no header. */
extern "C" const struct aiox_fdmon_plugin *aiox_fdmon_poll(uint32_t index);

namespace
{

using aiox_test::ScriptedFdmon;

class Birth : public ::testing::Test
{
  protected:
    Birth()
    {
        sources_ = *script_.sources();
        both_[0] = sources_.linked_in[0];
        sources_.linked_in = both_;
    }

    aiox_context *NewOn(const char *spec)
    {
        aiox_context *ctx = nullptr;

        EXPECT_EQ(aiox_context_new_on(&ctx, &sources_, spec, &err_), 0) << err_.message;
        return ctx;
    }

    static std::string Backend(aiox_context *ctx)
    {
        aiox_backend_info info;

        aiox_context_backend_info(ctx, &info);
        return info.name;
    }

    static std::vector<std::string> Candidates(aiox_context *ctx)
    {
        const aiox_backend_report *reports;
        int count = aiox_context_backend_report(ctx, &reports);
        std::vector<std::string> names;

        for (int i = 0; i < count; i++) {
            names.push_back(reports[i].name);
        }
        return names;
    }

    ScriptedFdmon script_;
    aiox_fdmon_entry_fn *both_[3] = {nullptr, aiox_fdmon_poll, nullptr};
    aiox_backend_sources sources_ = {};
    aiox_error err_ = {};
};

TEST_F(Birth, NoOtherBackendIsOpened)
{
    aiox_context *ctx = NewOn("poll");

    EXPECT_EQ(Backend(ctx), "poll");
    EXPECT_TRUE(script_.watched().empty());
    aiox_notify(ctx);
    EXPECT_FALSE(aiox_poll(ctx, true));

    aiox_context_unref(ctx);
}

TEST_F(Birth, FailsAsSetupDoesAndLeavesNothing)
{
    auto *untouched = reinterpret_cast<aiox_context *>(this);
    aiox_context *ctx = untouched;

    EXPECT_EQ(aiox_context_new_on(&ctx, &sources_, "scirpted", &err_), -ENOENT);
    EXPECT_NE(std::string(err_.message).find("did you mean 'scripted'"), std::string::npos);
    EXPECT_EQ(aiox_context_new_on(&ctx, &sources_, "poll,,", &err_), -EINVAL);
    EXPECT_EQ(ctx, untouched);
}

TEST_F(Birth, ABellThatCannotBeWatchedIsAnErrorThere)
{
    int bell = eventfd(0, EFD_CLOEXEC);
    aiox_context *ctx;
    close(bell); /* the next descriptor has this number */
    script_.Refuse(bell, -ENOSPC);

    EXPECT_EQ(aiox_context_new_on(&ctx, &sources_, "scripted", &err_), -ENOSPC);

    EXPECT_NE(std::string(err_.message).find("wake-up"), std::string::npos) << err_.message;
}

TEST_F(Birth, EachContextKeepsItsReports)
{
    aiox_context *first = NewOn("poll");
    aiox_context *second = NewOn("poll");
    std::vector<std::string> candidates = Candidates(first);
    EXPECT_EQ(candidates.front(), "poll");
    EXPECT_EQ(Candidates(second), candidates);

    aiox_context_unref(first);
    aiox_context *third = NewOn("scripted"); /* what was remembered is another choice now */
    EXPECT_EQ(Candidates(third).front(), "scripted");

    EXPECT_EQ(Candidates(second), candidates);
    ASSERT_EQ(aiox_context_setup(second, "scripted", &err_), 0) << err_.message;
    EXPECT_EQ(Candidates(second), Candidates(third));
    aiox_context_unref(third);
    aiox_context_unref(second);
}

} // namespace
