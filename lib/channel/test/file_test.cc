/* SPDX-License-Identifier: MIT */
/* file_test.cc - files on a disk, pipes, and what is neither. */
#include <csignal>
#include <sys/stat.h>
#include <thread>

#include <gtest/gtest.h>

#include "aiox/channel_file.h"
#include "lib/channel/test/testing.h"

namespace
{
using channel_testing::Channel;
using channel_testing::Exists;
using channel_testing::Fd;
using channel_testing::Folder;
using channel_testing::Noise;
using co_testing::Loop;
using co_testing::Spawn;

class File : public ::testing::Test
{
  protected:
    File()
    {
        EXPECT_EQ(
            aiox_channel_file_open(ch_.Out(), (folder_ / "x").c_str(), O_RDWR | O_CREAT, 0600), 0);
    }

    Folder folder_;
    Loop loop_;
    Channel ch_;
};

TEST_F(File, KeepsWhatIsWritten)
{
    std::string sent = Noise(300 * 1000), received(sent.size(), '\0');

    loop_.Run([&] {
        EXPECT_EQ(aiox_channel_write_full(ch_, sent.data(), sent.size(), -1), 0);
        EXPECT_EQ(aiox_channel_seek(ch_, 0, SEEK_SET), 0);
        EXPECT_EQ(aiox_channel_read_full(ch_, received.data(), received.size(), -1), 0);
        EXPECT_EQ(aiox_channel_read_full_eof(ch_, received.data(), 1, -1), 0);
    });

    EXPECT_TRUE(sent == received);
}

TEST_F(File, PositionedAccessLeavesThePosition)
{
    char text[10] = {};
    EXPECT_EQ(aiox_channel_write_full(ch_, "hello", 5, -1), 0);

    EXPECT_EQ(aiox_channel_pread(ch_, text, sizeof(text), 1), 4);
    EXPECT_EQ(aiox_channel_pwrite(ch_, "H", 1, 0), 1);

    EXPECT_STREQ(text, "ello");
    EXPECT_EQ(aiox_channel_seek(ch_, 0, SEEK_CUR), 5);
    EXPECT_EQ(aiox_channel_seek(ch_, -6, SEEK_CUR), -EINVAL);
    EXPECT_EQ(aiox_channel_features(ch_), AIOX_CHANNEL_SEEKABLE);
}

TEST_F(File, IsAlwaysReady)
{
    int in_coroutine = 0;

    loop_.Run([&] { in_coroutine = aiox_channel_wait(ch_, AIOX_FD_READ, -1); });

    EXPECT_EQ(in_coroutine, AIOX_FD_READ);
    EXPECT_EQ(aiox_channel_wait(ch_, AIOX_FD_WRITE, -1), AIOX_FD_WRITE);
    ch_.Drop();
    loop_.Settle();
}

TEST_F(File, ThatIsNotThereOrAFolderIsAnError)
{
    Channel ch;

    EXPECT_EQ(aiox_channel_file_open(ch.Out(), (folder_ / "none").c_str(), O_RDONLY, 0), -ENOENT);
    EXPECT_EQ(aiox_channel_file_open(ch.Out(), (folder_ / "").c_str(), O_RDONLY, 0), -EISDIR);
    EXPECT_EQ(aiox_channel_file_new(ch.Out(), -1), -EBADF);
}

TEST_F(File, ThatMayNotBeWrittenSaysSo)
{
    Channel ch;
    ASSERT_EQ(aiox_channel_file_open(ch.Out(), (folder_ / "x").c_str(), O_RDONLY, 0), 0);

    EXPECT_EQ(aiox_channel_write(ch, "x", 1, -1), -EBADF);
    EXPECT_EQ(aiox_channel_shutdown(ch, AIOX_CHANNEL_BOTH), -EOPNOTSUPP);
}

class Pipe : public ::testing::Test
{
  protected:
    Pipe()
    {
        aiox_channel *ends[2] = {};
        signal(SIGPIPE, SIG_IGN);
        aiox_context_set_current(loop_);
        EXPECT_EQ(aiox_channel_pipe(ends), 0);
        reader_ = Channel(ends[0]);
        writer_ = Channel(ends[1]);
    }
    ~Pipe() override
    {
        signal(SIGPIPE, SIG_DFL);
        aiox_context_set_current(nullptr);
    }

