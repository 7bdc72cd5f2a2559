/* SPDX-License-Identifier: MIT */
/*
 * file_block_test.cc - a file whose first block is on a disk that does not answer
 * before the test wants it to, and a loop that has others to serve.
 */
#include "apps/nbd_server/export.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <future>
#include <string>

#include <gtest/gtest.h>

#include "aiox/aiox.h"

namespace
{

struct Gate {
    std::promise<void> entered, opened;
};
Gate *gate;

} // namespace

extern "C" {
ssize_t __real_preadv2(int fd, const iovec *iov, int count, off_t offset, int flags);
ssize_t __wrap_preadv2(int fd, const iovec *iov, int count, off_t offset, int flags)
{
    if (offset == 0 && flags & RWF_NOWAIT) {
        errno = EAGAIN;
        return -1;
    }
    if (offset == 0) {
        gate->entered.set_value();
        gate->opened.get_future().wait();
    }
    return __real_preadv2(fd, iov, count, offset, flags);
}
bool __wrap_aiox_can_submit(aiox_context *, unsigned)
{
    return false; /* a ring that knows nothing of files */
}
}

namespace
{

/* A request of a client. */
struct Asked {
    export_io io = {}; /* first */
    int result = 1;
    bool over = false;
    uint8_t data[4096] = {};
    export_extent extent = {};

    explicit Asked(uint64_t offset)
    {
        io.offset = offset;
        io.bytes = sizeof(data);
        io.data = data;
        io.extents = &extent;
        io.extent_max = 1;
        io.done = [](export_io *done, int outcome) {
            Asked *asked = reinterpret_cast<Asked *>(done);

            asked->result = outcome;
            asked->over = true;
        };
    }
};

class FileBlockTest : public ::testing::Test
{
  protected:
    FileBlockTest()
    {
        export_spec spec = {};

        gate = &gate_;
        path_ = "/tmp/aiox-nbd-block-" + std::to_string(getpid());
        int fd = open(path_.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
        EXPECT_EQ(pwrite(fd, std::string(8192, 'x').data(), 8192, 0), 8192);
        close(fd);
        EXPECT_EQ(aiox_new(&ctx_, nullptr), 0);
        spec.name = "";
        spec.source = path_.c_str();
        EXPECT_EQ(export_list_open(&list_, ctx_, &spec, nullptr), 0);
    }
    ~FileBlockTest() override
    {
        export_list_close(&list_);
        aiox_context_unref(ctx_);
        unlink(path_.c_str());
    }
    void WaitFor(const Asked &asked)
    {
        while (!asked.over) {
            aiox_poll(ctx_, true);
        }
    }

    Gate gate_;
    std::string path_;
    aiox_context *ctx_ = nullptr;
    export_list list_ = {};
};

TEST_F(FileBlockTest, AReadThatBlocksDoesNotStopOtherClients)
{
    nbd_export *e = list_.first;
    Asked stuck(0), read(4096), write(4096), flush(0), map(4096), zero(4096);

    flush.io.bytes = 0;
    e->ops->read(e, &stuck.io);
    gate_.entered.get_future().wait(); /* and there it stays */
    e->ops->read(e, &read.io);
    WaitFor(read);
    e->ops->write(e, &write.io);
    WaitFor(write);
    e->ops->flush(e, &flush.io);
    WaitFor(flush);
    e->ops->map(e, &map.io);
    WaitFor(map);
    e->ops->zero(e, &zero.io);
    WaitFor(zero);

    EXPECT_FALSE(stuck.over);
    gate_.opened.set_value();
    WaitFor(stuck);
    EXPECT_EQ(read.result | write.result | flush.result | map.result | zero.result, 0);
    EXPECT_EQ(read.data[0], 'x');
    EXPECT_EQ(stuck.result, 0);
    EXPECT_EQ(stuck.data[0], 'x');
}

} // namespace
