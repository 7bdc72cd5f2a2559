/* SPDX-License-Identifier: MIT */
/* memory_test.cc - a buffer that is read and written like a file, and nothing. */
#include <string>

#include <gtest/gtest.h>

#include "aiox/channel_memory.h"
#include "lib/channel/test/testing.h"

namespace
{
using channel_testing::Channel;
using channel_testing::Noise;

class Buffer : public ::testing::Test
{
  protected:
    Buffer()
    {
        EXPECT_EQ(aiox_channel_buffer_new(ch_.Out(), 0), 0);
    }
    void Write(const std::string &text)
    {
        EXPECT_EQ(aiox_channel_write_full(ch_, text.data(), text.size(), -1), 0);
    }
    std::string Content()
    {
        return std::string(static_cast<const char *>(aiox_channel_buffer_data(ch_)),
                           aiox_channel_buffer_bytes(ch_));
    }

    Channel ch_;
};

TEST_F(Buffer, KeepsWhatIsWritten)
{
    std::string much = Noise(100 * 1000);

    Write("hello, ");
    Write(much);

    EXPECT_TRUE(Content() == "hello, " + much);
}

TEST_F(Buffer, GivesItBackAfterASeek)
{
    char text[10] = {};
    Write("hello");

    EXPECT_EQ(aiox_channel_read(ch_, text, sizeof(text), -1), 0) << "it stands at the end";
    EXPECT_EQ(aiox_channel_seek(ch_, -4, SEEK_END), 1);
    EXPECT_EQ(aiox_channel_read(ch_, text, 2, -1), 2);

    EXPECT_STREQ(text, "el");
    EXPECT_EQ(aiox_channel_seek(ch_, 0, SEEK_CUR), 3);
}

TEST_F(Buffer, IsOverwrittenAtItsPosition)
{
    Write("hello");
    EXPECT_EQ(aiox_channel_seek(ch_, 4, SEEK_SET), 4);

    Write("ish");

    EXPECT_EQ(Content(), "hellish");
}

TEST_F(Buffer, AHoleReadsAsZeroes)
{
    Write("a");
    EXPECT_EQ(aiox_channel_pwrite(ch_, "b", 1, 3), 1);

    EXPECT_EQ(Content(), std::string("a\0\0b", 4));
}

TEST_F(Buffer, PositionedAccessLeavesThePosition)
{
    char text[10] = {};
    Write("hello");

    EXPECT_EQ(aiox_channel_pread(ch_, text, sizeof(text), 1), 4);
    EXPECT_EQ(aiox_channel_pwrite(ch_, "H", 1, 0), 1);

    EXPECT_STREQ(text, "ello");
    EXPECT_EQ(Content(), "Hello");
    EXPECT_EQ(aiox_channel_seek(ch_, 0, SEEK_CUR), 5);
}

TEST_F(Buffer, NoPositionIsBeforeTheBegin)
{
    char c;

    EXPECT_EQ(aiox_channel_seek(ch_, -1, SEEK_SET), -EINVAL);
    EXPECT_EQ(aiox_channel_pread(ch_, &c, 1, -1), -EINVAL);
    EXPECT_EQ(aiox_channel_pwrite(ch_, &c, 1, -1), -EINVAL);
    EXPECT_EQ(aiox_channel_pwrite(ch_, &c, 1, INT64_MAX), -ENOMEM);
}

TEST_F(Buffer, PeekLeavesThePosition)
{
    char text[10] = {};
    Write("hello");
    EXPECT_EQ(aiox_channel_seek(ch_, 0, SEEK_SET), 0);

    EXPECT_EQ(aiox_channel_peek(ch_, text, 2, -1), 2);

    EXPECT_STREQ(text, "he");
    EXPECT_EQ(aiox_channel_seek(ch_, 0, SEEK_CUR), 0);
}

TEST_F(Buffer, EndsForTheFullVariants)
{
    char text[10] = {};
    Write("hello");
    EXPECT_EQ(aiox_channel_seek(ch_, 0, SEEK_SET), 0);

    EXPECT_EQ(aiox_channel_read_full(ch_, text, 6, -1), -ENODATA);
    EXPECT_EQ(aiox_channel_read_full_eof(ch_, text, 6, -1), 0);
    EXPECT_EQ(aiox_channel_seek(ch_, 0, SEEK_SET), 0);
    EXPECT_EQ(aiox_channel_read_full_eof(ch_, text, 5, -1), 1);
}

TEST_F(Buffer, NeverWaits)
{
    EXPECT_EQ(aiox_channel_wait(ch_, AIOX_FD_READ | AIOX_FD_WRITE, -1),
              AIOX_FD_READ | AIOX_FD_WRITE);
    EXPECT_EQ(aiox_channel_shutdown(ch_, AIOX_CHANNEL_BOTH), -EOPNOTSUPP);
    EXPECT_FALSE(aiox_channel_wake_read(ch_));
}

TEST_F(Buffer, CarriesNoDescriptors)
{
    char c = 'x';
    iovec iov = {&c, 1};
    aiox_channel_fds fds = {1, {0}};

    EXPECT_EQ(aiox_channel_writev_fds_full(ch_, &iov, 1, &fds, -1), -EOPNOTSUPP);
    EXPECT_EQ(aiox_channel_readv_fds(ch_, &iov, 1, &fds, -1), 0);
    EXPECT_EQ(fds.count, 0);
}

TEST_F(Buffer, ClosedDoesNothingMore)
{
    EXPECT_EQ(aiox_channel_close(ch_), 0);

    EXPECT_EQ(aiox_channel_write(ch_, "x", 1, -1), -EBADF);
    EXPECT_EQ(aiox_channel_seek(ch_, 0, SEEK_SET), -EBADF);
}

TEST(BufferDeathTest, OnlyABufferHasContent)
{
    Channel null;
    ASSERT_EQ(aiox_channel_null_new(null.Out()), 0);

    EXPECT_DEATH(aiox_channel_buffer_data(null), "ops_ == &ops");
}

TEST(Null, IsAlwaysAtTheEndAndTakesAll)
{
    Channel ch;
    char c;
    ASSERT_EQ(aiox_channel_null_new(ch.Out()), 0);

    EXPECT_EQ(aiox_channel_read(ch, &c, 1, -1), 0);
    EXPECT_EQ(aiox_channel_read_full(ch, &c, 1, -1), -ENODATA);
    EXPECT_EQ(aiox_channel_write(ch, "hello", 5, -1), 5);
    EXPECT_EQ(aiox_channel_wait(ch, AIOX_FD_READ, -1), AIOX_FD_READ);
    EXPECT_EQ(aiox_channel_wait(ch, AIOX_FD_WRITE, -1), AIOX_FD_WRITE);
    EXPECT_EQ(aiox_channel_features(ch), 0u);
}

TEST(Null, OneMoreReferenceKeepsIt)
{
    Channel ch;
    ASSERT_EQ(aiox_channel_null_new(ch.Out()), 0);
    Channel second(aiox_channel_ref(ch));

    ch.Drop();

    EXPECT_EQ(aiox_channel_write(second, "x", 1, -1), 1);
    EXPECT_STREQ(aiox_channel_kind(second), "null");
}
} // namespace
