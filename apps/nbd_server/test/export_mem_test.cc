/* SPDX-License-Identifier: MIT */
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "apps/nbd_server/export.h"

namespace
{

constexpr uint64_t kSize = 64 << 10;
constexpr uint32_t kHole = EXPORT_HOLE | EXPORT_ZERO;

class ExportMemoryTest : public ::testing::Test
{
  protected:
    ExportMemoryTest()
    {
        EXPECT_EQ(export_memory_open(&e_, kSize, nullptr, nullptr), 0);
    }
    ~ExportMemoryTest() override
    {
        e_->ops->close(e_);
    }

    static export_io Io(uint64_t offset, uint64_t bytes, void *data = nullptr)
    {
        export_io io = {};

        io.offset = offset;
        io.bytes = bytes;
        io.data = static_cast<uint8_t *>(data);
        io.done = [](export_io *, int result) { EXPECT_EQ(result, 0); };
        return io;
    }
    void Fill(uint64_t offset, uint64_t bytes)
    {
        std::string data(bytes, 'x');
        export_io io = Io(offset, bytes, data.data());

        e_->ops->write(e_, &io);
    }
    void Zero(uint64_t offset, uint64_t bytes, bool keep = false)
    {
        export_io io = Io(offset, bytes);

        io.keep = keep;
        e_->ops->zero(e_, &io);
    }
    void Trim(uint64_t offset, uint64_t bytes)
    {
        export_io io = Io(offset, bytes);

        e_->ops->trim(e_, &io);
    }
    std::string Content(uint64_t offset, uint64_t bytes)
    {
        std::string data(bytes, '?');
        export_io io = Io(offset, bytes, data.data());

        e_->ops->read(e_, &io);
        return data;
    }
    /* "d4096 h8192": data, then a hole. */
    std::string Map(uint64_t offset, uint64_t bytes, uint32_t max = 16)
    {
        std::vector<export_extent> extents(max);
        export_io io = Io(offset, bytes);
        std::string words;

        io.extents = extents.data();
        io.extent_max = max;
        e_->ops->map(e_, &io);
        for (uint32_t i = 0; i < io.extent_count; i++) {
            EXPECT_TRUE(extents[i].state == 0 || extents[i].state == kHole);
            words += (i ? " " : "") + std::string(extents[i].state ? "h" : "d") +
                     std::to_string(extents[i].bytes);
        }
        return words;
    }

    nbd_export *e_ = nullptr;
};

TEST_F(ExportMemoryTest, WhatWasNeverWrittenIsAHole)
{
    EXPECT_EQ(Map(0, kSize), "h65536");

    Fill(5000, 10);

    EXPECT_EQ(Map(0, kSize), "h4096 d4096 h57344");
    EXPECT_EQ(Map(4500, 1000), "d1000");
    EXPECT_EQ(Map(0, kSize, 1), "h4096");
}

TEST_F(ExportMemoryTest, ZeroReadsAsZeroesToTheByte)
{
    Fill(0, kSize);

    Zero(100, 20000);

    EXPECT_EQ(Content(99, 20002), "x" + std::string(20000, '\0') + "x");
    EXPECT_EQ(Map(0, kSize), "d4096 h12288 d49152");
}

TEST_F(ExportMemoryTest, ZeroWithinABlockLeavesTheRestOfIt)
{
    Fill(0, 8192);

    Zero(10, 20);
    Zero(4090, 12);

    EXPECT_EQ(Content(9, 22), "x" + std::string(20, '\0') + "x");
    EXPECT_EQ(Content(4089, 14), "x" + std::string(12, '\0') + "x");
    EXPECT_EQ(Map(0, 8192), "d8192");
}

TEST_F(ExportMemoryTest, ZeroThatKeepsItsRoomIsNoHole)
{
    Fill(0, 8192);

    Zero(0, 16384, true);

    EXPECT_EQ(Content(0, 16384), std::string(16384, '\0'));
    EXPECT_EQ(Map(0, kSize), "d16384 h49152");
}

TEST_F(ExportMemoryTest, TrimGivesWholeBlocksBackAndTouchesNoOther)
{
    Fill(0, kSize);

    Trim(100, 8192);
    Trim(20000, 100);

    EXPECT_EQ(Content(0, 4096), std::string(4096, 'x'));
    EXPECT_EQ(Content(8192, 4096), std::string(4096, 'x'));
    EXPECT_EQ(Content(4096, 4096), std::string(4096, '\0'));
    EXPECT_EQ(Content(20000, 100), std::string(100, 'x'));
    EXPECT_EQ(Map(0, kSize), "d4096 h4096 d57344");
}

TEST_F(ExportMemoryTest, NothingLongIsFine)
{
    Zero(kSize, 0);
    Zero(kSize, 0, true);
    Trim(kSize, 0);

    EXPECT_EQ(Map(0, kSize), "h65536");
}

TEST_F(ExportMemoryTest, TheEndNeedNotBeThatOfABlock)
{
    nbd_export *odd;
    export_extent extents[2];
    export_io io = Io(0, 5001);
    ASSERT_EQ(export_memory_open(&odd, 5001, nullptr, nullptr), 0);

    io.extents = extents;
    io.extent_max = 2;
    odd->ops->zero(odd, &io);
    odd->ops->map(odd, &io);

    EXPECT_EQ(io.extent_count, 1u);
    EXPECT_EQ(extents[0].bytes, 5001u);
    EXPECT_EQ(extents[0].state, kHole);
    odd->ops->close(odd);
}

} // namespace
