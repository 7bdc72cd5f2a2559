/* SPDX-License-Identifier: MIT */
/* socket_test.cc - bytes and descriptors over a socket, in coroutines and in threads. */
#include <csignal>
#include <sys/eventfd.h>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/channel/test/testing.h"

namespace
{
using channel_testing::Channel;
using channel_testing::Fd;
using channel_testing::IsSameFile;
using channel_testing::Noise;
using channel_testing::Pair;
using co_testing::Loop;
using co_testing::Spawn;

/* How the functions are called: by a coroutine that waits, or a thread that blocks. */
enum class Caller { kCoroutine, kThread };

class Socket : public ::testing::TestWithParam<Caller>
{
  protected:
    Socket()
    {
        aiox_context_set_current(loop_);
    }
    ~Socket() override
    {
        aiox_context_set_current(nullptr);
    }

    /* Runs both at once, as two coroutines or two threads, until they end. */
    void Both(const std::function<void()> &one, const std::function<void()> &other)
    {
        if (GetParam() == Caller::kThread) {
            std::thread thread(one);
            other();
            thread.join();
            return;
        }
        int left = 2;
        for (const auto *body : {&one, &other}) {
            aiox_co_enter_in(loop_, Spawn([body, &left] {
                                 (*body)();
                                 left--;
                             }));
        }
        loop_.RunUntil([&] { return left == 0; });
    }
    void Alone(const std::function<void()> &body)
    {
        Both(body, [] {});
    }

