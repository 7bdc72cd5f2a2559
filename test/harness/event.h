/* SPDX-License-Identifier: MIT */
/* A descriptor that is readable when a test says so. */
#ifndef AIOX_TEST_HARNESS_EVENT_H_
#define AIOX_TEST_HARNESS_EVENT_H_

#include <sys/eventfd.h>
#include <unistd.h>

#include <gtest/gtest.h>

struct Event {
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    Event() = default;
    Event(const Event &) = delete;
    Event &operator=(const Event &) = delete;
    ~Event()
    {
        close(fd);
    }

    void Set() const
    {
        EXPECT_EQ(eventfd_write(fd, 1), 0);
    }

    /* False if it was not set. */
    bool TryTake() const
    {
        eventfd_t value;
        return eventfd_read(fd, &value) == 0;
    }

    void Take() const
    {
        EXPECT_TRUE(TryTake()) << "the event was not set";
    }
};

#endif
