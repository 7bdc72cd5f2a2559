/* SPDX-License-Identifier: MIT */
/*
 * completion_test.cc - "aiox.completion/1", for whoever offers it.
 */
#include "fdmon_contract.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <unistd.h>

namespace contract
{
namespace
{

using Results = std::map<uint64_t, std::vector<int32_t>>;

class CompletionContract : public FdmonContract
{
};

INSTANTIATE_TEST_SUITE_P(Fdmon, CompletionContract,
                         ::testing::ValuesIn(BackendsThatCan(AIOX_FDMON_CAP_COMPLETION)), NameOf);

using Prepare = std::function<void(io_uring_sqe *)>;

void Call(void *sqe, void *opaque)
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

/* Collects until @count requests have ended. */
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

TEST_P(CompletionContract, ARequestIsReportedOnce)
{
    Monitor mon(plugin(), &host_);

    ASSERT_EQ(Submit(mon, 7, Nop), 0);

    EXPECT_EQ(AwaitResults(mon, 1), (Results{{7, {0}}}));
    EXPECT_TRUE(mon.Collect(0).empty());
}

TEST_P(CompletionContract, FilesAreWrittenAndRead)
{
    Monitor mon(plugin(), &host_);
    Fd file = TemporaryFile("");
    char out[] = "hello, ring";
    char in[64] = {};

    ASSERT_EQ(Submit(mon, 1, Transfer(IORING_OP_WRITE, file.get(), out, sizeof(out), 0)), 0);
    EXPECT_EQ(AwaitResults(mon, 1), (Results{{1, {sizeof(out)}}}));
    ASSERT_EQ(Submit(mon, 2, Transfer(IORING_OP_READ, file.get(), in, sizeof(in), 0)), 0);
    EXPECT_EQ(AwaitResults(mon, 1), (Results{{2, {sizeof(out)}}})) << "as much as there is";
    EXPECT_STREQ(in, out);
    ASSERT_EQ(Submit(mon, 3, Transfer(IORING_OP_READ, file.get(), in, sizeof(in), 1000)), 0);
    EXPECT_EQ(AwaitResults(mon, 1), (Results{{3, {0}}})) << "end of file";
}

TEST_P(CompletionContract, AnErrorIsAResult)
{
    Monitor mon(plugin(), &host_);
    char in[4];
    auto unknown = [](io_uring_sqe *sqe) { sqe->opcode = 200; };

    ASSERT_EQ(Submit(mon, 1, Transfer(IORING_OP_READ, 1 << 20, in, sizeof(in), 0)), 0);
    ASSERT_EQ(Submit(mon, 2, unknown), 0);
    ASSERT_EQ(Submit(mon, 3, Nop), 0);

    EXPECT_EQ(AwaitResults(mon, 3), (Results{{1, {-EBADF}}, {2, {-EINVAL}}, {3, {0}}}));
}

TEST_P(CompletionContract, TenThousandWithoutACollectAreAllReportedOnce)
{
    constexpr uint64_t kMany = 10000;

    for (const char *entries : {"128", "4"}) {
        host_.SetOption("entries", entries);
        host_.SetOption("cq_entries", std::to_string(2 * std::stoi(entries)));
        Monitor mon(plugin(), &host_);
        for (uint64_t token = 0; token < kMany; token++) {
            ASSERT_EQ(Submit(mon, token, Nop), 0) << token;
        }

        Results results = AwaitResults(mon, kMany);
        EXPECT_EQ(results.size(), (size_t)kMany);
        EXPECT_TRUE(mon.Collect(0).empty());
    }
}

TEST_P(CompletionContract, ManyCanBeUnderWay)
{
    constexpr int kMany = 1000;
    Monitor mon(plugin(), &host_);
    std::vector<Pair> pipes;
    std::vector<char> buffers(kMany);

    for (int i = 0; i < kMany; i++) {
        pipes.push_back(Pipe());
        fcntl(pipes[i].a.get(), F_SETFL, 0);
        ASSERT_EQ(Submit(mon, i, Transfer(IORING_OP_READ, pipes[i].a.get(), &buffers[i], 1, 0)), 0);
    }
    EXPECT_TRUE(mon.Collect(0).empty());
    for (auto &pipe : pipes) {
        WriteByte(pipe.b.get());
    }

    Results results = AwaitResults(mon, kMany);
    EXPECT_EQ(results.size(), (size_t)kMany);
    EXPECT_EQ(std::string(buffers.begin(), buffers.end()), std::string(kMany, 'x'));
}

TEST_P(CompletionContract, ACancelledRequestEndsEarly)
{
    Monitor mon(plugin(), &host_);
    Pair pipe = Pipe();
    char in;

    fcntl(pipe.a.get(), F_SETFL, 0);
    for (uint64_t token = 1; token < 100; token++) {
        ASSERT_EQ(Submit(mon, token, Transfer(IORING_OP_READ, pipe.a.get(), &in, 1, 0)), 0);
        if (token % 2) {
            mon.Collect(0);
        }
        ASSERT_EQ(mon.completion()->cancel(mon.get(), token), 0);

        Results results = AwaitResults(mon, 1);
        ASSERT_TRUE(results[token][0] == -ECANCELED || results[token][0] == -EINTR);
    }
    WriteByte(pipe.b.get());
    EXPECT_TRUE(mon.Collect(0).empty());
    EXPECT_EQ(read(pipe.a.get(), &in, 1), 1) << "nobody has read it";
}

TEST_P(CompletionContract, WhatIsNotUnderWayCannotBeCancelled)
{
    Monitor mon(plugin(), &host_);

    EXPECT_EQ(mon.completion()->cancel(mon.get(), 7), -ENOENT);
    ASSERT_EQ(Submit(mon, 7, Nop), 0);
    EXPECT_EQ(AwaitResults(mon, 1), (Results{{7, {0}}}));
    EXPECT_EQ(mon.completion()->cancel(mon.get(), 7), -ENOENT);
}

/* Else the kernel writes into memory that is somebody else's by now. */
TEST_P(CompletionContract, ClosingWaitsForWhatIsUnderWay)
{
    for (int round = 0; round < 200; round++) {
        Pair pipe = Pipe();
        char buffers[50];
        char in;

        fcntl(pipe.a.get(), F_SETFL, 0);
        {
            Monitor mon(plugin(), &host_);
            for (int i = 0; i < 50; i++) {
                Prepare read = Transfer(IORING_OP_READ, pipe.a.get(), &buffers[i], 1, 0);
                ASSERT_EQ(Submit(mon, i, i % 10 ? read : InAThread(read)), 0);
            }
            mon.Collect(0);
        }
        WriteByte(pipe.b.get());

        fcntl(pipe.a.get(), F_SETFL, O_NONBLOCK);
        ASSERT_EQ(read(pipe.a.get(), &in, 1), 1) << round;
    }
}

TEST_P(CompletionContract, LookingAloneBringsWhatTheQueueHadNoRoomFor)
{
    host_.SetOption("entries", "4");
    host_.SetOption("cq_entries", "8");
    Monitor mon(plugin(), &host_);
    int ended = 0;

    for (uint64_t token = 0; token < 100; token++) {
        ASSERT_EQ(Submit(mon, token, Nop), 0);
    }
    for (int look = 0; look < 20; look++) {
        ended += (int)mon.Collect(0, 10).size();
    }

    EXPECT_EQ(ended, 100);
}

TEST_P(CompletionContract, SentAndBufferFreeAreOneReport)
{
    constexpr unsigned kSendZc = 47; /* IORING_OP_SEND_ZC */
    Monitor mon(plugin(), &host_);
    Pair pair = TcpPair();
    char out[4096] = {};

    if (!mon.completion()->supports(mon.get(), kSendZc)) {
        GTEST_SKIP() << "the kernel does not know IORING_OP_SEND_ZC";
    }
    ASSERT_EQ(Submit(mon, 1, Transfer(kSendZc, pair.a.get(), out, sizeof(out), 0)), 0);
    Results results;
    while (results.empty()) {
        Drain(pair.b.get()); /* the buffer is free when the peer has read */
        for (auto &e : mon.Collect(1000000)) {
            results[e.token].push_back(e.result);
        }
    }

    EXPECT_EQ(results, (Results{{1, {(int)sizeof(out)}}}));
    EXPECT_TRUE(mon.Collect(0).empty());
}

TEST_P(CompletionContract, ComesTogetherWithReadiness)
{
    Monitor mon(plugin(), &host_);
    Fd ready = Event(1);

    ASSERT_EQ(mon.Watch(ready.get(), AIOX_FD_READ, 1), 0);
    ASSERT_EQ(Submit(mon, 1, Nop), 0); /* the same token: told apart by events */

    auto events = mon.Collect(-1);
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].events | events[1].events, (uint32_t)AIOX_FD_READ);
    EXPECT_EQ(events[0].token, events[1].token);
}

