/* SPDX-License-Identifier: MIT */
/* spec_test.cc - what can be said of a backend, and what cannot. */
#include <cerrno>
#include <string>

#include <gtest/gtest.h>

#include "aiox/fdmon.h"

extern "C" {
#include "lib/aio/src/names.h"
#include "lib/aio/src/options.h"
#include "lib/aio/src/spec.h"
}

namespace
{
class Spec : public ::testing::Test
{
  protected:
    /* The order that @text asks for: "io_uring epoll! auto". */
    std::string Order(const char *text)
    {
        std::string order;

        EXPECT_EQ(spec_parse_(&spec_, text, &err_), 0) << err_.message;
        for (int i = 0; i < spec_.choice_count; i++) {
            const spec_choice &choice = spec_.choices[i];
            order += (i ? " " : "") + std::string(choice.name[0] ? choice.name : "auto") +
                     (choice.must ? "!" : "");
        }
        return order;
    }

    std::string Refusal(const char *text)
    {
        err_ = {};
        EXPECT_EQ(spec_parse_(&spec_, text, &err_), -EINVAL) << text;
        EXPECT_EQ(err_.code, -EINVAL);
        return err_.message;
    }

    spec spec_ = {};
    aiox_error err_ = {};
};

TEST_F(Spec, AListIsAnOrder)
{
    EXPECT_EQ(Order("io_uring,epoll"), "io_uring epoll");
    EXPECT_EQ(Order("epoll,auto"), "epoll auto");
    EXPECT_EQ(Order("io_uring,epoll!,poll"), "io_uring epoll! poll");
}

TEST_F(Spec, ALoneNameIsThisOneOrAnError)
{
    EXPECT_EQ(Order("epoll"), "epoll!");
    EXPECT_EQ(Order("epoll!"), "epoll!");
    EXPECT_EQ(Order("epoll,static"), "epoll!");
}

TEST_F(Spec, WithoutANameItIsAuto)
{
    EXPECT_EQ(Order("auto"), "auto");
    EXPECT_EQ(Order("-io_uring"), "auto");
    EXPECT_EQ(Order("static"), "auto");
    EXPECT_EQ(Order("caps:pri"), "auto");
}

TEST_F(Spec, ExclusionsHoldWhereverTheyStand)
{
    EXPECT_EQ(Order("-a,auto,-b_2"), "auto");

    EXPECT_TRUE(spec_excludes_(&spec_, "a"));
    EXPECT_TRUE(spec_excludes_(&spec_, "b_2"));
    EXPECT_FALSE(spec_excludes_(&spec_, "b"));
}

TEST_F(Spec, CapabilitiesAddUp)
{
    Order("caps:ns_timeout+completion,epoll,caps:pri");

    EXPECT_EQ(spec_.caps,
              AIOX_FDMON_CAP_NS_TIMEOUT | AIOX_FDMON_CAP_COMPLETION | AIOX_FDMON_CAP_PRI);
    EXPECT_FALSE(spec_.linked_in_only);
}

TEST_F(Spec, StaticOpensNoFile)
{
    Order("epoll,static");

    EXPECT_TRUE(spec_.linked_in_only);
}

TEST_F(Spec, WhatIsNoNameIsRefusedWithItsPlace)
{
    EXPECT_NE(Refusal("poll,,epoll").find("at 6"), std::string::npos) << err_.message;
    for (const char *bad :
         {"",         ",",      "poll,",       ",poll",  "Poll",    "1poll",
          "_poll",    "po ll",  " poll",       "poll ",  "../poll", "/tmp/fdmon_poll.so",
          "poll!!",   "!",      "-",           "--poll", "-poll!",  "-auto!",
          "po-ll",    "poll:x", "p\xc3\xb6ll", "caps:",  "caps:+",  "caps:pri+",
          "caps:-pri"}) {
        EXPECT_FALSE(Refusal(bad).empty()) << bad;
    }
}

TEST_F(Spec, ANameHasAtMostThirtyOneCharacters)
{
    std::string longest(31, 'a');

    EXPECT_EQ(Order(longest.c_str()), longest + "!");
    Refusal((longest + "a").c_str());
    Refusal(("-" + longest + "a").c_str());
    Refusal(std::string(100000, 'a').c_str());
}

TEST_F(Spec, TooManyNamesAreRefused)
{
    std::string names = "a";
    for (int i = 1; i < SPEC_MAX; i++) {
        names += ",a";
    }

    EXPECT_EQ(spec_parse_(&spec_, names.c_str(), &err_), 0);
    Refusal((names + ",a").c_str());
}

TEST_F(Spec, AskedForAndExcludedIsRefused)
{
    EXPECT_NE(Refusal("poll,epoll,-epoll").find("'epoll'"), std::string::npos);
}

TEST_F(Spec, AWrongCapabilityIsToldWhatWasMeant)
{
    EXPECT_NE(Refusal("caps:ns_timout").find("did you mean 'ns_timeout'?"), std::string::npos)
        << err_.message;
    EXPECT_NE(Refusal("caps:xyzzy").find("level+ns_timeout"), std::string::npos) << err_.message;
}

TEST_F(Spec, NobodyNeedsWordsForAnError)
{
    EXPECT_EQ(spec_parse_(&spec_, "Poll", nullptr), -EINVAL);
}

std::string Near(const char *word)
{
    const char *known[] = {"poll", "epoll", "io_uring"};
    const char *near = name_near_(word, known, 3);
    return near ? near : "";
}

TEST(Names, ASlipOfThePenIsUnderstood)
{
    EXPECT_EQ(Near("epol"), "epoll");
    EXPECT_EQ(Near("eplol"), "epoll");
    EXPECT_EQ(Near("iouring"), "io_uring");
    EXPECT_EQ(Near("uring"), "io_uring");
    EXPECT_EQ(Near("io_urinng"), "io_uring");
    EXPECT_EQ(Near("polll"), "poll");
    EXPECT_EQ(Near("pol"), "poll");
}

TEST(Names, SomethingElseIsNot)
{
    EXPECT_EQ(Near("kqueue"), "");
    EXPECT_EQ(Near("select"), "");
    EXPECT_EQ(Near(""), "");
    EXPECT_EQ(Near("x"), "");
    EXPECT_EQ(Near(std::string(1000, 'l').c_str()), "");
}

class Options : public ::testing::Test
{
  protected:
    Options()
    {
        plugin_.name = "tiny";
        plugin_.options = kKnown;
    }
    ~Options() override
    {
        free(options_);
    }

