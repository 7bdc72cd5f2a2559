/* SPDX-License-Identifier: MIT */
/* blank_test.cc - sockets that are known before they are connected, and a connect that is ended. */
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "lib/channel/test/testing.h"

namespace
{
using channel_testing::Address;
using channel_testing::Channel;
using channel_testing::Fd;
using channel_testing::Folder;
using channel_testing::Text;
using co_testing::Loop;
using co_testing::Spawn;

constexpr int kNotYet = 12345;

class Blank : public ::testing::Test
{
  protected:
    Blank()
    {
        aiox_context_set_current(loop_);
        EXPECT_EQ(aiox_channel_socket_blank(blank_.Out()), 0);
    }
    ~Blank() override
    {
        aiox_context_set_current(nullptr);
    }

    aiox_socket_address Where(const std::string &name) const
    {
        return Address("unix:" + (folder_ / name));
    }

    /* A listener whose backlog is full: a connect waits. */
    void ListenAndFill(const aiox_socket_address &at)
    {
        aiox_listen_options options = {};
        options.backlog = 1;
        ASSERT_EQ(aiox_channel_listen(full_.Out(), &at, &options, nullptr), 0);
        int code = 0;
        while (code == 0) {
            Channel guest;
            code = aiox_channel_connect(guest.Out(), &at, 0, nullptr);
            guests_.push_back(std::move(guest));
        }
        ASSERT_EQ(code, -ETIMEDOUT);
    }

    int Connect(const aiox_socket_address &to, int64_t deadline_ns = -1)
    {
        aiox_error err = {};
        int code = aiox_channel_socket_connect(blank_, &to, deadline_ns, &err);
        EXPECT_EQ(err.code, code);
        return code;
    }
    void StartConnect(const aiox_socket_address &to, int *result)
    {
        *result = kNotYet;
        aiox_co_enter_in(loop_, Spawn([=] { *result = Connect(to); }));
    }

