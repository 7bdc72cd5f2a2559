/* SPDX-License-Identifier: MIT */
/*
 * fdmon_epoll.c - watches descriptors with a level-triggered epoll(7) set.
 *
 * interest() is one epoll_ctl() in whichever thread it is called; the kernel's
 * own lock makes it visible to a wait that is going on. Beside the set stands a
 * table by descriptor number: what is watched, for whom, and in which
 * generation. The kernel is given number and generation, not the token.
 *
 * The table is there for what epoll cannot do. A registration belongs to the
 * open file: close a descriptor while a duplicate lives, here or in a child,
 * and the file stays in the set, is reported for ever, and nothing can take it
 * out (epoll_ctl() says EBADF). Such a ghost is
 *
 *   - never reported once interest() was called for its number: its generation
 *     is not that of the table;
 *   - driven out: when one shows up, [home] builds the set anew from the table;
 *   - found out, when its watcher does not know that the descriptor is closed:
 *     every so many reports one is looked at, by changing it to what it is.
 *
 * The same rebuilding gives a child its own set after fork(2).
 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "aiox/fdmon.h"

#include "probe.h"

enum {
    BATCH = 256, /* reports per system call */
    FIRST_LENGTH = 64,
    INSPECTION = 251, /* one report in so many is looked at; a prime, so that all take turns */
};

struct watch {
    uint64_t token;
    uint32_t events;     /* as asked, 0: not watched */
    uint32_t generation; /* of the registration in the set */
};

struct aiox_fdmon {
    const struct aiox_fdmon_host *host;
    int set; /* the number stays when the set is built anew */

    pthread_mutex_t lock; /* guards the rest of this paragraph */
    struct watch *watches;
    int length;
    bool ghosts; /* a registration could not be taken out */

    bool no_pwait2;       /* [home] the kernel, or a policy, does not let us */
    int broken;           /* [home] a negative errno: the set is not what the table says */
    unsigned uninspected; /* [home] reports since the last look */
    struct epoll_event ready[BATCH]; /* [home] */
};

static uint32_t to_epoll(uint32_t events)
{
    return (events & AIOX_FD_READ ? (uint32_t)EPOLLIN : 0u) |
           (events & AIOX_FD_WRITE ? (uint32_t)EPOLLOUT : 0u) |
           (events & AIOX_FD_PRI ? (uint32_t)EPOLLPRI : 0u);
}

static uint32_t from_epoll(uint32_t events)
{
    return (events & EPOLLIN ? AIOX_FD_READ : 0u) | (events & EPOLLOUT ? AIOX_FD_WRITE : 0u) |
           (events & EPOLLPRI ? AIOX_FD_PRI : 0u) | (events & EPOLLHUP ? AIOX_FD_HANGUP : 0u) |
           (events & EPOLLERR ? AIOX_FD_ERROR : 0u);
}

/* epoll_ctl() for @fd as the table has it, but for @events. 0 or a negative errno. */
static int control(struct aiox_fdmon *mon, int op, int fd, uint32_t events)
{
    struct epoll_event e = {
        .events = to_epoll(events),
        .data.u64 = (uint64_t)mon->watches[fd].generation << 32 | (uint32_t)fd,
    };

    return epoll_ctl(mon->set, op, fd, &e) < 0 ? -errno : 0;
}

/* Makes room for @fd, if it is open, in the table; else nothing changed. */
static int reserve(struct aiox_fdmon *mon, int fd)
{
    const struct aiox_fdmon_host *host = mon->host;
    size_t length = mon->length ? (size_t)mon->length * 2 : FIRST_LENGTH;
    struct watch *watches;

    if (fd < mon->length) {
        return 0;
    }
    if (fcntl(fd, F_GETFD) < 0) {
        return -EBADF;
    }
    length = length > (size_t)fd ? length : (size_t)fd + 1;
    watches = host->alloc(host, length * sizeof(*watches));
    if (!watches) {
        return -ENOMEM;
    }
    if (mon->length) {
        memcpy(watches, mon->watches, (size_t)mon->length * sizeof(*watches));
    }
    host->free(host, mon->watches);
    mon->watches = watches;
    mon->length = (int)length;
    return 0;
}