    int Take(const char *text)
    {
        return options_new_(&options_, text, &plugin_, &err_);
    }

    static const aiox_fdmon_option kKnown[];
    aiox_fdmon_plugin plugin_ = {};
    backend_options *options_ = nullptr;
    aiox_error err_ = {};
};

const aiox_fdmon_option Options::kKnown[] = {
    {"size", "16", "how many"}, {"flavour", "plain", "which"}, {nullptr, nullptr, nullptr}};

TEST_F(Options, AreDefaultsUntilTheyAreSet)
{
    ASSERT_EQ(Take("tiny.size=7"), 0);

    EXPECT_STREQ(options_get_(options_, "size"), "7");
    EXPECT_STREQ(options_get_(options_, "flavour"), "plain");
    EXPECT_EQ(options_get_(options_, "colour"), nullptr);
}

TEST_F(Options, OfOthersAreNotOurs)
{
    ASSERT_EQ(Take("tin.size=1,tiny.flavour=,tinyy.size=2,other.colour=a.b=c"), 0);

    EXPECT_STREQ(options_get_(options_, "size"), "16");
    EXPECT_STREQ(options_get_(options_, "flavour"), "");
}

TEST_F(Options, TheLastOneHolds)
{
    ASSERT_EQ(Take("tiny.size=1,tiny.size=a=b"), 0);

    EXPECT_STREQ(options_get_(options_, "size"), "a=b");
}

TEST_F(Options, ThatDoNotExistAreNamed)
{
    EXPECT_EQ(Take("tiny.sise=1"), -EINVAL);

    EXPECT_EQ(options_, nullptr);
    EXPECT_STREQ(err_.message, "backend 'tiny' has no option 'sise'; did you mean 'size'?");
}

TEST_F(Options, NoneIsGood)
{
    plugin_.options = nullptr;
    ASSERT_EQ(Take(nullptr), 0);

    EXPECT_EQ(options_get_(options_, "size"), nullptr);
}

TEST_F(Options, ACopyHasTheSameValues)
{
    ASSERT_EQ(Take("tiny.flavour=hot"), 0);

    backend_options *copy = options_copy_(options_);

    EXPECT_STREQ(options_get_(copy, "size"), "16");
    EXPECT_STREQ(options_get_(copy, "flavour"), "hot");
    EXPECT_NE(options_get_(copy, "flavour"), options_get_(options_, "flavour"));
    free(copy);
}

TEST_F(Options, WhatHasNotTheirFormIsRefusedWithItsPlace)
{
    for (const char *bad : {"", "tiny", "tiny.size", "tiny=1", ".size=1", "tiny.=1", "a.b=1,",
                            "a.b=1,,c.d=2", "Tiny.size=1", "ti ny.size=1", "=1.5", "a/b.c=1"}) {
        EXPECT_EQ(options_check_(bad, &err_), -EINVAL) << bad;
    }
    EXPECT_EQ(options_check_("a.b=1,c.d", &err_), -EINVAL);
    EXPECT_NE(std::string(err_.message).find("'c.d' at 7"), std::string::npos) << err_.message;
    EXPECT_EQ(options_check_(nullptr, &err_), 0);
    EXPECT_EQ(options_check_("a.b=,c.d=x=y", &err_), 0);
}
} // namespace