    Loop loop_;
    Pair pair_;
};

TEST_P(Socket, CarriesMuchMoreThanItHolds)
{
    std::string sent = Noise(1000 * 1000), received(sent.size(), '\0');
    pair_.MakeNarrow();

    Both([&] { EXPECT_EQ(aiox_channel_write_full(pair_.a, sent.data(), sent.size(), -1), 0); },
         [&] {
             EXPECT_EQ(aiox_channel_read_full(pair_.b, received.data(), received.size(), -1), 0);
         });

    EXPECT_TRUE(sent == received);
}

TEST_P(Socket, CarriesVectorsOfManyPartsOfAnySize)
{
    std::string sent = Noise(300 * 1000), received(sent.size(), '\0');
    std::vector<iovec> out, in;
    for (size_t at = 0, n = 0; at < sent.size(); at += n) {
        n = std::min(sent.size() - at, (out.size() * 7) % 301); /* some of them empty */
        out.push_back({sent.data() + at, n});
    }
    for (size_t at = 0, n = 0; at < sent.size(); at += n) {
        n = std::min(sent.size() - at, 1 + (in.size() * 13) % 97);
        in.push_back({received.data() + at, n});
    }
    ASSERT_GT(in.size(), 1024u) << "more than the kernel takes at once";
    pair_.MakeNarrow();

    Both([&] { EXPECT_EQ(aiox_channel_writev_full(pair_.a, out.data(), (int)out.size(), -1), 0); },
         [&] { EXPECT_EQ(aiox_channel_readv_full(pair_.b, in.data(), (int)in.size(), -1), 0); });

    EXPECT_TRUE(sent == received);
}

TEST_P(Socket, ReadGivesWhatThereIs)
{
    char text[100] = {};
    ssize_t n = 0;

    Both([&] { n = aiox_channel_read(pair_.b, text, sizeof(text), -1); },
         [&] { EXPECT_EQ(aiox_channel_write(pair_.a, "hello", 5, -1), 5); });

    EXPECT_EQ(n, 5);
    EXPECT_STREQ(text, "hello");
}

TEST_P(Socket, PeekLeavesItThere)
{
    char text[10] = {};
    ssize_t seen = 0, read = 0;
    EXPECT_EQ(aiox_channel_write(pair_.a, "hello", 5, -1), 5);

    Alone([&] {
        seen = aiox_channel_peek(pair_.b, text, 2, -1);
        read = aiox_channel_read(pair_.b, text, sizeof(text), -1);
    });

    EXPECT_EQ(seen, 2);
    EXPECT_EQ(read, 5);
}

TEST_P(Socket, EndOfTheFileBeforeTheFirstByte)
{
    char c;
    ssize_t some = -1;
    int full = 1, full_eof = 1;
    pair_.a.Drop();

    Alone([&] {
        some = aiox_channel_read(pair_.b, &c, 1, -1);
        full = aiox_channel_read_full(pair_.b, &c, 1, -1);
        full_eof = aiox_channel_read_full_eof(pair_.b, &c, 1, -1);
    });

    EXPECT_EQ(some, 0);
    EXPECT_EQ(full, -ENODATA);
    EXPECT_EQ(full_eof, 0);
}

TEST_P(Socket, EndOfTheFileInTheMiddleIsAnError)
{
    for (auto read : {aiox_channel_read_full, aiox_channel_read_full_eof}) {
        Pair pair;
        char text[10] = {};
        int result = 1;

        Both([&] { result = read(pair.b, text, sizeof(text), -1); },
             [&] {
                 EXPECT_EQ(aiox_channel_write_full(pair.a, "abc", 3, -1), 0);
                 EXPECT_EQ(aiox_channel_shutdown(pair.a, AIOX_CHANNEL_WRITING), 0);
             });

        EXPECT_EQ(result, -ENODATA);
        EXPECT_STREQ(text, "abc");
    }
}

TEST_P(Socket, AllBeforeTheEndIsOne)
{
    char text[4] = {};
    int result = 0, next = -1;
    EXPECT_EQ(aiox_channel_write_full(pair_.a, "abc", 3, -1), 0);
    pair_.a.Drop();

    Alone([&] {
        result = aiox_channel_read_full_eof(pair_.b, text, 3, -1);
        next = aiox_channel_read_full_eof(pair_.b, text, 3, -1);
    });

    EXPECT_EQ(result, 1);
    EXPECT_EQ(next, 0);
}

TEST_P(Socket, NothingIsReadAndWrittenAtOnce)
{
    int results[3] = {1, 1, 0};

    Alone([&] {
        results[0] = aiox_channel_read_full(pair_.b, nullptr, 0, -1);
        results[1] = aiox_channel_write_full(pair_.b, nullptr, 0, -1);
        results[2] = aiox_channel_read_full_eof(pair_.b, nullptr, 0, -1);
    });

    EXPECT_THAT(results, ::testing::ElementsAre(0, 0, 1));
}

TEST_P(Socket, WritingToNobodyIsAnErrorAndNoSignal)
{
    int result = 0;
    signal(SIGPIPE, SIG_DFL);
    pair_.a.Drop();

    Alone([&] { result = aiox_channel_write_full(pair_.b, "x", 1, -1); });

    EXPECT_EQ(result, -EPIPE);
}

TEST_P(Socket, AShutDownDirectionEndsAndTheOtherGoesOn)
{
    char c = 0;
    EXPECT_EQ(aiox_channel_shutdown(pair_.a, AIOX_CHANNEL_WRITING), 0);

    Alone([&] {
        EXPECT_EQ(aiox_channel_read(pair_.b, &c, 1, -1), 0);
        EXPECT_EQ(aiox_channel_write_full(pair_.a, "x", 1, -1), -EPIPE);
        EXPECT_EQ(aiox_channel_write_full(pair_.b, "x", 1, -1), 0);
        EXPECT_EQ(aiox_channel_read_full(pair_.a, &c, 1, -1), 0);
    });

    EXPECT_EQ(c, 'x');
}

TEST_P(Socket, ADeadlineInThePastDoesWhatCanBeDone)
{
    std::string much = Noise(1000 * 1000);
    char c;
    int there = 1, nothing = 1, no_room = 1;
    EXPECT_EQ(aiox_channel_write_full(pair_.a, "x", 1, -1), 0);

    Alone([&] {
        there = aiox_channel_read_full(pair_.b, &c, 1, 0);
        nothing = aiox_channel_read_full(pair_.b, &c, 1, 0);
        no_room = aiox_channel_write_full(pair_.b, much.data(), much.size(), 0);
    });

    EXPECT_EQ(there, 0);
    EXPECT_EQ(nothing, -ETIMEDOUT);
    EXPECT_EQ(no_room, -ETIMEDOUT);
}

TEST_P(Socket, WaitTellsWhatHolds)
{
    int before = 1, write = 0, read = 0;

    Alone([&] {
        before = aiox_channel_wait(pair_.b, AIOX_FD_READ, 0);
        write = aiox_channel_wait(pair_.b, AIOX_FD_READ | AIOX_FD_WRITE, -1);
        EXPECT_EQ(aiox_channel_write_full(pair_.a, "x", 1, -1), 0);
        read = aiox_channel_wait(pair_.b, AIOX_FD_READ, -1);
    });

    EXPECT_EQ(before, -ETIMEDOUT);
    EXPECT_EQ(write, AIOX_FD_WRITE);
    EXPECT_EQ(read, AIOX_FD_READ);
}

TEST_P(Socket, AClosedOneDoesNothingMore)
{
    char c;
    EXPECT_EQ(aiox_channel_close(pair_.a), 0);
    EXPECT_EQ(aiox_channel_close(pair_.a), 0) << "once more is nothing";

    Alone([&] {
        EXPECT_EQ(aiox_channel_read(pair_.a, &c, 1, -1), -EBADF);
        EXPECT_EQ(aiox_channel_write_full(pair_.a, &c, 1, -1), -EBADF);
        EXPECT_EQ(aiox_channel_wait(pair_.a, AIOX_FD_READ, -1), -EBADF);
        EXPECT_EQ(aiox_channel_shutdown(pair_.a, AIOX_CHANNEL_BOTH), -EBADF);
        EXPECT_FALSE(aiox_channel_wake_read(pair_.a));
    });
}

/* ---- descriptors ---- */

class SocketFds : public Socket
{
  protected:
    /* A message of one byte with @count copies of @fd, past all checks. */
    static void SendRaw(aiox_channel *ch, int fd, int count)
    {
        std::vector<int> fds(count, fd);
        std::vector<char> room(CMSG_SPACE(count * sizeof(int)));
        char byte = 'x';
        iovec iov = {&byte, 1};
        msghdr msg = {};
        msg.msg_iov = &iov;
        msg.msg_iovlen = 1;
        msg.msg_control = room.data();
        msg.msg_controllen = room.size();
        cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(count * sizeof(int));
        std::memcpy(CMSG_DATA(c), fds.data(), count * sizeof(int));
        EXPECT_EQ(sendmsg(aiox_channel_socket_fd(ch), &msg, 0), 1);
    }

