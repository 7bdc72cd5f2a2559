/* SPDX-License-Identifier: MIT */
/* io_test.cc - read and write all, whatever the kernel takes and gives at a time. */
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "lib/aio_co/test/loop.h"

namespace
{
using co_testing::Loop;
using co_testing::Read;
using co_testing::ReadAll;
using co_testing::Spawn;
using co_testing::WriteAll;

constexpr size_t kMuch = 3 * 1000 * 1000;

std::string Noise(size_t bytes)
{
    std::string text(bytes, '\0');
    unsigned x = 1;
    for (char &c : text) {
        x = x * 1664525 + 1013904223;
        c = static_cast<char>(x >> 24);
    }
    return text;
}

enum class Kind { kSocket, kPipe };

/* fd[0] is read, fd[1] is written; a socket blocks, a pipe does not. */
class Stream : public ::testing::TestWithParam<Kind>
{
  protected:
    Stream()
    {
        aiox_context_set_current(loop_);
        signal(SIGPIPE, GetParam() == Kind::kPipe ? SIG_IGN : SIG_DFL);
        if (GetParam() == Kind::kPipe) {
            EXPECT_EQ(pipe2(fd_, O_NONBLOCK | O_CLOEXEC), 0);
        } else {
            EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd_), 0);
        }
    }
    ~Stream() override
    {
        Close(0);
        Close(1);
        aiox_context_set_current(nullptr);
        signal(SIGPIPE, SIG_DFL);
    }
    void Close(int i)
    {
        if (fd_[i] >= 0) {
            close(fd_[i]);
            fd_[i] = -1;
        }
    }

    Loop loop_;
    int fd_[2];
};

TEST_P(Stream, CarriesMuchMoreThanItHolds)
{
    std::string sent = Noise(kMuch);
    std::string received(kMuch, '\0');
    ssize_t written = 0;
    aiox_co_enter_in(loop_, Spawn([&] { written = WriteAll(fd_[1], sent.data(), sent.size()); }));

    loop_.Run([&] {
        EXPECT_EQ(ReadAll(fd_[0], received.data(), received.size()), (ssize_t)received.size());
    });

    EXPECT_EQ(written, (ssize_t)sent.size());
    EXPECT_TRUE(sent == received);
}

TEST_P(Stream, ReadGivesWhatThereIs)
{
    char text[100] = {};
    ssize_t n = 0;
    ASSERT_EQ(write(fd_[1], "hello", 5), 5);

    loop_.Run([&] { n = Read(fd_[0], text, sizeof(text)); });

    EXPECT_EQ(n, 5);
    EXPECT_STREQ(text, "hello");
}

TEST_P(Stream, ReadWaitsForTheFirstByte)
{
    char text[100] = {};
    ssize_t n = -1;
    aiox_co_enter_in(loop_, Spawn([&] { n = Read(fd_[0], text, sizeof(text)); }));
    loop_.Settle();
    EXPECT_EQ(n, -1);

    ASSERT_EQ(write(fd_[1], "hello", 5), 5);
    loop_.RunUntil([&] { return n != -1; });

    EXPECT_EQ(n, 5);
}

TEST_P(Stream, EndOfFileIsZero)
{
    char c;
    ssize_t some = -1, all = -1;
    Close(1);

    loop_.Run([&] {
        some = Read(fd_[0], &c, 1);
        all = ReadAll(fd_[0], &c, 1);
    });

    EXPECT_EQ(some, 0);
    EXPECT_EQ(all, 0);
}

TEST_P(Stream, EndOfFileInTheMiddleIsALowerCount)
{
    char text[10] = {};
    ssize_t n = -1;
    aiox_co_enter_in(loop_, Spawn([&] { n = ReadAll(fd_[0], text, sizeof(text)); }));
    ASSERT_EQ(write(fd_[1], "abc", 3), 3);
    loop_.Settle();
    EXPECT_EQ(n, -1);

    Close(1);
    loop_.RunUntil([&] { return n != -1; });

    EXPECT_EQ(n, 3);
    EXPECT_STREQ(text, "abc");
}

TEST_P(Stream, NothingIsReadOrWrittenAtOnce)
{
    ssize_t read = -1, written = -1;

    loop_.Run([&] {
        read = ReadAll(fd_[0], nullptr, 0);
        written = WriteAll(fd_[1], nullptr, 0);
    });

    EXPECT_EQ(read, 0);
    EXPECT_EQ(written, 0);
}

TEST_P(Stream, WritingToNobodyIsAnErrorAndNoSignal)
{
    ssize_t n = 0;
    Close(0);

    loop_.Run([&] { n = WriteAll(fd_[1], "x", 1); });

    EXPECT_EQ(n, -EPIPE);
}

TEST_P(Stream, TheReaderGoesWhileAWriterWaits)
{
    std::string much = Noise(kMuch);
    ssize_t n = 0;
    aiox_co_enter_in(loop_, Spawn([&] { n = WriteAll(fd_[1], much.data(), much.size()); }));
    loop_.Settle();
    EXPECT_EQ(n, 0) << "it waits";

    Close(0);
    loop_.RunUntil([&] { return n != 0; });

    EXPECT_EQ(n, -EPIPE);
}

TEST_P(Stream, TimesOut)
{
    std::string much = Noise(kMuch);
    char c;
    ssize_t read = 0, written = 0;

    loop_.Run([&] {
        read = ReadAll(fd_[0], &c, 1, 0);
        written = WriteAll(fd_[1], much.data(), much.size(), 0);
    });

    EXPECT_EQ(read, -ETIMEDOUT);
    EXPECT_EQ(written, -ETIMEDOUT);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Stream, ::testing::Values(Kind::kSocket, Kind::kPipe),
                         [](const auto &kind) {
                             return kind.param == Kind::kSocket ? "Socket" : "Pipe";
                         });

TEST(File, IsReadToItsEnd)
{
    Loop loop;
    aiox_context_set_current(loop);
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ASSERT_GE(fd, 0);
    std::vector<char> text(1 << 16);
    ssize_t n = 0;

    loop.Run([&] { n = ReadAll(fd, text.data(), text.size()); });

    EXPECT_GT(n, 0);
    EXPECT_LT(n, 1 << 16);
    close(fd);
}

TEST(File, ThatIsNotOpenIsAnError)
{
    Loop loop;
    aiox_context_set_current(loop);
    char c;
    ssize_t n = 0;

    loop.Run([&] { n = Read(-1, &c, 1); });

    EXPECT_EQ(n, -EBADF);
}
} // namespace
