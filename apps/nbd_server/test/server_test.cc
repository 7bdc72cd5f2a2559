/* SPDX-License-Identifier: MIT */
/*
 * server_test.cc - the server from outside: whole lives of clients, good and bad,
 * on each backend.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/attributes.h"

#include "golden.h"
#include "server_process.h"

namespace
{

using golden::Disc;
using golden::Flush;
using golden::Read;
using golden::Reply;
using golden::Write;
using nbd_test::Directory;
using nbd_test::Peer;
using nbd_test::Server;

constexpr uint64_t kSize = 64 << 20;

/* What a sanitizer makes of one byte. */
constexpr uint64_t kShadow = AIOX_ASAN || AIOX_TSAN ? 8 : 1;

/* With one thread, and with three. */
class ServerTest : public ::testing::TestWithParam<int>
{
  protected:
    std::vector<std::string> Arguments(std::vector<std::string> more = {})
    {
        std::vector<std::string> all = {"--unix", socket_, "--threads", std::to_string(GetParam())};

        all.insert(all.end(), more.begin(), more.end());
        all.push_back(file_);
        return all;
    }
    /* Starts, and waits until it listens. */
    std::unique_ptr<Server> Start(std::vector<std::string> more = {}, unsigned descriptors = 0)
    {
        auto server = std::make_unique<Server>(Arguments(more), descriptors);

        EXPECT_EQ(server->WaitForUri(), "nbd+unix:///?socket=" + socket_) << server->Log();
        return server;
    }
    std::string FileContent(uint64_t offset, size_t bytes)
    {
        std::string content(bytes, '\0');
        std::ifstream file(file_, std::ios::binary);

        file.seekg(static_cast<std::streamoff>(offset));
        file.read(content.data(), static_cast<std::streamsize>(bytes));
        return content;
    }
    /* The server still serves. */
    void ExpectServed()
    {
        Peer peer(socket_);

        ASSERT_TRUE(peer.Enter());
        peer.Send(Read(77, 0, 1) + Disc());
        EXPECT_EQ(peer.ReceiveAll().substr(0, 16), Reply(77, 0));
    }

    Directory directory_;
    std::string socket_ = directory_.Path("socket");
    std::string file_ = directory_.File("disk", kSize);
};

/* ---- good clients ---- */

TEST_P(ServerTest, ReadsBackWhatWasWrittenAndItIsInTheFile)
{
    auto server = Start();
    Peer peer(socket_);

    ASSERT_TRUE(peer.Enter());
    peer.Send(Write(1, 1000, "hello") + Flush(2));
    EXPECT_EQ(peer.Receive(32).size(), 32u);
    peer.Send(Read(3, 998, 9) + Disc());

    EXPECT_EQ(peer.ReceiveAll(), Reply(3, 0, std::string("\0\0hello\0\0", 9)));
    EXPECT_EQ(FileContent(1000, 5), "hello");
    EXPECT_EQ(server->Stop(), 0);
}

TEST_P(ServerTest, APipelineOfManyRequestsIsAnsweredWhole)
{
    auto server = Start();
    Peer peer(socket_);
    std::string input;

    ASSERT_TRUE(peer.Enter());
    for (uint32_t i = 0; i < 2000; i++) {
        input += Write(i, 4096 * i, std::string(10, 'x'));
    }
    peer.Send(input + Disc());

    EXPECT_EQ(peer.ReceiveAll().size(), 2000 * 16u);
    EXPECT_EQ(FileContent(4096 * 1999, 10), "xxxxxxxxxx");
}

