/* SPDX-License-Identifier: MIT */
#include "apps/nbd_server/text.h"

#include <string>

#include <gtest/gtest.h>

namespace
{

std::string Quote(const std::string &bytes)
{
    char out[TEXT_QUOTED];

    return text_quote(out, bytes.data(), bytes.size());
}

TEST(Text, PlainWordsStayAsTheyAre)
{
    EXPECT_EQ(Quote("disk 1.img"), "\"disk 1.img\"");
    EXPECT_EQ(Quote(""), "\"\"");
}

TEST(Text, WhatATerminalMightObeyIsSpelledOut)
{
    EXPECT_EQ(Quote("a\n\x1b[2J\x7f\x80"), "\"a\\x0a\\x1b[2J\\x7f\\x80\"");
    EXPECT_EQ(Quote(std::string("\0", 1)), "\"\\x00\"");
    EXPECT_EQ(Quote("\"\\"), "\"\\x22\\x5c\"");
}

TEST(Text, WhatIsTooLongEndsInDots)
{
    for (size_t n = 0; n < 5000; n++) {
        for (char c : {'x', '\n'}) {
            std::string quoted = Quote(std::string(n, c));

            ASSERT_LT(quoted.size(), static_cast<size_t>(TEXT_QUOTED));
            ASSERT_EQ(quoted.back(), '"');
            ASSERT_EQ(quoted.find("...\"") != std::string::npos, c == 'x' ? n > 87 : n > 22) << n;
        }
    }
}

TEST(Text, ACopyEndsWhereTheRoomDoes)
{
    char out[5] = "????";

    text_copy(out, sizeof(out), "1234");
    EXPECT_STREQ(out, "1234");
    text_copy(out, sizeof(out), "");
    EXPECT_STREQ(out, "");

    text_copy(out, sizeof(out), "123456789");

    EXPECT_STREQ(out, "1234");
}

TEST(Text, UriHasNoByteThatMeansSomethingThere)
{
    char out[64] = "nbd+unix:///";

    text_append_uri(out, sizeof(out), "a b?c&d/\xc3\xa9%");

    EXPECT_STREQ(out, "nbd+unix:///a%20b%3Fc%26d/%C3%A9%25");
}

TEST(Text, UriIsCutRatherThanOverrun)
{
    for (size_t room = 1; room < 12; room++) {
        char out[16] = "";

        text_append_uri(out, room, "ab?cd");
        EXPECT_LT(std::string(out).size(), room);
    }
}

TEST(Text, SizesHaveSuffixesOf1024)
{
    uint64_t n = 0;

    EXPECT_TRUE(text_to_size("0", &n) && n == 0);
    EXPECT_TRUE(text_to_size("512", &n) && n == 512);
    EXPECT_TRUE(text_to_size("3k", &n) && n == 3072);
    EXPECT_TRUE(text_to_size("3K", &n) && n == 3072);
    EXPECT_TRUE(text_to_size("2G", &n) && n == UINT64_C(2) << 30);
    EXPECT_TRUE(text_to_size("16777215T", &n) && n == UINT64_C(16777215) << 40);
    for (const char *bad : {"", "-1", "+1", " 1", "1x", "1kB", "k", "16777216T",
                            "18446744073709551616", "1.5G", "0x10"}) {
        EXPECT_FALSE(text_to_size(bad, &n)) << bad;
    }
}

TEST(Text, TimesAreSecondsWithAPoint)
{
    int64_t ns = 0;

    EXPECT_TRUE(text_to_ns("0", &ns) && ns == 0);
    EXPECT_TRUE(text_to_ns("0.5", &ns) && ns == 500000000);
    EXPECT_TRUE(text_to_ns("30", &ns) && ns == INT64_C(30000000000));
    for (const char *bad : {"", "-1", "1s", "nan", "inf", "1e3", "0x10", "1000001", " 1"}) {
        EXPECT_FALSE(text_to_ns(bad, &ns)) << bad;
    }
}

TEST(Text, NumbersStayInTheirRange)
{
    unsigned long n = 0;

    EXPECT_TRUE(text_to_number("1", 1, 10, &n) && n == 1);
    EXPECT_TRUE(text_to_number("10", 1, 10, &n) && n == 10);
    for (const char *bad : {"", "0", "11", "-1", "5 ", "5x", "99999999999999999999"}) {
        EXPECT_FALSE(text_to_number(bad, 1, 10, &n)) << bad;
    }
}

} // namespace
