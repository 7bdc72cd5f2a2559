/* SPDX-License-Identifier: MIT */
/*
 * meta_test.cc - how client and server agree to speak: structured replies,
 * extended headers, metadata contexts, block sizes, descriptions.
 */
#include "golden.h"
#include "handshake_fixture.h"

namespace
{

using golden::Bytes;
using golden::ClientFlags;
using golden::Go;
using golden::Info;
using golden::ListMeta;
using golden::MetaData;
using golden::MetaReply;
using golden::Option;
using golden::OptionReply;
using golden::OptionSaying;
using golden::SetMeta;
using nbd_test::HandshakeTest;
using nbd_test::kFlags;
using nbd_test::Outcome;

constexpr uint32_t kAck = 1, kServer = 2, kInfo = 3;
constexpr uint32_t kInvalid = 0x80000003, kUnknown = 0x80000006, kTooBig = 0x80000009;
constexpr uint32_t kStructured = 8, kListMeta = 9, kSetMeta = 10, kExtended = 11;
constexpr uint16_t kDf = 128, kStatusPayload = 4096;
const char kAllocation[] = "base:allocation";

class MetaTest : public HandshakeTest
{
  protected:
    MetaTest()
    {
        Add("disk", "memory:1k");
        Add("tape", "memory:2k");
    }