TEST_P(ServerTest, BigRequestsGoThroughSmallSockets)
{
    auto server = Start();
    Peer peer(socket_);
    std::string payload(32 << 20, 'b');
    int small = 4096;

    setsockopt(peer.fd(), SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    ASSERT_TRUE(peer.Enter());
    peer.Send(Write(1, 512, payload));
    EXPECT_EQ(peer.Receive(16), Reply(1, 0));
    peer.Send(Read(2, 512, 32 << 20));

    EXPECT_EQ(peer.Receive(16 + payload.size()), Reply(2, 0, payload));
}

TEST_P(ServerTest, ManyExportsEachHaveTheirName)
{
    std::string other = directory_.File("other,name", 4096);
    Server server({"--unix", socket_, "--export",
                   "a/b c=" + directory_.Path("other,,name") + ",read-only", "--export",
                   "m=memory:1M"});

    EXPECT_EQ(server.WaitForUri(), "nbd+unix:///a/b%20c?socket=" + socket_);
    Peer a(socket_), m(socket_), none(socket_);
    ASSERT_TRUE(a.Enter("a/b c"));
    ASSERT_TRUE(m.Enter("m"));
    EXPECT_FALSE(none.Enter(""));
    a.Send(Write(1, 0, "x") + Read(2, 4095, 1) + Disc());
    m.Send(Write(1, 0, "x") + Disc());

    EXPECT_EQ(a.ReceiveAll(), Reply(1, 1) + Reply(2, 0, std::string(1, '\0')));
    EXPECT_EQ(m.ReceiveAll(), Reply(1, 0));
    EXPECT_EQ(server.Out(),
              "nbd+unix:///a/b%20c?socket=" + socket_ + "\nnbd+unix:///m?socket=" + socket_ + "\n");
}

TEST_P(ServerTest, TcpServesAndSaysItsPort)
{
    Server server({"--tcp", "127.0.0.1:0", "memory:1M"});
    std::string uri = server.WaitForUri();

    ASSERT_EQ(uri.substr(0, 16), "nbd://127.0.0.1:");
    Peer peer(uri.substr(6, uri.size() - 7));
    ASSERT_TRUE(peer.Enter());
    peer.Send(Write(1, 0, "tcp") + Flush(2) + Disc());

    EXPECT_EQ(peer.ReceiveAll(), Reply(1, 0) + Reply(2, 0));
    EXPECT_EQ(server.Stop(), 0);
}

TEST_P(ServerTest, TheLogSaysWhichBackendServesAndHow)
{
    auto server = Start();
    std::string backend = getenv("AIOX_FDMON");

    server->Stop();

    EXPECT_NE(server->Log().find(" on " + backend + ": "), std::string::npos) << server->Log();
}

TEST_P(ServerTest, TheEngineIsSaidAtStart)
{
    auto server = Start({"--export", "ram=memory:1M"});
    std::string backend = getenv("AIOX_FDMON");

    server->Stop();

    std::string engine =
        backend == "io_uring"
            ? "ring: the backend 'io_uring' takes the operation; what is cached is read at once"
            : "pool: the backend '" + backend +
                  "' takes no requests; the file is not O_DIRECT; what is cached is read at once";
    EXPECT_NE(server->Log().find("export \"\" is served by " + engine), std::string::npos)
        << server->Log();
    EXPECT_NE(server->Log().find("export \"ram\" is served by memory"), std::string::npos);
}

TEST_P(ServerTest, WithIoUringDeniedThePoolServesAndThatIsSaid)
{
    if (!nbd_test::IsInstalled("strace")) {
        GTEST_SKIP() << "not installed: strace";
    }
    std::string backend = getenv("AIOX_FDMON");
    if (backend == "io_uring") {
        GTEST_SKIP() << "who insists on io_uring does not start without; the others stand in";
    }
    Server server(Arguments(), 0,
                  {"env", "-u", "AIOX_FDMON", "strace", "-D", "-f", "-qq", "-o",
                   directory_.Path("trace"), "-e", "trace=io_uring_setup", "-e",
                   "inject=io_uring_setup:error=EPERM"});
    server.WaitForUri();

    ExpectServed();
    server.Stop();

    EXPECT_NE(server.Log().find("export \"\" is served by pool: the backend '"), std::string::npos)
        << server.Log();
}

/* ---- clients that leave ---- */

TEST_P(ServerTest, AfterAHalfCloseAllThatWasAskedIsAnswered)
{
    auto server = Start();
    Peer peer(socket_);

    ASSERT_TRUE(peer.Enter());
    peer.Send(Write(1, 0, std::string(1 << 20, 'h')) + Read(2, 0, 1 << 20) + Flush(3));
    peer.ShutdownWrite();

    EXPECT_EQ(peer.ReceiveAll().size(), 3 * 16u + (1 << 20));
}

TEST_P(ServerTest, AClientThatVanishesAtAnyByteHurtsNobody)
{
    auto server = Start();
    std::string session = golden::ClientFlags(3) + golden::Go("") + Write(1, 0, "payload") +
                          Read(2, 0, 4096) + Flush(3);

    for (size_t n = 0; n <= session.size(); n++) {
        Peer peer(socket_);

        peer.Send(session.substr(0, n));
        if (n % 2) {
            peer.ShutdownWrite();
            peer.ReceiveAll();
        }
    }

    ExpectServed();
    EXPECT_EQ(server->Stop(), 0);
    EXPECT_NE(server->Log().find("in the middle of a request"), std::string::npos);
}

TEST_P(ServerTest, ManyResetsRightAfterConnectHurtNobody)
{
    Server server({"--tcp", "127.0.0.1:0", "memory:1M"});
    std::string uri = server.WaitForUri(), address = uri.substr(6, uri.size() - 7);

    for (int i = 0; i < 300; i++) {
        Peer peer(address);

        peer.Reset();
    }

    Peer peer(address);
    EXPECT_TRUE(peer.Enter());
    EXPECT_EQ(server.Stop(), 0);
}

TEST_P(ServerTest, AClientThatIsGoneWithRepliesUnreadLeavesNoTrace)
{
    auto server = Start();

    for (int i = 0; i < 20; i++) {
        Peer peer(socket_);

        ASSERT_TRUE(peer.Enter());
        for (uint32_t k = 0; k < 20; k++) {
            peer.Send(Read(k, 0, 1 << 20));
        }
    }

    ExpectServed();
    EXPECT_EQ(server->Stop(), 0);
}

/* ---- clients that are slow, silent or many ---- */

TEST_P(ServerTest, OneByteAtATimeIsFastEnough)
{
    auto server = Start();
    Peer peer(socket_);

    for (char c : golden::ClientFlags(3) + golden::Go("") + Write(1, 0, "slow") + Disc()) {
        peer.Send(std::string(1, c));
    }

    std::string all = peer.ReceiveAll();
    EXPECT_EQ(all.substr(all.size() - 16), Reply(1, 0));
}

TEST_P(ServerTest, ASilentClientIsSentAwayAndOthersAreServedMeanwhile)
{
    auto server = Start({"--handshake-timeout", "0.5"});
    std::vector<std::unique_ptr<Peer>> silent;

    for (int i = 0; i < 200; i++) {
        silent.push_back(std::make_unique<Peer>(socket_));
        if (i % 2) {
            silent.back()->Send("\0\0\0\3IHAVE");
        }
    }
    ExpectServed();

    for (auto &peer : silent) {
        EXPECT_EQ(peer->ReceiveAll(), golden::Greeting());
    }
    EXPECT_TRUE(server->WaitForLog("did not finish the handshake in 0.5 s"));
}

TEST_P(ServerTest, AClientMayBeIdleForLongOnceItIsServed)
{
    auto server = Start({"--handshake-timeout", "0.05"});
    Peer idle(socket_), silent(socket_);

    ASSERT_TRUE(idle.Enter());
    EXPECT_EQ(silent.ReceiveAll(), golden::Greeting()); /* now the time is over */
    idle.Send(Read(1, 0, 1));

    EXPECT_EQ(idle.Receive(17).size(), 17u);
}

TEST_P(ServerTest, AClientThatTakesNoRepliesIsBoundedAndOthersAreServed)
{
    auto server = Start();
    Peer greedy(socket_);
    std::string requests;

    for (uint32_t i = 0; i < 3000; i++) {
        requests += Read(i, 0, 1 << 20);
    }
    ASSERT_TRUE(greedy.Enter());
    size_t taken = 0;
    for (int i = 0; i < 50; i++) {
        taken += greedy.SendWithoutWaiting(requests.substr(taken));
        ExpectServed();
    }

    EXPECT_LT(server->ResidentBytes(), kShadow * (400 << 20)); /* asked for: 3 GB */
    greedy.Close();
    EXPECT_EQ(server->Stop(), 0);
}

TEST_P(ServerTest, MemoryThatStandsStillIsTakenFromWhoHoldsIt)
{
    auto server = Start({"--max-memory", std::to_string(64 * GetParam()) + "M"});
    std::vector<std::unique_ptr<Peer>> greedy;

    for (int i = 0; i < 14 * GetParam(); i++) { /* 240 MB for each thread */
        greedy.push_back(std::make_unique<Peer>(socket_));
        ASSERT_TRUE(greedy.back()->Enter());
        if (i % 7) {
            greedy.back()->Send(Read(1, 0, 16 << 20));
        } else {
            greedy.back()->Send(golden::Request(1, 1, 0, 16 << 20)); /* and no payload */
        }
    }
    Peer other(socket_);
    ASSERT_TRUE(other.Enter());
    other.Send(Read(2, 0, 16 << 20));

    EXPECT_EQ(other.Receive(16 + (16 << 20)).size(), 16u + (16 << 20));
    EXPECT_LT(server->ResidentBytes(), kShadow * ((64u * GetParam() + 64) << 20));
    EXPECT_TRUE(server->WaitForLog("stands still while others wait"));
    greedy.clear();
    EXPECT_EQ(server->Stop(), 0);
}

TEST_P(ServerTest, MoreClientsThanAgreedAreRefusedUntilOneLeaves)
{
    auto server = Start({"--max-clients", "2"});
    auto first = std::make_unique<Peer>(socket_);
    Peer second(socket_);
    ASSERT_TRUE(first->Enter());
    ASSERT_TRUE(second.Enter());

    Peer third(socket_);
    EXPECT_EQ(third.ReceiveAll(), "");
    first->Send(Disc());
    EXPECT_EQ(first->ReceiveAll(), "");

    ExpectServed();
    EXPECT_TRUE(server->WaitForLog("refusing others"));
}

/* That it does not look for them all the time: door_test. */
TEST_P(ServerTest, WithoutDescriptorsItWaitsAndGoesOn)
{
    auto server = Start({}, 32);
    std::vector<std::unique_ptr<Peer>> peers;

    for (int i = 0; i < 40; i++) {
        peers.push_back(std::make_unique<Peer>(socket_));
    }
    ASSERT_TRUE(server->WaitForLog("cannot accept a client (Too many open files)"));
    EXPECT_EQ(peers[0]->Receive(18), golden::Greeting());
    for (int i = 0; i < 30; i++) {
        peers[i]->Close();
    }

    EXPECT_EQ(peers[39]->Receive(18), golden::Greeting());
    EXPECT_EQ(server->Stop(), 0);
}

TEST_P(ServerTest, OneThatHasNotChosenMakesRoomForAnother)
{
    auto server = Start({"--max-handshakes", std::to_string(2 * GetParam())});
    std::vector<std::unique_ptr<Peer>> silent;

    for (int i = 0; i <= 2 * GetParam(); i++) {
        silent.push_back(std::make_unique<Peer>(socket_));
        EXPECT_EQ(silent.back()->Receive(18), golden::Greeting());
    }

    EXPECT_EQ(silent[0]->ReceiveAll(), "") << "it came first";
    EXPECT_TRUE(server->WaitForLog("makes room"));
    for (size_t i = 1; i < silent.size(); i++) {
        silent[i]->Send(golden::ClientFlags(3) + golden::Go(""));
        EXPECT_EQ(silent[i]->Receive(20).size(), 20u) << i;
    }
}

TEST_P(ServerTest, AnIdleClientLeavesWhenThatIsSaid)
{
    auto server = Start({"--idle-timeout", "0.05"});
    Peer idle(socket_);

    ASSERT_TRUE(idle.Enter());
    idle.Send(Read(1, 0, 1));

    EXPECT_EQ(idle.ReceiveAll(), Reply(1, 0, std::string(1, '\0')));
    EXPECT_TRUE(server->WaitForLog("has been idle for 0.05 s"));
}

/* One request after another to a server that tells what its loops do; until @text, or so many. */
std::string TracedLog(const std::string &socket, std::vector<std::string> arguments,
                      const std::string &text, int requests)
{
    arguments.insert(arguments.begin(), {"--unix", socket});
    Server server(arguments, 0, {"env", "AIOX_TRACE=aio"});
    EXPECT_NE(server.WaitForUri(), "") << server.Log();
    Peer peer(socket);
    EXPECT_TRUE(peer.Enter());

    for (int i = 0; i < requests; i++) {
        peer.Send(Read(i, 0, 1));
        EXPECT_EQ(peer.Receive(17), Reply(i, 0, std::string(1, '\0')));
        if (i % 100 == 99 && server.Log().find(text) != std::string::npos) {
            break;
        }
    }
    EXPECT_EQ(server.Stop(), 0);
    return server.Log();
}

TEST_P(ServerTest, LooksForTheNextRequestBeforeItSleeps)
{
    std::string log = TracedLog(socket_, {"--threads", std::to_string(GetParam()), "memory:1M"},
                                "busy_spin", 10000);

    EXPECT_NE(log.find("busy_spin"), std::string::npos) << log.substr(0, 10000);
}

TEST_P(ServerTest, SleepsAtOnceIfThatIsSaid)
{
    std::string log = TracedLog(
        socket_, {"--threads", std::to_string(GetParam()), "--busy-poll", "0", "memory:1M"},
        "busy_", 300);

    EXPECT_NE(log.find("aio sleep"), std::string::npos) << log.substr(0, 10000);
    EXPECT_EQ(log.find("busy_"), std::string::npos);
}

TEST_P(ServerTest, WhatOneClientWroteOthersOnOtherThreadsRead)
{
    Server server({"--unix", socket_, "--threads", std::to_string(GetParam()), "--export",
                   "m=memory:1M", "--export", "c=" + file_ + ",cow", "--export", "f=" + file_});
    ASSERT_NE(server.WaitForUri(), "") << server.Log();

    for (std::string name : {"m", "c", "f"}) {
        EXPECT_EQ(FileContent(0, 6), std::string(6, '\0')) << "what is written over stays";
        std::vector<std::unique_ptr<Peer>> peers;

        for (uint32_t i = 0; i < 6; i++) {
            peers.push_back(std::make_unique<Peer>(socket_));
            ASSERT_TRUE(peers.back()->Enter(name));
            peers.back()->Send(Write(i, i, std::string(1, static_cast<char>('a' + i))) + Flush(i));
            EXPECT_EQ(peers.back()->Receive(32), Reply(i, 0) + Reply(i, 0));
        }
        for (auto &peer : peers) {
            peer->Send(Read(9, 0, 6) + Disc());
            EXPECT_EQ(peer->ReceiveAll(), Reply(9, 0, "abcdef")) << name;
        }
    }
    EXPECT_EQ(server.Stop(), 0);
}

/* ---- bad bytes ---- */

TEST_P(ServerTest, BadBytesEndTheConnectionWithOneLine)
{
    auto server = Start();
    const std::vector<std::pair<std::string, std::string>> cases = {
        {std::string("GET / HTTP/1.0\r\n\r\n"), "unknown flags 0x47455420"},
        {golden::ClientFlags(3) + std::string(16, 'x'), "sent 0x7878787878787878"},
        {golden::ClientFlags(3) + golden::OptionSaying(7, 0xffffffff, ""), "announces 4294967295"},
        {golden::ClientFlags(3) + golden::Option(1, "\x1b[31mno\nsuch"),
         "asks for export \"\\x1b[31mno\\x0asuch\""},
        {golden::ClientFlags(3) + golden::Go("") + std::string(28, 'y'), "sent 0x79797979"},
        {golden::ClientFlags(3) + golden::Go("") + golden::Request(1, 1, 0, 0xffffffff),
         "announces a write of 4294967295 bytes"},
    };

    for (const auto &[input, words] : cases) {
        Peer peer(socket_);

        peer.Send(input);
        peer.ReceiveAll();
        EXPECT_TRUE(server->WaitForLog(words)) << words << "\n" << server->Log();
    }

    ExpectServed();
    for (char c : server->Log()) {
        EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f)) << static_cast<int>(c);
    }
}

