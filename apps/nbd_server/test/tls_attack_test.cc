/* SPDX-License-Identifier: MIT */
/*
 * tls_attack_test.cc - what bad clients, and those in the middle, try with TLS.
 * ATTACKS.md has the list of all.
 */
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "golden.h"
#include "server_process.h"
#include "tls_peer.h"

namespace
{

using golden::Bytes;
using golden::ClientFlags;
using golden::Disc;
using golden::Go;
using golden::Greeting;
using golden::Option;
using golden::OptionReply;
using golden::Read;
using golden::Reply;
using golden::Write;
using nbd_test::Directory;
using nbd_test::Peer;
using nbd_test::Pki;
using nbd_test::Server;
using nbd_test::TlsPeer;
using nbd_test::TlsWish;

constexpr uint32_t kAck = 1, kTlsReqd = 0x80000005, kInvalid = 0x80000003;

class TlsAttackTest : public ::testing::Test
{
  protected:
    void SetUp() override
    {
        if (!Pki::IsPossible()) {
            GTEST_SKIP() << "not installed: certtool, psktool";
        }
        pki_ = std::make_unique<Pki>("us");
        alice_.user = "alice";
        alice_.key_file = pki_->Path("keys.psk");
    }
    std::unique_ptr<Server> Start(std::vector<std::string> more)
    {
        std::vector<std::string> all = {"--unix", socket_};

        all.insert(all.end(), more.begin(), more.end());
        all.push_back(file_);
        auto server = std::make_unique<Server>(all);
        EXPECT_NE(server->WaitForUri(), "") << server->Log();
        return server;
    }
    std::unique_ptr<Server> StartWithKeys(std::vector<std::string> more = {})
    {
        more.insert(more.end(), {"--tls-psk", alice_.key_file});
        return Start(more);
    }
    /* The server still serves who has the key. */
    void ExpectServed()
    {
        TlsPeer peer(socket_, alice_);

        ASSERT_TRUE(peer.IsSecure() && peer.Enter());
        peer.Send(Read(77, 0, 1) + Disc());
        EXPECT_EQ(peer.ReceiveAll().substr(0, 16), Reply(77, 0));
    }
    /* Certificates of @who are shown to a server that believes ours. */
    TlsWish Showing(const std::string &who)
    {
        TlsWish wish;

        wish.dir = pki_->Path();
        wish.show = who;
        return wish;
    }
    static void ExpectNotServed(TlsPeer *peer)
    {
        EXPECT_FALSE(peer->IsSecure() && peer->Enter());
    }
    /* The beginning of a hello: a record of 512 bytes, of which a few are there. */
    static std::string HalfHello()
    {
        return Bytes().Raw(std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11));
    }
    /* Until the server has said yes to STARTTLS. */
    static void ExpectAgreed(Peer *peer)
    {
        peer->Send(ClientFlags(3) + Option(5));
        EXPECT_EQ(peer->Receive(18 + 20), Greeting() + OptionReply(5, kAck));
    }

    Directory directory_;
    std::unique_ptr<Pki> pki_;
    TlsWish alice_;
    std::string socket_ = directory_.Path("socket");
    std::string file_ = directory_.File("disk", 16 << 20);
};

TEST_F(TlsAttackTest, PlainBytesBehindStartTlsEndTheConnection)
{
    auto server = StartWithKeys();
    for (const std::string &injected : {std::string("x"), Go(""), Option(1), HalfHello()}) {
        Peer peer(socket_);

        peer.Send(ClientFlags(3) + Option(5) + injected);

        EXPECT_EQ(peer.ReceiveAll(), Greeting()) << "nothing is agreed on";
    }

    EXPECT_TRUE(server->WaitForLog("plain bytes behind STARTTLS")) << server->Log();
    ExpectServed();
    EXPECT_EQ(server->Stop(), 0);
}

TEST_F(TlsAttackTest, PlainOptionsInsteadOfAHelloEndTheConnection)
{
    auto server = StartWithKeys();
    for (const std::string &garbage :
         {Option(3), Go(""), std::string(4096, '\xff'), std::string(70000, '\0'),
          std::string("GET / HTTP/1.0\r\n\r\n"), HalfHello() + std::string(600, 'x')}) {
        Peer peer(socket_);

        ExpectAgreed(&peer);
        peer.Send(garbage);
        std::string answer = peer.ReceiveAll();

        EXPECT_LE(answer.size(), 64u) << "an alert at most";
        EXPECT_EQ(answer.find(std::string("\x03\xe8\x89", 3)), std::string::npos) << "no reply";
    }

    EXPECT_TRUE(server->WaitForLog("TLS handshake: ")) << server->Log();
    ExpectServed();
    EXPECT_EQ(server->Stop(), 0);
}

