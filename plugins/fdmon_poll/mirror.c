/* SPDX-License-Identifier: MIT */
/*
 * mirror.c - an epoll(7) set beside the line-up, if somebody outside waits.
 *
 * poll(2) has no descriptor that stands for many. The set has: it is readable
 * when one of them is ready. What collect() reports still comes from poll(2);
 * the set is never asked. Where the two may differ (a file that was closed but
 * lives on in a duplicate, a descriptor that the set did not take) it is stale
 * and will be filled anew.
 */
#define _GNU_SOURCE
#include "mirror.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "aiox/fd_event.h"

static int control(const struct mirror *m, int op, int fd, uint32_t events)
{
    struct epoll_event e = {
        .events = (events & AIOX_FD_READ ? (uint32_t)EPOLLIN : 0u) |
                  (events & AIOX_FD_WRITE ? (uint32_t)EPOLLOUT : 0u) |
                  (events & AIOX_FD_PRI ? (uint32_t)EPOLLPRI : 0u),
        .data.fd = fd,
    };

    return epoll_ctl(m->set, op, fd, &e) < 0 ? -errno : 0;
}

static int put(const struct mirror *m, int fd, uint32_t events)
{
    int err = control(m, EPOLL_CTL_ADD, fd, events);

    if (err == -EEXIST) {
        return control(m, EPOLL_CTL_MOD, fd, events);
    }
    /* Closed too early, and the number may be the set's own by now: nobody misses it. */
    return err == -EBADF || err == -EINVAL ? 0 : err;
}

void poll_mirror_init_(struct mirror *m)
{
    *m = (struct mirror){.set = -1};
}

void poll_mirror_fini_(struct mirror *m)
{
    if (m->set >= 0) {
        close(m->set);
        m->set = -1;
        m->file++;
    }
}

int poll_mirror_renew_(struct mirror *m)
{
    int set = epoll_create1(EPOLL_CLOEXEC);

    if (set < 0) {
        return -errno;
    }
    poll_mirror_fini_(m);
    m->set = set;
    m->always = 0;
    m->is_stale = false;
    return 0;
}

void poll_mirror_tell_(struct mirror *m, int fd, uint32_t events, bool *always)
{
    bool was_always = *always;
    int err = 0;

    if (m->set < 0) {
        return;
    }
    *always = false;
    m->always -= was_always;
    if (events) {
        err = put(m, fd, events);
    } else if (!was_always) {
        err = control(m, EPOLL_CTL_DEL, fd, 0);
    }
    if (err == -EPERM && events) {
        *always = true;
        m->always++;
    } else if (err < 0) {
        m->is_stale = true;
    }
}