TEST_P(CompletionContract, AChainIsAChain)
{
    Monitor mon(plugin(), &host_);
    Fd file = TemporaryFile("abc");
    char in[4] = {};
    auto linked = [](Prepare prepare) {
        return [prepare](io_uring_sqe *sqe) {
            prepare(sqe);
            sqe->flags |= IOSQE_IO_LINK;
        };
    };

    ASSERT_EQ(Submit(mon, 1, linked(Transfer(IORING_OP_READ, 1 << 20, in, 1, 0))), 0);
    ASSERT_EQ(Submit(mon, 2, Transfer(IORING_OP_READ, file.get(), in, 3, 0)), 0);

    EXPECT_EQ(AwaitResults(mon, 2), (Results{{1, {-EBADF}}, {2, {-ECANCELED}}}));
}

/* A poll request behind it would wait for it. */
TEST_P(CompletionContract, WhatIsLinkedToNothingHoldsNobodyUp)
{
    Monitor mon(plugin(), &host_);
    Pair pipe = Pipe();
    Fd ready = Event(1);
    char in;

    fcntl(pipe.a.get(), F_SETFL, 0);
    Prepare read = Transfer(IORING_OP_READ, pipe.a.get(), &in, 1, 0);
    auto linked = [read](io_uring_sqe *sqe) {
        read(sqe);
        sqe->flags |= IOSQE_IO_LINK;
    };
    ASSERT_EQ(Submit(mon, 1, linked), 0);
    ASSERT_EQ(mon.Watch(ready.get(), AIOX_FD_READ, 2), 0);

    EXPECT_EQ(mon.Look(), (Reports{{2, AIOX_FD_READ}}));
    WriteByte(pipe.b.get());
    EXPECT_EQ(AwaitResults(mon, 1), (Results{{1, {1}}}));
}

