/* SPDX-License-Identifier: MIT */
/* fdmon_epoll.c - watches descriptors with a level-triggered epoll(7) set: the face, and the wait.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "aiox/fdmon.h"
#include "aiox/fdmon_pollfd.h"

#include "probe.h"
#include "set.h"

enum {
    FIRST_LENGTH = 64, /* numbers that need no memory but the monitor's */
    BATCH = 128,       /* reports per system call */
    INSPECTION = 251,  /* one report in so many is looked at; a prime, so that all take turns */
};

struct aiox_fdmon {
    const struct aiox_fdmon_host *host;
    struct watch_set set;
    bool no_pwait2;                  /* [home] the kernel, or a policy, does not let us */
    unsigned uninspected;            /* [home] reports since the last look */
    struct epoll_event ready[BATCH]; /* [home] */
};

/* By EPOLLIN, EPOLLPRI, EPOLLOUT, EPOLLERR, EPOLLHUP: the five lowest bits. */
#define FROM(e)                                                                                    \
    (((e)&EPOLLIN ? AIOX_FD_READ : 0) | ((e)&EPOLLOUT ? AIOX_FD_WRITE : 0) |                       \
     ((e)&EPOLLPRI ? AIOX_FD_PRI : 0) | ((e)&EPOLLHUP ? AIOX_FD_HANGUP : 0) |                      \
     ((e)&EPOLLERR ? AIOX_FD_ERROR : 0))
#define FROM_4(e) FROM(e), FROM((e) + 1), FROM((e) + 2), FROM((e) + 3)
static const uint8_t from_epoll[32] = {FROM_4(0),  FROM_4(4),  FROM_4(8),  FROM_4(12),
                                       FROM_4(16), FROM_4(20), FROM_4(24), FROM_4(28)};

_Static_assert((EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLERR | EPOLLHUP) == 31, "they are");

/* What the kernel is given to say of whom it reports. */
static int fd_of(uint64_t data)
{
    return (int)(uint32_t)data;
}

static uint32_t generation_of(uint64_t data)
{
    return (uint32_t)(data >> 32);
}

static int fdmon_epoll_interest(struct aiox_fdmon *mon, int fd, uint32_t old_events,
                                uint32_t events, uint64_t token)
{
    return epoll_set_change_(&mon->set, mon->host, fd, events, token);
}

/* What to report of what is watched for @asked and, the kernel says, has @events. */
static uint32_t judge(struct aiox_fdmon *mon, uint64_t data, uint32_t asked, uint32_t events)
{
    if (++mon->uninspected >= INSPECTION) {
        mon->uninspected = 0;
        if (epoll_set_inspect_(&mon->set, fd_of(data), generation_of(data))) {
            return AIOX_FD_ERROR;
        }
    }
    return from_epoll[events & 31] & (asked | AIOX_FD_HANGUP | AIOX_FD_ERROR);
}

static int report(struct aiox_fdmon *mon, int ready, struct aiox_fdmon_event *out)
{
    bool unknown = false;
    int n = 0;

    for (int i = 0; i < ready; i++) {
        uint64_t data = mon->ready[i].data.u64;
        struct watched seen = epoll_table_read_(&mon->set.table, fd_of(data), generation_of(data));
        uint32_t events;

        if (!seen.events) {
            unknown = true;
            continue;
        }
        events = judge(mon, data, seen.events, mon->ready[i].events);
        if (events) {
            out[n++] = (struct aiox_fdmon_event){.token = seen.token, .events = events};
        }
    }
    if (unknown) {
        epoll_set_exorcise_(&mon->set, mon->ready, ready);
    }
    return n;
}

/* What ppoll() says of the set, for where there is no epoll_pwait2(). */
static int wait_coarsely(struct aiox_fdmon *mon, const struct timespec *ts, int max)
{
    struct pollfd set = {.fd = mon->set.fd, .events = POLLIN};
    int ready = ppoll(&set, 1, ts, NULL);

    return ready > 0 ? epoll_wait(mon->set.fd, mon->ready, max, 0) : ready;
}

static int wait_at_most(struct aiox_fdmon *mon, int64_t timeout_ns, int max)
{
    struct timespec ts = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
    int ready;

    if (!mon->no_pwait2) {
        ready = epoll_pwait2(mon->set.fd, mon->ready, max, &ts, NULL);
        if (ready >= 0 || (errno != ENOSYS && errno != EPERM && errno != EACCES)) {
            return ready;
        }
        __atomic_store_n(&mon->no_pwait2, true, __ATOMIC_RELAXED); /* for describe() */
    }
    return wait_coarsely(mon, &ts, max);
}