TEST_F(TlsAttackTest, WhoeverStripsStartTlsGetsNothing)
{
    auto server = StartWithKeys();
    const std::string data = golden::GoData("");
    Peer peer(socket_), name(socket_);
    std::string asked, answers;
    for (uint32_t option : {3, 6, 7, 8, 9, 10, 11}) {
        asked += Option(option, data);
        answers += OptionReply(option, kTlsReqd);
    }

    peer.Send(ClientFlags(3) + asked + Option(2));
    name.Send(ClientFlags(3) + Option(1));

    EXPECT_EQ(peer.ReceiveAll(), Greeting() + answers + OptionReply(2, kAck));
    EXPECT_EQ(name.ReceiveAll(), Greeting());
    ExpectServed();
    EXPECT_EQ(server->Stop(), 0);
}

TEST_F(TlsAttackTest, StartTlsTwiceOrWithAPayloadIsRefusedAndStaysInStep)
{
    auto server = StartWithKeys();
    TlsPeer peer(socket_, alice_);
    ASSERT_TRUE(peer.IsSecure());

    peer.Send(Option(5) + Option(5, "payload") + Option(2));
    std::string answers = peer.ReceiveAll();

    std::string invalid = Bytes().U32(5).U32(kInvalid), ack = OptionReply(2, kAck);
    EXPECT_NE(answers.find(invalid), std::string::npos);
    EXPECT_NE(answers.find(invalid), answers.rfind(invalid)) << "both";
    EXPECT_EQ(answers.substr(answers.size() - ack.size()), ack);
    ExpectServed();
    EXPECT_EQ(server->Stop(), 0);
}

TEST_F(TlsAttackTest, WhatWasAgreedInTheClearIsForgotten)
{
    auto server = StartWithKeys({"--tls=allow"});
    TlsPeer secure(socket_, alice_);

    ASSERT_TRUE(secure.IsSecure());
    secure.Send(golden::SetMeta("", {"base:allocation"}) + Option(2));

    EXPECT_EQ(secure.ReceiveAll().substr(8, 8), std::string(Bytes().U32(10).U32(kInvalid)))
        << "there are no structured replies";
    EXPECT_EQ(server->Stop(), 0);
}

TEST_F(TlsAttackTest, OldVersionsAreRefused)
{
    auto server = StartWithKeys();
    for (const char *version : {"TLS1.1", "TLS1.0"}) {
        TlsWish wish = alice_;

        wish.priority =
            std::string("NORMAL:+ECDHE-PSK:+DHE-PSK:%VERIFY_ALLOW_BROKEN:-VERS-ALL:+VERS-") +
            version;
        TlsPeer peer(socket_, wish);

        ExpectNotServed(&peer);
    }

    EXPECT_TRUE(server->WaitForLog("TLS handshake: ")) << server->Log();
    ExpectServed();
    EXPECT_EQ(server->Stop(), 0);
}

TEST_F(TlsAttackTest, ClientsWithoutACertificateOfOursAreRefused)
{
    Pki others("others");
    auto server = Start({"--tls-certs", pki_->Path()});
    for (const char *version : {"TLS1.2", "TLS1.3"}) {
        for (const std::string &who : {std::string(), others.Path()}) {
            TlsWish wish = Showing(who);
            wish.priority = std::string("NORMAL:-VERS-ALL:+VERS-") + version;
            TlsPeer peer(socket_, wish);

            ExpectNotServed(&peer);
        }
    }
    TlsPeer ours(socket_, Showing(pki_->Path()));

    EXPECT_TRUE(ours.IsSecure() && ours.Enter()) << server->Log();
    ours.Send(Disc());
    ours.ReceiveAll();
    EXPECT_EQ(server->Stop(), 0);
}

TEST_F(TlsAttackTest, AnotherKeyIsRefused)
{
    Pki others("others");
    auto server = StartWithKeys();
    TlsWish wrong = alice_;
    wrong.key_file = others.Path("keys.psk");

    TlsPeer peer(socket_, wrong);

    ExpectNotServed(&peer);
    ExpectServed();
    EXPECT_EQ(server->Stop(), 0);
}