    Loop loop_;
    Channel reader_, writer_;
};

TEST_F(Pipe, CarriesMuchMoreThanItHolds)
{
    std::string sent = Noise(1000 * 1000), received(sent.size(), '\0');
    aiox_co_enter_in(loop_, Spawn([&] {
                         EXPECT_EQ(aiox_channel_write_full(writer_, sent.data(), sent.size(), -1),
                                   0);
                         writer_.Drop();
                     }));

    loop_.Run([&] {
        EXPECT_EQ(aiox_channel_read_full(reader_, received.data(), received.size(), -1), 0);
        EXPECT_EQ(aiox_channel_read_full_eof(reader_, received.data(), 1, -1), 0);
    });

    EXPECT_TRUE(sent == received);
}

TEST_F(Pipe, CarriesBetweenThreads)
{
    std::string sent = Noise(1000 * 1000), received(sent.size(), '\0');
    std::thread thread(
        [&] { EXPECT_EQ(aiox_channel_write_full(writer_, sent.data(), sent.size(), -1), 0); });

    EXPECT_EQ(aiox_channel_read_full(reader_, received.data(), received.size(), -1), 0);
    thread.join();

    EXPECT_TRUE(sent == received);
}

TEST_F(Pipe, AWaitIsEndedAndTimesOut)
{
    char c;
    int woken = 1, late = 1;
    aiox_co_enter_in(loop_, Spawn([&] { woken = aiox_channel_read_full(reader_, &c, 1, -1); }));

    EXPECT_TRUE(aiox_channel_wake_read(reader_));
    loop_.Run([&] { late = aiox_channel_read_full(reader_, &c, 1, 0); });
    loop_.RunUntil([&] { return woken != 1; });

    EXPECT_EQ(woken, -ECANCELED);
    EXPECT_EQ(late, -ETIMEDOUT);
}

TEST_F(Pipe, WritingToNobodyIsAnError)
{
    reader_.Drop();

    EXPECT_EQ(aiox_channel_write(writer_, "x", 1, -1), -EPIPE);
}

TEST_F(Pipe, HasNoPosition)
{
    EXPECT_EQ(aiox_channel_features(reader_), 0u);
    EXPECT_EQ(aiox_channel_seek(reader_, 0, SEEK_SET), -ESPIPE);
}

/* A pipe that blocks, as a program inherits one: a loop must not stand still for it. */
TEST(FileNew, DoesNotBlockALoop)
{
    Loop loop;
    int fd[2];
    ASSERT_EQ(pipe2(fd, O_CLOEXEC), 0);
    Fd writer(fd[1]);
    Channel ch;
    ASSERT_EQ(aiox_channel_file_new(ch.Out(), fd[0]), 0);
    char c;
    int result = 1;

    loop.Run([&] { result = aiox_channel_read_full(ch, &c, 1, 0); });

    EXPECT_EQ(result, -ETIMEDOUT);
}

TEST(FileOpen, OfAFifoDoesNotWaitForItsOtherEnd)
{
    Folder folder;
    std::string path = folder / "fifo";
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    Channel reader, writer;

    EXPECT_EQ(aiox_channel_file_open(writer.Out(), path.c_str(), O_WRONLY, 0), -ENXIO);
    EXPECT_EQ(aiox_channel_file_open(reader.Out(), path.c_str(), O_RDONLY, 0), 0);
    EXPECT_EQ(aiox_channel_file_open(writer.Out(), path.c_str(), O_WRONLY, 0), 0);

    char c = 0;
    EXPECT_EQ(aiox_channel_write(writer, "x", 1, -1), 1);
    EXPECT_EQ(aiox_channel_read(reader, &c, 1, -1), 1);
    EXPECT_EQ(c, 'x');
}
} // namespace
