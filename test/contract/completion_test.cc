/* SPDX-License-Identifier: MIT */
/*
 * completion_test.cc - "aiox.completion/1", for whoever offers it.
 */
#include "completion.h"

#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <unistd.h>

namespace contract
{
namespace
{

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
    Results results;
    do { /* what it pins counts against a limit that rings of other tests may still fill */
        results.clear();
        ASSERT_EQ(Submit(mon, 1, Transfer(kSendZc, pair.a.get(), out, sizeof(out), 0)), 0);
        while (results.empty()) {
            Drain(pair.b.get()); /* the buffer is free when the peer has read */
            for (auto &e : mon.Collect(1000000)) {
                results[e.token].push_back(e.result);
            }
        }
    } while (results == Results{{1, {-ENOMEM}}});

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

} // namespace
} // namespace contract