TEST_P(ServerTest, AFloodOfListsByAClientThatReadsNothingHurtsNobody)
{
    auto server = Start();
    Peer peer(socket_);
    std::string flood = golden::ClientFlags(3);

    for (int i = 0; i < 100000; i++) {
        flood += golden::Option(3);
    }
    peer.SendWithoutWaiting(flood);

    ExpectServed();
    EXPECT_LT(server->ResidentBytes(), kShadow * (200 << 20));
}

/* ---- the end ---- */

TEST_P(ServerTest, AStopAnswersWhatIsUnderWay)
{
    auto server = Start();
    std::vector<std::unique_ptr<Peer>> peers;
    std::string requests;

    for (uint32_t i = 0; i < 100; i++) {
        requests +=
            Write(i, i * 65536, std::string(65536, static_cast<char>('a' + i % 26)), i % 10 == 0);
    }
    for (int i = 0; i < 8; i++) {
        peers.push_back(std::make_unique<Peer>(socket_));
        ASSERT_TRUE(peers.back()->Enter());
    }
    for (auto &peer : peers) {
        peer->SendWithoutWaiting(requests);
    }
    EXPECT_EQ(peers[0]->Receive(16).size(), 16u);
    server->Signal(SIGTERM);

    for (auto &peer : peers) {
        std::string replies = peer->ReceiveAll();

        EXPECT_EQ(replies.size() % 16, 0u);
        for (size_t at = 0; at < replies.size(); at += 16) {
            uint32_t i = static_cast<uint8_t>(replies[at + 15]);

            EXPECT_EQ(replies.substr(at, 16), Reply(i, 0));
            EXPECT_EQ(FileContent(i * 65536, 65536),
                      std::string(65536, static_cast<char>('a' + i % 26)));
        }
    }
    EXPECT_EQ(server->Wait(), 0);
    EXPECT_NE(server->Log().find("served 8 clients"), std::string::npos) << server->Log();
}

