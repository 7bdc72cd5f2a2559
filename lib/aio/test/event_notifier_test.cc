/* SPDX-License-Identifier: MIT */
#include "aiox/event_notifier.h"

#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

namespace
{

bool IsReadable(int fd)
{
    pollfd p = {fd, POLLIN, 0};
    return poll(&p, 1, 0) == 1;
}

TEST(EventNotifier, IsReadableExactlyWhileItIsSet)
{
    aiox_event_notifier n;
    ASSERT_EQ(aiox_event_notifier_init(&n, false), 0);
    EXPECT_FALSE(IsReadable(aiox_event_notifier_fd(&n)));

    aiox_event_notifier_set(&n);
    EXPECT_TRUE(IsReadable(aiox_event_notifier_fd(&n)));

    EXPECT_TRUE(aiox_event_notifier_test_and_clear(&n));
    EXPECT_FALSE(IsReadable(aiox_event_notifier_fd(&n)));
    aiox_event_notifier_fini(&n);
}

TEST(EventNotifier, MayBeBornSet)
{
    aiox_event_notifier n;
    ASSERT_EQ(aiox_event_notifier_init(&n, true), 0);

    EXPECT_TRUE(aiox_event_notifier_test_and_clear(&n));
    EXPECT_FALSE(aiox_event_notifier_test_and_clear(&n));
    aiox_event_notifier_fini(&n);
}

TEST(EventNotifier, SetTwiceIsSetOnce)
{
    aiox_event_notifier n;
    ASSERT_EQ(aiox_event_notifier_init(&n, false), 0);

    aiox_event_notifier_set(&n);
    aiox_event_notifier_set(&n);

    EXPECT_TRUE(aiox_event_notifier_test_and_clear(&n));
    EXPECT_FALSE(aiox_event_notifier_test_and_clear(&n));
    aiox_event_notifier_fini(&n);
}

TEST(EventNotifier, SettingAFullOneSucceeds)
{
    aiox_event_notifier n;
    ASSERT_EQ(aiox_event_notifier_init(&n, false), 0);
    const uint64_t almost_full = UINT64_MAX - 1;
    ASSERT_EQ(write(aiox_event_notifier_fd(&n), &almost_full, sizeof(almost_full)), 8);

    aiox_event_notifier_set(&n);

    EXPECT_TRUE(aiox_event_notifier_test_and_clear(&n));
    aiox_event_notifier_fini(&n);
}

TEST(EventNotifier, LeavesErrnoAlone)
{
    aiox_event_notifier n;
    ASSERT_EQ(aiox_event_notifier_init(&n, false), 0);

    errno = 4711;
    aiox_event_notifier_set(&n);
    EXPECT_TRUE(aiox_event_notifier_test_and_clear(&n));
    EXPECT_FALSE(aiox_event_notifier_test_and_clear(&n));

    EXPECT_EQ(errno, 4711);
    aiox_event_notifier_fini(&n);
}

TEST(EventNotifier, ClearsAPipeThatWasWrittenToManyTimes)
{
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    aiox_event_notifier n = {ends[0] + 1, ends[1] + 1};
    for (int i = 0; i < 1000; i++) {
        aiox_event_notifier_set(&n);
    }

    EXPECT_TRUE(aiox_event_notifier_test_and_clear(&n));
    EXPECT_FALSE(IsReadable(ends[0]));
    aiox_event_notifier_fini(&n);
}

TEST(EventNotifier, OneThatIsAllZeroCanBeClosed)
{
    aiox_event_notifier n = {};

    aiox_event_notifier_fini(&n);

    EXPECT_EQ(aiox_event_notifier_fd(&n), -1);
}

TEST(EventNotifier, IsNotInheritedByPrograms)
{
    aiox_event_notifier n;
    ASSERT_EQ(aiox_event_notifier_init(&n, false), 0);

    EXPECT_TRUE(fcntl(aiox_event_notifier_fd(&n), F_GETFD) & FD_CLOEXEC);
    aiox_event_notifier_fini(&n);
}

} // namespace