TEST_P(CompletionContract, WhatWouldHoldUpAllOthersIsRefused)
{
    Monitor mon(plugin(), &host_);
    Fd quiet = Event();

    ASSERT_EQ(mon.Watch(quiet.get(), AIOX_FD_READ, 1), 0);
    mon.Look();
    ASSERT_EQ(Submit(mon, 2, [](io_uring_sqe *sqe) { sqe->flags = IOSQE_IO_DRAIN; }), 0);
    ASSERT_EQ(Submit(mon, 3, Nop), 0);

    EXPECT_EQ(AwaitResults(mon, 2), (Results{{2, {-EINVAL}}, {3, {0}}}));
}

TEST_P(CompletionContract, ASilentRequestIsReportedAllTheSame)
{
    Monitor mon(plugin(), &host_);

    ASSERT_EQ(Submit(mon, 2, [](io_uring_sqe *sqe) { sqe->flags = IOSQE_CQE_SKIP_SUCCESS; }), 0);

    EXPECT_EQ(AwaitResults(mon, 1), (Results{{2, {0}}}));
}

TEST_P(CompletionContract, AUserCancellingByDescriptorDoesNotBlindTheWatch)
{
    Monitor mon(plugin(), &host_);
    Fd bell = Event();

    for (uint32_t how : {0u, (unsigned)AIOX_FDMON_DRAINS}) {
        ASSERT_EQ(mon.Watch(bell.get(), AIOX_FD_READ | how, 1), 0);
        mon.CollectsUntilAsleep(10);
        ASSERT_EQ(Submit(mon, 2,
                         [&](io_uring_sqe *sqe) {
                             sqe->opcode = IORING_OP_ASYNC_CANCEL;
                             sqe->fd = bell.get();
                             sqe->cancel_flags = IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ALL;
                         }),
                  0);
        EXPECT_GE(AwaitResults(mon, 1)[2][0], 0);
        mon.CollectsUntilAsleep(10);
        Ring(bell.get());

        mon.Await(1, AIOX_FD_READ);
        Silence(bell.get());
    }
}

