/* SPDX-License-Identifier: MIT */
/*
 * interop_space_test.cc - holes, zeroes and what else is more than bytes, with the
 * clients that people have.
 */
#include <sys/stat.h>

#include "interop.h"

namespace
{

using nbd_test::Interop;
using nbd_test::Program;

class InteropSpaceTest : public Interop
{
  protected:
    uint64_t Allocated() const
    {
        struct stat st = {};

        EXPECT_EQ(stat(file_.c_str(), &st), 0);
        return static_cast<uint64_t>(st.st_blocks) * 512;
    }
    /* Data in the first, the third and the last MiB. */
    void Scatter()
    {
        Program program("for at in 0 2 63; do yes | dd of=" + file_ +
                        " bs=1M count=1 seek=$at conv=notrunc iflag=fullblock status=none; done");

        ASSERT_EQ(program.Wait(), 0) << program.Output();
    }
};

TEST_F(InteropSpaceTest, NbdinfoTellsWhatIsOffered)
{
    NEEDS("nbdinfo");
    Start();

    std::string info = Run("nbdinfo \"$uri\"");

    for (const char *offered :
         {"can_cache: true", "can_df: true", "can_fast_zero: true", "can_trim: true",
          "can_zero: true", "can_multi_conn: true", "block_size_minimum: 1",
          "block_size_preferred: 4096", "block_size_maximum: 33554432", "base:allocation"}) {
        EXPECT_NE(info.find(offered), std::string::npos) << offered << "\n" << info;
    }
}

TEST_F(InteropSpaceTest, NbdinfoMapsDataAndHoles)
{
    NEEDS("nbdinfo");
    Scatter();
    Start();

    std::string map = Run("nbdinfo --map \"$uri\"");
    std::string totals = Run("nbdinfo --map --totals \"$uri\"");

    EXPECT_NE(totals.find("3145728   4.7%   0 data"), std::string::npos) << map << totals;
    EXPECT_NE(totals.find("63963136  95.3%   3 hole,zero"), std::string::npos) << totals;
}

TEST_F(InteropSpaceTest, QemuImgMapsAndComparesAndCopiesSparsely)
{
    NEEDS("qemu-img");
    Scatter();
    Start();

    std::string map = Run("qemu-img map -f raw --output=json \"$uri\"");

    EXPECT_NE(map.find("\"start\": 1048576, \"length\": 1048576, \"depth\": 0, \"present\": true, "
                       "\"zero\": true, \"data\": false"),
              std::string::npos)
        << map;
    Run("qemu-img convert -f raw -O raw \"$uri\" out && cmp out $file &&"
        "qemu-img compare -f raw -F raw out \"$uri\"");
    EXPECT_EQ(Run("test $(stat -c %b out) -lt 16384 && echo sparse"), "sparse\n");
}

TEST_F(InteropSpaceTest, QemuImgMakesHolesWhereTheSourceHasThem)
{
    NEEDS("qemu-img");
    Start();
    Run("yes | dd of=$file bs=1M count=64 conv=notrunc iflag=fullblock status=none;"
        "truncate -s 64M in; yes no | dd of=in bs=1M count=2 seek=7 conv=notrunc iflag=fullblock"
        " status=none");

    Run("qemu-img convert -n -f raw -O raw in \"$uri\" && cmp in $file");

    EXPECT_LT(Allocated(), UINT64_C(8) << 20);
    EXPECT_EQ(server_->Stop(), 0);
}

TEST_F(InteropSpaceTest, QemuIoDiscardsAndZeroes)
{
    NEEDS("qemu-io");
    Start();

    std::string out = Run("qemu-io -f raw -d unmap -c 'write -P 7 0 8M' -c 'discard 0 4M'"
                          " -c 'write -z -u 4M 1M' -c 'write -z 5M 1M' -c 'write -z -n 4M 64k'"
                          " -c 'read -P 0 4M 2M' -c 'read -P 7 6M 2M' -c flush \"$uri\"");

    EXPECT_EQ(out.find("failed"), std::string::npos) << out;
    EXPECT_EQ(server_->Stop(), 0);
    EXPECT_LE(Allocated(), UINT64_C(4) << 20); /* 2 MiB of data, 1 MiB kept for later */
}

TEST_F(InteropSpaceTest, NbdcopyCopiesSparseFilesBothWays)
{
    NEEDS("nbdcopy");
    Scatter();
    Start();

    Run("nbdcopy \"$uri\" out && cmp out $file && truncate -s 64M empty &&"
        "nbdcopy --destination-is-zero out \"$uri\" && nbdcopy empty \"$uri\" && cmp empty $file");

    EXPECT_EQ(Run("test $(stat -c %b out) -lt 16384 && echo sparse"), "sparse\n");
    EXPECT_LE(Allocated(), UINT64_C(1) << 20);
}

TEST_F(InteropSpaceTest, NbdcopyUsesSeveralConnections)
{
    NEEDS("nbdcopy");
    Scatter();
    Start();

    Run("nbdcopy --connections=4 --flush $file out.raw && nbdcopy --connections=4 --requests=16"
        " --flush out.raw \"$uri\" && nbdcopy --connections=4 \"$uri\" back && cmp back out.raw");

    EXPECT_EQ(server_->Stop(), 0);
    EXPECT_EQ(server_->Log().find("served 2 clients"), std::string::npos) << server_->Log();
}

TEST_F(InteropSpaceTest, NbdshSpeaksEveryCommand)
{
    if (!HasShell()) {
        GTEST_SKIP() << "not installed: nbdsh";
    }
    Start();

    std::string out = RunShell(R"(
import errno, os
h.add_meta_context("base:allocation")
h.connect_uri(os.environ["uri"])
assert h.get_structured_replies_negotiated()
assert h.can_multi_conn() and h.can_df() and h.can_fast_zero() and h.can_cache()
assert h.can_meta_context("base:allocation")
M = 1 << 20

def extents(count, offset, flags=0):
    got = []
    h.block_status(count, offset, lambda c, o, e, err: got.extend(e), flags)
    return got

assert extents(64 * M, 0) == [64 * M, 3]
h.pwrite(b"x" * M, M, nbd.CMD_FLAG_FUA)
assert extents(64 * M, 0) == [M, 3, M, 0, 62 * M, 3]
assert extents(64 * M, 0, nbd.CMD_FLAG_REQ_ONE) == [M, 3]

chunks = []
def chunk(data, offset, status, err):
    chunks.append((offset, len(data), status))
buf = h.pread_structured(3 * M, 0, chunk)
assert buf == bytearray(M) + b"x" * M + bytearray(M)
assert sorted(chunks) == [(0, M, nbd.READ_HOLE), (M, M, nbd.READ_DATA), (2 * M, M, nbd.READ_HOLE)]
chunks.clear()
h.pread_structured(3 * M, 0, chunk, nbd.CMD_FLAG_DF)
assert chunks == [(0, 3 * M, nbd.READ_DATA)]

h.zero(512, M, nbd.CMD_FLAG_NO_HOLE | nbd.CMD_FLAG_FUA)
h.zero(M // 2, M, nbd.CMD_FLAG_FAST_ZERO)
assert h.pread(M, M) == bytearray(M // 2) + b"x" * (M // 2)
h.trim(M, M, nbd.CMD_FLAG_FUA)
h.cache(M, 0)
h.flush()
assert extents(64 * M, 0) == [64 * M, 3]

h.set_strict_mode(0)
for what in (lambda: h.pread(512, 64 * M), lambda: h.trim(512, 64 * M),
             lambda: h.zero(512, 64 * M), lambda: h.block_status(512, 64 * M, print)):
    try:
        what()
        assert False
    except nbd.Error as e:
        assert e.errnum in (errno.EINVAL, errno.ENOSPC), e
h.shutdown()
print("all of it")
)");

    EXPECT_NE(out.find("all of it"), std::string::npos) << out;
    EXPECT_EQ(server_->Stop(), 0);
}

TEST_F(InteropSpaceTest, AFlushOnOneConnectionCoversTheOthers)
{
    if (!HasShell()) {
        GTEST_SKIP() << "not installed: nbdsh";
    }
    NEEDS("strace");
    if (IsRing()) {
        GTEST_SKIP() << "a ring's requests are no system calls; see export_file_test";
    }
    Start({"strace", "-D", "-f", "-qq", "-o", directory_.Path("trace"), "-e", "trace=fdatasync"});

    RunShell(R"(
import os
h.connect_uri(os.environ["uri"])
g = nbd.NBD()
g.connect_uri(os.environ["uri"])
h.pwrite(b"written on one", 0)
g.flush()
assert g.pread(14, 0) == b"written on one"
)");

    EXPECT_EQ(server_->Stop(), 0);
    EXPECT_EQ(Run("grep -c fdatasync trace"), "1\n");
}

TEST_F(InteropSpaceTest, ACopyOnWriteLeavesTheFileAsItIs)
{
    NEEDS("qemu-io");
    Scatter();
    Run("cp --sparse=always $file before");
    StartWith({"--export", "=" + file_ + ",cow"});

    std::string out =
        Run("qemu-io -f raw -d unmap -c 'write -P 7 1000 3M' -c 'write -z 8M 1M'"
            " -c 'discard 1M 1M' -c 'read -P 7 1000 1000k' -c 'read -P 0 8M 1M' \"$uri\""
            " && nbdcopy \"$uri\" after && cmp $file before && ! cmp -s after before");

    EXPECT_EQ(out.find("failed"), std::string::npos) << out;
    EXPECT_EQ(server_->Stop(), 0);
}

TEST_F(InteropSpaceTest, FioTrimsAndVerifies)
{
    NEEDS("fio");
    Start();

    std::string out = Run("fio --name=v --ioengine=nbd --uri=\"$uri\" --rw=randtrimwrite --bs=64k"
                          " --iodepth=16 --size=32M --end_fsync=1");

    EXPECT_NE(out.find("err= 0"), std::string::npos) << out;
}

TEST_F(InteropSpaceTest, TheKernelsOwnClientReadsAndDiscards)
{
    NEEDS("nbd-client");
    if (access("/dev/nbd0", R_OK | W_OK) != 0) {
        GTEST_SKIP() << "this kernel has no /dev/nbd0";
    }
    Start();

    Run("nbd-client -unix $dir/socket /dev/nbd0 && yes | dd of=/dev/nbd0 bs=1M count=4"
        " iflag=fullblock oflag=direct && blkdiscard -o 0 -l 1048576 /dev/nbd0;"
        " r=$?; nbd-client -d /dev/nbd0; exit $r");

    EXPECT_EQ(server_->Stop(), 0);
}

} // namespace