static int wait_for_events(struct aiox_fdmon *mon, int64_t timeout_ns, int max)
{
    if (timeout_ns > 0) {
        return wait_at_most(mon, timeout_ns, max);
    }
    return epoll_wait(mon->set.fd, mon->ready, max, timeout_ns < 0 ? -1 : 0);
}

static int fdmon_epoll_collect(struct aiox_fdmon *mon, int64_t timeout_ns,
                               struct aiox_fdmon_event *out, int max)
{
    int ready;

    if (mon->set.broken) {
        return mon->set.broken;
    }
    ready = wait_for_events(mon, timeout_ns, max < BATCH ? max : BATCH);
    if (ready < 0) {
        return errno == EINTR ? 0 : -errno;
    }
    return ready ? report(mon, ready, out) : 0;
}

static int fdmon_epoll_open(const struct aiox_fdmon_host *host, struct aiox_fdmon **out)
{
    struct aiox_fdmon *mon = host->alloc(host, sizeof(*mon) + epoll_table_bytes_(FIRST_LENGTH));
    struct watch_table *first;
    int err;

    if (!mon) {
        return -ENOMEM;
    }
    mon->host = host;
    first = (struct watch_table *)(mon + 1);
    first->length = FIRST_LENGTH;
    err = epoll_set_open_(&mon->set, first);
    if (err) {
        host->free(host, mon);
        return err;
    }
    *out = mon;
    return 0;
}

static void fdmon_epoll_close(struct aiox_fdmon *mon)
{
    const struct aiox_fdmon_host *host = mon->host;

    epoll_set_close_(&mon->set, host);
    host->free(host, mon);
}

/* The parent's set is shared, and what is done to it there is seen here. */
static void fdmon_epoll_after_fork(struct aiox_fdmon *mon)
{
    epoll_set_leave_to_parent_(&mon->set);
}

static void fdmon_epoll_describe(struct aiox_fdmon *mon, char *text, size_t bytes)
{
    bool no_pwait2 = __atomic_load_n(&mon->no_pwait2, __ATOMIC_RELAXED);

    snprintf(text, bytes, "epoll, up to %d reports a call, deadlines by %s", BATCH,
             no_pwait2 ? "ppoll(2)" : "epoll_pwait2(2)");
}

/* ---- "aiox.pollfd/1": a set can itself be watched ---- */

static int pollfd_prepare(struct aiox_fdmon *mon, uint32_t *file, bool *ready)
{
    *file = mon->set.rebuilt;
    *ready = false;
    return mon->set.broken ? mon->set.broken : mon->set.fd;
}

static const struct aiox_fdmon_pollfd pollfd = {
    .size = sizeof(pollfd),
    .prepare = pollfd_prepare,
};

static const void *get_extension(const char *id)
{
    return strcmp(id, AIOX_FDMON_POLLFD_ID) == 0 ? &pollfd : NULL;
}

static const struct aiox_fdmon_ops ops = {
    .size = sizeof(ops),
    .open = fdmon_epoll_open,
    .close = fdmon_epoll_close,
    .interest = fdmon_epoll_interest,
    .collect = fdmon_epoll_collect,
    .after_fork = fdmon_epoll_after_fork,
    .describe = fdmon_epoll_describe,
};

static const struct aiox_fdmon_plugin descriptor = {
    .magic = AIOX_FDMON_MAGIC,
    .abi_major = AIOX_FDMON_ABI_MAJOR,
    .abi_minor = AIOX_FDMON_ABI_MINOR,
    .size = sizeof(descriptor),
    .rank = 200, /* first: what fdmon_io_uring's README.md measures */
    .name = "epoll",
    .version = AIOX_FDMON_VERSION,
    .summary = "epoll(7): its cost does not grow with what is watched",
    .license = "MIT",
    .caps = AIOX_FDMON_CAP_LEVEL | AIOX_FDMON_CAP_NS_TIMEOUT | AIOX_FDMON_CAP_PRI |
            AIOX_FDMON_CAP_MANY_FDS | AIOX_FDMON_CAP_FORK | AIOX_FDMON_CAP_POLLFD |
            AIOX_FDMON_CAP_ROAMS,
    .ops = &ops,
    .probe = epoll_probe_,
    .get_extension = get_extension,
};

AIOX_FDMON_PLUGIN(epoll, AIOX_FDMON_VERSION, descriptor);