static void stop(struct aiox_fdmon *mon, int fd)
{
    struct watch *w = &mon->watches[fd];

    if (!w->events) {
        return;
    }
    mon->ghosts |= control(mon, EPOLL_CTL_DEL, fd, 0) < 0;
    w->events = 0;
}

/* Registers a file that is not in the set, or is there as a ghost that has come back to life. */
static int add(struct aiox_fdmon *mon, int fd, uint32_t events)
{
    int err;

    mon->watches[fd].generation++;
    err = control(mon, EPOLL_CTL_ADD, fd, events);
    return err == -EEXIST ? control(mon, EPOLL_CTL_MOD, fd, events) : err;
}

static int start(struct aiox_fdmon *mon, int fd, uint32_t events, uint64_t token)
{
    struct watch *w = &mon->watches[fd];
    int err = w->events ? control(mon, EPOLL_CTL_MOD, fd, events) : -ENOENT;

    if (err == -ENOENT) {
        mon->ghosts |= w->events != 0; /* the number means another file now */
        w->events = 0;
        err = add(mon, fd, events);
    }
    if (!err) {
        w->events = events;
        w->token = token;
    }
    return err;
}

static int fdmon_epoll_interest(struct aiox_fdmon *mon, int fd, uint32_t old_events,
                                uint32_t events, uint64_t token)
{
    int err;

    if (fd < 0) {
        return events ? -EBADF : 0;
    }
    pthread_mutex_lock(&mon->lock);
    err = events ? reserve(mon, fd) : 0;
    if (!err && events) {
        err = start(mon, fd, events, token);
    } else if (!err && fd < mon->length) {
        stop(mon, fd);
    }
    pthread_mutex_unlock(&mon->lock);
    return err;
}

/* Registers all that the table knows in a set that is empty. */
static int refill(struct aiox_fdmon *mon)
{
    for (int fd = 0; fd < mon->length; fd++) {
        struct watch *w = &mon->watches[fd];
        int err = w->events ? add(mon, fd, w->events) : 0;

        if (err == -ENOMEM || err == -ENOSPC) {
            return err;
        }
        if (err) {
            w->events = 0; /* closed meanwhile */
        }
    }
    return 0;
}

/* Puts a new set in the place of the old one. A descriptor too few: the next turn tries again. */
static void rebuild(struct aiox_fdmon *mon)
{
    int fresh = epoll_create1(EPOLL_CLOEXEC);

    if (fresh < 0) {
        return;
    }
    if (dup3(fresh, mon->set, O_CLOEXEC) < 0) {
        mon->broken = -errno;
    } else {
        mon->broken = refill(mon);
        mon->ghosts = false;
    }
    close(fresh);
}

/* True if the file of @fd's registration has been closed under that number. */
static bool is_ghost(struct aiox_fdmon *mon, int fd)
{
    int err = control(mon, EPOLL_CTL_MOD, fd, mon->watches[fd].events);

    return err == -ENOENT || err == -EBADF;
}

/* What to report of @e, which is of the current generation; 0: nothing that was asked for. */
static uint32_t judge(struct aiox_fdmon *mon, int fd, uint32_t events)
{
    struct watch *w = &mon->watches[fd];

    if (++mon->uninspected >= INSPECTION) {
        mon->uninspected = 0;
        if (is_ghost(mon, fd)) {
            mon->ghosts = true;
            w->events = 0;
            return AIOX_FD_ERROR;
        }
    }
    return from_epoll(events) & (w->events | AIOX_FD_HANGUP | AIOX_FD_ERROR);
}

