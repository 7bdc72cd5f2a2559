/* SPDX-License-Identifier: MIT */
/* negotiate_test.cc - tables of any age and of any make mean something, or are refused. */
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

extern "C" {
#include "lib/aio/src/negotiate.h"
}

namespace
{
int Open(const aiox_fdmon_host *, aiox_fdmon **)
{
    return -ENOSYS;
}
void Close(aiox_fdmon *)
{
}
int Interest(aiox_fdmon *, int, uint32_t, uint32_t, uint64_t)
{
    return 0;
}
int Collect(aiox_fdmon *, int64_t, aiox_fdmon_event *, int)
{
    return 0;
}
bool Pending(aiox_fdmon *)
{
    return false;
}
int Probe(const aiox_fdmon_host *, aiox_fdmon_probe *)
{
    return 0;
}
int Submit(aiox_fdmon *, aiox_fdmon_prepare_fn *, void *, uint64_t)
{
    return 0;
}
int Cancel(aiox_fdmon *, uint64_t)
{
    return 0;
}
bool Supports(aiox_fdmon *, unsigned)
{
    return true;
}

aiox_fdmon_completion completion;

const void *GetExtension(const char *id)
{
    return strcmp(id, AIOX_FDMON_COMPLETION_ID) == 0 ? &completion : nullptr;
}

class Negotiation : public ::testing::Test
{
  protected:
    Negotiation()
    {
        ops_.size = sizeof(ops_);
        ops_.open = Open;
        ops_.close = Close;
        ops_.interest = Interest;
        ops_.collect = Collect;
        plugin_.magic = AIOX_FDMON_MAGIC;
        plugin_.abi_major = AIOX_FDMON_ABI_MAJOR;
        plugin_.abi_minor = AIOX_FDMON_ABI_MINOR;
        plugin_.size = sizeof(plugin_);
        plugin_.name = "tiny";
        plugin_.version = "1.2.3";
        plugin_.ops = &ops_;
        plugin_.probe = Probe;
        completion = {};
        completion.size = sizeof(completion);
        completion.submit = Submit;
        completion.cancel = Cancel;
        completion.supports = Supports;
    }

    void Accepted()
    {
        ASSERT_EQ(negotiate_(&tables_, &plugin_, &report_), 0) << report_.text;
    }

    std::string Refusal()
    {
        EXPECT_EQ(negotiate_(&tables_, &plugin_, &report_), -EPROTO);
        EXPECT_EQ(report_.stage, AIOX_BACKEND_ABI);
        EXPECT_EQ(report_.error, -EPROTO);
        return report_.text;
    }