    Fd some_{eventfd(0, EFD_CLOEXEC)};
};

TEST_P(SocketFds, GoWithTheFirstByte)
{
    char text[6] = "hello", heard[6] = {};
    iovec out = {text, 5}, in = {heard, 5};
    aiox_channel_fds sent = {2, {some_, 0}}, received = {};
    Fd other(eventfd(0, EFD_CLOEXEC));
    sent.fd[1] = other;

    Both([&] { EXPECT_EQ(aiox_channel_writev_fds_full(pair_.a, &out, 1, &sent, -1), 0); },
         [&] { EXPECT_EQ(aiox_channel_readv_fds_full(pair_.b, &in, 1, &received, -1), 0); });

    ASSERT_EQ(received.count, 2);
    Fd first(received.fd[0]), second(received.fd[1]);
    EXPECT_TRUE(IsSameFile(first, some_));
    EXPECT_TRUE(IsSameFile(second, other));
    EXPECT_EQ(fcntl(first, F_GETFD), FD_CLOEXEC);
    EXPECT_STREQ(heard, "hello");
}

TEST_P(SocketFds, OfTheMostAreTaken)
{
    char byte = 0;
    iovec iov = {&byte, 1};
    aiox_channel_fds sent = {AIOX_CHANNEL_MAX_FDS, {}}, received = {};
    std::fill(sent.fd, sent.fd + AIOX_CHANNEL_MAX_FDS, some_);

    Alone([&] {
        EXPECT_EQ(aiox_channel_writev_fds(pair_.a, &iov, 1, &sent, -1), 1);
        EXPECT_EQ(aiox_channel_readv_fds(pair_.b, &iov, 1, &received, -1), 1);
    });

    EXPECT_EQ(received.count, AIOX_CHANNEL_MAX_FDS);
    for (int i = 0; i < received.count; i++) {
        close(received.fd[i]);
    }
}

TEST_P(SocketFds, MoreThanTheMostAreAnErrorAndClosed)
{
    char byte = 0;
    iovec iov = {&byte, 1};
    aiox_channel_fds received = {};
    ssize_t n = 0;
    SendRaw(pair_.a, some_, AIOX_CHANNEL_MAX_FDS + 1);

    Alone([&] { n = aiox_channel_readv_fds(pair_.b, &iov, 1, &received, -1); });

    EXPECT_EQ(n, -EMSGSIZE);
    EXPECT_EQ(received.count, 0);
}

TEST_P(SocketFds, ThatNobodyTakesAreDropped)
{
    char byte = 0;
    SendRaw(pair_.a, some_, 3);

    Alone([&] { EXPECT_EQ(aiox_channel_read_full(pair_.b, &byte, 1, -1), 0); });

    EXPECT_EQ(byte, 'x');
}

TEST_P(SocketFds, AreClosedWhenTheRestDoesNotCome)
{
    char text[10];
    iovec in = {text, sizeof(text)};
    aiox_channel_fds received = {};
    int result = 1;
    SendRaw(pair_.a, some_, 3);
    pair_.a.Drop();

    Alone([&] { result = aiox_channel_readv_fds_full_eof(pair_.b, &in, 1, &received, -1); });

    EXPECT_EQ(result, -ENODATA);
    EXPECT_EQ(received.count, 0);
}

TEST_P(SocketFds, LaterThanTheFirstReadAreNotTaken)
{
    char text[2];
    iovec in[2] = {{text, 1}, {text + 1, 1}};
    aiox_channel_fds received = {};
    SendRaw(pair_.a, some_, 1);
    SendRaw(pair_.a, some_, 2);

    Alone([&] { EXPECT_EQ(aiox_channel_readv_fds_full(pair_.b, in, 2, &received, -1), 0); });

    ASSERT_EQ(received.count, 1);
    close(received.fd[0]);
}

TEST_P(SocketFds, ThatAreNotOpenAreNotSent)
{
    char byte = 0;
    iovec iov = {&byte, 1};
    int closed = some_;
    aiox_channel_fds sent = {1, {closed}};
    some_.Close();
    ssize_t n = 0;

    Alone([&] { n = aiox_channel_writev_fds(pair_.a, &iov, 1, &sent, -1); });

    EXPECT_EQ(n, -EBADF);
}

std::string NameOfCaller(const ::testing::TestParamInfo<Caller> &info)
{
    return info.param == Caller::kCoroutine ? "Coroutine" : "Thread";
}

INSTANTIATE_TEST_SUITE_P(Callers, Socket, ::testing::Values(Caller::kCoroutine, Caller::kThread),
                         NameOfCaller);
INSTANTIATE_TEST_SUITE_P(Callers, SocketFds, ::testing::Values(Caller::kCoroutine, Caller::kThread),
                         NameOfCaller);

/* ---- what needs no waiting ---- */

TEST(SocketNonBlocking, SaysThatItWouldBlock)
{
    Pair pair;
    std::string much = Noise(1000 * 1000);
    char c;
    aiox_channel_set_blocking(pair.a, false);

    EXPECT_EQ(aiox_channel_read(pair.a, &c, 1, -1), -EAGAIN);
    EXPECT_GT(aiox_channel_write(pair.a, much.data(), much.size(), -1), 0);
    EXPECT_EQ(aiox_channel_write_full(pair.a, much.data(), much.size(), -1), -EAGAIN);
}

TEST(SocketNonBlocking, WaitsInACoroutineAllTheSame)
{
    Loop loop;
    Pair pair;
    char c = 0;
    aiox_channel_set_blocking(pair.a, false);
    aiox_co_enter_in(loop, Spawn([&] { EXPECT_EQ(aiox_channel_read(pair.a, &c, 1, -1), 1); }));

    EXPECT_EQ(aiox_channel_write(pair.b, "x", 1, -1), 1);
    loop.RunUntil([&] { return c != 0; });

    EXPECT_EQ(c, 'x');
}

TEST(SocketNew, TakesAStreamAndNothingElse)
{
    Channel ch;
    Fd event(eventfd(0, EFD_CLOEXEC)), datagrams(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));