static int report(struct aiox_fdmon *mon, int ready, struct aiox_fdmon_event *out)
{
    bool haunted = false;
    int n = 0;

    pthread_mutex_lock(&mon->lock);
    for (int i = 0; i < ready; i++) {
        uint64_t data = mon->ready[i].data.u64;
        int fd = (int)(uint32_t)data;
        struct watch *w = &mon->watches[fd];
        uint32_t events = 0;

        if (w->events && w->generation == data >> 32) {
            events = judge(mon, fd, mon->ready[i].events);
        }
        if (events) {
            out[n++] = (struct aiox_fdmon_event){.token = w->token, .events = events};
        }
        haunted |= !w->events || w->generation != data >> 32;
    }
    /* Without a ghost, it was taken out between the wait and here. */
    if (haunted && mon->ghosts) {
        rebuild(mon);
    }
    pthread_mutex_unlock(&mon->lock);
    return n;
}

/* What ppoll() says of the set, for where there is no epoll_pwait2(). */
static int wait_coarsely(struct aiox_fdmon *mon, const struct timespec *ts, int max)
{
    struct pollfd set = {.fd = mon->set, .events = POLLIN};
    int ready = ppoll(&set, 1, ts, NULL);

    return ready > 0 ? epoll_wait(mon->set, mon->ready, max, 0) : ready;
}

static int wait_at_most(struct aiox_fdmon *mon, int64_t timeout_ns, int max)
{
    struct timespec ts = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
    int ready;

    if (!mon->no_pwait2) {
        ready = epoll_pwait2(mon->set, mon->ready, max, &ts, NULL);
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
    return epoll_wait(mon->set, mon->ready, max, timeout_ns < 0 ? -1 : 0);
}

static int fdmon_epoll_collect(struct aiox_fdmon *mon, int64_t timeout_ns,
                               struct aiox_fdmon_event *out, int max)
{
    int ready;

    if (mon->broken) {
        return mon->broken;
    }
    ready = wait_for_events(mon, timeout_ns, max < BATCH ? max : BATCH);
    if (ready < 0) {
        return errno == EINTR ? 0 : -errno;
    }
    return ready ? report(mon, ready, out) : 0;
}

static int fdmon_epoll_open(const struct aiox_fdmon_host *host, struct aiox_fdmon **out)
{
    struct aiox_fdmon *mon = host->alloc(host, sizeof(*mon));
    int err;

    if (!mon) {
        return -ENOMEM;
    }
    mon->host = host;
    mon->set = epoll_create1(EPOLL_CLOEXEC);
    if (mon->set < 0) {
        err = -errno;
        host->free(host, mon);
        return err;
    }
    pthread_mutex_init(&mon->lock, NULL);
    *out = mon;
    return 0;
}

static void fdmon_epoll_close(struct aiox_fdmon *mon)
{
    const struct aiox_fdmon_host *host = mon->host;

    pthread_mutex_destroy(&mon->lock);
    close(mon->set);
    host->free(host, mon->watches);
    host->free(host, mon);
}

/* The child's set: the parent's is shared, and what is done to it there is seen here. */
static void fdmon_epoll_after_fork(struct aiox_fdmon *mon)
{
    mon->broken = -EBADF;
    rebuild(mon);
}

static void fdmon_epoll_describe(struct aiox_fdmon *mon, char *text, size_t bytes)
{
    bool no_pwait2 = __atomic_load_n(&mon->no_pwait2, __ATOMIC_RELAXED);

    snprintf(text, bytes, "epoll, level-triggered, up to %d reports a call, deadlines by %s", BATCH,
             no_pwait2 ? "ppoll(2)" : "epoll_pwait2(2)");
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
            AIOX_FDMON_CAP_MANY_FDS | AIOX_FDMON_CAP_FORK,
    .ops = &ops,
    .probe = epoll_probe_,
};

AIOX_FDMON_PLUGIN(epoll, AIOX_FDMON_VERSION, descriptor);