    aiox_fdmon_ops ops_ = {};
    aiox_fdmon_plugin plugin_ = {};
    tables tables_ = {};
    aiox_backend_report report_ = {};
};

TEST_F(Negotiation, TheSameAgeIsTakenAsItIs)
{
    ops_.pending = Pending;

    Accepted();

    EXPECT_STREQ(tables_.plugin.name, "tiny");
    EXPECT_EQ(tables_.ops.pending, Pending);
    EXPECT_EQ(tables_.ops.nudge, nullptr);
    EXPECT_FALSE(tables_.has_completion);
    EXPECT_STREQ(tables_.plugin.summary, "") << "no string is NULL";
    EXPECT_STREQ(tables_.plugin.license, "");
}

TEST_F(Negotiation, AnOlderTableLacksWhatCameLater)
{
    ops_.pending = Pending; /* stands behind the end of what it says it has */
    ops_.size = offsetof(aiox_fdmon_ops, nudge);
    plugin_.get_extension = GetExtension;
    plugin_.size = offsetof(aiox_fdmon_plugin, get_extension);

    Accepted();

    EXPECT_EQ(tables_.ops.collect, Collect);
    EXPECT_EQ(tables_.ops.pending, nullptr);
    EXPECT_EQ(tables_.plugin.get_extension, nullptr);
    EXPECT_FALSE(tables_.has_completion);
}

TEST_F(Negotiation, ANewerTableLosesWhatIsNotKnown)
{
    std::vector<char> newer(sizeof(ops_) + 64, '\xff');
    ops_.size = static_cast<uint32_t>(newer.size());
    memcpy(newer.data(), &ops_, sizeof(ops_));
    plugin_.ops = reinterpret_cast<const aiox_fdmon_ops *>(newer.data());
    plugin_.abi_minor = 99;

    Accepted();

    EXPECT_EQ(tables_.ops.collect, Collect);
    EXPECT_EQ(tables_.ops.describe, nullptr);
    EXPECT_EQ(tables_.plugin.abi_minor, 99);
}

TEST_F(Negotiation, AnotherMajorIsRefused)
{
    plugin_.abi_major = 2;

    EXPECT_NE(Refusal().find("2.0"), std::string::npos) << report_.text;
}

TEST_F(Negotiation, AMarkThatIsNotOursIsRefused)
{
    plugin_.magic ^= 1;

    EXPECT_NE(Refusal().find("mark"), std::string::npos);
}

TEST_F(Negotiation, ASizeThatCannotBeIsRefused)
{
    for (uint32_t size : {0U, 8U, 0xffffffffU}) {
        plugin_.size = size;
        EXPECT_NE(Refusal().find("bytes"), std::string::npos) << size;
    }
    plugin_.size = sizeof(plugin_);
    ops_.size = 0x7fffffff;
    EXPECT_NE(Refusal().find("bytes"), std::string::npos);
}

TEST_F(Negotiation, AMissingFunctionIsNamed)
{
    ops_.collect = nullptr;
    EXPECT_EQ(Refusal(), "the required function collect() is missing");
    ops_.interest = nullptr;
    EXPECT_EQ(Refusal(), "the required function interest() is missing");
    ops_.close = nullptr;
    EXPECT_EQ(Refusal(), "the required function close() is missing");
    ops_.open = nullptr;
    EXPECT_EQ(Refusal(), "the required function open() is missing");
    plugin_.probe = nullptr;
    EXPECT_EQ(Refusal(), "the required function probe() is missing");
    plugin_.ops = nullptr;
    EXPECT_EQ(Refusal(), "the descriptor has no table of functions");
}

TEST_F(Negotiation, ATableThatEndsBeforeARequiredFunctionIsRefused)
{
    ops_.size = offsetof(aiox_fdmon_ops, collect);
    EXPECT_EQ(Refusal(), "the required function collect() is missing");

    ops_.size = offsetof(aiox_fdmon_ops, collect) + 4;
    EXPECT_EQ(Refusal(), "the required function collect() is missing");

    ops_.size = sizeof(ops_);
    plugin_.size = offsetof(aiox_fdmon_plugin, probe);
    EXPECT_EQ(Refusal(), "the required function probe() is missing");
}

TEST_F(Negotiation, ABitThatMustBeUnderstoodIsRefused)
{
    plugin_.caps = UINT64_C(1) << 48;
    EXPECT_NE(Refusal().find("0x1000000000000"), std::string::npos) << report_.text;
    EXPECT_STRNE(report_.hint, "");

    plugin_.caps = 0;
    plugin_.needs = UINT64_C(1) << 63;
    Refusal();
}

TEST_F(Negotiation, OtherUnknownBitsAreIgnored)
{
    plugin_.caps = UINT64_C(1) << 47;
    plugin_.needs = UINT64_C(1) << 40;

    Accepted();
}

TEST_F(Negotiation, ANameIsALowerCaseWord)
{
    for (const char *bad :
         {"", "Tiny", "ti-ny", "../tiny", "9tiny", "a123456789012345678901234567890123456789"}) {
        plugin_.name = bad;
        EXPECT_EQ(Refusal(), "the descriptor has no good name") << bad;
    }
    plugin_.name = nullptr;
    EXPECT_EQ(Refusal(), "the descriptor has no good name");
}

TEST_F(Negotiation, CompletionIsTakenWhole)
{
    plugin_.get_extension = GetExtension;

    Accepted();

    EXPECT_TRUE(tables_.has_completion);
    EXPECT_EQ(tables_.completion.submit, Submit);
    EXPECT_TRUE(tables_.plugin.caps & AIOX_FDMON_CAP_COMPLETION);
}

TEST_F(Negotiation, HalfACompletionIsNone)
{
    plugin_.get_extension = GetExtension;
    plugin_.caps = AIOX_FDMON_CAP_COMPLETION;
    completion.size = offsetof(aiox_fdmon_completion, supports);

    Accepted();

    EXPECT_FALSE(tables_.has_completion);
    EXPECT_EQ(tables_.completion.submit, nullptr);
    EXPECT_FALSE(tables_.plugin.caps & AIOX_FDMON_CAP_COMPLETION);
}

TEST_F(Negotiation, PendingIsACapabilityOnlyWithItsFunction)
{
    plugin_.caps = AIOX_FDMON_CAP_PENDING | AIOX_FDMON_CAP_LEVEL;
    Accepted();
    EXPECT_EQ(tables_.plugin.caps, AIOX_FDMON_CAP_LEVEL);

    ops_.pending = Pending;
    Accepted();
    EXPECT_EQ(tables_.plugin.caps, AIOX_FDMON_CAP_PENDING | AIOX_FDMON_CAP_LEVEL);
}
} // namespace