TEST_P(ServerTest, AStopWithIdleAndGreetingClientsIsQuick)
{
    auto server = Start();
    Peer idle(socket_), greeting(socket_), half(socket_);

    ASSERT_TRUE(idle.Enter());
    EXPECT_EQ(greeting.Receive(18), golden::Greeting());
    ASSERT_TRUE(half.Enter());
    half.Send(Write(1, 0, "half of it").substr(0, 30));
    server->Signal(SIGINT);

    EXPECT_EQ(idle.ReceiveAll() + greeting.ReceiveAll() + half.ReceiveAll(), "");
    idle.Close();
    greeting.Close();
    half.Close();
    EXPECT_EQ(server->Wait(), 0);
    EXPECT_NE(access(socket_.c_str(), F_OK), 0);
}

TEST_P(ServerTest, AClientThatTakesNoRepliesCannotHoldUpAStop)
{
    auto server = Start({"--stop-timeout", "0.2"});
    Peer greedy(socket_);

    ASSERT_TRUE(greedy.Enter());
    for (uint32_t i = 0; i < 20; i++) {
        greedy.Send(Read(i, 0, 1 << 20));
    }
    EXPECT_EQ(greedy.Receive(16).substr(0, 8), Reply(0, 0).substr(0, 8)); /* in any order */

    EXPECT_EQ(server->Stop(), 0);
    EXPECT_NE(server->Log().find("have not left in time"), std::string::npos) << server->Log();
}

