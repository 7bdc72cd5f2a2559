/* SPDX-License-Identifier: MIT */
/* trace_test.cc - the points of src/trace.h. */
#include <csignal>
#include <sys/wait.h>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "aiox/channel_command.h"
#include "aiox/channel_file.h"
#include "lib/channel/test/testing.h"
#include "test/harness/trace_log.h"

namespace
{
using aiox_test::Number;
using aiox_test::TraceLog;
using aiox_test::TracePoint;
using channel_testing::Address;
using channel_testing::Channel;
using channel_testing::Fd;
using channel_testing::Folder;
using channel_testing::Pair;
using co_testing::Loop;
using co_testing::Spawn;
using Points = std::vector<TracePoint>;

/* A number that may be negative. */
uint64_t Signed(int64_t n)
{
    return static_cast<uint64_t>(n);
}

uint64_t FdOf(aiox_channel *ch)
{
    return static_cast<uint64_t>(aiox_channel_socket_fd(ch));
}

/* The kinds that `adopt` names. */
std::vector<std::string> Kinds(const Points &points)
{
    std::vector<std::string> kinds;
    for (const auto &point : points) {
        kinds.emplace_back(reinterpret_cast<const char *>(static_cast<uintptr_t>(point.b)));
    }
    return kinds;
}

class ChannelTrace : public ::testing::Test
{
  protected:
    void Start(std::function<void()> body)
    {
        aiox_co_enter_in(loop_, Spawn(std::move(body)));
    }
    void StartReader(aiox_channel *ch)
    {
        Start([this, ch] {
            char c;
            result_ = aiox_channel_read(ch, &c, 1, -1);
            done_ = true;
        });
        loop_.Settle();
    }
    void Finish()
    {
        loop_.RunUntil([&] { return done_; });
    }

