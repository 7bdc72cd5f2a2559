/* SPDX-License-Identifier: MIT */
/* aiox_test.cc - who decides which backend it is, and what is said if it cannot be. */
#include "aiox/aiox.h"

#include <cerrno>
#include <cstdlib>
#include <string>
#include <sys/resource.h>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/log.h"

namespace
{
const char *const kVariables[] = {"AIOX_FDMON", "AIOX_FDMON_OPTS", "AIOX_FDMON_DEBUG",
                                  "AIOX_NO_ENV"};

/* Nothing in the environment but where the plugins are. */
class CleanEnvironment : public ::testing::Test
{
  protected:
    CleanEnvironment()
    {
        for (const char *name : kVariables) {
            unsetenv(name);
        }
    }
    ~CleanEnvironment() override
    {
        for (const char *name : kVariables) {
            unsetenv(name);
        }
        aiox_log_set_hook(nullptr, nullptr, AIOX_LOG_ERROR);
    }

    static aiox_choice ChoiceOf(const aiox_preferences *wish)
    {
        aiox_choice choice;
        aiox_choice_get(&choice, wish);
        return choice;
    }
};

class Choice : public CleanEnvironment
{
};

TEST_F(Choice, IsAutoIfNobodySaysAnything)
{
    aiox_choice choice = ChoiceOf(nullptr);

    EXPECT_STREQ(choice.spec, "auto");
    EXPECT_STREQ(choice.said_by, "default");
    EXPECT_FALSE(choice.is_debugging);
    EXPECT_FALSE(choice.sources.system_only);
    ASSERT_NE(choice.sources.linked_in[0], nullptr);
    EXPECT_STREQ(choice.sources.linked_in[0](0)->name, "poll");
}

TEST_F(Choice, TheEnvironmentComesBeforeAWish)
{
    aiox_preferences wish = {"epoll", "/wish", "epoll.events=1", false};
    setenv("AIOX_FDMON", "poll", 1);
    setenv("AIOX_FDMON_OPTS", "poll.x=1", 1);

    aiox_choice choice = ChoiceOf(&wish);

    EXPECT_STREQ(choice.spec, "poll");
    EXPECT_STREQ(choice.said_by, "AIOX_FDMON");
    EXPECT_STREQ(choice.sources.options, "poll.x=1");
}

TEST_F(Choice, AnEmptyVariableIsNotSet)
{
    aiox_preferences wish = {"epoll", nullptr, nullptr, false};
    setenv("AIOX_FDMON", "", 1);

    aiox_choice choice = ChoiceOf(&wish);

    EXPECT_STREQ(choice.spec, "epoll");
    EXPECT_STREQ(choice.said_by, "wish");
}

TEST_F(Choice, APinComesBeforeTheEnvironment)
{
    aiox_preferences pin = {"poll", "/pin", "poll.x=1", true};
    setenv("AIOX_FDMON", "epoll", 1);
    setenv("AIOX_FDMON_OPTS", "epoll.x=1", 1);

    aiox_choice choice = ChoiceOf(&pin);

    EXPECT_STREQ(choice.spec, "poll");
    EXPECT_STREQ(choice.said_by, "program");
    EXPECT_STREQ(choice.sources.path, "/pin");
    EXPECT_STREQ(choice.sources.options, "poll.x=1");
}

TEST_F(Choice, NoEnvFreezesAllVariables)
{
    setenv("AIOX_FDMON", "epoll", 1);
    setenv("AIOX_FDMON_DEBUG", "1", 1);
    setenv("AIOX_NO_ENV", "1", 1);

    aiox_choice choice = ChoiceOf(nullptr);

    EXPECT_STREQ(choice.spec, "auto");
    EXPECT_FALSE(choice.is_debugging);
    EXPECT_EQ(choice.sources.path, nullptr);
}

/* In a process of its own: it is for good. */
TEST_F(Choice, ADeniedEnvironmentIsNotRead)
{
    setenv("AIOX_FDMON", "epoll", 1);

    EXPECT_EXIT(
        {
            aiox_env_deny();
            aiox_choice choice = ChoiceOf(nullptr);
            bool is_auto = std::string(choice.spec) == "auto" && !choice.sources.path;
            _exit(is_auto ? 0 : 1);
        },
        ::testing::ExitedWithCode(0), "");
}

class Front : public CleanEnvironment
{
  protected:
    static void Hear(void *lines, aiox_log_level level, const char *line)
    {
        static_cast<std::vector<std::string> *>(lines)->push_back(std::to_string(level) + line);
    }

