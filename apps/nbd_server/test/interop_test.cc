/* SPDX-License-Identifier: MIT */
/*
 * interop_test.cc - the clients that people have.
 */
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "golden.h"
#include "interop.h"

namespace
{

using golden::Flush;
using golden::Read;
using golden::Reply;
using golden::Write;
using nbd_test::Interop;
using nbd_test::Peer;
using nbd_test::Program;

constexpr uint16_t kFua = 1;
constexpr uint32_t kIo = 5, kNospc = 28;

class InteropTest : public Interop
{
  protected:
    /* @bytes that look like nothing else, at path @name. */
    void Noise(const std::string &name, size_t bytes)
    {
        std::ofstream out(directory_.Path(name), std::ios::binary);
        std::mt19937_64 random(bytes);

        for (size_t i = 0; i < bytes; i += 8) {
            uint64_t word = random();

            out.write(reinterpret_cast<char *>(&word), 8);
        }
    }
    /* The system calls of the server so far, those of @calls, one a line. */
    std::vector<std::string> Trace() const
    {
        std::ifstream in(directory_.Path("trace"));
        std::vector<std::string> lines;

        for (std::string line; std::getline(in, line);) {
            lines.push_back(line);
        }
        return lines;
    }
};

TEST_F(InteropTest, NbdinfoShowsTheExport)
{
    NEEDS("nbdinfo");
    Start();

    std::string info = Run("nbdinfo \"$uri\"; nbdinfo --list \"$uri\"; nbdinfo --size \"$uri\"");

    EXPECT_NE(info.find("newstyle-fixed"), std::string::npos) << info;
    EXPECT_NE(info.find("67108864"), std::string::npos) << info;
    EXPECT_NE(info.find("can_fua: true"), std::string::npos) << info;
    EXPECT_NE(info.find("is_read_only: false"), std::string::npos) << info;
}

TEST_F(InteropTest, NbdcopyInAndOutIsTheSame)
{
    NEEDS("nbdcopy");
    Start();
    Noise("in", nbd_test::kDiskBytes);

    Run("nbdcopy --flush in \"$uri\" && nbdcopy \"$uri\" out && cmp in out && cmp in $file");

    EXPECT_EQ(server_->Stop(), 0);
}

TEST_F(InteropTest, QemuImgConvertsComparesAndMeasures)
{
    NEEDS("qemu-img");
    Start();
    Noise("in", 40 << 20);

    Run("qemu-img create -q -f qcow2 in.qcow2 64M &&"
        "qemu-img convert -n -f raw -O qcow2 in in.qcow2 &&"
        "qemu-img convert -n -f qcow2 -O raw in.qcow2 \"$uri\" &&"
        "qemu-img compare -f qcow2 -F raw in.qcow2 \"$uri\" &&"
        "qemu-img convert -W -m 16 -f raw -O raw \"$uri\" out &&"
        "cmp out $file && cmp -n 41943040 in out");

    EXPECT_NE(Run("qemu-img info \"$uri\"").find("64 MiB"), std::string::npos);
    EXPECT_EQ(server_->Stop(), 0);
}

TEST_F(InteropTest, QemuIoReadsThePatternsThatItWrote)
{
    NEEDS("qemu-io");
    Start();

    std::string out = Run(
        "qemu-io -f raw -c 'write -P 7 0 1M' -c 'write -f -P 9 1M 4k' -c flush"
        " -c 'aio_write -P 3 2M 2M' -c 'aio_write -P 4 4M 2M' -c aio_flush"
        " -c 'read -P 7 0 1M' -c 'read -P 9 1M 4k' -c 'read -P 3 2M 2M' -c 'read -P 4 4M 2M'"
        " -c 'read -P 0 6M 1M' -c 'write -P 5 67108352 512' -c 'read -P 5 67108352 512' \"$uri\"");

    EXPECT_EQ(out.find("verification failed"), std::string::npos) << out;
    EXPECT_EQ(out.find("rror"), std::string::npos) << out;
}

TEST_F(InteropTest, FioVerifiesWhatItWrote)
{
    NEEDS("fio");
    if (Program("fio --enghelp=nbd").Wait() != 0) {
        GTEST_SKIP() << "this fio has no nbd engine";
    }
    Start();

    Run("fio --name=v --ioengine=nbd --uri=\"$uri\" --rw=randrw --bsrange=512-64k --iodepth=32"
        " --size=16M --verify=crc32c --verify_fatal=1 --fsync=64");

    EXPECT_EQ(server_->Stop(), 0);
}

TEST_F(InteropTest, ThirtyTwoClientsAtOnceKeepOutOfEachOthersWay)
{
    NEEDS("qemu-io");
    std::vector<std::unique_ptr<Program>> clients;
    Start();

    for (int i = 0; i < 32; i++) {
        std::string at = std::to_string(i * 2) + "M", pattern = std::to_string(i + 1);

        clients.push_back(std::make_unique<Program>(
            Command("qemu-io -f raw -c 'write -P " + pattern + " " + at +
                    " 2M' -c flush -c 'read -P " + pattern + " " + at + " 2M' \"$uri\"")));
    }

    for (auto &client : clients) {
        EXPECT_EQ(client->Wait(), 0) << client->Output();
        EXPECT_EQ(client->Output().find("failed"), std::string::npos) << client->Output();
    }
    EXPECT_EQ(server_->Stop(), 0);
    std::ifstream file(file_, std::ios::binary);
    for (int i = 0; i < 32; i++) {
        std::string part(2 << 20, '\0');

        file.read(part.data(), 2 << 20);
        EXPECT_EQ(part, std::string(2 << 20, static_cast<char>(i + 1))) << i;
    }
}

TEST_F(InteropTest, AStopUnderLoadIsClean)
{
    NEEDS("fio");
    Start();
    Program load(Command("fio --name=l --ioengine=nbd --uri=\"$uri\" --rw=randrw --bs=4k"
                         " --iodepth=64 --size=64M --time_based --runtime=60"));
    Peer before(socket_);

    ASSERT_TRUE(before.Enter()); /* time for the load to begin */
    before.Send(Read(1, 0, 1 << 20) + Flush(2));
    before.Receive((1 << 20) + 32);
    before.Close();

    EXPECT_EQ(server_->Stop(), 0) << server_->Log();
    EXPECT_EQ(access(socket_.c_str(), F_OK), -1);
    load.Signal(SIGKILL);
}

TEST_F(InteropTest, AClientKilledUnderLoadIsNotMissed)
{
    NEEDS("qemu-io");
    Start();

    for (int i = 0; i < 5; i++) {
        Program load(Command("exec qemu-io -f raw -c 'aio_write -P 1 0 32M' -c 'aio_read 32M 32M'"
                             " -c 'aio_write -f -P 2 0 32M' -c 'sleep 10000' \"$uri\""));
        Peer other(socket_);

        ASSERT_TRUE(other.Enter());
        load.Signal(SIGKILL);
        load.Wait();
        other.Send(Read(1, 0, 1));
        EXPECT_EQ(other.Receive(17).size(), 17u);
    }

    EXPECT_EQ(server_->Stop(), 0);
}

TEST_F(InteropTest, NoAcknowledgedFuaWriteIsLostByAKill)
{
    Start();
    Peer peer(socket_);
    std::string input;
    size_t acknowledged = 0;

    ASSERT_TRUE(peer.Enter());
    for (uint32_t i = 0; i < 200; i++) {
        input += Write(i, i * 4096, std::string(4096, static_cast<char>('A' + i % 50)), kFua);
    }
    std::string rest = input.substr(peer.SendWithoutWaiting(input));
    std::vector<bool> done(256);
    while (acknowledged < 40) {
        done[static_cast<uint8_t>(peer.Receive(16)[15])] = true;
        acknowledged++;
    }
    server_->Signal(SIGKILL);

    std::ifstream file(file_, std::ios::binary);
    for (uint32_t i = 0; i < 200; i++) {
        std::string block(4096, '\0');

        file.read(block.data(), 4096);
        if (done[i]) {
            EXPECT_EQ(block, std::string(4096, static_cast<char>('A' + i % 50))) << i;
        }
    }
}

/* ---- the order of system calls, and failing ones ---- */

TEST_F(InteropTest, EveryFuaReplyLeavesBehindItsSync)
{
    NEEDS("strace");
    if (IsRing()) {
        GTEST_SKIP() << "a ring's requests are no system calls; see export_file_test";
    }
    Start({"strace", "-D", "-f", "-qq", "-o", directory_.Path("trace"), "-e",
           "trace=pwritev2,fdatasync,sendmsg"});
    Peer peer(socket_);
    ASSERT_TRUE(peer.Enter());

    for (uint32_t i = 0; i < 20; i++) {
        peer.Send(Write(i, i * 512, std::string(512, 'f'), kFua));
        EXPECT_EQ(peer.Receive(16), Reply(i, 0));
    }
    EXPECT_EQ(server_->Stop(), 0);

    std::string calls;
    for (const std::string &line : Trace()) {
        /* p, f, s of those that have ended; the handshake's two s first */
        if (line.find("unfinished") == std::string::npos) {
            calls += line[line.find_first_of("pfs")];
        }
    }
    std::string expected = "ss";
    for (int i = 0; i < 20; i++) {
        expected += "pfs";
    }
    EXPECT_EQ(calls.substr(0, expected.size()), expected);
}

TEST_F(InteropTest, AFailedSyncIsToldToThisAndEveryLaterFlush)
{
    NEEDS("strace");
    if (IsRing()) {
        GTEST_SKIP() << "a ring's requests are no system calls; see export_file_test";
    }
    Start({"strace", "-D", "-f", "-qq", "-o", directory_.Path("trace"), "-e", "trace=fdatasync",
           "-e", "inject=fdatasync:error=EIO"});
    Peer peer(socket_), other(socket_);
    ASSERT_TRUE(peer.Enter());
    ASSERT_TRUE(other.Enter());

    peer.Send(Flush(1));
    EXPECT_EQ(peer.Receive(16), Reply(1, kIo));
    peer.Send(Flush(2) + Flush(3) + Write(4, 0, "x", kFua) + Read(5, 0, 0));
    EXPECT_EQ(peer.Receive(4 * 16), Reply(2, kIo) + Reply(3, kIo) + Reply(4, kIo) + Reply(5, 0));
    other.Send(Flush(6));
    EXPECT_EQ(other.Receive(16), Reply(6, kIo));

    EXPECT_TRUE(server_->WaitForLog("fdatasync failed (Input/output error)"));
    EXPECT_EQ(server_->Stop(), 0);
    EXPECT_EQ(Trace().size(), 1u); /* it is not asked again, which might say yes */
}

TEST_F(InteropTest, AFullDiskIsToldAndOthersAreServed)
{
    NEEDS("strace");
    if (IsRing()) {
        GTEST_SKIP() << "a ring's requests are no system calls; see export_file_test";
    }
    Start({"strace", "-D", "-f", "-qq", "-o", directory_.Path("trace"), "-e", "trace=pwritev2",
           "-e", "inject=pwritev2:error=ENOSPC"});
    Peer peer(socket_);
    ASSERT_TRUE(peer.Enter());

    peer.Send(Write(2, 512, "b"));
    EXPECT_EQ(peer.Receive(16), Reply(2, kNospc));
    peer.Send(Read(3, 512, 1) + Flush(4));

    EXPECT_EQ(peer.Receive(33).size(), 33u);
    EXPECT_TRUE(server_->WaitForLog("write of 1 bytes at 512 failed: No space left on device"));
}

TEST_F(InteropTest, InterruptedAndAbortedCallsAreTriedAgain)
{
    NEEDS("strace");
    Start({"strace", "-D", "-qq", "-o", directory_.Path("trace"), "-e",
           "trace=accept4,recvmsg,sendmsg", "-e", "inject=accept4:error=ECONNABORTED:when=1..5",
           "-e", "inject=recvmsg:error=EINTR:when=1..9+2", "-e",
           "inject=sendmsg:error=EINTR:when=1..9+2"});
    Peer peer(socket_);

    ASSERT_TRUE(peer.Enter());
    for (uint32_t i = 0; i < 10; i++) {
        peer.Send(Write(i, 0, "x"));
        EXPECT_EQ(peer.Receive(16), Reply(i, 0));
        peer.Send(Read(i, 0, 1));
        EXPECT_EQ(peer.Receive(17), Reply(i, 0, "x"));
    }
    EXPECT_EQ(server_->Stop(), 0);
}

} // namespace
