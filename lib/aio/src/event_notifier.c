/* SPDX-License-Identifier: MIT */
/* event_notifier.c - an eventfd, or a pipe where the system has none. */
#define _GNU_SOURCE
#include "aiox/event_notifier.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "aiox/assert.h"

static int open_pipe(struct aiox_event_notifier *n)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        return -errno;
    }
    n->read_fd_ = ends[0] + 1;
    n->write_fd_ = ends[1] + 1;
    return 0;
}

int aiox_event_notifier_init(struct aiox_event_notifier *n, bool set)
{
    int fd = eventfd(set, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd >= 0) {
        aiox_event_notifier_init_fd(n, fd);
        return 0;
    }
    if (errno != ENOSYS && errno != EPERM) {
        return -errno;
    }
    int err = open_pipe(n);
    if (err == 0 && set) {
        aiox_event_notifier_set(n);
    }
    return err;
}

void aiox_event_notifier_init_fd(struct aiox_event_notifier *n, int fd)
{
    aiox_assert(fd >= 0);
    n->read_fd_ = fd + 1;
    n->write_fd_ = fd + 1;
}

void aiox_event_notifier_fini(struct aiox_event_notifier *n)
{
    if (n->write_fd_ != n->read_fd_) {
        close(n->write_fd_ - 1);
    }
    if (n->read_fd_ != 0) {
        close(n->read_fd_ - 1);
    }
    n->read_fd_ = 0;
    n->write_fd_ = 0;
}

int aiox_event_notifier_fd(const struct aiox_event_notifier *n)
{
    return n->read_fd_ - 1;
}

void aiox_event_notifier_set(struct aiox_event_notifier *n)
{
    static const uint64_t one = 1;
    int saved = errno;
    ssize_t done;

    do {
        done = write(n->write_fd_ - 1, &one, sizeof(one));
    } while (done < 0 && errno == EINTR);
    /* EAGAIN: the counter or the pipe is full, so it is set. */
    aiox_assert(done > 0 || errno == EAGAIN);
    errno = saved;
}

bool aiox_event_notifier_test_and_clear(struct aiox_event_notifier *n)
{
    char taken[512];
    int saved = errno;
    bool was_set = false;
    ssize_t done;

    do {
        done = read(n->read_fd_ - 1, taken, sizeof(taken));
        was_set |= done > 0;
        /* One read empties an eventfd, a full buffer says that a pipe may hold more. */
    } while (done == (ssize_t)sizeof(taken) || (done < 0 && errno == EINTR));
    errno = saved;
    return was_set;
}
