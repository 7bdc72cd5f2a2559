/* SPDX-License-Identifier: MIT */
/*
 * sharing_test.cc - users' requests and watches in one queue disturb each other
 * in no way.
 */
#include "completion.h"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace contract
{
namespace
{

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