    /* What the server answers to @options, once structured replies were agreed on. */
    std::string Answers(const std::string &options)
    {
        std::string first = OptionReply(kStructured, kAck);
        Outcome o = Send(ClientFlags(3) + Option(kStructured) + options);

        EXPECT_EQ(o.sent.substr(0, first.size()), first);
        return o.sent.substr(first.size());
    }
    /* The first 16 bytes of a reply: what it is, without its words. */
    static std::string Kind(uint32_t option, uint32_t type)
    {
        return OptionReply(option, type).substr(0, 16);
    }
    dialect Agreed(const std::string &options)
    {
        Outcome o = Send(ClientFlags(3) + options);

        EXPECT_EQ(o.verdict, HANDSHAKE_SERVE);
        return o.agreed;
    }
};

/* ---- replies and headers ---- */

TEST_F(MetaTest, NothingIsAgreedUnlessAskedFor)
{
    dialect d = Agreed(Go("disk"));

    EXPECT_EQ(d.replies, REPLIES_SIMPLE);
    EXPECT_FALSE(d.allocation);
}

TEST_F(MetaTest, StructuredRepliesAllowDontFragment)
{
    Outcome o = Send(ClientFlags(3) + Option(kStructured) + Go("disk"));

    EXPECT_EQ(o.sent, OptionReply(kStructured, kAck) +
                          OptionReply(7, kInfo, ExportInfo(1024, kFlags | kDf)) +
                          OptionReply(7, kAck));
    EXPECT_EQ(o.agreed.replies, REPLIES_STRUCTURED);
}

TEST_F(MetaTest, ExtendedHeadersNeedNoStructuredRepliesFirst)
{
    EXPECT_EQ(Agreed(Option(kExtended) + Go("disk")).replies, REPLIES_EXTENDED);
    EXPECT_EQ(Agreed(Option(kStructured) + Option(kExtended) + Go("disk")).replies,
              REPLIES_EXTENDED);
}

TEST_F(MetaTest, AskedTwiceOrWithAPayloadIsInvalidAndChangesNothing)
{
    for (uint32_t option : {kStructured, kExtended}) {
        Outcome twice = Send(ClientFlags(3) + Option(option) + Option(option) + Go("disk"));
        Outcome payload = Send(ClientFlags(3) + Option(option, "x") + Go("disk"));

        EXPECT_EQ(twice.sent.substr(20, 16), Kind(option, kInvalid));
        EXPECT_EQ(twice.agreed.replies,
                  option == kStructured ? REPLIES_STRUCTURED : REPLIES_EXTENDED);
        EXPECT_EQ(payload.sent.substr(0, 16), Kind(option, kInvalid));
        EXPECT_EQ(payload.agreed.replies, REPLIES_SIMPLE);
    }
}

TEST_F(MetaTest, StructuredRepliesBehindExtendedHeadersTakeNothingBack)
{
    Outcome o = Send(ClientFlags(3) + Option(kExtended) + Option(kStructured) + Go("disk"));

    EXPECT_EQ(o.sent.substr(20, 16), Kind(kStructured, kInvalid));
    EXPECT_EQ(o.agreed.replies, REPLIES_EXTENDED);
}

/* ---- contexts ---- */

TEST_F(MetaTest, ListTellsTheContextOfEachQueryThatFindsIt)
{
    const std::string found = MetaReply(kListMeta, 0, kAllocation) + OptionReply(kListMeta, kAck);

    EXPECT_EQ(Answers(ListMeta("disk", {})), found);
    EXPECT_EQ(Answers(ListMeta("disk", {"base:"})), found);
    EXPECT_EQ(Answers(ListMeta("disk", {kAllocation})), found);
    EXPECT_EQ(Answers(ListMeta("disk", {"x-other:thing", "base:", kAllocation})), found);
    EXPECT_EQ(Answers(ListMeta("disk", {"x-other:thing", "base:alloc", "base", ""})),
              OptionReply(kListMeta, kAck));
}

TEST_F(MetaTest, SetSelectsByTheWholeNameOnly)
{
    EXPECT_EQ(Answers(SetMeta("disk", {kAllocation})),
              MetaReply(kSetMeta, 1, kAllocation) + OptionReply(kSetMeta, kAck));
    EXPECT_EQ(Answers(SetMeta("disk", {"base:", "base:allocation2", "qemu:dirty-bitmap:b"})),
              OptionReply(kSetMeta, kAck));
    EXPECT_EQ(Answers(SetMeta("disk", {})), OptionReply(kSetMeta, kAck));
}

TEST_F(MetaTest, WhatWasSelectedHoldsForItsExportOnly)
{
    const std::string set = Option(kStructured) + SetMeta("disk", {kAllocation});

    EXPECT_TRUE(Agreed(set + Go("disk")).allocation);
    EXPECT_TRUE(Agreed(set + Option(1, "disk")).allocation);
    EXPECT_TRUE(Agreed(set + Info("tape") + Go("disk")).allocation);
    EXPECT_FALSE(Agreed(set + Go("tape")).allocation);
}

TEST_F(MetaTest, TheLastSelectionCountsAlsoWhenItFails)
{
    const std::string set = Option(kStructured) + SetMeta("disk", {kAllocation});

    EXPECT_FALSE(Agreed(set + SetMeta("disk", {}) + Go("disk")).allocation);
    EXPECT_FALSE(Agreed(set + SetMeta("no such", {kAllocation}) + Go("disk")).allocation);
    EXPECT_FALSE(Agreed(set + Option(kSetMeta, "bad") + Go("disk")).allocation);
    EXPECT_FALSE(Agreed(set + Option(kSetMeta, std::string(9000, 'x')) + Go("disk")).allocation);
    EXPECT_TRUE(Agreed(set + ListMeta("tape", {"base:"}) + Go("disk")).allocation);
}

TEST_F(MetaTest, BeforeStructuredRepliesWereAgreedItIsInvalid)
{
    Outcome o = Send(ClientFlags(3) + SetMeta("disk", {kAllocation}) + ListMeta("disk", {}) +
                     Option(kStructured) + Go("disk"));

    EXPECT_EQ(o.sent.substr(0, 16), Kind(kSetMeta, kInvalid));
    EXPECT_NE(o.sent.find(Kind(kListMeta, kInvalid)), std::string::npos);
    EXPECT_FALSE(o.agreed.allocation);
}

TEST_F(MetaTest, AnExportThatIsNotThereIsUnknown)
{
    EXPECT_EQ(Answers(ListMeta("no such", {})).substr(0, 16), Kind(kListMeta, kUnknown));
    EXPECT_EQ(Answers(SetMeta("no such", {})).substr(0, 16), Kind(kSetMeta, kUnknown));
    EXPECT_EQ(Answers(SetMeta(std::string(5000, 'n'), {})).substr(0, 16), Kind(kSetMeta, kTooBig));
}

TEST_F(MetaTest, LengthsThatDoNotAddUpAreInvalidAndStayInStep)
{
    const std::string good = MetaData("disk", {kAllocation});
    const std::vector<std::string> bad = {
        "",
        "1234567",
        Bytes().U32(0xffffffff).Raw(good.substr(4)),
        Bytes().U32(0xfffffff8).Raw(good.substr(4)),
        Bytes().U32(4).Raw("disk").U32(2).U32(15).Raw(kAllocation),
        Bytes().U32(4).Raw("disk").U32(0xffffffff).U32(15).Raw(kAllocation),
        Bytes().U32(4).Raw("disk").U32(0xffffffff),
        Bytes().U32(4).Raw("disk").U32(1).U32(0xffffffff).Raw(kAllocation),
        Bytes().U32(4).Raw("disk").U32(1).U32(16).Raw(kAllocation),
        Bytes().U32(4).Raw("disk").U32(2).U32(0xfffffffc).U32(15).Raw(kAllocation),
        good + "x",
    };

    for (const std::string &data : bad) {
        for (uint32_t option : {kListMeta, kSetMeta}) {
            Outcome o =
                Send(ClientFlags(3) + Option(kStructured) + Option(option, data) + Go("disk"));

            EXPECT_EQ(o.verdict, HANDSHAKE_SERVE);
            EXPECT_EQ(o.sent.substr(20, 16), Kind(option, kInvalid));
            EXPECT_FALSE(o.agreed.allocation);
        }
    }
}

TEST_F(MetaTest, ThousandsOfEmptyQueriesFindNothing)
{
    Bytes data;

    data.U32(4).Raw("disk").U32(2000);
    for (int i = 0; i < 2000; i++) {
        data.U32(0);
    }

    EXPECT_EQ(Answers(Option(kSetMeta, data)), OptionReply(kSetMeta, kAck));
}

TEST_F(MetaTest, LongQueriesFindNothingAndHideNothing)
{
    for (size_t length : {251, 256, 4091, 4096, 8000}) {
        EXPECT_EQ(Answers(SetMeta("disk", {"base:" + std::string(length, 'q'), kAllocation})),
                  MetaReply(kSetMeta, 1, kAllocation) + OptionReply(kSetMeta, kAck));
    }
}

TEST_F(MetaTest, AFilterIsOfferedWhereAContextWasSelected)
{
    const std::string set = Option(kExtended) + SetMeta("disk", {kAllocation});
    Outcome with = Send(ClientFlags(3) + set + Go("disk"));
    Outcome without = Send(ClientFlags(3) + set + Go("tape"));

    EXPECT_NE(with.sent.find(ExportInfo(1024, kFlags | kDf | kStatusPayload)), std::string::npos);
    EXPECT_NE(without.sent.find(ExportInfo(2048, kFlags | kDf)), std::string::npos);
}

/* ---- what else is told of an export ---- */

TEST_F(MetaTest, BlockSizesAreToldWhenAskedFor)
{
    std::string sizes = Bytes().U16(3).U32(1).U32(4096).U32(32 << 20);

    Outcome o = Send(ClientFlags(3) + Go("disk", {3}));

    EXPECT_EQ(o.sent, OptionReply(7, kInfo, ExportInfo(1024, kFlags)) +
                          OptionReply(7, kInfo, sizes) + OptionReply(7, kAck));
}

TEST_F(MetaTest, AMinimumBlockSizeIsToldAlsoToThoseWhoDidNotAsk)
{
    std::string sizes = Bytes().U16(3).U32(512).U32(4096).U32(32 << 20);
    Add("sectors", "memory:1k")->min_mask = 511;

    Outcome o = Send(ClientFlags(3) + Go("sectors"));

    EXPECT_EQ(o.verdict, HANDSHAKE_SERVE);
    EXPECT_EQ(o.sent, OptionReply(7, kInfo, ExportInfo(1024, kFlags)) +
                          OptionReply(7, kInfo, sizes) + OptionReply(7, kAck));
}

TEST_F(MetaTest, LargeBlocksAreForThoseWhoAskedForThem)
{
    const std::string required = Kind(7, 0x80000008);
    Add("pages", "memory:8k")->min_mask = 4095;

    Outcome go = Send(ClientFlags(3) + Go("pages") + Go("pages", {3}));
    Outcome info = Send(ClientFlags(3) + Info("pages"));
    Outcome old = Send(ClientFlags(3) + Option(1, "pages"));

    EXPECT_EQ(go.sent.substr(0, 16), required);
    EXPECT_EQ(go.verdict, HANDSHAKE_SERVE);
    EXPECT_EQ(info.sent.substr(0, 16), Kind(6, kInfo));
    EXPECT_EQ(old.verdict, HANDSHAKE_BROKEN);
    EXPECT_EQ(old.sent, "");
    EXPECT_NE(old.words.find("large blocks"), std::string::npos) << old.words;
}

TEST_F(MetaTest, ADescriptionIsToldInListsAndWhenAskedFor)
{
    Add("film", "memory:1k", false, "all of it");

    Outcome o = Send(ClientFlags(3) + Option(3) + Info("film", {2}) + Info("disk", {2}));

    EXPECT_EQ(o.sent, OptionReply(3, kServer, Bytes().U32(4).Raw("disk")) +
                          OptionReply(3, kServer, Bytes().U32(4).Raw("tape")) +
                          OptionReply(3, kServer, Bytes().U32(4).Raw("filmall of it")) +
                          OptionReply(3, kAck) + OptionReply(6, kInfo, ExportInfo(1024, kFlags)) +
                          OptionReply(6, kInfo, Bytes().U16(2).Raw("all of it")) +
                          OptionReply(6, kAck) + OptionReply(6, kInfo, ExportInfo(1024, kFlags)) +
                          OptionReply(6, kAck));
}

TEST_F(MetaTest, TheLongestNameAndDescriptionFit)
{
    std::string name(4096, 'n'), words(4096, 'd');
    Add(name, "memory:1k", false, words.c_str());

    Outcome o = Send(ClientFlags(3) + Option(3) + Go(name, {1, 2, 3}));

    EXPECT_EQ(o.verdict, HANDSHAKE_SERVE);
    EXPECT_NE(o.sent.find(OptionReply(3, kServer, Bytes().U32(4096).Raw(name).Raw(words))),
              std::string::npos);
    EXPECT_NE(o.sent.find(OptionReply(7, kInfo, Bytes().U16(2).Raw(words))), std::string::npos);
}

TEST_F(MetaTest, TheSameHoweverTheBytesArrive)
{
    const std::string session = ClientFlags(3) + Option(kStructured) + Option(kExtended) +
                                ListMeta("disk", {"base:", "x:y"}) +
                                SetMeta("tape", {kAllocation}) + SetMeta("disk", {kAllocation}) +
                                Option(kSetMeta, "bad") + Go("disk", {1, 2, 3}) + "REST";
    Outcome whole = Send(session);

    for (size_t piece : {1, 2, 3, 5, 7, 16, 17, 64}) {
        Outcome o = Send(session, piece);

        EXPECT_EQ(o.sent, whole.sent) << piece;
        EXPECT_EQ(o.rest, whole.rest) << piece;
    }
}

} // namespace
