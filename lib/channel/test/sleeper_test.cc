/* SPDX-License-Identifier: MIT */
/* sleeper_test.cc - threads that wait in poll(2), and those who end that. */
#include <sys/resource.h>
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
using channel_testing::Noise;
using channel_testing::Pair;

/* Until a thread that is on its way into a wait is there. */
void WakeRead(aiox_channel *ch)
{
    while (!aiox_channel_wake_read(ch)) {
        std::this_thread::yield();
    }
}

void WakeWrite(aiox_channel *ch)
{
    while (!aiox_channel_wake_write(ch)) {
        std::this_thread::yield();
    }
}

TEST(Sleeper, IsWokenAndNothingIsRemembered)
{
    Pair pair;
    int woken = 0, then = 0;
    char c;
    std::thread reader([&] {
        woken = (int)aiox_channel_read(pair.a, &c, 1, -1);
        then = (int)aiox_channel_read(pair.a, &c, 1, -1);
    });

    WakeRead(pair.a);
    EXPECT_EQ(aiox_channel_write(pair.b, "x", 1, -1), 1);
    reader.join();

    EXPECT_EQ(woken, -ECANCELED);
    EXPECT_EQ(then, 1);
    EXPECT_FALSE(aiox_channel_wake_read(pair.a));
}

TEST(Sleeper, OfOneDirectionIsWokenAndTheOtherSleepsOn)
{
    Pair pair;
    std::string much = Noise(1000 * 1000);
    int read = 0, written = 0;
    std::thread writer(
        [&] { written = aiox_channel_write_full(pair.a, much.data(), much.size(), -1); });
    std::thread reader([&] {
        char c;
        read = (int)aiox_channel_read(pair.a, &c, 1, -1);
    });

    WakeWrite(pair.a);
    writer.join();
    EXPECT_EQ(aiox_channel_write(pair.b, "x", 1, -1), 1);
    reader.join();

    EXPECT_EQ(written, -ECANCELED);
    EXPECT_EQ(read, 1);
}

TEST(Sleeper, ThatWaitsForEitherIsWokenByEither)
{
    Pair pair;
    std::string much = Noise(1000 * 1000);
    aiox_channel_set_blocking(pair.a, false);
    while (aiox_channel_write(pair.a, much.data(), much.size(), -1) > 0) {
    }

    for (auto *wake : {WakeRead, WakeWrite}) {
        int seen = 0;
        std::thread waiter(
            [&] { seen = aiox_channel_wait(pair.a, AIOX_FD_READ | AIOX_FD_WRITE, -1); });
        wake(pair.a);
        waiter.join();
        EXPECT_EQ(seen, -ECANCELED);
    }
}

TEST(Sleeper, AllOfThemAreWokenByTheClose)
{
    Folder folder;
    aiox_socket_address at = Address("unix:" + (folder / "s"));
    Channel listener;
    ASSERT_EQ(aiox_channel_listen(listener.Out(), &at, nullptr, nullptr), 0);
    std::vector<std::thread> threads;
    std::atomic<int> canceled{0};

    for (int i = 0; i < 5; i++) {
        threads.emplace_back([&] {
            aiox_channel *ch;
            int code = aiox_channel_accept(listener, &ch, -1);
            canceled += code == -ECANCELED || code == -EBADF;
        });
    }
    WakeRead(listener);
    EXPECT_EQ(aiox_channel_close(listener), 0);
    for (auto &thread : threads) {
        thread.join();
    }

    EXPECT_EQ(canceled, 5);
    EXPECT_EQ(aiox_channel_socket_fd(listener), -1);
}

TEST(Sleeper, AThousandTimesWithBytesOnTheirWay)
{
    constexpr int kBytes = 1000;
    Pair pair;
    int heard = 0, ended = 0;
    std::thread reader([&] {
        char c;
        while (heard < kBytes) {
            ssize_t n = aiox_channel_read(pair.a, &c, 1, -1);
            heard += n == 1;
            ended += n == -ECANCELED;
        }
    });
    int woken = 0;

    for (int i = 0; i < kBytes; i++) {
        woken += aiox_channel_wake_read(pair.a);
        EXPECT_EQ(aiox_channel_write(pair.b, "x", 1, -1), 1);
        woken += aiox_channel_wake_read(pair.a);
    }
    reader.join();

    EXPECT_EQ(heard, kBytes);
    EXPECT_EQ(ended, woken) << "each that was woken was told, once";
}

TEST(Sleeper, IsWokenWithoutADescriptorForItsBell)
{
    Pair pair;
    rlimit before, none;
    int result = 0;
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    {
        Fd lowest(dup(0));
        none.rlim_cur = static_cast<rlim_t>(lowest);
    }
    std::thread reader([&] { /* a sanitizer may need descriptors where a thread begins and ends */
                             char c;
                             EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
                             result = (int)aiox_channel_read(pair.a, &c, 1, -1);
                             EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    });

    WakeRead(pair.a);
    reader.join();

    EXPECT_EQ(result, -ECANCELED);
}
} // namespace
