/* SPDX-License-Identifier: MIT */
#include "apps/nbd_server/handshake.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "golden.h"
#include "handshake_fixture.h"

namespace
{

using golden::ClientFlags;
using golden::Go;
using golden::GoData;
using golden::Info;
using golden::Option;
using golden::OptionReply;
using golden::OptionSaying;

constexpr uint32_t kAck = 1, kServer = 2, kInfo = 3;
constexpr uint32_t kUnsup = 0x80000001, kInvalid = 0x80000003, kUnknown = 0x80000006;
constexpr uint32_t kTooBig = 0x80000009, kTlsReqd = 0x80000005;
using nbd_test::HandshakeTest;
using nbd_test::kFlags;
using nbd_test::kInBytes;
using nbd_test::kReadOnlyFlags;
using nbd_test::Outcome;

TEST_F(HandshakeTest, GoAnswersSizeAndFlagsAndServes)
{
    nbd_export *disk = Add("disk", "memory:1M");

    Outcome o = Send(ClientFlags(3) + Go("disk"));

    EXPECT_EQ(o.verdict, HANDSHAKE_SERVE);
    EXPECT_EQ(o.chosen, disk);
    EXPECT_EQ(o.sent, OptionReply(7, kInfo, ExportInfo(1 << 20, kFlags)) + OptionReply(7, kAck));
}

TEST_F(HandshakeTest, ReadOnlyIsTold)
{
    Add("disk", "memory:512", true);

    Outcome o = Send(ClientFlags(1) + Go("disk"));

    EXPECT_EQ(o.sent,
              OptionReply(7, kInfo, ExportInfo(512, kReadOnlyFlags)) + OptionReply(7, kAck));
}

TEST_F(HandshakeTest, InfoAnswersAndStays)
{
    nbd_export *disk = Add("disk", "memory:1k");
    std::string answer = OptionReply(6, kInfo, ExportInfo(1024, kFlags)) + OptionReply(6, kAck);

    Outcome o = Send(ClientFlags(3) + Info("disk"));
    Outcome then = Send(ClientFlags(3) + Info("disk") + Go("disk"));

    EXPECT_EQ(o.verdict, HANDSHAKE_HUNGRY);
    EXPECT_EQ(o.sent, answer);
    EXPECT_EQ(then.verdict, HANDSHAKE_SERVE);
    EXPECT_EQ(then.chosen, disk);
}

TEST_F(HandshakeTest, NameIsToldWhenAskedFor)
{
    Add("disk", "memory:1k");
    std::string name = golden::Bytes().U16(1).Raw("disk");

    Outcome o = Send(ClientFlags(3) + Go("", {2, 1}));

    EXPECT_EQ(o.sent, OptionReply(7, kInfo, ExportInfo(1024, kFlags)) +
                          OptionReply(7, kInfo, name) + OptionReply(7, kAck));
}

TEST_F(HandshakeTest, ExportNameSendsZeroesUnlessAgreedOtherwise)
{
    Add("disk", "memory:1k");
    std::string fields = golden::Bytes().U64(1024).U16(kFlags);

    Outcome with = Send(ClientFlags(1) + Option(1, "disk"));
    Outcome without = Send(ClientFlags(3) + Option(1, "disk"));

    EXPECT_EQ(with.verdict, HANDSHAKE_SERVE);
    EXPECT_EQ(with.sent, fields + std::string(124, '\0'));
    EXPECT_EQ(without.sent, fields);
}

TEST_F(HandshakeTest, UnknownExportNameHangsUpWithoutAnAnswer)
{
    Add("disk", "memory:1k");

    Outcome o = Send(ClientFlags(3) + Option(1, "tape"));

    EXPECT_EQ(o.verdict, HANDSHAKE_BROKEN);
    EXPECT_EQ(o.sent, "");
    EXPECT_NE(o.words.find("\"tape\""), std::string::npos);
}

TEST_F(HandshakeTest, UnknownNameInGoIsAnErrorAndOneMoreTryIsFine)
{
    Add("disk", "memory:1k");
    Add("other", "memory:1k");

    Outcome o = Send(ClientFlags(3) + Go("tape") + Go("") + Go("disk"));

    EXPECT_EQ(o.verdict, HANDSHAKE_SERVE);
    EXPECT_EQ(o.sent, OptionReply(7, kUnknown, "there is no export of this name") +
                          OptionReply(7, kUnknown, "there is no export of this name") +
                          OptionReply(7, kInfo, ExportInfo(1024, kFlags)) + OptionReply(7, kAck));
}

TEST_F(HandshakeTest, TheOnlyExportIsTheDefault)
{
    nbd_export *disk = Add("disk", "memory:1k");

    EXPECT_EQ(Send(ClientFlags(3) + Go("")).chosen, disk);
    EXPECT_EQ(Send(ClientFlags(3) + Option(1, "")).chosen, disk);
}

TEST_F(HandshakeTest, ANamelessExportIsTheDefaultAmongMany)
{
    Add("disk", "memory:1k");
    Add("", "memory:2k");

    EXPECT_EQ(Send(ClientFlags(3) + Go("")).chosen->size_bytes, 2048u);
}

TEST_F(HandshakeTest, ListNamesEachExportAndAcknowledges)
{
    Add("a", "memory:1k");
    Add("bc", "memory:1k");
    std::string a = golden::Bytes().U32(1).Raw("a"), bc = golden::Bytes().U32(2).Raw("bc");

    Outcome o = Send(ClientFlags(3) + Option(3));

    EXPECT_EQ(o.verdict, HANDSHAKE_HUNGRY);
    EXPECT_EQ(o.sent,
              OptionReply(3, kServer, a) + OptionReply(3, kServer, bc) + OptionReply(3, kAck));
}

TEST_F(HandshakeTest, ListMayBeLongerThanAnyRoom)
{
    std::string expected;

    for (int i = 0; i < 20; i++) {
        std::string name(NBD_STRING_MAX, static_cast<char>('a' + i));

        Add(name, "memory:1k");
        expected += OptionReply(3, kServer, golden::Bytes().U32(NBD_STRING_MAX).Raw(name));
    }

    Outcome o = Send(ClientFlags(3) + Option(3));

    EXPECT_EQ(o.sent, expected + OptionReply(3, kAck));
}

TEST_F(HandshakeTest, ListWithDataIsInvalid)
{
    Add("disk", "memory:1k");

    Outcome o = Send(ClientFlags(3) + Option(3, "x") + Go("disk"));

    EXPECT_EQ(o.verdict, HANDSHAKE_SERVE);
    EXPECT_EQ(o.sent.substr(0, 20 + 23), OptionReply(3, kInvalid, "this option has no data"));
}

TEST_F(HandshakeTest, AbortIsAcknowledgedAndNothingBehindItCounts)
{
    Add("disk", "memory:1k");

    Outcome o = Send(ClientFlags(3) + Option(2) + Go("disk"));

    EXPECT_EQ(o.verdict, HANDSHAKE_END);
    EXPECT_EQ(o.sent, OptionReply(2, kAck));
    EXPECT_EQ(o.chosen, nullptr);
}

TEST_F(HandshakeTest, UnknownClientFlagsHangUp)
{
    Add("disk", "memory:1k");

    for (uint32_t flags : {4u, 0x80000003u, 0xffffffffu, 0x47455420u /* "GET " */}) {
        Outcome o = Send(ClientFlags(flags) + Go("disk"));

        EXPECT_EQ(o.verdict, HANDSHAKE_BROKEN) << flags;
        EXPECT_EQ(o.sent, "");
    }
}

TEST_F(HandshakeTest, WrongOptionMagicHangsUp)
{
    Outcome o = Send(ClientFlags(3) + "IHAVEOPS" + std::string(8, '\0'));

    EXPECT_EQ(o.verdict, HANDSHAKE_BROKEN);
    EXPECT_NE(o.words.find("0x49484156454f5053"), std::string::npos);
}

TEST_F(HandshakeTest, OptionsItDoesNotKnowAreUnsupportedAndStayInStep)
{
    Add("disk", "memory:1k");

    for (uint32_t option : {0u, 4u, 5u, 12u, 13u, 999u, 0xffffffffu}) {
        Outcome o = Send(ClientFlags(3) + Option(option, "whatever") + Go("disk"));

        EXPECT_EQ(o.verdict, HANDSHAKE_SERVE);
        EXPECT_EQ(o.sent.substr(0, 20), OptionReply(option, kUnsup));
    }
}

TEST_F(HandshakeTest, StartTlsThatIsNotConfiguredIsUnsupportedHoweverOften)
{
    Add("disk", "memory:1k");

    Outcome o = Send(ClientFlags(3) + Option(5) + Option(5, "hello") + Option(5) + Go("disk"));

    EXPECT_EQ(o.verdict, HANDSHAKE_SERVE);
    EXPECT_EQ(o.sent.substr(0, 60),
              OptionReply(5, kUnsup) + OptionReply(5, kUnsup) + OptionReply(5, kUnsup));
}

TEST_F(HandshakeTest, WithoutTlsThatIsRequiredNothingIsSaidButStartTlsAndAbort)
{
    Add("secret", "memory:1k");
    tls_ = HANDSHAKE_TLS_REQUIRE;
    const uint32_t all[] = {3, 6, 7, 8, 9, 10, 11, 4711};
    std::string input = ClientFlags(3), answers;

    for (uint32_t option : all) {
        input += Option(option, golden::GoData("secret"));
        answers += OptionReply(option, kTlsReqd);
    }
    Outcome o = Send(input + Option(2));
    Outcome name = Send(ClientFlags(3) + Option(1, "secret"));

    EXPECT_EQ(o.verdict, HANDSHAKE_END);
    EXPECT_EQ(o.sent, answers + OptionReply(2, kAck));
    EXPECT_EQ(name.verdict, HANDSHAKE_BROKEN);
    EXPECT_EQ(name.sent, "");
    EXPECT_NE(name.words.find("without TLS"), std::string::npos) << name.words;
}

TEST_F(HandshakeTest, BehindStartTlsEverythingBeginsAgain)
{
    Add("disk", "memory:1k");
    for (handshake_tls tls : {HANDSHAKE_TLS_ALLOW, HANDSHAKE_TLS_REQUIRE}) {
        tls_ = tls;
        encrypted_ = golden::Go("disk");

        Outcome o = Send(ClientFlags(3) + Option(5));

        EXPECT_EQ(o.verdict, HANDSHAKE_SERVE);
        EXPECT_EQ(o.sent, OptionReply(5, kAck) + OptionReply(7, kInfo, ExportInfo(1024, kFlags)) +
                              OptionReply(7, kAck));
    }
}

TEST_F(HandshakeTest, WhatWasAgreedBeforeStartTlsDoesNotCount)
{
    Add("disk", "memory:1k");
    tls_ = HANDSHAKE_TLS_ALLOW;
    std::string agree = Option(8) + golden::SetMeta("disk", {"base:allocation"});

    encrypted_ = Option(8) + golden::Go("disk");
    Outcome again = Send(ClientFlags(3) + agree + golden::Info("disk") + Option(5));
    encrypted_ = golden::SetMeta("disk", {"base:allocation"}) + golden::Go("disk");
    Outcome simple = Send(ClientFlags(3) + agree + golden::Info("disk") + Option(5));

    ASSERT_NE(again.sent.find(OptionReply(5, kAck)), std::string::npos);
    std::string behind = again.sent.substr(again.sent.find(OptionReply(5, kAck)) + 20);
    EXPECT_EQ(behind.substr(0, 20), OptionReply(8, kAck)) << "not the second time";
    EXPECT_FALSE(again.agreed.allocation) << "was selected in the clear";
    EXPECT_EQ(simple.agreed.replies, REPLIES_SIMPLE);
    EXPECT_NE(simple.sent.find(golden::Bytes().U32(10).U32(kInvalid)), std::string::npos)
        << "contexts before structured replies";
}

TEST_F(HandshakeTest, PlainBytesBehindStartTlsHangUp)
{
    Add("disk", "memory:1k");
    for (const std::string &injected : {std::string("x"), golden::Go("disk"), Option(3)}) {
        tls_ = HANDSHAKE_TLS_REQUIRE;
        encrypted_ = golden::Go("disk");

        Outcome o = Send(ClientFlags(3) + Option(5) + injected);

        EXPECT_EQ(o.verdict, HANDSHAKE_BROKEN);
        EXPECT_NE(o.words.find("plain bytes"), std::string::npos) << o.words;
    }
}

TEST_F(HandshakeTest, StartTlsTwiceOrWithAPayloadIsInvalid)
{
    Add("disk", "memory:1k");
    tls_ = HANDSHAKE_TLS_REQUIRE;
    encrypted_ = Option(5) + Option(5, "payload") + golden::Go("disk");

    Outcome o = Send(ClientFlags(3) + Option(5, "payload") + Option(5));

    std::string invalid = golden::Bytes().U32(5).U32(kInvalid);
    int count = 0;
    for (size_t at = 0; (at = o.sent.find(invalid, at)) != std::string::npos; at++) {
        count++;
    }
    EXPECT_EQ(o.verdict, HANDSHAKE_SERVE);
    EXPECT_EQ(count, 3);
}

TEST_F(HandshakeTest, RefusalsBeforeAndBehindStartTlsAddUp)
{
    Add("disk", "memory:1k");
    tls_ = HANDSHAKE_TLS_ALLOW;
    std::string refused;
    for (int i = 0; i < HANDSHAKE_REFUSALS_MAX; i++) {
        refused += Option(999);
    }
    encrypted_ = Option(999) + golden::Go("disk");

    Outcome o = Send(ClientFlags(3) + refused + Option(5));

    EXPECT_EQ(o.verdict, HANDSHAKE_BROKEN);
}

TEST_F(HandshakeTest, AnOptionOfOneMiBIsSkippedAndOneMoreByteHangsUp)
{
    Add("disk", "memory:1k");
    std::string mib(1 << 20, 'x');

    Outcome unknown = Send(ClientFlags(3) + Option(999, mib) + Go("disk"));
    Outcome known = Send(ClientFlags(3) + Option(7, mib) + Go("disk"));
    Outcome more = Send(ClientFlags(3) + Option(999, mib + "x") + Go("disk"));
    Outcome huge = Send(ClientFlags(3) + OptionSaying(7, 0xffffffff, "x"));

    EXPECT_EQ(unknown.verdict, HANDSHAKE_SERVE);
    EXPECT_EQ(unknown.sent.substr(0, 20), OptionReply(999, kUnsup));
    EXPECT_EQ(known.verdict, HANDSHAKE_SERVE);
    EXPECT_EQ(known.sent.substr(0, 20), OptionReply(7, kTooBig));
    EXPECT_EQ(more.verdict, HANDSHAKE_BROKEN);
    EXPECT_EQ(huge.verdict, HANDSHAKE_BROKEN);
    EXPECT_NE(huge.words.find("4294967295"), std::string::npos);
}

TEST_F(HandshakeTest, LengthsInGoThatDoNotAddUpAreInvalidAndStayInStep)
{
    Add("disk", "memory:1k");
    std::string good = GoData("disk", {1});
    const std::vector<std::string> bad = {
        "",
        "abc",
        std::string("\0\0\0\0\0", 5),
        golden::Bytes().U32(5).Raw("disk"),
        golden::Bytes().U32(0xffffffff).Raw(good.substr(4)),
        golden::Bytes().U32(0xfffffffa).Raw(good.substr(4)),
        golden::Bytes().U32(4).Raw("disk").U16(2).U16(1),
        golden::Bytes().U32(4).Raw("disk").U16(0xffff),
        good + "x",
    };

    for (const std::string &data : bad) {
        for (uint32_t option : {6u, 7u}) {
            Outcome o = Send(ClientFlags(3) + Option(option, data) + Go("disk"));

            EXPECT_EQ(o.verdict, HANDSHAKE_SERVE);
            EXPECT_EQ(o.sent.substr(0, 16), OptionReply(option, kInvalid).substr(0, 16));
        }
    }
}

TEST_F(HandshakeTest, HostileNamesAreUnknownAndPrintAsPlainText)
{
    Add("disk", "memory:1k");
    const std::vector<std::string> names = {
        std::string(3000, 'n'),    std::string("di\0sk", 5), "disk\nsecond line",
        "\x1b[2J\x1b]0;title\x07", "../../etc/passwd",       "\xff\xfe\x80",
        std::string("disk\0", 5),  "\"quoted\\\"",
    };

    for (const std::string &name : names) {
        Outcome go = Send(ClientFlags(3) + Go(name));
        Outcome old = Send(ClientFlags(3) + Option(1, name));

        EXPECT_EQ(go.verdict, HANDSHAKE_HUNGRY);
        EXPECT_EQ(go.sent.substr(0, 16), OptionReply(7, kUnknown).substr(0, 16));
        EXPECT_EQ(old.verdict, HANDSHAKE_BROKEN);
        for (char c : go.words + old.words) {
            EXPECT_TRUE(c >= 0x20 && c < 0x7f) << static_cast<int>(c);
        }
    }
}

TEST_F(HandshakeTest, NamesBeyondTheSpecificationAreTooBig)
{
    Add("disk", "memory:1k");

    for (size_t length : {4097, 8000, 60000}) {
        std::string name(length, 'n');
        Outcome go = Send(ClientFlags(3) + Go(name) + Go("disk"));
        Outcome old = Send(ClientFlags(3) + Option(1, name));

        EXPECT_EQ(go.verdict, HANDSHAKE_SERVE);
        EXPECT_EQ(go.sent.substr(0, 16), OptionReply(7, kTooBig).substr(0, 16));
        EXPECT_EQ(old.verdict, HANDSHAKE_BROKEN);
        EXPECT_EQ(old.sent, "");
    }
}

TEST_F(HandshakeTest, ThousandsOfRefusedOptionsAreOneTooMany)
{
    Add("disk", "memory:1k");
    std::string input = ClientFlags(3);

    for (int i = 0; i < HANDSHAKE_REFUSALS_MAX; i++) {
        input += Option(999);
    }

    EXPECT_EQ(Send(input + Go("disk")).verdict, HANDSHAKE_SERVE);
    EXPECT_EQ(Send(input + Option(3, "x") + Go("disk")).verdict, HANDSHAKE_BROKEN);
    EXPECT_EQ(Send(input + Go("tape") + Go("disk")).verdict, HANDSHAKE_BROKEN);
}

TEST_F(HandshakeTest, AClientThatTakesNoAnswersIsNotListenedTo)
{
    Add("disk", "memory:1k");
    std::vector<uint8_t> in_memory(kInBytes), out_memory(HANDSHAKE_OUT_BYTES);
    bytes in = {in_memory.data(), in_memory.size(), 0, 0};
    bytes out = {out_memory.data(), out_memory.size(), 0, 0};
    std::string input = ClientFlags(3);
    handshake h;

    for (int i = 0; i < 1000; i++) {
        input += Option(3);
    }
    memcpy(bytes_back(&in), input.data(), input.size());
    bytes_put(&in, input.size());
    handshake_start(&h, &exports_, 32 << 20, &out);

    EXPECT_EQ(handshake_step(&h, &in, &out), HANDSHAKE_FULL);
    EXPECT_EQ(handshake_step(&h, &in, &out), HANDSHAKE_FULL);
    EXPECT_GT(bytes_held(&in), input.size() - 64);
}

TEST_F(HandshakeTest, TheSameHoweverTheBytesArrive)
{
    Add("disk", "memory:1k");
    Add("", "memory:1k");
    const std::vector<std::string> sessions = {
        ClientFlags(3) + Info("disk", {1, 2, 3}) + Option(3) + Option(8) + Go("disk", {3}) + "REST",
        ClientFlags(1) + Option(999, std::string(300, 'x')) + Option(1, "disk") + "REST",
        ClientFlags(3) + Go("tape") + Option(3, "x") + Option(2),
        ClientFlags(3) + Option(7, "bad") + OptionSaying(7, 0xffffffff, "x"),
    };

    for (const std::string &session : sessions) {
        Outcome whole = Send(session);
        for (size_t piece : {1, 2, 3, 5, 7, 16, 17, 64}) {
            Outcome o = Send(session, piece);

            EXPECT_EQ(o.verdict, whole.verdict) << piece;
            EXPECT_EQ(o.sent, whole.sent) << piece;
            EXPECT_EQ(o.words, whole.words) << piece;
            EXPECT_EQ(o.rest, whole.rest) << piece;
        }
    }
}

TEST_F(HandshakeTest, CutAfterAnyByteItWaitsForTheNext)
{
    Add("disk", "memory:1k");
    std::string session =
        ClientFlags(3) + Info("disk", {1}) + Option(3) + Option(999, "data") + Go("disk");

    for (size_t n = 0; n < session.size(); n++) {
        EXPECT_EQ(Send(session.substr(0, n)).verdict, HANDSHAKE_HUNGRY) << n;
    }
    EXPECT_EQ(Send(session).verdict, HANDSHAKE_SERVE);
}

TEST_F(HandshakeTest, WhatComesBehindGoIsLeftForTheTransmission)
{
    Add("disk", "memory:1k");
    std::string requests = golden::Read(1, 0, 512) + golden::Disc();

    Outcome o = Send(ClientFlags(3) + Go("disk") + requests);

    EXPECT_EQ(o.verdict, HANDSHAKE_SERVE);
    EXPECT_EQ(o.rest, requests);
}

} // namespace
