/* SPDX-License-Identifier: MIT */
#include "aiox/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <clocale>
#include <string>

namespace
{

TEST(Error, SetTakesCodeAndSentenceAndReturnsTheCode)
{
    aiox_error err = {};

    int code = aiox_error_set(&err, -ENOENT, "no file '%s' in %d places", "a", 3);

    EXPECT_EQ(code, -ENOENT);
    EXPECT_EQ(err.code, -ENOENT);
    EXPECT_STREQ(err.message, "no file 'a' in 3 places");
}

TEST(Error, NobodyNeedsToListen)
{
    EXPECT_EQ(aiox_error_set(nullptr, -EIO, "%s", "x"), -EIO);
    EXPECT_EQ(aiox_error_prefix(nullptr, "%s: ", "x"), 0);
}

TEST(Error, PrefixStandsInFrontAndKeepsTheCode)
{
    aiox_error err = {};
    aiox_error_set(&err, -EACCES, "denied");

    int code = aiox_error_prefix(&err, "cannot open export '%s': ", "a");

    EXPECT_EQ(code, -EACCES);
    EXPECT_STREQ(err.message, "cannot open export 'a': denied");
}

TEST(Error, LongSentencesAreCutAndEnded)
{
    aiox_error err = {};
    std::string long_text(1000, 'x');

    aiox_error_set(&err, -EIO, "%s", long_text.c_str());

    EXPECT_EQ(err.message, std::string(sizeof(err.message) - 1, 'x'));
}

TEST(Error, ALongPrefixIsCutAndEnded)
{
    aiox_error err = {};
    std::string long_text(1000, 'y');
    aiox_error_set(&err, -EIO, "x");

    aiox_error_prefix(&err, "%s", long_text.c_str());

    EXPECT_EQ(err.message, std::string(sizeof(err.message) - 1, 'y'));
}

TEST(Error, APrefixThatJustFitsCutsTheRest)
{
    aiox_error err = {};
    std::string prefix(sizeof(err.message) - 3, 'p');
    aiox_error_set(&err, -EIO, "abc");

    aiox_error_prefix(&err, "%s", prefix.c_str());

    EXPECT_EQ(err.message, prefix + "ab");
}

TEST(Error, TextIsEnglishForEitherSign)
{
    EXPECT_STREQ(aiox_error_text(-ENOENT), "No such file or directory");
    EXPECT_STREQ(aiox_error_text(ENOENT), "No such file or directory");
    EXPECT_STREQ(aiox_error_text(-99999), "unknown error");
}

TEST(Error, NameIsTheMacro)
{
    EXPECT_STREQ(aiox_error_name(-EAGAIN), "EAGAIN");
    EXPECT_STREQ(aiox_error_name(EPERM), "EPERM");
    EXPECT_STREQ(aiox_error_name(99999), "?");
}

} // namespace
