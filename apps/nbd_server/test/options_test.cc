/* SPDX-License-Identifier: MIT */
#include "apps/nbd_server/options.h"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <regex.h>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "apps/nbd_server/options_rows.h"

namespace
{

constexpr char kManual[] = "apps/nbd_server/aiox-nbd.1";

/* All that the first group of @pattern, an extended regular expression, finds in @text. */
std::set<std::string> Found(const std::string &text, const char *pattern)
{
    std::set<std::string> all;
    regmatch_t match[2];
    regex_t regex;

    EXPECT_EQ(regcomp(&regex, pattern, REG_EXTENDED), 0);
    for (const char *at = text.c_str(); regexec(&regex, at, 2, match, 0) == 0;
         at += match[0].rm_eo) {
        all.emplace(at + match[1].rm_so, at + match[1].rm_eo);
    }
    regfree(&regex);
    return all;
}

class OptionsTest : public ::testing::Test
{
  protected:
    ~OptionsTest() override
    {
        options_fini(&options_);
    }
    int Parse(std::vector<std::string> words)
    {
        options_fini(&options_);
        words_ = std::move(words);
        words_.insert(words_.begin(), "aiox-nbd");
        argv_.clear();
        for (std::string &word : words_) {
            argv_.push_back(word.data());
        }
        argv_.push_back(nullptr);
        return options_parse(&options_, static_cast<int>(words_.size()), argv_.data(), &error_);
    }
    std::string Said() const
    {
        return error_.message;
    }

