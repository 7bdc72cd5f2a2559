/* SPDX-License-Identifier: MIT */
/*
 * attack_test.cc - bad clients of the whole server, those that no test of a part
 * can show. ATTACKS.md has the list of all.
 */
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/attributes.h"

#include "golden.h"
#include "server_process.h"

namespace
{

using golden::Bytes;
using golden::ClientFlags;
using golden::Disc;
using golden::Flush;
using golden::Option;
using golden::Read;
using golden::Reply;
using golden::Request;
using golden::SetMeta;
using golden::Write;
using nbd_test::Directory;
using nbd_test::Peer;
using nbd_test::Server;

constexpr uint64_t kSize = 64 << 20;
constexpr uint16_t kTrim = 4, kCache = 5, kZero = 6, kStatus = 7;

/* What a sanitizer makes of one byte. */
constexpr uint64_t kShadow = AIOX_ASAN || AIOX_TSAN ? 8 : 1;

class AttackTest : public ::testing::Test
{
  protected:
    std::unique_ptr<Server> Start(std::vector<std::string> more = {})
    {
        std::vector<std::string> all = {"--unix", socket_};

        all.insert(all.end(), more.begin(), more.end());
        all.push_back(file_);
        auto server = std::make_unique<Server>(all);
        EXPECT_NE(server->WaitForUri(), "") << server->Log();
        return server;
    }
    /* The server still serves. */
    void ExpectServed()
    {
        Peer peer(socket_);

        ASSERT_TRUE(peer.Enter());
        peer.Send(Read(77, 0, 1) + Disc());
        EXPECT_EQ(peer.ReceiveAll().substr(0, 16), Reply(77, 0));
    }
    /* Agrees on structured replies or extended headers and base:allocation. */
    static std::string Agree(uint32_t option)
    {
        return ClientFlags(3) + Option(option) + SetMeta("", {"base:allocation"}) + golden::Go("");
    }
    /* The bytes that answer Agree() before the transmission begins. */
    static size_t AgreeBytes()
    {
        return 18 + 20 + (20 + 4 + 15) + 20 + (20 + 12) + 20;
    }

    /* One chunk, as long as it says. */
    static std::string ReceiveChunk(Peer *peer)
    {
        std::string chunk = peer->Receive(20);
        uint32_t length = 0;

        for (size_t i = 16; i < chunk.size(); i++) {
            length = length << 8 | static_cast<uint8_t>(chunk[i]);
        }
        return chunk + peer->Receive(length);
    }

