/* SPDX-License-Identifier: MIT */
/*
 * completion.cc - requests, prepared and awaited.
 */
#include "completion.h"

#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace contract
{

static void Call(void *sqe, void *opaque)
{
    io_uring_sqe zero = {};

    EXPECT_EQ(memcmp(sqe, &zero, sizeof(zero)), 0) << "not zeroed";
    (*static_cast<Prepare *>(opaque))(static_cast<io_uring_sqe *>(sqe));
}

int Submit(Monitor &mon, uint64_t token, Prepare prepare)
{
    return mon.completion()->submit(mon.get(), Call, &prepare, token);
}

void Nop(io_uring_sqe *sqe)
{
    sqe->opcode = IORING_OP_NOP;
}

Prepare Transfer(unsigned opcode, int fd, void *buffer, unsigned bytes, uint64_t offset)
{
    return [=](io_uring_sqe *sqe) {
        sqe->opcode = (uint8_t)opcode;
        sqe->fd = fd;
        sqe->addr = (uintptr_t)buffer;
        sqe->len = bytes;
        sqe->off = offset;
    };
}

Prepare InAThread(Prepare prepare)
{
    return [=](io_uring_sqe *sqe) {
        prepare(sqe);
        sqe->flags |= IOSQE_ASYNC;
    };
}

Results AwaitResults(Monitor &mon, size_t count)
{
    Results results;

    for (size_t ended = 0; ended < count;) {
        for (auto &e : mon.Collect(-1)) {
            if (e.events == 0) {
                results[e.token].push_back(e.result);
                ended++;
            }
        }
    }
    return results;
}

Fd TemporaryFile(const std::string &content)
{
    char name[] = "/tmp/fdmon_contract_XXXXXX";
    Fd file(mkostemp(name, O_CLOEXEC));

    unlink(name);
    EXPECT_EQ(write(file.get(), content.data(), content.size()), (ssize_t)content.size());
    return file;
}

INSTANTIATE_TEST_SUITE_P(Fdmon, CompletionContract,
                         ::testing::ValuesIn(BackendsThatCan(AIOX_FDMON_CAP_COMPLETION)), NameOf);

} // namespace contract
