/* SPDX-License-Identifier: MIT */
/*
 * direct_test.cc - exports past the page cache, with the clients that people have.
 * Skipped where the file system of /tmp has no O_DIRECT.
 */
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "interop.h"

namespace
{

using nbd_test::Interop;
using nbd_test::Server;

class DirectTest : public Interop
{
  protected:
    void SetUp() override
    {
        int fd = open(file_.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC);

        if (fd < 0 && errno == EINVAL) {
            GTEST_SKIP() << "no O_DIRECT in /tmp";
        }
        ASSERT_GE(fd, 0);
        close(fd);
    }
    void StartDirect(const std::string &more = "")
    {
        StartWith(
            {"--stats", directory_.Path("stats"), "--export", "=" + file_ + ",direct" + more});
    }
    /* How many requests of files that engine has served. */
    int Served(const std::string &engine)
    {
        nbd_test::Peer peer(directory_.Path("stats"));
        const std::string row = "aiox_nbd_file_requests_total{export=\"\",engine=\"" + engine;

        peer.Send("prometheus\n");
        std::string text = peer.ReceiveAll();
        size_t at = text.find(row);

        EXPECT_NE(at, std::string::npos) << text;
        return at == std::string::npos ? -1 : atoi(text.c_str() + at + row.size() + 3);
    }
};

TEST_F(DirectTest, TheEngineIsToldAndServesEachReadAndWrite)
{
    NEEDS("qemu-io");
    const std::string engine = IsRing() ? "ring" : "linux_aio";
    StartDirect();

    Run("qemu-io -f raw -c 'write -P 7 0 64k' -c 'read -P 7 0 64k' \"$uri\"");

    if (!IsRing() && server_->Log().find("no native AIO") != std::string::npos) {
        GTEST_SKIP() << "this build or kernel has no native AIO";
    }
    EXPECT_NE(server_->Log().find("export \"\" is served by " + engine + ": "), std::string::npos)
        << server_->Log();
    EXPECT_GE(Served(engine), 2);
    EXPECT_EQ(Served("inline"), 0);
}

TEST_F(DirectTest, TheMinimumBlockSizeIsTold)
{
    NEEDS("nbdinfo");
    StartDirect();

    std::string info = Run("nbdinfo \"$uri\"");

    EXPECT_EQ(info.find("block_size_minimum: 1\n"), std::string::npos) << info;
    EXPECT_NE(info.find("block_size_minimum: "), std::string::npos) << info;
}

TEST_F(DirectTest, NbdcopyCopiesBothWays)
{
    NEEDS("nbdcopy");
    StartDirect();

    Run("head -c 64M /dev/urandom > in && nbdcopy --flush in \"$uri\" && cmp in $file &&"
        "nbdcopy --connections=4 \"$uri\" out && cmp in out");

    EXPECT_EQ(server_->Stop(), 0);
}

TEST_F(DirectTest, QemuIoReadsThePatternsThatItWrote)
{
    NEEDS("qemu-io");
    StartDirect();

    std::string out =
        Run("qemu-io -f raw -d unmap -c 'write -P 7 0 8M' -c 'write -f -P 9 1M 4k'"
            " -c 'write -P 5 100 1000' -c 'discard 2M 1M' -c 'write -z 4M 64k'"
            " -c 'aio_write -P 3 5M 1M' -c 'aio_read -P 7 6M 1M' -c aio_flush"
            " -c 'read -P 9 1M 4k' -c 'read -P 5 100 1000' -c 'read -P 7 1100 100k'"
            " -c 'read -P 0 4M 64k' -c 'read -P 3 5M 1M' -c 'read -P 0 67104768 4k' \"$uri\"");

    EXPECT_EQ(out.find("failed"), std::string::npos) << out;
    EXPECT_EQ(server_->Stop(), 0);
}

TEST_F(DirectTest, WhatIsNotAlignedIsRefusedAndTheClientStays)
{
    if (!HasShell()) {
        GTEST_SKIP() << "not installed: nbdsh";
    }
    StartDirect();

    std::string out = RunShell(R"(
import errno, os
h.connect_uri(os.environ["uri"])
least = h.get_block_size(nbd.SIZE_MINIMUM)
assert least >= 512
h.set_strict_mode(0)
def refused(what):
    try:
        what()
    except nbd.Error as e:
        assert e.errnum == errno.EINVAL, e
        return True
assert refused(lambda: h.pread(least - 1, 0))
assert refused(lambda: h.pread(least, 1))
assert refused(lambda: h.pwrite(b"x" * 100, 0))
assert refused(lambda: h.zero(least, least + 1))
h.pwrite(b"y" * least, least, nbd.CMD_FLAG_FUA)
assert h.pread(3 * least, 0) == bytearray(least) + b"y" * least + bytearray(least)
h.shutdown()
print("all of it")
)");

    EXPECT_NE(out.find("all of it"), std::string::npos) << out;
    EXPECT_EQ(server_->Stop(), 0);
}

TEST_F(DirectTest, HolesAreToldAndNotRead)
{
    NEEDS("nbdcopy");
    Run("yes | dd of=$file bs=1M count=1 seek=3 conv=notrunc iflag=fullblock status=none");
    StartDirect();

    std::string totals = Run("nbdcopy \"$uri\" out && cmp out $file && "
                             "nbdinfo --map --totals \"$uri\"");

    EXPECT_NE(totals.find("1048576   1.6%   0 data"), std::string::npos) << totals;
}

TEST_F(DirectTest, ACopyOnWriteOverItLeavesTheFileAsItIs)
{
    NEEDS("qemu-io");
    Run("head -c 64M /dev/urandom > $file && cp $file before");
    StartDirect(",cow");

    std::string out = Run("qemu-io -f raw -c 'write -P 7 512 3M' -c 'write -P 3 10241 3'"
                          " -c 'read -P 7 512 9k' -c 'read -P 3 10241 3' \"$uri\""
                          " && cmp $file before && nbdcopy \"$uri\" after &&"
                          " cmp -n 512 after before && cmp -i 4M after before");

    EXPECT_EQ(out.find("failed"), std::string::npos) << out;
    EXPECT_EQ(server_->Stop(), 0);
}

TEST_F(DirectTest, WhatCannotBeIsRefusedAtTheStart)
{
    Run("truncate -s 1000 $dir/odd");
    Server odd({"--unix", socket_, "--export", "a=" + directory_.Path("odd") + ",direct"});
    Server memory({"--unix", socket_, "--export", "a=memory:1M,direct"});

    EXPECT_EQ(odd.Wait(), 1);
    EXPECT_NE(odd.Log().find("its size, 1000, is no multiple of the "), std::string::npos)
        << odd.Log();
    EXPECT_EQ(memory.Wait(), 1);
    EXPECT_NE(memory.Log().find("memory has nothing to do with O_DIRECT"), std::string::npos);
}

} // namespace