    Directory directory_;
    std::string socket_ = directory_.Path("socket");
    std::string file_ = directory_.File("disk", kSize);
};

TEST_F(AttackTest, ASessionInAnyDialectMayEndAtAnyByte)
{
    auto server = Start();
    const std::string sessions[] = {
        Agree(8) + Write(1, 0, "payload") + Request(kZero, 2, 0, 8192) +
            Request(kStatus, 3, 0, kSize) + Read(4, 0, 65536) + Request(kTrim, 5, 0, 4096),
        Agree(11) + golden::ExtWrite(1, 0, "payload") +
            golden::ExtRequest(kStatus, 2, 0, 12, 32, Bytes().U64(kSize).U32(1)) +
            golden::ExtRequest(0, 3, 0, 65536) + golden::ExtRequest(kCache, 4, 0, kSize),
    };

    for (const std::string &session : sessions) {
        for (size_t n = 0; n <= session.size(); n++) {
            Peer peer(socket_);

            peer.Send(session.substr(0, n));
            if (n % 2) {
                peer.ShutdownWrite();
                peer.ReceiveAll();
            }
        }
    }

    ExpectServed();
    EXPECT_EQ(server->Stop(), 0);
}

TEST_F(AttackTest, ClientsThatVanishDuringAStopAreNotMissed)
{
    for (int round = 0; round < 10; round++) {
        auto server = Start();
        std::vector<std::unique_ptr<Peer>> peers;

        for (int i = 0; i < 20; i++) {
            peers.push_back(std::make_unique<Peer>(socket_));
            if (i % 4 == 0) { /* still in the handshake */
                peers.back()->Send(ClientFlags(3) + Option(3).substr(0, 10));
                continue;
            }
            ASSERT_TRUE(peers.back()->Enter());
            peers.back()->Send(Read(1, 0, 1 << 20) + Write(2, 0, std::string(100000, 'w'), 1) +
                               Flush(3) + Write(4, 0, "half a payload").substr(0, 30));
        }
        server->Signal(SIGTERM);
        for (size_t i = 0; i < peers.size(); i++) {
            i % 2 ? peers[i]->Reset() : peers[i]->Close();
        }

        EXPECT_EQ(server->Wait(), 0) << server->Log();
    }
}

TEST_F(AttackTest, ZeroesAndTrimsByTheThousandHoldUpNobody)
{
    auto server = Start();
    Peer peer(socket_);
    std::string flood;
    ASSERT_TRUE(peer.Enter());

    for (uint32_t i = 0; i < 5000; i++) {
        flood += Request(i % 2 ? kZero : kTrim, i, 0, kSize);
    }
    peer.SendWithoutWaiting(flood);

    ExpectServed();
    EXPECT_LT(server->ResidentBytes(), kShadow * (200 << 20));
    peer.Close();
    EXPECT_EQ(server->Stop(), 0);
}

TEST_F(AttackTest, StatusesByTheThousandThatNobodyReadsAreBounded)
{
    auto server = Start();
    Peer peer(socket_);
    std::string flood;
    peer.Send(Agree(8));
    ASSERT_EQ(peer.Receive(AgreeBytes()).size(), AgreeBytes());

    for (uint32_t i = 0; i < 100000; i++) {
        flood += Request(kStatus, i, 0, kSize);
    }
    peer.SendWithoutWaiting(flood);

    ExpectServed();
    EXPECT_LT(server->ResidentBytes(), kShadow * (200 << 20));
    peer.Close();
    EXPECT_EQ(server->Stop(), 0);
}

TEST_F(AttackTest, ContextsByTheThousandThatNobodyReadsAreBounded)
{
    auto server = Start();
    Peer peer(socket_);
    std::string flood = ClientFlags(3) + Option(8);

    for (int i = 0; i < 50000; i++) {
        flood += golden::ListMeta("", {"base:"});
    }
    peer.SendWithoutWaiting(flood);

    ExpectServed();
    EXPECT_LT(server->ResidentBytes(), kShadow * (200 << 20));
}

TEST_F(AttackTest, AFileThatIsCutHasNoHoleBehindItsEnd)
{
    auto server = Start();
    Peer peer(socket_);
    peer.Send(Agree(8));
    ASSERT_EQ(peer.Receive(AgreeBytes()).size(), AgreeBytes());

    ASSERT_EQ(truncate(file_.c_str(), 4096), 0);
    peer.Send(Read(1, 0, 65536));
    std::string error = ReceiveChunk(&peer);
    peer.Send(Request(kStatus, 2, 4096, 4096));

    EXPECT_EQ(error.substr(0, 16), golden::Chunk(1, 1, 0x8002, "").substr(0, 16)); /* where */
    EXPECT_EQ(error.substr(20, 4), std::string("\0\0\0\5", 4));
    EXPECT_EQ(ReceiveChunk(&peer), golden::Chunk(2, 1, 5, Bytes().U32(1).U32(4096).U32(0)));
}

TEST_F(AttackTest, FilesBeyond2To31SectorsAreServedToTheLastByte)
{
    const uint64_t size = (UINT64_C(1) << 40) + (UINT64_C(1) << 32) + 513;
    if (truncate(file_.c_str(), static_cast<off_t>(size)) != 0) {
        GTEST_SKIP() << "no file of that size here";
    }
    auto server = Start();
    Peer peer(socket_);
    peer.Send(Agree(8));
    std::string answers = peer.Receive(AgreeBytes());
    ASSERT_EQ(answers.size(), AgreeBytes());

    const std::string requests[] = {
        Write(1, size - 4, "last"),       Read(2, size - 5, 5),           Read(3, size - 4, 5),
        Request(kStatus, 4, size - 1, 1), Request(kZero, 5, size - 2, 2), Read(6, size - 5, 5)};
    std::vector<std::string> replies;
    for (const std::string &request : requests) {
        peer.Send(request);
        replies.push_back(ReceiveChunk(&peer));
    }

    std::string export_info = Bytes().U16(0).U64(size);
    EXPECT_NE(answers.find(export_info), std::string::npos);
    EXPECT_EQ(replies[0], golden::Chunk(1, 1, 0, ""));
    EXPECT_EQ(replies[1],
              golden::Chunk(2, 1, 1, golden::OffsetData(size - 5, std::string("\0last", 5))));
    EXPECT_EQ(replies[2].substr(0, 16), golden::Chunk(3, 1, 0x8001, "").substr(0, 16));
    EXPECT_EQ(replies[3].substr(0, 28),
              golden::Chunk(4, 1, 5, Bytes().U32(1).U32(1).U32(0)).substr(0, 28));
    EXPECT_EQ(replies[4], golden::Chunk(5, 1, 0, ""));
    EXPECT_EQ(replies[5],
              golden::Chunk(6, 1, 1, golden::OffsetData(size - 5, std::string("\0la\0\0", 5))));
    struct stat st = {};
    ASSERT_EQ(stat(file_.c_str(), &st), 0);
    EXPECT_EQ(static_cast<uint64_t>(st.st_size), size);
}

TEST_F(AttackTest, DamagedSessionsOverASocketHurtNobody)
{
    auto server = Start();
    std::mt19937 random(5);
    const std::string sessions[] = {
        Agree(8) + Write(1, 0, std::string(300, 'w')) + Read(2, 0, 65536) + Flush(3) +
            Request(kStatus, 4, 0, kSize) + Request(kZero, 5, 100, 9000),
        Agree(11) + golden::ExtWrite(1, 0, std::string(300, 'w')) +
            golden::ExtRequest(kStatus, 2, 0, 12, 32, Bytes().U64(kSize).U32(1)) +
            golden::ExtRequest(0, 3, 0, 65536),
    };

    for (int i = 0; i < 300; i++) {
        std::string session = sessions[i % 2];
        Peer peer(socket_);

        for (int n = 0; n < 3; n++) {
            session[random() % session.size()] = static_cast<char>(random());
        }
        peer.Send(session);
        peer.ShutdownWrite();
        peer.ReceiveAll();
    }

    ExpectServed();
    EXPECT_EQ(server->Stop(), 0);
}

} // namespace
