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
#include "aiox/fdmon_pollfd.h"

#include "probe.h"
#include "table.h"

enum {
    BATCH = 256,      /* reports per system call */
    INSPECTION = 251, /* one report in so many is looked at; a prime, so that all take turns */
};

struct aiox_fdmon {
    const struct aiox_fdmon_host *host;
    int set; /* the number stays when the set is built anew */

    pthread_mutex_t lock; /* of whoever writes what is in this paragraph */
    struct watch_table *table;
    bool ghosts; /* a registration could not be taken out */

    bool no_pwait2;       /* [home] the kernel, or a policy, does not let us */
    int broken;           /* [home] a negative errno: the set is not what the table says */
    uint32_t rebuilt;     /* [home] how often the number has got another set */
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

/* epoll_ctl() for what @fd is, or will be, in @generation. 0 or a negative errno. */
static int control(struct aiox_fdmon *mon, int op, int fd, uint32_t events, uint32_t generation)
{
    struct epoll_event e = {
        .events = to_epoll(events),
        .data.u64 = (uint64_t)generation << 32 | (uint32_t)fd,
    };

    return epoll_ctl(mon->set, op, fd, &e) < 0 ? -errno : 0;
}

/* A registration may be left that nobody can take out. Under the lock. */
static void suspect(struct aiox_fdmon *mon, bool ghosts)
{
    __atomic_store_n(&mon->ghosts, ghosts, __ATOMIC_RELAXED);
}

static void stop(struct aiox_fdmon *mon, int fd, struct watch *w)
{
    if (!w->events) {
        return;
    }
    if (control(mon, EPOLL_CTL_DEL, fd, 0, 0) < 0) {
        suspect(mon, true);
    }
    epoll_table_write_(w, 0, 0);
}

/* Registers a file that is not in the set, or is there as a ghost that has come back to life. */
static int add(struct aiox_fdmon *mon, int fd, uint32_t events, uint32_t generation)
{
    int err = control(mon, EPOLL_CTL_ADD, fd, events, generation);

    return err == -EEXIST ? control(mon, EPOLL_CTL_MOD, fd, events, generation) : err;
}

static int start(struct aiox_fdmon *mon, int fd, struct watch *w, uint32_t events, uint64_t token)
{
    uint32_t next = w->generation + 1;
    int err = w->events ? control(mon, EPOLL_CTL_MOD, fd, events, next) : -ENOENT;

    if (err == -ENOENT) {
        if (w->events) { /* the number means another file now */
            suspect(mon, true);
            epoll_table_write_(w, 0, 0);
        }
        next = w->generation + 1;
        err = add(mon, fd, events, next);
    }
    if (!err) {
        epoll_table_write_(w, events, token);
    }
    return err;
}

static int fdmon_epoll_interest(struct aiox_fdmon *mon, int fd, uint32_t old_events,
                                uint32_t events, uint64_t token)
{
    struct watch *w;
    int err;

    if (fd < 0) {
        return events ? -EBADF : 0;
    }
    pthread_mutex_lock(&mon->lock);
    err = events ? epoll_table_reserve_(&mon->table, mon->host, fd) : 0;
    w = epoll_table_at_(mon->table, fd);
    if (!err && events) {
        err = start(mon, fd, w, events, token);
    } else if (!err && w) {
        stop(mon, fd, w);
    }
    pthread_mutex_unlock(&mon->lock);
    return err;
}

/* Registers all that the table knows in a set that is empty. */
static int refill(struct aiox_fdmon *mon)
{
    for (int fd = 0; mon->table && fd < mon->table->length; fd++) {
        struct watch *w = &mon->table->watches[fd];
        int err = w->events ? add(mon, fd, w->events, w->generation) : 0;

        if (err == -ENOMEM || err == -ENOSPC) {
            return err;
        }
        if (err) {
            epoll_table_write_(w, 0, 0); /* closed meanwhile */
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
        mon->rebuilt++;
        suspect(mon, false);
    }
    close(fresh);
}

/* Ends @w if its file has been closed under that number, and says so. */
static bool is_ghost(struct aiox_fdmon *mon, int fd, const struct watch *seen)
{
    struct watch *w = epoll_table_at_(mon->table, fd);
    int err = 0;

    if (w->generation == seen->generation) {
        err = control(mon, EPOLL_CTL_MOD, fd, w->events, w->generation);
    }
    if (err != -ENOENT && err != -EBADF) {
        return false;
    }
    epoll_table_write_(w, 0, 0);
    suspect(mon, true);
    return true;
}

/* What to report of @seen, which the kernel says has @events. */
static uint32_t judge(struct aiox_fdmon *mon, int fd, const struct watch *seen, uint32_t events)
{
    bool ghost;

    if (++mon->uninspected >= INSPECTION) {
        mon->uninspected = 0;
        pthread_mutex_lock(&mon->lock);
        ghost = is_ghost(mon, fd, seen);
        pthread_mutex_unlock(&mon->lock);
        if (ghost) {
            return AIOX_FD_ERROR;
        }
    }
    return from_epoll(events) & (seen->events | AIOX_FD_HANGUP | AIOX_FD_ERROR);
}

/* Something has been reported that the table does not know: a ghost, or taken out since. */
static void exorcise(struct aiox_fdmon *mon)
{
    if (__atomic_load_n(&mon->ghosts, __ATOMIC_RELAXED)) {
        pthread_mutex_lock(&mon->lock);
        rebuild(mon);
        pthread_mutex_unlock(&mon->lock);
    }
}

static int report(struct aiox_fdmon *mon, int ready, struct aiox_fdmon_event *out)
{
    bool haunted = false;
    int n = 0;

    for (int i = 0; i < ready; i++) {
        uint64_t data = mon->ready[i].data.u64;
        int fd = (int)(uint32_t)data;
        struct watch seen = epoll_table_read_(&mon->table, fd, (uint32_t)(data >> 32));
        uint32_t events = seen.events ? judge(mon, fd, &seen, mon->ready[i].events) : 0;

        if (events) {
            out[n++] = (struct aiox_fdmon_event){.token = seen.token, .events = events};
        }
        haunted |= !seen.events;
    }
    if (haunted) {
        exorcise(mon);
    }
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
    epoll_table_free_(mon->table, host);
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

/* ---- "aiox.pollfd/1": a set can itself be watched ---- */

static int pollfd_prepare(struct aiox_fdmon *mon, uint32_t *file, bool *ready)
{
    *file = mon->rebuilt;
    *ready = false;
    return mon->broken ? mon->broken : mon->set;
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
