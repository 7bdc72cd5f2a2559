/* SPDX-License-Identifier: MIT */
#include "apps/nbd_server/transmission.h"

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "golden.h"
#include "transmission_fixture.h"

namespace
{

using golden::Disc;
using golden::Flush;
using golden::Read;
using golden::Reply;
using golden::Request;
using golden::Write;

constexpr uint16_t kFua = 1;
constexpr uint32_t kPerm = 1, kIo = 5, kInval = 22, kNospc = 28;

using nbd_test::kSize;
using nbd_test::TransmissionTest;

TEST_F(TransmissionTest, ReadsWhatWasWritten)
{
    std::string sent = Serve(Write(0x1122334455667788, 100, "hello") + Read(2, 99, 7) + Flush(3));

    EXPECT_EQ(sent, Reply(0x1122334455667788, 0) + Reply(2, 0, ".hello.") + Reply(3, 0));
    EXPECT_EQ(export_.log, "wrf");
    EXPECT_EQ(stats_.bytes_read, 7u);
    EXPECT_EQ(stats_.bytes_written, 5u);
    EXPECT_EQ(stats_.reads + stats_.writes + stats_.flushes, 3u);
}

TEST_F(TransmissionTest, ManyRequestsOfOneSegmentAreUnderWayTogether)
{
    Receive(Read(1, 0, 4) + Write(2, 8, "data") + Flush(3) + Read(4, 0, 4));

    EXPECT_EQ(export_.log, "rwfr");
    EXPECT_EQ(Send(), "");
}

TEST_F(TransmissionTest, RepliesLeaveInTheOrderInWhichRequestsEnd)
{
    Receive(Read(1, 0, 1) + Read(2, 0, 2) + Read(3, 0, 3));

    export_.End(2);
    export_.End(0);

    EXPECT_EQ(ended_, 2);
    EXPECT_EQ(Send(), Reply(3, 0, "...") + Reply(1, 0, "."));
    export_.End(0);
    EXPECT_EQ(Send(), Reply(2, 0, ".."));
}

TEST_F(TransmissionTest, APayloadIsReceivedStraightIntoItsRequest)
{
    std::string payload(50000, 'p');
    std::string input = Write(1, 0, payload);
    iovec iov[2];

    Receive(input.substr(0, WIRE_REQUEST + 10));

    ASSERT_EQ(transmission_input(&t_, iov), 2);
    EXPECT_EQ(iov[0].iov_len, payload.size() - 10);
    Receive(input.substr(WIRE_REQUEST + 10));
    EXPECT_EQ(export_.asked.at(0).io->data[payload.size() - 1], 'p');
}

TEST_F(TransmissionTest, TheSameHoweverTheBytesArriveAndLeave)
{
    std::string session = Write(1, 0, std::string(5000, 'a')) + Read(2, 0, 6000) +
                          Request(9, 3, 0, 0) + Write(4, kSize, "outside") + Flush(5) +
                          Read(6, 0, 0) + Write(7, 3, "") + Read(8, 1, 3, kFua) + Disc();
    std::string whole = Serve(session);

    EXPECT_TRUE(transmission_is_over(&t_));
    for (size_t piece : {1, 2, 3, 27, 28, 29, 100, 4096}) {
        transmission_fini(&t_);
        Start({});
        EXPECT_EQ(Serve(session, piece), whole) << piece;
        EXPECT_TRUE(transmission_is_over(&t_));
    }
}

TEST_F(TransmissionTest, RepliesMayLeaveByteByByte)
{
    export_.at_once = true;
    Receive(Read(1, 0, 5) + Write(2, 0, "xy") + Read(3, 0, 2));

    EXPECT_EQ(Send(1), Reply(1, 0, ".....") + Reply(2, 0) + Reply(3, 0, "xy"));
}

TEST_F(TransmissionTest, CutAfterAnyByteNothingHalfReceivedIsDone)
{
    std::string session = Read(1, 0, 4) + Write(2, 0, "payload") + Flush(3);

    for (size_t n = 0; n <= session.size(); n++) {
        bool whole = n == 0 || n == 28 || n == 63 || n == session.size();

        transmission_fini(&t_);
        Start({});
        in_.start = in_.end = 0;
        export_.log.clear();
        Serve(session.substr(0, n));
        transmission_no_more_input(&t_, true);
        EXPECT_EQ(t_.complaint[0] == '\0', whole) << n << t_.complaint;
        EXPECT_EQ(export_.log, std::string("rwf").substr(0, n < 28   ? 0
                                                            : n < 63 ? 1
                                                            : n < 91 ? 2
                                                                     : 3));
        EXPECT_TRUE(transmission_is_over(&t_)) << n;
    }
}

TEST_F(TransmissionTest, AWrongMagicEndsItButWhatIsUnderWayIsAnswered)
{
    Receive(Read(1, 0, 1) + std::string(28, 'G') + Read(2, 0, 1));
    EXPECT_FALSE(transmission_is_over(&t_));
    export_.End(0);

    EXPECT_EQ(Send(), Reply(1, 0, "."));
    EXPECT_TRUE(transmission_is_over(&t_));
    EXPECT_STREQ(t_.complaint, "sent 0x47474747 where a request begins");
    EXPECT_EQ(export_.log, "r");
}

TEST_F(TransmissionTest, ReadsThatCannotBeAreRefusedAndStayInStep)
{
    const uint32_t limit = limits_.request_bytes;
    const std::string bad[] = {
        Read(1, 0, 0xffffffff),
        Read(1, 0, limit + 1),
        Read(1, kSize, 1),
        Read(1, kSize - 1, 2),
        Read(1, UINT64_MAX, 1),
        Read(1, UINT64_MAX - 1, 0xffffffff),
        Read(1, 0x8000000000000000, 512),
        Read(1, kSize + 1, 0),
    };

    for (const std::string &request : bad) {
        EXPECT_EQ(Serve(request + Read(2, 0, 1)), Reply(1, kInval) + Reply(2, 0, "."));
    }
    EXPECT_EQ(Serve(Read(3, kSize - limit, limit)).size(), 16u + limit);
}

TEST_F(TransmissionTest, PartsOfBlocksAreRefusedAndStayInStep)
{
    export_.base.min_mask = 511;

    EXPECT_EQ(Serve(Read(1, 1, 512) + Read(2, 512, 511) + Write(3, 512, "x") +
                    Request(NBD_CMD_TRIM, 4, 0, 100) + Request(NBD_CMD_WRITE_ZEROES, 5, 8, 512) +
                    Request(NBD_CMD_CACHE, 6, 0, 1) + Write(7, 512, std::string(512, 'x')) +
                    Read(8, 0, 1024)),
              Reply(1, kInval) + Reply(2, kInval) + Reply(3, kInval) + Reply(4, kInval) +
                  Reply(5, kInval) + Reply(6, kInval) + Reply(7, 0) +
                  Reply(8, 0, std::string(512, '.') + std::string(512, 'x')));

    EXPECT_EQ(export_.log, "wr");
}

TEST_F(TransmissionTest, WritesOutsideAreRefusedAndTheirPayloadIsSkipped)
{
    std::string payload(30000, 'R'); /* looks like nothing of the protocol */

    for (uint64_t offset : {kSize, kSize - 29999, UINT64_MAX, UINT64_MAX - 30000}) {
        EXPECT_EQ(Serve(Write(1, offset, payload) + Read(2, kSize - 1, 1)),
                  Reply(1, kNospc) + Reply(2, 0, "."))
            << offset;
    }
    EXPECT_EQ(export_.log, "rrrr");
}

TEST_F(TransmissionTest, AWriteBeyondTheLimitEndsIt)
{
    for (uint32_t length : {limits_.request_bytes + 1, 0xffffffffu}) {
        Restart({});

        EXPECT_EQ(Serve(Request(1, 1, 0, length) + Read(2, 0, 1)), "");
        EXPECT_TRUE(transmission_is_over(&t_));
        EXPECT_NE(std::string(t_.complaint).find(std::to_string(length)), std::string::npos);
    }
}

TEST_F(TransmissionTest, NothingIsWrittenToWhatIsReadOnly)
{
    export_.base.read_only = true;

    EXPECT_EQ(Serve(Write(1, 0, "payload") + Write(2, 0, "payload", kFua) + Flush(3)),
              Reply(1, kPerm) + Reply(2, kPerm) + Reply(3, 0));
    EXPECT_EQ(export_.log, "f");
}

TEST_F(TransmissionTest, UnknownCommandsAndFlagsAreRefused)
{
    for (uint16_t type : {7, 8, 9, 255, 65535}) {
        EXPECT_EQ(Serve(Request(type, 1, 0, 512) + Read(2, 0, 1)),
                  Reply(1, kInval) + Reply(2, 0, "."))
            << type;
    }
    for (uint16_t flags : {2, 4, 8, 16, 0x8000, 0xffff}) {
        EXPECT_EQ(Serve(Read(1, 0, 1, flags) + Write(2, 0, "x", flags) + Flush(3, flags)),
                  Reply(1, kInval) + Reply(2, kInval) + Reply(3, kInval))
            << flags;
    }
}

TEST_F(TransmissionTest, FuaIsValidEverywhereAndReachesTheExportWithWrites)
{
    Receive(Read(1, 0, 1, kFua) + Write(2, 0, "x", kFua) + Write(3, 0, "x") + Flush(4, kFua));

    ASSERT_EQ(export_.log, "rwwf");
    EXPECT_TRUE(export_.asked[1].io->fua);
    EXPECT_FALSE(export_.asked[2].io->fua);
}

TEST_F(TransmissionTest, NothingLongIsFine)
{
    EXPECT_EQ(Serve(Read(1, 0, 0) + Write(2, 0, "") + Read(3, kSize, 0) + Write(4, kSize, "")),
              Reply(1, 0) + Reply(2, 0) + Reply(3, 0) + Reply(4, 0));
}

TEST_F(TransmissionTest, AFlushHasNoRange)
{
    EXPECT_EQ(Serve(Request(3, 1, 0, 512) + Request(3, 2, 512, 0) + Flush(3)),
              Reply(1, kInval) + Reply(2, kInval) + Reply(3, 0));
}

TEST_F(TransmissionTest, TheSameCookieManyTimesGetsAsManyReplies)
{
    std::string input, expected;

    for (uint32_t i = 0; i < 64; i++) {
        input += Read(7, i, 1);
        expected += Reply(7, 0, ".");
    }

    EXPECT_EQ(Serve(input), expected);
}

TEST_F(TransmissionTest, ErrorsOfTheExportAreMappedAndReported)
{
    Receive(Write(1, 0, "x") + Read(2, 0, 1) + Flush(3));
    export_.End(0, -EDQUOT);
    export_.End(0, -EBADF);
    export_.End(0, -EIO);

    EXPECT_EQ(Send(), Reply(1, kNospc) + Reply(2, kIo) + Reply(3, kIo));
    EXPECT_EQ(failures_, (std::vector<int>{-EDQUOT, -EBADF, -EIO}));
    EXPECT_EQ(stats_.errors, 3u);
    EXPECT_EQ(stats_.bytes_written, 0u);
}

TEST_F(TransmissionTest, MistakesOfTheClientAreNotBlamedOnTheExport)
{
    Serve(Read(1, kSize, 1) + Request(77, 2, 0, 0));

    EXPECT_TRUE(failures_.empty());
    EXPECT_EQ(stats_.errors, 2u);
}

TEST_F(TransmissionTest, NoMoreThanTheLimitAreUnderWay)
{
    std::string input;
    iovec iov[2];

    for (uint32_t i = 0; i <= limits_.requests; i++) {
        input += Read(i, 0, 1);
    }
    Receive(input);
    EXPECT_EQ(export_.log.size(), limits_.requests);
    EXPECT_EQ(transmission_input(&t_, iov), 0);
    export_.End(0); /* not yet: its reply is still here */
    EXPECT_EQ(export_.log.size(), limits_.requests);
    Send();

    EXPECT_EQ(export_.log.size(), limits_.requests + 1);
    EXPECT_GT(transmission_input(&t_, iov), 0);
}

TEST_F(TransmissionTest, NoMoreBytesThanTheLimitAreUnderWay)
{
    const uint32_t chunk = limits_.request_bytes;
    std::string input;

    for (uint32_t i = 0; i < limits_.payload_bytes / chunk + 1; i++) {
        input += Read(i, 0, chunk);
    }
    Receive(input + Flush(99));

    EXPECT_EQ(export_.log.size(), limits_.payload_bytes / chunk);
    EXPECT_EQ(t_.payload_bytes, limits_.payload_bytes);
}

TEST_F(TransmissionTest, OneRequestMayAlwaysBeUnderWay)
{
    limits_.payload_bytes = 1;

    EXPECT_EQ(Serve(Read(1, 0, 2) + Read(2, 0, 2)), Reply(1, 0, "..") + Reply(2, 0, ".."));
}

TEST_F(TransmissionTest, AllTogetherHaveNoMoreMemoryThanThereIs)
{
    std::vector<bool> told;
    pool_.lend_bytes = 20000;
    pool_.opaque = &told;
    pool_.scarce = [](void *opaque, bool wanted) {
        static_cast<std::vector<bool> *>(opaque)->push_back(wanted);
    };
    void *others = pool_take(&pool_, 8192);

    Receive(Read(1, 0, 4096) + Read(2, 0, 8192) + Read(3, 0, 8192));
    EXPECT_EQ(export_.log, "r");
    EXPECT_EQ(told, std::vector<bool>{true});
    pool_give(&pool_, others, 8192);
    EXPECT_EQ(told, (std::vector<bool>{true, false}));
    transmission_continue(&t_);

    EXPECT_EQ(export_.log, "rr");
    EXPECT_EQ(told, (std::vector<bool>{true, false, true}));
    pool_.scarce = nullptr;
}

TEST_F(TransmissionTest, TheFirstLongRepliesLeaveBeforeTheLastOnesAreRead)
{
    const std::string data(128 << 10, '.');
    limits_.request_bytes = 128 << 10;
    limits_.payload_bytes = 1 << 20;
    export_.at_once = true;

    Receive(Read(1, 0, 128 << 10) + Read(2, 0, 128 << 10) + Read(3, 0, 128 << 10) + Flush(4));

    EXPECT_EQ(export_.log, "rr");
    EXPECT_EQ(Send(), Reply(1, 0, data) + Reply(2, 0, data) + Reply(3, 0, data) + Reply(4, 0));
    EXPECT_EQ(export_.log, "rrrf");
}

TEST_F(TransmissionTest, HowLongARequestTookIsKnownWhenItsReplyWasSent)
{
    traffic_latency &l = export_.base.latency;
    t_.now_ns = 1000;
    Receive(Read(1, 0, 10) + Read(2, 0, 10) + Flush(3) + Request(77, 4, 0, 0));
    t_.now_ns = 1000 + 8192;
    Receive(Write(5, 0, "x"));
    export_.End(0);
    EXPECT_EQ(Send(), Reply(4, kInval) + Reply(1, 0, std::string(10, '.')));
    t_.now_ns = 1000 + (1 << 20) + 1;
    while (!export_.asked.empty()) {
        export_.End(0);
    }
    EXPECT_EQ(l.sum_ns[NBD_CMD_READ], 8192u); /* not before it is sent */
    Send();

    EXPECT_EQ(l.counts[NBD_CMD_READ][0], 1u); /* 2^13 ns and less */
    EXPECT_EQ(l.counts[NBD_CMD_READ][8], 1u); /* more than 2^20, up to 2^21 */
    EXPECT_EQ(l.sum_ns[NBD_CMD_READ], 8192u + (1 << 20) + 1);
    EXPECT_EQ(l.counts[NBD_CMD_FLUSH][8], 1u);
    EXPECT_EQ(l.counts[NBD_CMD_WRITE][7], 1u);
}

TEST(Traffic, BucketsAreBoundedByPowersOfTwo)
{
    const std::pair<uint64_t, unsigned> cases[] = {
        {0, 0},
        {1, 0},
        {8192, 0},
        {8193, 1},
        {16384, 1},
        {16385, 2},
        {UINT64_C(1) << 33, 20},
        {(UINT64_C(1) << 33) + 1, 21},
        {UINT64_MAX, 21},
    };

    for (auto [ns, bucket] : cases) {
        EXPECT_EQ(traffic_bucket(ns), bucket) << ns;
    }
}

TEST_F(TransmissionTest, AClientThatTakesNoRepliesIsNotListenedTo)
{
    std::string input;

    export_.at_once = true;
    for (uint32_t i = 0; i < 5000; i++) {
        input += Read(i, 0, 4096);
    }

    size_t taken = Receive(input);

    EXPECT_EQ(export_.log.size(), limits_.requests);
    EXPECT_LE(taken, limits_.requests * WIRE_REQUEST + memory_.size());
    EXPECT_LE(t_.payload_bytes, limits_.payload_bytes);
}

TEST_F(TransmissionTest, DiscEndsItBehindWhatIsUnderWay)
{
    Receive(Read(1, 0, 1) + Disc() + Read(2, 0, 1));
    EXPECT_FALSE(transmission_is_over(&t_));
    export_.End(0);

    EXPECT_EQ(Send(), Reply(1, 0, "."));
    EXPECT_TRUE(transmission_is_over(&t_));
    EXPECT_TRUE(t_.polite);
    EXPECT_STREQ(t_.complaint, "");
    EXPECT_EQ(export_.log, "r");
}

TEST_F(TransmissionTest, AfterAHalfCloseWhatIsHereIsStillAnswered)
{
    std::string input;

    for (uint32_t i = 0; i < limits_.requests + 3; i++) {
        input += Read(i, 0, 1);
    }
    Receive(input);
    transmission_no_more_input(&t_, true);
    while (!export_.asked.empty()) {
        export_.End(0);
        Send();
    }

    EXPECT_EQ(export_.log.size(), limits_.requests + 3);
    EXPECT_STREQ(t_.complaint, "");
    EXPECT_TRUE(transmission_is_over(&t_));
}

TEST_F(TransmissionTest, AStopServesWhatIsHereAndForgetsWhatIsHalfHere)
{
    std::string write = Write(2, 0, "half of this will not come");

    Receive(Read(1, 0, 1) + write.substr(0, 40));
    transmission_no_more_input(&t_, false);
    export_.End(0);

    EXPECT_EQ(Send(), Reply(1, 0, "."));
    EXPECT_TRUE(transmission_is_over(&t_));
    EXPECT_STREQ(t_.complaint, "");
    EXPECT_EQ(export_.log, "r");
}

TEST_F(TransmissionTest, AClientThatIsGoneLeavesNothingBehind)
{
    std::string write = Write(3, 0, "half");

    Receive(Read(1, 0, 1) + Read(2, 0, 1) + write.substr(0, 30));
    export_.End(0);
    transmission_drop(&t_);
    EXPECT_EQ(t_.requests, 1u);
    export_.End(0);

    EXPECT_EQ(ended_, 2);
    EXPECT_EQ(Send(), "");
    EXPECT_TRUE(transmission_is_over(&t_));
}

TEST_F(TransmissionTest, WhatCameWithTheHandshakeIsServed)
{
    std::string input = Read(1, 0, 1) + Write(2, 0, "xyz") + Read(3, 0, 3).substr(0, 5);

    export_.at_once = true;
    memcpy(bytes_back(&in_), input.data(), input.size());
    bytes_put(&in_, input.size());
    transmission_continue(&t_);

    EXPECT_EQ(Send(), Reply(1, 0, ".") + Reply(2, 0));
    EXPECT_EQ(bytes_held(&in_), 5u);
}

} // namespace