TEST_P(ServerTest, ASecondSignalDoesNotWait)
{
    auto server = Start({"--stop-timeout", "1000"});
    Peer greedy(socket_);

    ASSERT_TRUE(greedy.Enter());
    for (uint32_t i = 0; i < 20; i++) {
        greedy.Send(Read(i, 0, 1 << 20));
    }
    EXPECT_EQ(greedy.Receive(16).substr(0, 8), Reply(0, 0).substr(0, 8)); /* in any order */
    server->Signal(SIGTERM);
    EXPECT_TRUE(server->WaitForLog("stopping (Terminated)"));
    server->Signal(SIGINT);

    EXPECT_EQ(server->Wait(), 0);
}

/* ---- start ---- */

TEST_P(ServerTest, ASocketWhoseServerIsGoneIsReplacedAndALiveOneIsNot)
{
    Start()->Signal(SIGKILL);
    ASSERT_EQ(access(socket_.c_str(), F_OK), 0);
    auto server = Start();
    Server second(Arguments());

    EXPECT_EQ(second.Wait(), 1);
    EXPECT_NE(second.Log().find("Address already in use"), std::string::npos) << second.Log();
    ExpectServed();
    EXPECT_EQ(server->Stop(), 0);
}

TEST_P(ServerTest, AFileInTheWayOfTheSocketStays)
{
    directory_.File("socket", 3);
    Server server(Arguments());

    EXPECT_EQ(server.Wait(), 1);
    struct stat st;
    ASSERT_EQ(stat(socket_.c_str(), &st), 0);
    EXPECT_TRUE(S_ISREG(st.st_mode) && st.st_size == 3);
}

