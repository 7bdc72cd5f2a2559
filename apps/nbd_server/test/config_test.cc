/* SPDX-License-Identifier: MIT */
#include "apps/nbd_server/config.h"

#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace
{

class ConfigTest : public ::testing::Test
{
  protected:
    ~ConfigTest() override
    {
        options_fini(&options_);
        unlink(path_.c_str());
    }
    /* A file of @text, and a command line that names it. */
    int Parse(const std::string &text, std::vector<std::string> more = {})
    {
        std::ofstream(path_, std::ios::binary) << text;
        words_ = {"aiox-nbd", "--config", path_};
        words_.insert(words_.end(), more.begin(), more.end());
        argv_.clear();
        for (std::string &word : words_) {
            argv_.push_back(word.data());
        }
        argv_.push_back(nullptr);
        options_fini(&options_);
        return options_parse(&options_, static_cast<int>(words_.size()), argv_.data(), &error_);
    }

    std::string path_ = "/tmp/aiox-nbd-config-" + std::to_string(getpid());
    options options_ = {};
    aiox_error error_ = {};
    std::vector<std::string> words_;
    std::vector<char *> argv_;
};

TEST_F(ConfigTest, OptionsAreCalledAsOnTheCommandLine)
{
    ASSERT_EQ(Parse("# a comment\n"
                    "\n"
                    "threads = 4\n"
                    "  unix=/run/a b\t\r\n"
                    "tcp = :10809\n"
                    "idle-timeout = 1.5\n"
                    "busy-poll = 50\n"
                    "stats = /run/stats\n"
                    "verbose = yes\n"
                    "daemon = no\n"
                    "[export data]\n"
                    "file = /dev/vdb=1, or so\n"
                    "read-only = yes\n"
                    "direct = yes\n"
                    "[export two words ]\n"
                    "file = memory:1M\n"
                    "description = of two, words\n"),
              0)
        << error_.message;

    EXPECT_EQ(options_.threads, 4u);
    ASSERT_EQ(options_.listens, 2);
    EXPECT_STREQ(options_.listen[0].where, "/run/a b");
    EXPECT_EQ(options_.listen[1].place, OPTIONS_TCP);
    EXPECT_EQ(options_.idle_ns, 1500000000);
    EXPECT_EQ(options_.busy_poll_ns, 50000);
    EXPECT_STREQ(options_.stats, "/run/stats");
    EXPECT_EQ(options_.log_level, AIOX_LOG_DEBUG);
    EXPECT_FALSE(options_.daemon);
    ASSERT_EQ(options_.export_count, 2);
    EXPECT_STREQ(options_.exports[0].name, "data");
    EXPECT_STREQ(options_.exports[0].source, "/dev/vdb=1, or so");
    EXPECT_TRUE(options_.exports[0].read_only);
    EXPECT_TRUE(options_.exports[0].direct);
    EXPECT_STREQ(options_.exports[1].name, "two words");
    EXPECT_FALSE(options_.exports[1].read_only);
    EXPECT_STREQ(options_.exports[1].description, "of two, words");
}

TEST_F(ConfigTest, TheCommandLineWinsAndAddsUp)
{
    ASSERT_EQ(Parse("threads = 4\nunix = /a\ndaemon = yes\n[export one]\nfile = 1\n",
                    {"--threads", "2", "-u", "/b", "--foreground", "--export", "two=2", "three"}),
              0);

    EXPECT_EQ(options_.threads, 2u);
    EXPECT_EQ(options_.listens, 2);
    EXPECT_FALSE(options_.daemon);
    ASSERT_EQ(options_.export_count, 3);
    EXPECT_STREQ(options_.exports[0].name, "one");
    EXPECT_STREQ(options_.exports[2].source, "three");
}

TEST_F(ConfigTest, AnExportMayHaveNoName)
{
    ASSERT_EQ(Parse("[export]\nfile = disk\n"), 0) << error_.message;

    EXPECT_STREQ(options_.exports[0].name, "");
}

TEST_F(ConfigTest, WhatIsWrongIsNamedWithFileAndLine)
{
    const std::pair<std::string, std::string> cases[] = {
        {"threads = 2\nfrobnicate = 3\n", ":2: 'frobnicate' is not a key here"},
        {"\n\nthreads = none\n", ":3: threads: 'none' is not a number from 1 to 64"},
        {"threads 2\n", ":1: 'threads 2' is not KEY = VALUE"},
        {"read-only = perhaps\n", ":1: read-only: 'perhaps' is neither yes nor no"},
        {"[exports a]\n", ":1: '[exports a]' is not [export NAME]"},
        {"[export a\n", ":1: '[export a' is not [export NAME]"},
        {"[export a]\nthreads = 2\n", ":2: 'threads' is not an option of an export"},
        {"[export a]\nfile =\n", ":2: file: of what name?"},
        {"[export a]\nread-only = maybe\n", ":2: read-only: 'maybe' is neither yes nor no"},
        {"[export a]\nread-only = yes\n", ": [export a] has no 'file ='"},
        {"config = other\n", ":1: 'config' is not a key here"},
        {"run = true\n", ":1: 'run' is not a key here"},
        {"help = yes\n", ":1: 'help' is not a key here"},
        {"export = a=b\n", ":1: 'export' is not a key here"},
    };

    for (const auto &[text, said] : cases) {
        EXPECT_EQ(Parse(text, {"disk"}), -EINVAL) << text;
        EXPECT_EQ(std::string(error_.message), path_ + said);
    }
}

TEST_F(ConfigTest, FilesThatAreNoneAreRefused)
{
    std::string with_nul = "threads = 2";

    with_nul[3] = '\0';
    EXPECT_EQ(Parse(with_nul), -EINVAL);
    EXPECT_EQ(Parse(std::string(CONFIG_BYTES_MAX, '#')), -EFBIG);
    words_ = {"aiox-nbd", "-c", "/nowhere/at/all", "disk"};
    for (size_t i = 0; i < words_.size(); i++) {
        argv_[i] = words_[i].data();
    }
    argv_.resize(words_.size());
    options_fini(&options_);
    EXPECT_EQ(options_parse(&options_, 4, argv_.data(), &error_), -ENOENT);
    EXPECT_NE(std::string(error_.message).find("/nowhere/at/all"), std::string::npos);
}

TEST_F(ConfigTest, AnyBytesAreReadWithoutHarm)
{
    const std::string alphabet = "[]=# \t\r\nexportfile,yesno\xff";
    uint64_t random = 7;

    for (int round = 0; round < 300; round++) {
        std::string text;

        for (int i = 0; i < 60; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            text += alphabet[(random >> 33) % alphabet.size()];
        }
        (void)Parse(text, {"disk"});
    }
}

} // namespace