    Loop loop_;
    Folder folder_;
    Channel blank_, full_;
    std::vector<Channel> guests_;
};

TEST_F(Blank, IsOfNoUseYetAndSaysSo)
{
    aiox_socket_address address;
    aiox_channel *ch;
    char c;

    EXPECT_EQ(aiox_channel_read(blank_, &c, 1, -1), -ENOTCONN);
    EXPECT_EQ(aiox_channel_peek(blank_, &c, 1, -1), -ENOTCONN);
    EXPECT_EQ(aiox_channel_write(blank_, &c, 1, -1), -ENOTCONN);
    EXPECT_EQ(aiox_channel_wait(blank_, AIOX_FD_READ, -1), -ENOTCONN);
    EXPECT_EQ(aiox_channel_shutdown(blank_, AIOX_CHANNEL_BOTH), -ENOTCONN);
    EXPECT_EQ(aiox_channel_local_address(blank_, &address), -ENOTCONN);
    EXPECT_EQ(aiox_channel_peer_address(blank_, &address), -ENOTCONN);
    EXPECT_EQ(aiox_channel_accept(blank_, &ch, -1), -ENOTCONN);
    EXPECT_EQ(aiox_channel_set_delay(blank_, false), -EOPNOTSUPP);
    EXPECT_EQ(aiox_channel_socket_fd(blank_), -1);
    EXPECT_FALSE(aiox_channel_wake_read(blank_));
    loop_.Run([&] { EXPECT_EQ(aiox_channel_wait(blank_, AIOX_FD_WRITE, -1), -ENOTCONN); });
    EXPECT_EQ(aiox_channel_close(blank_), 0);
    EXPECT_EQ(Connect(Where("nowhere")), -EBADF);
}

TEST_F(Blank, ListensAndConnectsAndIsBlankNoMore)
{
    Channel listener, server;
    aiox_error err = {};
    char text[3] = {};
    ASSERT_EQ(aiox_channel_socket_blank(listener.Out()), 0);
    aiox_socket_address at = Where("s");

    ASSERT_EQ(aiox_channel_socket_listen(listener, &at, nullptr, &err), 0) << err.message;
    ASSERT_EQ(Connect(at), 0);
    ASSERT_EQ(aiox_channel_accept(listener, server.Out(), -1), 0);
    EXPECT_EQ(aiox_channel_write(blank_, "hi", 2, -1), 2);
    EXPECT_EQ(aiox_channel_read_full(server, text, 2, -1), 0);

    EXPECT_STREQ(text, "hi");
    EXPECT_EQ(aiox_channel_features(listener), AIOX_CHANNEL_LISTEN);
    EXPECT_TRUE(aiox_channel_features(blank_) & AIOX_CHANNEL_FD_PASS);
    EXPECT_EQ(Connect(at), -EISCONN);
    EXPECT_EQ(aiox_channel_socket_listen(listener, &at, nullptr, nullptr), -EISCONN);
}

TEST_F(Blank, AFailureLeavesItBlankWithoutADescriptorOrAFile)
{
    Fd lowest(dup(0));
    int number = lowest;
    lowest.Close();
    aiox_socket_address at = Where("s"), bad = Where("no/such/folder");

    EXPECT_EQ(Connect(at), -ENOENT);
    EXPECT_EQ(aiox_channel_socket_listen(blank_, &bad, nullptr, nullptr), -ENOENT);
    EXPECT_EQ(aiox_channel_socket_fd(blank_), -1);
    Fd next(dup(0));
    EXPECT_EQ(next, number) << "nothing is left open";

    EXPECT_EQ(aiox_channel_socket_listen(blank_, &at, nullptr, nullptr), 0);
}

TEST_F(Blank, AConnectIsEndedByAWakeOfEitherKindAndCanBeTriedAgain)
{
    aiox_socket_address at = Where("s");
    int result;
    ListenAndFill(at);

    StartConnect(at, &result);
    EXPECT_EQ(result, kNotYet);
    EXPECT_TRUE(aiox_channel_wake_read(blank_));
    EXPECT_EQ(result, -ECANCELED);
    StartConnect(at, &result);
    EXPECT_TRUE(aiox_channel_wake_write(blank_));
    EXPECT_EQ(result, -ECANCELED);
    EXPECT_EQ(aiox_channel_socket_fd(blank_), -1);

    guests_.clear();
    StartConnect(at, &result);
    for (int i = 0; i < 2; i++) {
        Channel gone;
        EXPECT_EQ(aiox_channel_accept(full_, gone.Out(), -1), 0);
    }
    loop_.RunUntil([&] { return result != kNotYet; });
    EXPECT_EQ(result, 0);
}

TEST_F(Blank, AConnectIsEndedByTheClose)
{
    aiox_socket_address at = Where("s");
    int result;
    ListenAndFill(at);
    StartConnect(at, &result);

    std::thread([&] { EXPECT_EQ(aiox_channel_close(blank_), 0); }).join();
    loop_.RunUntil([&] { return result != kNotYet; });

    EXPECT_EQ(result, -ECANCELED);
    EXPECT_EQ(Connect(at), -EBADF);
}

TEST_F(Blank, AConnectOfAThreadIsEndedToo)
{
    aiox_socket_address at = Where("s");
    int result = kNotYet;
    ListenAndFill(at);
    std::thread connecting([&] { result = Connect(at); });

    while (!aiox_channel_wake_write(blank_)) {
        std::this_thread::yield();
    }
    connecting.join();

    EXPECT_EQ(result, -ECANCELED);
}

/* The loop does not turn in between: the coroutine waits for the name. */
TEST_F(Blank, TheLookUpOfANameIsEnded)
{
    int result;

    StartConnect(Address("tcp:localhost:1"), &result);
    EXPECT_EQ(result, kNotYet);
    EXPECT_TRUE(aiox_channel_wake_read(blank_));

    EXPECT_EQ(result, -ECANCELED);
    EXPECT_EQ(aiox_channel_socket_fd(blank_), -1);
}

TEST_F(Blank, TwoAtOnceAreOneTooMany)
{
    aiox_socket_address at = Where("s");
    int result;
    ListenAndFill(at);
    StartConnect(at, &result);

    EXPECT_EQ(Connect(at), -EALREADY);
    EXPECT_EQ(aiox_channel_socket_listen(blank_, &at, nullptr, nullptr), -EALREADY);

    EXPECT_TRUE(aiox_channel_wake_read(blank_));
    EXPECT_EQ(result, -ECANCELED);
}
} // namespace