    EXPECT_EQ(aiox_channel_socket_new(ch.Out(), event), -ENOTSOCK);
    EXPECT_EQ(aiox_channel_socket_new(ch.Out(), datagrams), -EPROTOTYPE);
    EXPECT_EQ(aiox_channel_socket_new(ch.Out(), -1), -EBADF);
    ASSERT_EQ(aiox_channel_socket_new(ch.Out(), socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), 0);

    EXPECT_STREQ(aiox_channel_kind(ch), "socket");
}

/* A socket that blocks, as another program may have left it: its flags are not touched. */
TEST(SocketNew, DoesNotBlockALoopWhateverItsFlags)
{
    Loop loop;
    int fd[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
    Fd peer(fd[1]);
    Channel ch;
    ASSERT_EQ(aiox_channel_socket_new(ch.Out(), fd[0]), 0);
    char c;
    int result = 0;

    loop.Run([&] { result = aiox_channel_read_full(ch, &c, 1, 0); });

    EXPECT_EQ(result, -ETIMEDOUT);
    EXPECT_EQ(fcntl(fd[0], F_GETFL) & O_NONBLOCK, 0);
}

TEST(SocketFeatures, AreThoseOfAUnixSocket)
{
    Pair pair;

    EXPECT_EQ(aiox_channel_features(pair.a),
              AIOX_CHANNEL_FD_PASS | AIOX_CHANNEL_SHUTDOWN | AIOX_CHANNEL_PEEK);
    EXPECT_EQ(aiox_channel_seek(pair.a, 0, SEEK_SET), -ESPIPE);
    EXPECT_EQ(aiox_channel_pread(pair.a, nullptr, 0, 0), -ESPIPE);
    EXPECT_EQ(aiox_channel_set_cork(pair.a, true), -EOPNOTSUPP);
}
} // namespace