TEST_P(CompletionContract, KnowsWhatTheKernelKnows)
{
    Monitor mon(plugin(), &host_);

    EXPECT_TRUE(mon.completion()->supports(mon.get(), IORING_OP_NOP));
    EXPECT_TRUE(mon.completion()->supports(mon.get(), IORING_OP_READ));
    EXPECT_FALSE(mon.completion()->supports(mon.get(), 255));
    EXPECT_FALSE(mon.completion()->supports(mon.get(), 100000));
}

TEST_P(CompletionContract, WithoutMemoryItIsTooMuch)
{
    Monitor mon(plugin(), &host_);

    mon.Look();
    host_.FailAllocationAfter(0);
    EXPECT_EQ(Submit(mon, 1, [](io_uring_sqe *) { ADD_FAILURE() << "prepared"; }), -EAGAIN);
    host_.FailAllocationAfter(-1);
    ASSERT_EQ(Submit(mon, 1, Nop), 0);
    EXPECT_EQ(AwaitResults(mon, 1), (Results{{1, {0}}}));
}

TEST_P(CompletionContract, TheParentsRequestsAreNotTheChilds)
{
    Monitor mon(plugin(), &host_);
    Pair pipe = Pipe();
    char in = 0;

    fcntl(pipe.a.get(), F_SETFL, 0);
    ASSERT_EQ(Submit(mon, 1, Transfer(IORING_OP_READ, pipe.a.get(), &in, 1, 0)), 0);
    ASSERT_EQ(mon.Flush(), 0);
    int status = InChild([&] {
        mon.ops().after_fork(mon.get());
        Submit(mon, 2, Nop);
        bool right = AwaitResults(mon, 1) == Results{{2, {0}}};
        mon.Close();
        return right ? 0 : 1;
    });

    EXPECT_EQ(status, 0);
    WriteByte(pipe.b.get());
    EXPECT_EQ(AwaitResults(mon, 1), (Results{{1, {1}}}));
    EXPECT_EQ(in, 'x');
}

/* Readiness through a ring that is much too small. */
TEST_P(CompletionContract, ASmallRingLosesNoReadiness)
{
    constexpr int kMany = 500;
    host_.SetOption("entries", "1");
    host_.SetOption("cq_entries", "2");
    Monitor mon(plugin(), &host_);
    std::vector<Fd> fds;
    std::set<uint64_t> seen;

    for (int i = 0; i < kMany; i++) {
        uint32_t how = i % 2 ? 0u : (unsigned)AIOX_FDMON_DRAINS;
        fds.push_back(Event());
        ASSERT_EQ(mon.Watch(fds[i].get(), AIOX_FD_READ | how, i), 0);
    }
    ASSERT_TRUE(mon.Look(kMany).empty());
    for (auto &fd : fds) {
        Ring(fd.get());
    }
    while (seen.size() < kMany) {
        for (auto &e : mon.Collect(-1)) {
            seen.insert(e.token);
            Silence(fds[e.token].get());
        }
    }
    mon.CollectsUntilAsleep(2 * kMany);
    EXPECT_TRUE(mon.Look(kMany).empty());
}

} // namespace
} // namespace contract