    options options_ = {};
    aiox_error error_ = {};
    std::vector<std::string> words_;
    std::vector<char *> argv_;
};

TEST_F(OptionsTest, AFileAloneIsTheDefaultExportOnTheLocalPort)
{
    ASSERT_EQ(Parse({"disk"}), 0);

    ASSERT_EQ(options_.export_count, 1);
    EXPECT_STREQ(options_.exports[0].name, "");
    EXPECT_STREQ(options_.exports[0].source, "disk");
    EXPECT_FALSE(options_.exports[0].read_only);
    ASSERT_EQ(options_.listens, 1);
    EXPECT_STREQ(options_.listen[0].where, "127.0.0.1");
    EXPECT_TRUE(options_.listens_by_default);
}

TEST_F(OptionsTest, ExportsHaveNamesAndOptionsOfTheirOwn)
{
    ASSERT_EQ(Parse({"--export", "a=b=c", "--export", "r=x,read-only", "--export", "k=one,,two",
                     "--export", "=nameless", "--export", "e=,,,,,read-only,description=a,, b=c"}),
              0);

    ASSERT_EQ(options_.export_count, 5);
    EXPECT_STREQ(options_.exports[0].name, "a");
    EXPECT_STREQ(options_.exports[0].source, "b=c");
    EXPECT_TRUE(options_.exports[1].read_only);
    EXPECT_STREQ(options_.exports[2].source, "one,two");
    EXPECT_FALSE(options_.exports[2].read_only);
    EXPECT_STREQ(options_.exports[3].name, "");
    EXPECT_STREQ(options_.exports[4].source, ",,");
    EXPECT_TRUE(options_.exports[4].read_only);
    EXPECT_STREQ(options_.exports[4].description, "a, b=c");
    EXPECT_EQ(options_.exports[0].description, nullptr);
}

TEST_F(OptionsTest, WhatIsWrittenMayGoElsewhere)
{
    ASSERT_EQ(Parse({"--export", "a=x,cow", "--export", "b=y,cow=1G", "--export", "c=z"}), 0);

    EXPECT_TRUE(options_.exports[0].cow && options_.exports[1].cow);
    EXPECT_EQ(options_.exports[0].cow_bytes, 0u);
    EXPECT_EQ(options_.exports[1].cow_bytes, UINT64_C(1) << 30);
    EXPECT_FALSE(options_.exports[2].cow);
}

TEST_F(OptionsTest, AnExportMayPassThePageCacheBy)
{
    ASSERT_EQ(Parse({"--export", "a=x,direct", "--export", "b=y,direct=no", "--export", "c=z"}), 0);

    EXPECT_TRUE(options_.exports[0].direct);
    EXPECT_FALSE(options_.exports[1].direct);
    EXPECT_FALSE(options_.exports[2].direct);
    EXPECT_FALSE(export_spec_is_same(&options_.exports[0], &options_.exports[1]));
    EXPECT_EQ(Parse({"--export", "a=x,direct=perhaps"}), -EINVAL);
}

TEST_F(OptionsTest, ReadOnlyHoldsForAllWhereverItStands)
{
    ASSERT_EQ(Parse({"--export", "a=b", "disk", "-r"}), 0);

    EXPECT_TRUE(options_.exports[0].read_only);
    EXPECT_TRUE(options_.exports[1].read_only);
}

TEST_F(OptionsTest, PlacesMayBeMany)
{
    ASSERT_EQ(Parse({"-u", "/a", "-t", "h:1", "--unix=/b", "disk"}), 0);

    ASSERT_EQ(options_.listens, 3);
    EXPECT_EQ(options_.listen[0].place, OPTIONS_UNIX);
    EXPECT_EQ(options_.listen[1].place, OPTIONS_TCP);
    EXPECT_STREQ(options_.listen[2].where, "/b");
}

TEST_F(OptionsTest, TimesAreInNanoseconds)
{
    ASSERT_EQ(Parse({"--handshake-timeout", "0.5", "--stop-timeout=0", "disk"}), 0);

    EXPECT_EQ(options_.handshake_ns, 500000000);
    EXPECT_EQ(options_.stop_ns, 0);
}

TEST_F(OptionsTest, TheCommandLineStaysAsItIsSoThatItCanBeReadAgain)
{
    ASSERT_EQ(Parse({"disk", "--export", "a=b,read-only", "-r"}), 0);

    EXPECT_EQ(words_,
              (std::vector<std::string>{"aiox-nbd", "disk", "--export", "a=b,read-only", "-r"}));
    EXPECT_STREQ(argv_[1], "disk");
}

TEST_F(OptionsTest, MemoryGrowsWithThreadsUnlessItIsSaid)
{
    ASSERT_EQ(Parse({"--threads", "4", "disk"}), 0);
    EXPECT_EQ(options_.memory_bytes, UINT64_C(1) << 30);
    ASSERT_EQ(Parse({"--threads", "64", "disk"}), 0);
    EXPECT_EQ(options_.memory_bytes, UINT64_C(4) << 30);
}

TEST_F(OptionsTest, HelpAndVersionNeedNoFile)
{
    EXPECT_EQ(Parse({"--help"}), 0);
    EXPECT_EQ(options_.wish, OPTIONS_HELP);
    EXPECT_EQ(Parse({"-V"}), 0);
    EXPECT_EQ(options_.wish, OPTIONS_VERSION);
}

TEST_F(OptionsTest, WhatIsWrongIsNamed)
{
    const std::pair<std::vector<std::string>, const char *> cases[] = {
        {{}, "there is nothing to serve"},
        {{"a", "b"}, "not also 'b'"},
        {{"--nonsense", "a"}, "--nonsense is not an option"},
        {{"-x", "a"}, "-x is not an option"},
        {{"a", "--unix"}, "--unix needs a value"},
        {{"--export", "a"}, "--export: 'a' is not NAME=FILE"},
        {{"--export", "a="}, "'a=' is not NAME=FILE"},
        {{"--export", "a=b,rw"}, "'rw' is not an option of an export"},
        {{"--export", "a=b,description"}, "description: of what words?"},
        {{"--export", "a=b,read-only=maybe"}, "'maybe' is neither yes nor no"},
        {{"--export", "a=b,"}, "'' is not an option of an export"},
        {{"--max-clients", "0", "a"}, "--max-clients: '0' is not a number from 1 to"},
        {{"--threads", "65", "a"}, "--threads: '65' is not a number from 1 to 64"},
        {{"--threads", "2", "--max-memory", "127M", "a"}, "2 threads need at least 128M"},
        {{"--stdio", "--unix", "/s", "a"}, "--stdio stands alone"},
        {{"--run", "true", "--daemon", "a"}, "--run and --daemon: one of them"},
        {{"--max-clients", "-1", "a"}, "'-1' is not a number"},
        {{"--busy-poll", "1000001", "a"}, "--busy-poll: '1000001' is not a number from 0 to"},
        {{"--max-memory", "63M", "a"}, "--max-memory: '63M' is not a size of at least 64M"},
        {{"--handshake-timeout", "soon", "a"}, "--handshake-timeout: 'soon' is not a number of"},
    };

    for (const auto &[words, said] : cases) {
        EXPECT_EQ(Parse(words), -EINVAL) << said;
        EXPECT_NE(Said().find(said), std::string::npos) << Said();
    }
}

TEST_F(OptionsTest, HelpAndManualHaveTheOptionsThatThereAreAndNoOthers)
{
    std::ifstream file(kManual);
    std::ostringstream manual;
    std::set<std::string> rows, letters;

    manual << file.rdbuf();
    for (const option_row *row = options_rows; row->name; row++) {
        rows.insert(row->name);
        if (row->letter) {
            letters.insert(std::string(1, row->letter));
        }
    }

    EXPECT_EQ(Found(options_help, "--([a-z-]+)"), rows);
    EXPECT_EQ(Found(options_help, "\n  -([a-zA-Z]), --"), letters);
    EXPECT_EQ(Found(manual.str(), "Fl -([a-z-]+)"), rows);
    EXPECT_EQ(Found(manual.str(), "Fl ([a-zA-Z]) ,"), letters);
}

TEST_F(OptionsTest, TheManualIsWellFormed)
{
    if (system("command -v groff >/dev/null") != 0) {
        GTEST_SKIP() << "not installed: groff";
    }

    EXPECT_EQ(
        system((std::string("test -z \"$(groff -mandoc -ww -z ") + kManual + " 2>&1)\"").c_str()),
        0);
}

TEST_F(OptionsTest, KeysMeanThatTlsIsRequiredUnlessItIsSaid)
{
    if (!tls_is_built) {
        GTEST_SKIP() << "built without TLS";
    }

    ASSERT_EQ(Parse({"disk"}), 0);
    EXPECT_EQ(options_.tls, HANDSHAKE_TLS_OFF);
    ASSERT_EQ(Parse({"--tls-psk", "keys", "disk"}), 0);
    EXPECT_EQ(options_.tls, HANDSHAKE_TLS_REQUIRE);
    EXPECT_STREQ(options_.tls_psk, "keys");
    ASSERT_EQ(Parse({"--tls-certs", "dir", "--tls=allow", "disk"}), 0);
    EXPECT_EQ(options_.tls, HANDSHAKE_TLS_ALLOW);
    EXPECT_STREQ(options_.tls_certs, "dir");
    ASSERT_EQ(Parse({"--tls-certs=a", "--tls-psk=b", "disk"}), 0);
    EXPECT_STREQ(options_.tls_certs, "a");
    EXPECT_STREQ(options_.tls_psk, "b");
    ASSERT_EQ(Parse({"--tls", "off", "--tls-certs", "dir", "disk"}), 0);
    EXPECT_EQ(options_.tls, HANDSHAKE_TLS_OFF);
}

TEST_F(OptionsTest, TlsWithoutKeysIsRefused)
{
    if (!tls_is_built) {
        GTEST_SKIP() << "built without TLS";
    }

    EXPECT_EQ(Parse({"--tls=require", "disk"}), -EINVAL);
    EXPECT_EQ(Said(), "--tls: needs --tls-certs or --tls-psk");
    EXPECT_EQ(Parse({"--tls=allow", "disk"}), -EINVAL);
    EXPECT_EQ(Parse({"--tls=yes", "disk"}), -EINVAL);
    EXPECT_EQ(Said(), "--tls: 'yes' is not off, allow or require");
}

TEST_F(OptionsTest, MoreThanThereIsRoomForIsRefused)
{
    std::vector<std::string> places, exports;

    for (int i = 0; i <= OPTIONS_LISTEN_MAX; i++) {
        places.insert(places.end(), {"-u", "/x"});
    }
    for (int i = 0; i <= OPTIONS_EXPORT_MAX; i++) {
        exports.insert(exports.end(), {"--export", std::to_string(i) + "=x"});
    }

    EXPECT_EQ(Parse(places), -EINVAL);
    EXPECT_EQ(Parse(exports), -EINVAL);
}

} // namespace
