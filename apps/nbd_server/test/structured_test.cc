/* SPDX-License-Identifier: MIT */
/*
 * structured_test.cc - structured replies, and the commands that come with them:
 * trim, zero, cache, block status.
 */
#include "golden.h"
#include "transmission_fixture.h"

#include <cerrno>

namespace
{

using golden::Chunk;
using golden::ErrorText;
using golden::Flush;
using golden::OffsetData;
using golden::OffsetHole;
using golden::Read;
using golden::Reply;
using golden::Request;
using golden::Write;
using nbd_test::kSize;
using nbd_test::TransmissionTest;

constexpr uint16_t kDone = 1;
constexpr uint16_t kNone = 0, kData = 1, kHole = 2, kStatus = 5, kError = 0x8001, kAt = 0x8002;
constexpr uint16_t kFua = 1, kNoHole = 2, kDf = 4, kReqOne = 8, kFast = 16;
constexpr uint16_t kTrim = 4, kCache = 5, kZero = 6, kBlockStatus = 7;
constexpr uint32_t kPerm = 1, kIo = 5, kInval = 22, kNospc = 28, kNotsup = 95;
constexpr uint32_t kEmpty = 3; /* a hole that reads as zeroes */
constexpr uint32_t kKiB = 1024;

class StructuredTest : public TransmissionTest
{
  protected:
    StructuredTest()
    {
        Restart({REPLIES_STRUCTURED, true});
    }

