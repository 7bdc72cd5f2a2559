/* SPDX-License-Identifier: MIT */
/*
 * file_direct_test.cc - O_DIRECT on file systems that the test plays: open() and
 * pread() take what the test says.
 */
#include "apps/nbd_server/export.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/aiox.h"
#include "apps/nbd_server/file_space.h"
#include "apps/nbd_server/pool.h"

namespace
{

int direct_fd;    /* the last one opened so */
bool has_direct;  /* the file system takes O_DIRECT */
uint32_t said[2]; /* memory and offset, by the kernel */
uint32_t taken;   /* reads of multiples of this are taken */
int read_error;   /* of such reads */
std::vector<size_t> tried;

} // namespace

extern "C" {
int __wrap_open(const char *path, int flags, ...)
{
    va_list values;

    va_start(values, flags);
    int mode = flags & O_CREAT ? va_arg(values, int) : 0;
    va_end(values);
    if ((flags & O_DIRECT) && !has_direct) {
        errno = EINVAL;
        return -1;
    }
    int fd = static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags & ~O_DIRECT, mode));

    direct_fd = flags & O_DIRECT ? fd : direct_fd;
    return fd;
}
ssize_t __wrap_pread(int fd, void *memory, size_t bytes, off_t offset)
{
    if (fd != direct_fd) {
        return syscall(SYS_pread64, fd, memory, bytes, offset);
    }
    tried.push_back(bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % POOL_PAYLOAD_ALIGNMENT, 0u);
    EXPECT_NE(reinterpret_cast<uintptr_t>(memory) % (2 * POOL_PAYLOAD_ALIGNMENT), 0u);
    if (bytes % taken != 0 || read_error) {
        errno = bytes % taken != 0 ? EINVAL : read_error;
        return -1;
    }
    return static_cast<ssize_t>(bytes);
}
void __wrap_aiox_file_alignment(const aiox_file *, uint32_t *memory_bytes, uint32_t *offset_bytes)
{
    *memory_bytes = said[0];
    *offset_bytes = said[1];
}
}

namespace
{

class FileDirectTest : public ::testing::Test
{
  protected:
    FileDirectTest()
    {
        direct_fd = -1;
        has_direct = true;
        said[0] = said[1] = taken = 512;
        read_error = 0;
        tried.clear();
        EXPECT_EQ(aiox_new(&ctx_, nullptr), 0);
        Resize(1 << 20);
    }
    ~FileDirectTest() override
    {
        export_list_close(&list_);
        aiox_context_unref(ctx_);
        unlink(path_.c_str());
    }
    void Resize(off_t bytes)
    {
        int fd = open(path_.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);

        EXPECT_EQ(ftruncate(fd, bytes), 0);
        close(fd);
    }
    int Open(bool cow = false)
    {
        export_spec spec = {};

        spec.name = "";
        spec.source = path_.c_str();
        spec.direct = true;
        spec.cow = cow;
        return export_list_open(&list_, ctx_, &spec, &error_);
    }
    bool Says(const std::string &words) const
    {
        return std::string(error_.message).find(words) != std::string::npos;
    }

    std::string path_ = "/tmp/aiox-nbd-direct-" + std::to_string(getpid());
    aiox_context *ctx_ = nullptr;
    export_list list_ = {};
    aiox_error error_ = {};
};

TEST_F(FileDirectTest, AFileSystemWithoutItIsAnErrorInWords)
{
    has_direct = false;

    EXPECT_EQ(Open(), -EINVAL);

    EXPECT_TRUE(Says("with O_DIRECT: its file system has none")) << error_.message;
}

TEST_F(FileDirectTest, WhatTheKernelSaysIsTheMinimum)
{
    said[1] = taken = 4096;

    ASSERT_EQ(Open(), 0) << error_.message;

    EXPECT_EQ(list_.first->min_mask, 4095u);
    EXPECT_EQ(tried, (std::vector<size_t>{4096}));
}

TEST_F(FileDirectTest, WhereTheKernelIsWrongTheLengthIsFoundByTrying)
{
    taken = 8192;

    ASSERT_EQ(Open(), 0) << error_.message;

    EXPECT_EQ(list_.first->min_mask, 8191u);
    EXPECT_EQ(list_.first->preferred_bytes, 8192u);
    EXPECT_EQ(tried, (std::vector<size_t>{512, 1024, 2048, 4096, 8192}));
}

TEST_F(FileDirectTest, WhatCannotBeServedIsRefusedInWords)
{
    said[0] = 4096;
    EXPECT_EQ(Open(), -EINVAL);
    EXPECT_TRUE(Says("wants memory at multiples of 4096")) << error_.message;
    said[0] = 512;
    taken = 128 << 10;
    EXPECT_EQ(Open(), -EINVAL);
    EXPECT_TRUE(Says("not read: Invalid argument")) << error_.message;
    taken = 512;
    read_error = EIO;
    EXPECT_EQ(Open(), -EIO);
    read_error = 0;
    Resize(1000);
    EXPECT_EQ(Open(), -EINVAL);
    EXPECT_TRUE(Says("its size, 1000, is no multiple of the 512 bytes")) << error_.message;
    EXPECT_EQ(list_.first, nullptr);
}

TEST_F(FileDirectTest, ACopyOnWriteHasTheBlocksOfWhatIsBelow)
{
    ASSERT_EQ(Open(true), 0) << error_.message;
    EXPECT_EQ(list_.first->min_mask, 511u);
    export_list_close(&list_);

    taken = 8192;
    EXPECT_EQ(Open(true), -EINVAL);
    EXPECT_TRUE(Says("larger blocks here than cow has")) << error_.message;
}

/* ---- holes, in blocks that are larger than those of the file system ---- */

TEST_F(FileDirectTest, ABlockThatIsDataInPartIsData)
{
    int fd = open(path_.c_str(), O_RDWR | O_CLOEXEC);
    std::string page(4096, 'x');
    export_extent extents[8];
    export_io io = {};

    ASSERT_EQ(pwrite(fd, page.data(), page.size(), 5 * 4096), 4096);
    ASSERT_EQ(pwrite(fd, page.data(), page.size(), 11 * 4096), 4096);
    io.bytes = 64 << 10;
    io.extents = extents;
    io.extent_max = 8;
    file_space_map(fd, (16 << 10) - 1, &io);
    close(fd);

    ASSERT_EQ(io.extent_count, 4u); /* blocks of four pages: a hole, two with data, a hole */
    for (uint32_t i = 0; i < 4; i++) {
        EXPECT_EQ(extents[i].bytes, 16u << 10);
        EXPECT_EQ(extents[i].state, i == 0 || i == 3 ? EXPORT_HOLE | EXPORT_ZERO : 0u);
    }
}

} // namespace