    static std::string NameOf(aiox_context *ctx)
    {
        aiox_backend_info info;
        aiox_context_backend_info(ctx, &info);
        return info.name;
    }

    aiox_error err_ = {};
    aiox_context *ctx_ = nullptr;
};

TEST_F(Front, OpensWhatTheEnvironmentAsksFor)
{
    for (std::string name : {"poll", "epoll"}) {
        setenv("AIOX_FDMON", name.c_str(), 1);

        ASSERT_EQ(aiox_new(&ctx_, &err_), 0) << err_.message;

        EXPECT_EQ(NameOf(ctx_), name);
        aiox_context_unref(ctx_);
    }
}

TEST_F(Front, AutoTakesTheBestRank)
{
    ASSERT_EQ(aiox_new(&ctx_, &err_), 0) << err_.message;

    const aiox_backend_report *reports;
    int count = aiox_context_backend_report(ctx_, &reports);
    ASSERT_GE(count, 2);
    for (int i = 0; i < count; i++) {
        if (reports[i].stage == AIOX_BACKEND_SKIPPED) {
            EXPECT_LE(reports[i].rank, reports[0].rank);
        }
    }
    aiox_context_unref(ctx_);
}

TEST_F(Front, AWrongVariableIsNamed)
{
    setenv("AIOX_FDMON", "epol", 1);

    EXPECT_EQ(aiox_new(&ctx_, &err_), -ENOENT);

    EXPECT_EQ(std::string(err_.message).rfind("AIOX_FDMON: ", 0), 0U) << err_.message;
    EXPECT_NE(std::string(err_.message).find("did you mean 'epoll'?"), std::string::npos)
        << err_.message;
    EXPECT_EQ(ctx_, nullptr);
}

TEST_F(Front, NoVariableIsToBlameForTooFewDescriptors)
{
    rlimit before;
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit none = {0, before.rlim_max};
    setenv("AIOX_FDMON", "poll", 1);

    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    int error = aiox_new(&ctx_, &err_);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);

    EXPECT_EQ(error, -EMFILE);
    EXPECT_EQ(std::string(err_.message).find("AIOX_FDMON"), std::string::npos) << err_.message;
}

TEST_F(Front, BadOptionsAreAnError)
{
    setenv("AIOX_FDMON_OPTS", "epoll", 1);

    EXPECT_EQ(aiox_new(&ctx_, &err_), -EINVAL);

    EXPECT_NE(std::string(err_.message).find("name.key=value"), std::string::npos) << err_.message;
}

TEST_F(Front, DebuggingTellsWhatBecameOfEachCandidate)
{
    std::vector<std::string> lines;
    aiox_log_set_hook(Hear, &lines, AIOX_LOG_DEBUG);
    setenv("AIOX_FDMON", "nonsense,poll", 1);
    setenv("AIOX_FDMON_DEBUG", "1", 1);

    ASSERT_EQ(aiox_new(&ctx_, &err_), 0) << err_.message;

    int debug = 0;
    int info = 0;
    for (const std::string &line : lines) {
        debug += line[0] == '3' && line.find("backend '") != std::string::npos;
        info += line[0] == '2' && line.find("'nonsense'") != std::string::npos;
    }
    EXPECT_GE(debug, 2);
    EXPECT_EQ(info, 1) << "the second choice is said once";
    aiox_context_unref(ctx_);
}

TEST_F(Front, WithoutAMissIsSilent)
{
    std::vector<std::string> lines;
    aiox_log_set_hook(Hear, &lines, AIOX_LOG_INFO);
    setenv("AIOX_FDMON", "poll", 1);

    ASSERT_EQ(aiox_new(&ctx_, &err_), 0) << err_.message;

    EXPECT_TRUE(lines.empty()) << lines[0];
    aiox_context_unref(ctx_);
}
} // namespace