    static std::string Done(uint64_t cookie)
    {
        return Chunk(cookie, kDone, kNone, "");
    }
    static std::string Error(uint64_t cookie, uint32_t error, const std::string &text)
    {
        return Chunk(cookie, kDone, kError, ErrorText(error, text));
    }
    static std::string Status(uint64_t cookie,
                              std::initializer_list<std::pair<uint32_t, uint32_t>> extents)
    {
        golden::Bytes data;

        data.U32(1);
        for (const auto &[bytes, state] : extents) {
            data.U32(bytes).U32(state);
        }
        return Chunk(cookie, kDone, kStatus, data);
    }
    /* Data, a hole, data again. */
    void MakeAHole(uint64_t from, uint64_t bytes)
    {
        export_.extents = {{from, 0}, {bytes, kEmpty}, {kSize - from - bytes, 0}};
        std::fill_n(export_.disk.begin() + static_cast<long>(from), bytes, '\0');
    }
};

/* ---- replies ---- */

TEST_F(StructuredTest, AReadIsOneChunkAndEverythingElseAnEmptyOne)
{
    std::string sent =
        Serve(Write(0x1122334455667788, 100, "hello") + Read(2, 99, 7) + Flush(3) +
              Request(kTrim, 4, 0, 512) + Request(kZero, 5, 0, 512) + Request(kCache, 6, 0, 512));

    EXPECT_EQ(sent, Done(0x1122334455667788) + Chunk(2, kDone, kData, OffsetData(99, ".hello.")) +
                        Done(3) + Done(4) + Done(5) + Done(6));
    EXPECT_EQ(export_.log, "wrftzc");
}

TEST_F(StructuredTest, ReadingNothingIsAnEmptyChunk)
{
    EXPECT_EQ(Serve(Read(1, 0, 0) + Read(2, kSize, 0)), Done(1) + Done(2));
}

TEST_F(StructuredTest, ARefusalHasWords)
{
    EXPECT_EQ(Serve(Read(1, kSize, 1) + Write(2, kSize, "x") + Request(99, 3, 0, 0)),
              Error(1, kInval, "the range is not inside the export") +
                  Error(2, kNospc, "the range is not inside the export") +
                  Error(3, kInval, "unknown command"));
}

TEST_F(StructuredTest, AnErrorOfAReadSaysWhereAndOfAWriteWhat)
{
    Receive(Read(1, 512, 10) + Write(2, 512, "x"));
    export_.End(0, -EIO);
    export_.End(0, -ENOSPC);

    std::string where = golden::Bytes().Raw(ErrorText(kIo, "Input/output error")).U64(512);
    EXPECT_EQ(Send(), Chunk(1, kDone, kAt, where) + Error(2, kNospc, "No space left on device"));
    EXPECT_EQ(failures_, (std::vector<int>{-EIO, -ENOSPC}));
}

TEST_F(StructuredTest, OneReplyOfEachCookieAlsoAfterAnError)
{
    std::string input, expected;

    for (int i = 0; i < 64; i++) {
        input += Read(7, i % 2 ? kSize : 0, 1);
        expected += i % 2 ? Error(7, kInval, "the range is not inside the export")
                          : Chunk(7, kDone, kData, OffsetData(0, "."));
    }

    EXPECT_EQ(Serve(input), expected);
}

TEST_F(StructuredTest, NothingLongIsFineForEveryCommand)
{
    for (uint64_t offset : {uint64_t{0}, uint64_t{5}, kSize}) {
        EXPECT_EQ(Serve(Read(1, offset, 0) + Write(2, offset, "") + Request(kTrim, 3, offset, 0) +
                        Request(kZero, 4, offset, 0) + Request(kCache, 5, offset, 0)),
                  Done(1) + Done(2) + Done(3) + Done(4) + Done(5));
    }
}

/* ---- holes ---- */

TEST_F(StructuredTest, ALongReadSendsNoHoles)
{
    MakeAHole(8 * kKiB, 40 * kKiB);

    std::string sent = Serve(Read(1, 4 * kKiB, 60 * kKiB));

    EXPECT_EQ(sent, Chunk(1, 0, kData, OffsetData(4 * kKiB, std::string(4 * kKiB, '.'))) +
                        Chunk(1, 0, kHole, OffsetHole(8 * kKiB, 40 * kKiB)) +
                        Chunk(1, kDone, kData, OffsetData(48 * kKiB, std::string(16 * kKiB, '.'))));
    EXPECT_EQ(export_.log, "mrr");
    EXPECT_EQ(stats_.bytes_read, 60u * kKiB);
}

TEST_F(StructuredTest, ARangeThatIsAllHoleIsNotRead)
{
    MakeAHole(0, 512 * kKiB);

    EXPECT_EQ(Serve(Read(1, 0, 64 * kKiB)), Chunk(1, kDone, kHole, OffsetHole(0, 64 * kKiB)));
    EXPECT_EQ(export_.log, "m");
}

TEST_F(StructuredTest, WhatTheMapDoesNotTellOfIsReadAndNeverAHole)
{
    export_.extents = {{40 * kKiB, kEmpty}}; /* and no word about the rest */

    std::string sent = Serve(Read(1, 0, 48 * kKiB));

    EXPECT_EQ(sent, Chunk(1, 0, kHole, OffsetHole(0, 40 * kKiB)) +
                        Chunk(1, kDone, kData, OffsetData(40 * kKiB, std::string(8 * kKiB, '.'))));
}

TEST_F(StructuredTest, ManyHolesAreCutToAFewChunks)
{
    export_.extents.clear();
    for (int i = 0; i < 16; i++) {
        export_.extents.push_back({4 * kKiB, i % 2 ? kEmpty : 0});
    }

    std::string sent = Serve(Read(1, 0, 64 * kKiB));

    size_t chunks = 0, at = 0, told = 0;
    while (at < sent.size()) {
        uint32_t length = 0;

        for (int i = 0; i < 4; i++) {
            length = length << 8 | static_cast<uint8_t>(sent[at + 16 + i]);
        }
        EXPECT_EQ(sent[at + 5], at + 20 + length == sent.size() ? 1 : 0);
        told += sent[at + 7] == 2 ? 4 * kKiB : length - 8;
        at += 20 + length;
        chunks++;
    }
    EXPECT_EQ(at, sent.size());
    EXPECT_EQ(told, 64u * kKiB);
    EXPECT_LE(chunks, static_cast<size_t>(REQUEST_STRETCHES));
}

TEST_F(StructuredTest, AClientThatWantsOneChunkGetsTheZeroes)
{
    MakeAHole(8 * kKiB, 40 * kKiB);

    EXPECT_EQ(Serve(Read(1, 0, 64 * kKiB, kDf)),
              Chunk(1, kDone, kData, OffsetData(0, export_.disk.substr(0, 64 * kKiB))));
    EXPECT_EQ(export_.log, "r");
}

TEST_F(StructuredTest, AShortReadIsNotWorthTheQuestion)
{
    MakeAHole(0, 512 * kKiB);

    EXPECT_EQ(Serve(Read(1, 0, 4 * kKiB)),
              Chunk(1, kDone, kData, OffsetData(0, std::string(4 * kKiB, '\0'))));
    EXPECT_EQ(export_.log, "r");
}

TEST_F(StructuredTest, AnErrorBehindAHoleIsTheOnlyReply)
{
    MakeAHole(8 * kKiB, 40 * kKiB);
    Receive(Read(1, 0, 64 * kKiB));
    export_.End(0); /* the map */
    export_.End(0); /* the first data */
    export_.End(0, -EIO);

    std::string where = golden::Bytes().Raw(ErrorText(kIo, "Input/output error")).U64(48 * kKiB);
    EXPECT_EQ(Send(), Chunk(1, kDone, kAt, where));
    EXPECT_EQ(stats_.bytes_read, 0u);
}

TEST_F(StructuredTest, AMapThatFailsLeavesItToTheRead)
{
    Receive(Read(1, 0, 64 * kKiB));
    export_.End(0, -EIO);
    export_.End(0);

    EXPECT_EQ(Send().size(), 28u + 64 * kKiB);
    EXPECT_TRUE(failures_.empty());
}

TEST_F(StructuredTest, ChunksMayLeaveByteByByte)
{
    MakeAHole(4 * kKiB, 28 * kKiB);
    std::string input = Read(1, 0, 36 * kKiB) + Read(2, 0, 3) + Read(3, kSize, 1);

    std::string whole = Serve(input);
    Receive(input);

    EXPECT_EQ(Send(1), whole);
}

/* ---- zero, trim, cache ---- */

TEST_F(StructuredTest, FlagsOfZeroReachTheExport)
{
    Receive(Request(kZero, 1, 0, 512, kFua | kNoHole) + Request(kZero, 2, 0, 512, kFast) +
            Request(kTrim, 3, 0, 512, kFua));

    ASSERT_EQ(export_.log, "zzt");
    EXPECT_TRUE(export_.asked[0].io->fua && export_.asked[0].io->keep);
    EXPECT_FALSE(export_.asked[0].io->fast);
    EXPECT_TRUE(export_.asked[1].io->fast && !export_.asked[1].io->keep);
    EXPECT_TRUE(export_.asked[2].io->fua);
}

TEST_F(StructuredTest, OnlyAFastZeroIsToldThatItIsNotSupported)
{
    Receive(Request(kZero, 1, 0, 512, kFast) + Request(kZero, 2, 0, 512) +
            Request(kTrim, 3, 0, 512));
    export_.End(0, -EOPNOTSUPP);
    export_.End(0, -EOPNOTSUPP);
    export_.End(0, -EOPNOTSUPP);

    EXPECT_EQ(Send(), Error(1, kNotsup, "Operation not supported") +
                          Error(2, kIo, "Operation not supported") +
                          Error(3, kIo, "Operation not supported"));
    EXPECT_EQ(failures_, (std::vector<int>{-EOPNOTSUPP, -EOPNOTSUPP})); /* fast: no failure */
}

TEST_F(StructuredTest, RangesOutsideAreRefusedAsTheSpecificationSays)
{
    const std::string words = "the range is not inside the export";

    for (uint64_t offset : {kSize, kSize - 511, UINT64_MAX, UINT64_MAX - 511}) {
        EXPECT_EQ(Serve(Request(kTrim, 1, offset, 512) + Request(kZero, 2, offset, 512) +
                        Request(kCache, 3, offset, 512) + Request(kBlockStatus, 4, offset, 512)),
                  Error(1, kInval, words) + Error(2, kNospc, words) + Error(3, kInval, words) +
                      Error(4, kInval, words));
    }
    EXPECT_EQ(export_.log, "");
}

TEST_F(StructuredTest, NothingThatChangesIsDoneToWhatIsReadOnly)
{
    export_.base.read_only = true;

    EXPECT_EQ(Serve(Request(kTrim, 1, 0, 512) + Request(kZero, 2, 0, 512) +
                    Request(kCache, 3, 0, 512) + Request(kBlockStatus, 4, 0, 512)),
              Error(1, kPerm, "the export is read-only") +
                  Error(2, kPerm, "the export is read-only") + Done(3) + Status(4, {{512, 0}}));
}

TEST_F(StructuredTest, AFlagOfAnotherCommandIsRefused)
{
    const std::string words = "unknown flag for this command";

    EXPECT_EQ(Serve(Read(1, 0, 1, kNoHole) + Write(2, 0, "x", kDf) +
                    Request(kTrim, 3, 0, 1, kFast) + Request(kZero, 4, 0, 1, kReqOne) +
                    Request(kCache, 5, 0, 1, kDf) + Request(kBlockStatus, 6, 0, 1, kDf) +
                    Request(kBlockStatus, 7, 0, 12, 32)),
              Error(1, kInval, words) + Error(2, kInval, words) + Error(3, kInval, words) +
                  Error(4, kInval, words) + Error(5, kInval, words) + Error(6, kInval, words) +
                  Error(7, kInval, words));
}

TEST_F(StructuredTest, TheyWorkWithSimpleRepliesToo)
{
    Restart({});

    EXPECT_EQ(Serve(Request(kTrim, 1, 0, 512) + Request(kZero, 2, 0, 512) +
                    Request(kCache, 3, 0, 512) + Read(4, 0, 2)),
              Reply(1, 0) + Reply(2, 0) + Reply(3, 0) + Reply(4, 0, std::string(2, '\0')));
}

TEST_F(StructuredTest, WithoutStructuredRepliesThereIsNoDf)
{
    Restart({});

    EXPECT_EQ(Serve(Read(1, 0, 1, kDf) + Read(2, 0, 1)), Reply(1, kInval) + Reply(2, 0, "."));
}

TEST_F(StructuredTest, ACountIsKeptOfEach)
{
    Serve(Request(kTrim, 1, 0, 1) + Request(kZero, 2, 0, 1) + Request(kZero, 2, 0, 1) +
          Request(kCache, 3, 0, 1) + Request(kBlockStatus, 4, 0, 1));

    EXPECT_EQ(stats_.trims, 1u);
    EXPECT_EQ(stats_.zeroes, 2u);
    EXPECT_EQ(stats_.caches, 1u);
    EXPECT_EQ(stats_.statuses, 1u);
    EXPECT_EQ(stats_.errors, 0u);
}

/* ---- block status ---- */

TEST_F(StructuredTest, StatusTellsDataAndHolesUpToTheEndOfTheRange)
{
    MakeAHole(8 * kKiB, 40 * kKiB);

    EXPECT_EQ(Serve(Request(kBlockStatus, 1, 0, kSize)),
              Status(1, {{8 * kKiB, 0}, {40 * kKiB, kEmpty}, {kSize - 48 * kKiB, 0}}));
    EXPECT_EQ(Serve(Request(kBlockStatus, 2, 1, 9 * kKiB)),
              Status(2, {{8 * kKiB - 1, 0}, {kKiB + 1, kEmpty}}));
    EXPECT_EQ(Serve(Request(kBlockStatus, 3, kSize - 1, 1)), Status(3, {{1, 0}}));
}

TEST_F(StructuredTest, WhoWantsOneExtentGetsOneWithinTheRange)
{
    MakeAHole(8 * kKiB, 40 * kKiB);

    EXPECT_EQ(Serve(Request(kBlockStatus, 1, 0, kSize, kReqOne) +
                    Request(kBlockStatus, 2, 9 * kKiB, 512, kReqOne)),
              Status(1, {{8 * kKiB, 0}}) + Status(2, {{512, kEmpty}}));
}

TEST_F(StructuredTest, AStatusIsBoundedHoweverManyExtentsThereAre)
{
    export_.extents.assign(1024, {1024, 0});
    for (size_t i = 0; i < export_.extents.size(); i += 2) {
        export_.extents[i].state = kEmpty;
    }

    std::string sent = Serve(Request(kBlockStatus, 1, 0, kSize));

    EXPECT_EQ(sent.size(), 20u + 4 + 8u * REQUEST_EXTENTS);
    EXPECT_EQ(sent.substr(24, 16), std::string(golden::Bytes().U32(1024).U32(3).U32(1024).U32(0)));
}

TEST_F(StructuredTest, AStatusOfNothingIsRefused)
{
    EXPECT_EQ(Serve(Request(kBlockStatus, 1, 0, 0) + Request(kBlockStatus, 2, kSize, 0)),
              Error(1, kInval, "nothing to tell the status of") +
                  Error(2, kInval, "nothing to tell the status of"));
}

TEST_F(StructuredTest, AStatusThatWasNotNegotiatedIsRefused)
{
    Restart({REPLIES_STRUCTURED, false});

    EXPECT_EQ(Serve(Request(kBlockStatus, 1, 0, 512) + Read(2, 0, 1)),
              Error(1, kInval, "no metadata context was selected") +
                  Chunk(2, kDone, kData, OffsetData(0, ".")));
}

TEST_F(StructuredTest, AStatusThatFailsIsAnError)
{
    Receive(Request(kBlockStatus, 1, 0, 512));
    export_.End(0, -EIO);

    EXPECT_EQ(Send(), Error(1, kIo, "Input/output error"));
}

TEST_F(StructuredTest, ThousandsOfStatusesByAClientThatReadsNothingAreBounded)
{
    std::string input;

    export_.at_once = true;
    for (int i = 0; i < 5000; i++) {
        input += Request(kBlockStatus, 1, 0, kSize);
    }

    Receive(input);

    EXPECT_EQ(t_.requests, limits_.requests);
    EXPECT_LE(pool_.lent_bytes,
              limits_.requests * (pool_.pad_bytes + sizeof(request) + REQUEST_STATUS_BYTES));
}

} // namespace
