/* SPDX-License-Identifier: MIT */
#include "apps/nbd_server/wire.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "golden.h"

namespace
{

const uint8_t *Data(const std::string &s)
{
    return reinterpret_cast<const uint8_t *>(s.data());
}

std::string Written(const std::vector<uint8_t> &memory, size_t n)
{
    return std::string(memory.begin(), memory.begin() + static_cast<long>(n));
}

TEST(Wire, GreetingIsTwoMagicsAndTheFlags)
{
    std::vector<uint8_t> out(WIRE_GREETING);

    size_t n = wire_put_greeting(out.data(), 3);

    EXPECT_EQ(Written(out, n), std::string("NBDMAGICIHAVEOPT\0\3", 18));
}

TEST(Wire, OptionReplyHasItsFieldsInOrder)
{
    std::vector<uint8_t> out(WIRE_OPTION_REPLY);

    size_t n = wire_put_option_reply(out.data(), 7, 0x80000006, 5);

    EXPECT_EQ(Written(out, n), std::string("\0\3\xe8\x89\4\x55\x65\xa9"
                                           "\0\0\0\7"
                                           "\x80\0\0\6"
                                           "\0\0\0\5",
                                           20));
}

TEST(Wire, SimpleReplyHasItsFieldsInOrder)
{
    std::vector<uint8_t> out(WIRE_SIMPLE_REPLY);

    size_t n = wire_put_simple_reply(out.data(), 28, 0x0102030405060708);

    EXPECT_EQ(Written(out, n), std::string("\x67\x44\x66\x98"
                                           "\0\0\0\x1c"
                                           "\1\2\3\4\5\6\7\x8",
                                           16));
}

TEST(Wire, ExportNameReplyHasItsZeroesOnlyWhenAsked)
{
    std::vector<uint8_t> out(WIRE_EXPORT_NAME_REPLY + WIRE_EXPORT_NAME_ZEROES, 0xff);
    std::string fields = golden::Bytes().U64(0x1122334455667788).U16(13);

    size_t with = wire_put_export_name_reply(out.data(), 0x1122334455667788, 13, true);
    std::string long_form = Written(out, with);
    size_t without = wire_put_export_name_reply(out.data(), 0x1122334455667788, 13, false);

    EXPECT_EQ(long_form, fields + std::string(124, '\0'));
    EXPECT_EQ(Written(out, without), fields);
}

TEST(Wire, RequestFieldsAreRead)
{
    wire_request w;

    wire_get_request(
        Data(golden::Request(1, 0x1112131415161718, 0x2122232425262728, 0x31323334, 0x4142)), &w);

    EXPECT_EQ(w.magic, NBD_REQUEST_MAGIC);
    EXPECT_EQ(w.flags, 0x4142);
    EXPECT_EQ(w.type, NBD_CMD_WRITE);
    EXPECT_EQ(w.cookie, 0x1112131415161718u);
    EXPECT_EQ(w.offset, 0x2122232425262728u);
    EXPECT_EQ(w.length, 0x31323334u);
}

TEST(Wire, GoPointsAtNameAndInfos)
{
    std::string data = golden::GoData("disk", {1, 3});
    wire_go go;

    ASSERT_TRUE(wire_get_go(Data(data), data.size(), &go));

    EXPECT_EQ(std::string(reinterpret_cast<const char *>(go.name), go.name_bytes), "disk");
    EXPECT_TRUE(wire_go_wants(&go, 1));
    EXPECT_TRUE(wire_go_wants(&go, 3));
    EXPECT_FALSE(wire_go_wants(&go, 2));
}

/* Looked at in memory that ends with the data: AddressSanitizer sees one byte too far. */
bool IsGo(const std::string &data)
{
    std::unique_ptr<uint8_t[]> exact(new uint8_t[data.size()]);
    wire_go go;

    std::copy(data.begin(), data.end(), exact.get());
    return wire_get_go(exact.get(), data.size(), &go);
}

TEST(Wire, GoIsRefusedUnlessItsLengthsAddUpExactly)
{
    std::string good = golden::GoData("disk", {1, 3});

    EXPECT_TRUE(IsGo(good));
    for (size_t n = 0; n < good.size(); n++) {
        EXPECT_FALSE(IsGo(good.substr(0, n))) << "cut after " << n;
    }
    EXPECT_FALSE(IsGo(good + "x"));
    for (uint32_t lie : {5u, 9u, 0x7fffffffu, 0xfffffffau, 0xffffffffu}) {
        std::string bad = golden::Bytes().U32(lie).Raw(good.substr(4));
        EXPECT_FALSE(IsGo(bad)) << "name of " << lie;
    }
    std::string many = golden::Bytes().U32(4).Raw("disk").U16(0xffff).U16(1);
    EXPECT_FALSE(IsGo(many));
}

TEST(Wire, OnlyErrorsOfTheSpecificationLeave)
{
    EXPECT_EQ(wire_error(0), 0u);
    EXPECT_EQ(wire_error(-EPERM), 1u);
    EXPECT_EQ(wire_error(-EROFS), 1u);
    EXPECT_EQ(wire_error(-ENOMEM), 12u);
    EXPECT_EQ(wire_error(-EINVAL), 22u);
    EXPECT_EQ(wire_error(-EDQUOT), 28u);
    EXPECT_EQ(wire_error(-EFBIG), 28u);
    EXPECT_EQ(wire_error(-ESHUTDOWN), 108u);
    for (int unknown : {-EBADF, -EAGAIN, -ECANCELED, -4095, -1000000, 7}) {
        EXPECT_EQ(wire_error(unknown), 5u) << unknown;
    }
}

TEST(Wire, ExtendedRequestFieldsAreRead)
{
    std::string bytes =
        golden::ExtRequest(7, 0x1122334455667788, 0x99aabbccddeeff00, 0x0102030405060708, 0x0a0b);
    wire_request request = {};

    ASSERT_EQ(bytes.size(), static_cast<size_t>(WIRE_EXTENDED_REQUEST));
    wire_get_extended_request(reinterpret_cast<const uint8_t *>(bytes.data()), &request);

    EXPECT_EQ(request.magic, NBD_EXTENDED_REQUEST_MAGIC);
    EXPECT_EQ(request.flags, 0x0a0b);
    EXPECT_EQ(request.type, 7);
    EXPECT_EQ(request.cookie, 0x1122334455667788u);
    EXPECT_EQ(request.offset, 0x99aabbccddeeff00u);
    EXPECT_EQ(request.length, 0x0102030405060708u);
}

TEST(Wire, ChunksHaveTheirFieldsInOrder)
{
    wire_chunk chunk = {false, 1, 0x8002, 0x1122334455667788, 0x99aabbccddeeff00, 0};
    uint8_t out[WIRE_CHUNK_MAX];

    size_t structured = wire_put_chunk(out, &chunk);
    EXPECT_EQ(std::string(reinterpret_cast<char *>(out), structured),
              golden::Chunk(0x1122334455667788, 1, 0x8002, ""));

    chunk.extended = true;
    size_t extended = wire_put_chunk(out, &chunk);
    EXPECT_EQ(std::string(reinterpret_cast<char *>(out), extended),
              golden::ExtChunk(0x1122334455667788, 0x99aabbccddeeff00, 1, 0x8002, ""));
}

TEST(Wire, BlockSizesHaveTheirFieldsInOrder)
{
    uint8_t out[WIRE_INFO_BLOCK_SIZE];

    size_t n = wire_put_info_block_size(out, 1, 0x01020304, 0x05060708);

    EXPECT_EQ(std::string(reinterpret_cast<char *>(out), n),
              std::string(golden::Bytes().U16(3).U32(1).U32(0x01020304).U32(0x05060708)));
}

TEST(Wire, QueriesAreTakenOneByOne)
{
    std::string data = golden::MetaData("disk", {"base:", "", "x:y"});
    wire_meta meta = {};
    const uint8_t *query;
    uint32_t bytes;
    std::string all;

    ASSERT_TRUE(wire_get_meta(reinterpret_cast<const uint8_t *>(data.data()), data.size(), &meta));
    while (wire_next_query(&meta, &query, &bytes)) {
        all += "<" + std::string(reinterpret_cast<const char *>(query), bytes) + ">";
    }

    EXPECT_EQ(std::string(reinterpret_cast<const char *>(meta.name), meta.name_bytes), "disk");
    EXPECT_EQ(all, "<base:><><x:y>");
}

TEST(Wire, MetaIsRefusedUnlessItsLengthsAddUpExactly)
{
    std::string data = golden::MetaData("disk", {"base:allocation"});
    wire_meta meta;

    for (size_t n = 0; n < data.size(); n++) {
        EXPECT_FALSE(wire_get_meta(reinterpret_cast<const uint8_t *>(data.data()), n, &meta)) << n;
    }
    EXPECT_TRUE(wire_get_meta(reinterpret_cast<const uint8_t *>(data.data()), data.size(), &meta));
}

} // namespace