    Loop loop_;
    bool done_ = false;
    ssize_t result_ = 0;
};

TEST_F(ChannelTrace, AReaderWaitsAndIsWokenByBytes)
{
    Pair pair;
    TraceLog log("channel");

    StartReader(pair.a);
    EXPECT_EQ(log.Points(), (Points{{"wait", FdOf(pair.a), 1}, {"watch", FdOf(pair.a), 1}}));
    ASSERT_EQ(aiox_channel_write(pair.b, "x", 1, -1), 1);
    Finish();

    EXPECT_EQ(log.Points(), (Points{{"woken", FdOf(pair.a), 1}}));
}

TEST_F(ChannelTrace, AReaderIsWokenByAnother)
{
    Pair pair;
    StartReader(pair.a);
    TraceLog log("channel");

    EXPECT_TRUE(aiox_channel_wake_read(pair.a));
    Finish();

    EXPECT_EQ(log.Points(),
              (Points{{"wake", FdOf(pair.a), 1}, {"woken", FdOf(pair.a), Signed(-ECANCELED)}}));
}

TEST_F(ChannelTrace, AThreadWaitsToo)
{
    Pair pair;
    char c;
    TraceLog log("channel");

    EXPECT_EQ(aiox_channel_read(pair.a, &c, 1, 0), -ETIMEDOUT);

    EXPECT_EQ(log.Points(),
              (Points{{"wait", FdOf(pair.a), 1}, {"woken", FdOf(pair.a), Signed(-ETIMEDOUT)}}));
}

class VainTry : public ChannelTrace, public ::testing::WithParamInterface<size_t>
{
};

TEST_P(VainTry, ThatIsLikelyIsLeftOut)
{
    Pair pair;
    TraceLog log("channel");

    Start([&] {
        char text[8];
        while (aiox_channel_read(pair.a, text, GetParam(), -1) > 0) {
        }
        done_ = true;
    });
    for (int i = 0; i < 6; i++) {
        EXPECT_EQ(aiox_channel_write(pair.b, "x", 1, -1), 1);
        loop_.Settle();
    }
    EXPECT_EQ(aiox_channel_shutdown(pair.b, AIOX_CHANNEL_WRITING), 0);
    Finish();

    Points skips = log.Points("skip");
    ASSERT_FALSE(skips.empty());
    EXPECT_EQ(skips[0], (TracePoint{"skip", FdOf(pair.a), 4}));
}

/* Of one byte: room for more, and just enough. */
INSTANTIATE_TEST_SUITE_P(Room, VainTry, ::testing::Values(8, 1));

TEST_F(ChannelTrace, TheEndOfOneDirectionAndOfAll)
{
    Pair pair;
    aiox_channel *ch = pair.a;
    TraceLog log("channel");

    EXPECT_EQ(aiox_channel_shutdown(ch, AIOX_CHANNEL_WRITING), 0);
    EXPECT_EQ(aiox_channel_close(ch), 0);
    pair.a.Drop();

    EXPECT_EQ(log.Points(),
              (Points{{"shutdown", Number(ch), AIOX_CHANNEL_WRITING}, {"close", Number(ch), 0}}));
}

TEST_F(ChannelTrace, ACloseWhileAnotherIsInside)
{
    Pair pair;
    StartReader(pair.a);
    uint64_t fd = FdOf(pair.a);
    TraceLog log("channel");

    EXPECT_EQ(aiox_channel_close(pair.a), 0);
    Finish();

    EXPECT_EQ(result_, -ECANCELED);
    EXPECT_EQ(log.Points(), (Points{{"close", Number(pair.a), 1},
                                    {"wake", fd, 1},
                                    {"woken", fd, Signed(-ECANCELED)},
                                    {"watch", fd, 0}}));
}

TEST_F(ChannelTrace, WhoListensWhoConnectsAndWhoIsTaken)
{
    Folder folder;
    aiox_socket_address at = Address("unix:" + (folder / "s"));
    Channel listener, client, server;
    TraceLog log("channel");

    EXPECT_EQ(aiox_channel_connect(client.Out(), &at, -1, nullptr), -ENOENT);
    EXPECT_EQ(aiox_channel_listen(listener.Out(), &at, nullptr, nullptr), 0);
    EXPECT_EQ(aiox_channel_connect(client.Out(), &at, -1, nullptr), 0);
    EXPECT_EQ(aiox_channel_accept(listener, server.Out(), -1), 0);

    Points points;
    for (const auto &point : log.Points()) {
        if (point.event != "close") { /* of the channel that did not come about */
            points.push_back(point);
        }
    }
    EXPECT_EQ(points, (Points{{"connect", AF_UNIX, Signed(-ENOENT)},
                              {"listen", AF_UNIX, 0},
                              {"connect", AF_UNIX, 0},
                              {"accept", FdOf(listener), FdOf(server)}}));
}

TEST_F(ChannelTrace, ANameIsLookedUpByAThreadInACoroutineOnly)
{
    Channel listener, ch;
    aiox_socket_address at = Address("tcp:127.0.0.1:0");
    ASSERT_EQ(aiox_channel_listen(listener.Out(), &at, nullptr, nullptr), 0);
    ASSERT_EQ(aiox_channel_local_address(listener, &at), 0);
    aiox_socket_address by_name = Address(std::string("tcp:localhost:") + at.port);
    TraceLog log("channel");

    EXPECT_EQ(aiox_channel_connect(ch.Out(), &by_name, -1, nullptr), 0);
    Points in_thread = log.Points("lookup");
    loop_.Run([&] { EXPECT_EQ(aiox_channel_connect(ch.Out(), &by_name, -1, nullptr), 0); });
    Points in_coroutine = log.Points("lookup");

    ASSERT_EQ(in_thread.size(), 1u);
    EXPECT_EQ(in_thread[0].a, 0u);
    EXPECT_GE(static_cast<int64_t>(in_thread[0].b), 1);
    EXPECT_EQ(in_coroutine, (Points{{"lookup", 1, in_thread[0].b}}));
}

TEST_F(ChannelTrace, WhatWasThereAlreadyIsAdopted)
{
    int fds[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(listen(listening, 1), 0); /* at a port that the system chooses */
    Channel socket, file, listener;
    TraceLog log("channel");

    EXPECT_EQ(aiox_channel_socket_new(socket.Out(), fds[0]), 0);
    EXPECT_EQ(aiox_channel_file_new(file.Out(), fds[1]), 0);
    EXPECT_EQ(aiox_channel_socket_new(listener.Out(), listening), 0);

    Points points = log.Points();
    ASSERT_EQ(points.size(), 3u);
    EXPECT_EQ(points[0].a, static_cast<uint64_t>(fds[0]));
    EXPECT_EQ(points[1].a, static_cast<uint64_t>(fds[1]));
    EXPECT_EQ(points[2].a, static_cast<uint64_t>(listening));
    EXPECT_EQ(Kinds(points), (std::vector<std::string>{"socket", "file", "listener"}));
}

TEST_F(ChannelTrace, TheLifeOfAChild)
{
    char program[] = "true";
    char *argv[] = {program, nullptr};
    aiox_command command = {};
    command.argv = argv;
    Channel child;
    int status = -1;
    TraceLog log("channel");

    ASSERT_EQ(aiox_channel_command_new(child.Out(), &command, nullptr), 0);
    Points begin = log.Points("child");
    ASSERT_EQ(aiox_channel_command_wait(child, &status, -1), 0);
    auto pid = static_cast<uint64_t>(aiox_channel_command_pid(child));

    ASSERT_EQ(begin.size(), 1u);
    EXPECT_EQ(begin[0].a, pid);
    EXPECT_GE(static_cast<int64_t>(begin[0].b), 0);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(log.Points("child_end"), (Points{{"child_end", pid, 0}}));
}
} // namespace