TEST_P(ServerTest, AnotherServersSocketIsNotRemovedAtTheEnd)
{
    auto server = Start();
    unlink(socket_.c_str());
    auto second = Start();

    EXPECT_EQ(server->Stop(), 0);

    ExpectServed();
}

TEST_P(ServerTest, WhatCannotStartSaysWhyInOneLine)
{
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
        {{"--unix", socket_, directory_.Path("none")}, "No such file"},
        {{"--unix", socket_, "/dev/null"}, "neither a file nor a block device"},
        {{"--unix", socket_, "memory:lots"}, "'lots' is not a size"},
        {{"--unix", socket_, "--export", "a=memory:1", "--export", "a=memory:1"},
         "two of that name"},
        {{"--unix", "/nowhere/at/all", file_}, "cannot listen at '/nowhere/at/all'"},
        {{"--unix", std::string(200, 'p'), file_}, "longer than a socket's may be"},
        {{"--tcp", "127.0.0.1:99999999", file_}, "is not HOST:PORT"},
        {{"--tcp", "::1:5", file_}, "is not HOST:PORT"},
        {{"--fdmon", "no_such", file_}, "no_such"},
    };

    for (const auto &[arguments, words] : cases) {
        Server server(arguments);

        EXPECT_EQ(server.Wait(), 1) << words;
        EXPECT_NE(server.Log().find(words), std::string::npos) << words << ": " << server.Log();
        std::string log = server.Log();
        EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
        EXPECT_NE(access(socket_.c_str(), F_OK), 0);
    }
}

TEST_P(ServerTest, WrongUsageIsExitCode2AndHelpIsNot)
{
    Server none({}), unknown({"--frobnicate", file_}), bad({"--max-clients", "0", file_});
    Server help({"--help"}), version({"--version"});

    EXPECT_EQ(none.Wait(), 2);
    EXPECT_EQ(unknown.Wait(), 2);
    EXPECT_EQ(bad.Wait(), 2);
    EXPECT_NE(bad.Log().find("--max-clients: '0'"), std::string::npos);
    EXPECT_EQ(help.Wait(), 0);
    EXPECT_NE(help.Out().find("Examples"), std::string::npos);
    EXPECT_EQ(version.Wait(), 0);
    EXPECT_EQ(version.Out().substr(0, 9), "aiox-nbd ");
}

INSTANTIATE_TEST_SUITE_P(Threads, ServerTest, ::testing::Values(1, 3));

} // namespace
