/* SPDX-License-Identifier: MIT */
/*
 * extended_test.cc - extended headers, in the words of the specification's branch
 * extension-ext-header.
 */
#include "golden.h"
#include "transmission_fixture.h"

#include <cerrno>

namespace
{

using golden::ErrorText;
using golden::ExtChunk;
using golden::ExtRequest;
using golden::ExtWrite;
using golden::OffsetData;
using golden::OffsetHole;
using nbd_test::kSize;
using nbd_test::TransmissionTest;

constexpr uint16_t kDone = 1;
constexpr uint16_t kNone = 0, kData = 1, kHole = 2, kStatusExt = 6, kError = 0x8001;
constexpr uint16_t kReqOne = 8, kPayload = 32;
constexpr uint16_t kRead = 0, kWrite = 1, kFlush = 3, kTrim = 4, kCache = 5, kZero = 6,
                   kBlockStatus = 7;
constexpr uint32_t kInval = 22, kNospc = 28;
constexpr uint32_t kEmpty = 3;
constexpr uint32_t kKiB = 1024;

class ExtendedTest : public TransmissionTest
{
  protected:
    ExtendedTest()
    {
        Restart({REPLIES_EXTENDED, true});
    }

    static std::string Read(uint64_t cookie, uint64_t offset, uint64_t length)
    {
        return ExtRequest(kRead, cookie, offset, length);
    }
    static std::string Done(uint64_t cookie, uint64_t offset)
    {
        return ExtChunk(cookie, offset, kDone, kNone, "");
    }
    static std::string DataReply(uint64_t cookie, uint64_t offset, const std::string &data)
    {
        return ExtChunk(cookie, offset, kDone, kData, OffsetData(offset, data));
    }
    static std::string Error(uint64_t cookie, uint64_t offset, uint32_t error,
                             const std::string &text)
    {
        return ExtChunk(cookie, offset, kDone, kError, ErrorText(error, text));
    }
    static std::string Status(uint64_t cookie, uint64_t offset,
                              std::initializer_list<std::pair<uint64_t, uint64_t>> extents)
    {
        golden::Bytes data;

        data.U32(1).U32(static_cast<uint32_t>(extents.size()));
        for (const auto &[bytes, state] : extents) {
            data.U64(bytes).U64(state);
        }
        return ExtChunk(cookie, offset, kDone, kStatusExt, data);
    }
    /* The payload of a block status that says of what. */
    static std::string Filter(uint64_t bytes, std::initializer_list<uint32_t> ids)
    {
        golden::Bytes data;

        data.U64(bytes);
        for (uint32_t id : ids) {
            data.U32(id);
        }
        return data;
    }
    static std::string Filtered(uint64_t cookie, uint64_t offset, const std::string &payload)
    {
        return ExtRequest(kBlockStatus, cookie, offset, payload.size(), kPayload, payload);
    }
};

TEST_F(ExtendedTest, HeadersOf32BytesBothWays)
{
    std::string sent = Serve(ExtWrite(0x1122334455667788, 100, "hello") + Read(2, 99, 7) +
                             ExtRequest(kFlush, 3, 0, 0) + ExtRequest(kTrim, 4, 512, 512) +
                             ExtRequest(kZero, 5, 0, 512) + ExtRequest(kCache, 6, 0, 512));

    EXPECT_EQ(sent, Done(0x1122334455667788, 100) + DataReply(2, 99, ".hello.") + Done(3, 0) +
                        Done(4, 512) + Done(5, 0) + Done(6, 0));
    EXPECT_EQ(export_.log, "wrftzc");
}

TEST_F(ExtendedTest, ACompactHeaderIsNoRequestAnyMore)
{
    EXPECT_EQ(Serve(golden::Read(1, 0, 1) + "...."), "");
    EXPECT_STREQ(t_.complaint, "sent 0x25609513 where a request begins");
}

TEST_F(ExtendedTest, AnExtendedHeaderIsNoRequestUntilItWasAgreed)
{
    Restart({REPLIES_STRUCTURED, true});

    EXPECT_EQ(Serve(Read(1, 0, 1)), "");
    EXPECT_STREQ(t_.complaint, "sent 0x21e41c71 where a request begins");
}

TEST_F(ExtendedTest, LengthsBeyond32BitsAreTakenAtTheirWord)
{
    export_.base.size_bytes = UINT64_C(1) << 50;
    const uint64_t huge = UINT64_C(5) << 40;

    Receive(ExtRequest(kTrim, 1, 4096, huge) + ExtRequest(kZero, 2, 0, huge) +
            ExtRequest(kCache, 3, 0, huge) + ExtRequest(kBlockStatus, 4, 0, huge));

    ASSERT_EQ(export_.log, "tzcm");
    for (const auto &asked : export_.asked) {
        EXPECT_EQ(asked.io->bytes, huge);
    }
    export_.extents = {{huge - 1, kEmpty}, {1, 0}};
    export_.End(3);
    EXPECT_EQ(Send(), Status(4, 0, {{huge - 1, kEmpty}, {1, 0}}));
    for (int i = 0; i < 3; i++) {
        export_.End(0, -EIO); /* the disk of the test is not that large */
    }
}

TEST_F(ExtendedTest, LengthsThatWrapOrAreOutsideAreRefused)
{
    const std::string words = "the range is not inside the export";

    for (uint64_t length : {UINT64_MAX, UINT64_C(1) << 63, kSize + 1, UINT64_C(0x100000001)}) {
        EXPECT_EQ(Serve(Read(1, 1, length) + ExtRequest(kZero, 2, 1, length) +
                        ExtRequest(kBlockStatus, 3, 1, length) + Read(4, 0, 1)),
                  Error(1, 1, kInval, words) + Error(2, 1, kNospc, words) +
                      Error(3, 1, kInval, words) + DataReply(4, 0, "."))
            << length;
    }
}

TEST_F(ExtendedTest, AReadBeyondTheLimitIsRefused)
{
    EXPECT_EQ(Serve(Read(1, 0, limits_.request_bytes + 1) + Read(2, 0, 1)),
              Error(1, 0, kInval, "longer than the maximum block size") + DataReply(2, 0, "."));
}

TEST_F(ExtendedTest, APayloadBeyondTheLimitEndsItWhateverTheCommand)
{
    for (uint16_t type : {kRead, kWrite, kFlush, kBlockStatus, uint16_t{99}}) {
        for (uint64_t length : {uint64_t{limits_.request_bytes} + 1, UINT64_MAX}) {
            Restart({REPLIES_EXTENDED, true});

            EXPECT_EQ(Serve(ExtRequest(type, 1, 0, length, kPayload) + Read(2, 0, 1)), "");
            EXPECT_TRUE(transmission_is_over(&t_));
            EXPECT_NE(std::string(t_.complaint).find(std::to_string(length)), std::string::npos);
        }
    }
}

TEST_F(ExtendedTest, APayloadThatTheCommandDoesNotHaveIsSkippedAndRefused)
{
    const std::string payload(30000, 'R');
    const std::string words = "unknown flag for this command";

    for (uint16_t type : {kRead, kFlush, kTrim, kCache, kZero}) {
        EXPECT_EQ(Serve(ExtRequest(type, 1, 0, payload.size(), kPayload, payload) + Read(2, 0, 1)),
                  Error(1, 0, kInval, words) + DataReply(2, 0, "."))
            << type;
    }
    EXPECT_EQ(Serve(ExtRequest(99, 1, 0, payload.size(), kPayload, payload) + Read(2, 0, 1)),
              Error(1, 0, kInval, "unknown command") + DataReply(2, 0, "."));
}

TEST_F(ExtendedTest, AWriteThatDoesNotOwnUpToItsPayloadEndsIt)
{
    EXPECT_EQ(Serve(ExtRequest(kWrite, 1, 0, 5, 0, "hello") + Read(2, 0, 1)), "");
    EXPECT_STREQ(t_.complaint, "does not say that the payload of a write is one");
    EXPECT_EQ(export_.log, "");
}

TEST_F(ExtendedTest, HolesHaveTheirOwnChunks)
{
    export_.extents = {{16 * kKiB, 0}, {kSize, kEmpty}};

    EXPECT_EQ(Serve(Read(1, 8 * kKiB, 40 * kKiB)),
              ExtChunk(1, 8 * kKiB, 0, kData, OffsetData(8 * kKiB, std::string(8 * kKiB, '.'))) +
                  ExtChunk(1, 8 * kKiB, kDone, kHole, OffsetHole(16 * kKiB, 32 * kKiB)));
}

TEST_F(ExtendedTest, AStatusHas64BitsForEach)
{
    export_.extents = {{4096, kEmpty}, {kSize - 4096, 0}};

    EXPECT_EQ(Serve(ExtRequest(kBlockStatus, 1, 0, kSize) +
                    ExtRequest(kBlockStatus, 2, 0, kSize, kReqOne)),
              Status(1, 0, {{4096, kEmpty}, {kSize - 4096, 0}}) + Status(2, 0, {{4096, kEmpty}}));
}

TEST_F(ExtendedTest, AStatusMaySayOfWhichContext)
{
    EXPECT_EQ(Serve(Filtered(1, 512, Filter(1024, {1})) + Read(2, 0, 1)),
              Status(1, 512, {{1024, 0}}) + DataReply(2, 0, "."));
}

TEST_F(ExtendedTest, AFilterThatIsNotOneIsRefusedAndStaysInStep)
{
    const std::string count = "one context was selected, not that many";
    const std::string bad[][2] = {
        {Filter(512, {}), count},
        {Filter(512, {1, 1}), count},
        {"odd", count},
        {std::string(5000, 'f'), count},
        {Filter(512, {2}), "no such metadata context was selected"},
        {Filter(0, {1}), "nothing to tell the status of"},
        {Filter(UINT64_MAX, {1}), "the range is not inside the export"},
        {Filter(kSize, {1}), "the range is not inside the export"},
    };

    for (const auto &[payload, words] : bad) {
        EXPECT_EQ(Serve(Filtered(1, 1, payload) + Read(2, 0, 1)),
                  Error(1, 1, kInval, words) + DataReply(2, 0, "."))
            << words;
    }
    EXPECT_EQ(export_.log.find('m'), std::string::npos);
}

TEST_F(ExtendedTest, TheSameHoweverTheBytesArriveAndLeave)
{
    std::string input = ExtWrite(1, 4096, std::string(600, 'w')) + Read(2, 4090, 700) +
                        Filtered(3, 0, Filter(8192, {1})) + Filtered(4, 0, "odd") +
                        ExtRequest(kRead, 5, 0, 3, kPayload, "xyz") + Read(6, 0, 40 * kKiB);

    std::string whole = Serve(input);

    for (size_t piece : {1, 2, 3, 5, 7, 31, 32, 33, 64}) {
        EXPECT_EQ(Serve(input, piece), whole) << piece;
    }
    Receive(input);
    EXPECT_EQ(Send(1), whole);
}

TEST_F(ExtendedTest, CutAfterAnyByteNothingHalfReceivedIsDone)
{
    std::string input = ExtWrite(1, 0, "hello") + Filtered(2, 0, Filter(512, {1}));

    for (size_t n = 0; n < input.size(); n++) {
        Restart({REPLIES_EXTENDED, true});
        export_.log.clear();
        export_.at_once = true;
        Receive(input.substr(0, n));
        transmission_no_more_input(&t_, true);
        Send();

        EXPECT_EQ(export_.log, n < 37 ? "" : "w") << n;
        EXPECT_TRUE(transmission_is_over(&t_));
        EXPECT_EQ(t_.complaint[0] != '\0', n != 0 && n != 37) << n;
    }
}

} // namespace