TEST_F(TlsAttackTest, HalfHandshakesByTheHundredKeepNobodyOut)
{
    auto server = StartWithKeys({"--max-handshakes", "16", "--handshake-timeout", "0"});
    std::vector<std::unique_ptr<Peer>> silent;
    for (int i = 0; i < 300; i++) {
        silent.push_back(std::make_unique<Peer>(socket_));
        silent.back()->Send(ClientFlags(3) + Option(5));
        if (silent.back()->Receive(18 + 20).size() == 18 + 20) {
            silent.back()->Send(HalfHello());
        }
    }

    ExpectServed();

    EXPECT_EQ(silent.front()->ReceiveAll(), "") << "it had to leave";
    EXPECT_EQ(server->Stop(), 0) << "the others do not hold up the end";
}

TEST_F(TlsAttackTest, AHandshakeThatTakesTooLongIsEnded)
{
    auto server = StartWithKeys({"--handshake-timeout", "0.3"});
    Peer peer(socket_);

    ExpectAgreed(&peer);
    peer.Send(HalfHello());

    EXPECT_EQ(peer.ReceiveAll(), "");
    EXPECT_TRUE(server->WaitForLog("did not finish the handshake")) << server->Log();
    EXPECT_EQ(server->Stop(), 0);
}

TEST_F(TlsAttackTest, RecordsMayBeCutAnywhere)
{
    auto server = StartWithKeys();
    for (size_t piece : {1, 2, 5, 6, 1000}) {
        TlsWish wish = alice_;
        wish.piece = piece;
        TlsPeer peer(socket_, wish);

        ASSERT_TRUE(peer.IsSecure() && peer.Enter()) << piece;
        peer.Send(Write(1, 0, "payload") + Read(2, 0, 7) + Disc());

        std::string answers = peer.ReceiveAll();
        EXPECT_NE(answers.find(Reply(1, 0)), std::string::npos) << piece;
        EXPECT_NE(answers.find(Reply(2, 0)), std::string::npos) << piece;
    }
    EXPECT_EQ(server->Stop(), 0);
}

TEST_F(TlsAttackTest, ALineThatIsCutAnywhereHurtsNobody)
{
    auto server = StartWithKeys();
    for (size_t n = 0; n < 1200; n += 13) {
        TlsWish wish = alice_;
        wish.most = n;
        TlsPeer peer(socket_, wish);

        if (peer.IsSecure() && peer.Enter()) {
            peer.Send(Write(1, 0, "payload") + Read(2, 0, 4096) +
                      Write(3, 0, std::string(999, 'x')));
        }
    }

    ExpectServed();
    EXPECT_EQ(server->Stop(), 0);
}

TEST_F(TlsAttackTest, PlainBytesInTheMiddleOfAnEncryptedSessionEndIt)
{
    auto server = StartWithKeys();
    TlsPeer peer(socket_, alice_);
    ASSERT_TRUE(peer.IsSecure() && peer.Enter());

    peer.peer().Send(Write(1, 0, "injected"));
    peer.ReceiveAll();

    EXPECT_LT(peer.end(), 0);
    TlsPeer reader(socket_, alice_);
    ASSERT_TRUE(reader.IsSecure() && reader.Enter());
    reader.Send(Read(2, 0, 8) + Disc());
    EXPECT_EQ(reader.ReceiveAll(), Reply(2, 0) + std::string(8, '\0'));
    EXPECT_EQ(server->Stop(), 0);
}

TEST_F(TlsAttackTest, AClientThatTakesNoRepliesHoldsUpNobody)
{
    constexpr uint32_t kLong = 1 << 20;
    auto server = StartWithKeys();
    TlsPeer greedy(socket_, alice_);
    ASSERT_TRUE(greedy.IsSecure() && greedy.Enter());
    std::string requests;
    for (uint64_t i = 0; i < 200; i++) {
        requests += Read(i, 0, kLong);
    }

    greedy.Send(requests);
    ExpectServed();

    EXPECT_LT(server->ResidentBytes(), UINT64_C(1) << 30);
    EXPECT_EQ(greedy.Receive(16 + kLong).size(), 16 + kLong) << "it is answered when it wants";
    greedy.peer().Reset();
    EXPECT_EQ(server->Stop(), 0);
}

TEST_F(TlsAttackTest, AStopWithHalfHandshakesIsQuick)
{
    auto server = StartWithKeys({"--handshake-timeout", "0", "--stop-timeout", "0"});
    Peer agreed(socket_), half(socket_);
    TlsPeer idle(socket_, alice_);

    ASSERT_TRUE(idle.IsSecure());
    ExpectAgreed(&agreed);
    ExpectAgreed(&half);
    half.Send(HalfHello());

    EXPECT_EQ(server->Stop(), 0);
    EXPECT_EQ(half.ReceiveAll(), "");
}

} // namespace
