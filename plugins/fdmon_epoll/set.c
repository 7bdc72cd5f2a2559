/* SPDX-License-Identifier: MIT */
/*
 * set.c - what is in the epoll(7) set.
 *
 * interest() is one epoll_ctl() in whichever thread it is called; the kernel's
 * own lock makes it visible to a wait that is going on. Beside the set stands a
 * table by descriptor number: what is watched, for whom, and in which
 * generation. The kernel is given number and generation, not the token.
 *
 * A descriptor that is stopped stays in the set under its old generation, which
 * no report is made of: most come back before anything happens to them, and then
 * one change does instead of a removal and a new registration. It is taken out
 * when it shows up.
 *
 * What drains is edge-triggered: the kernel need not look again whether it is
 * still ready. Each change of a registration counts as an edge.
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
 * What is kept in the set becomes a ghost in the same way, though its watcher has
 * done nothing wrong; so the first ghost ends the keeping. The same rebuilding
 * gives a child its own set after fork(2).
 */
#define _GNU_SOURCE

#include "set.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint32_t to_epoll(uint32_t events)
{
    return (events & AIOX_FD_READ ? (uint32_t)EPOLLIN : 0u) |
           (events & AIOX_FD_WRITE ? (uint32_t)EPOLLOUT : 0u) |
           (events & AIOX_FD_PRI ? (uint32_t)EPOLLPRI : 0u) |
           (events & AIOX_FDMON_DRAINS ? (uint32_t)EPOLLET : 0u);
}

/* epoll_ctl() for what @fd is, or will be, in @generation. 0 or a negative errno. */
static int control(struct watch_set *s, int op, int fd, uint32_t events, uint32_t generation)
{
    struct epoll_event e = {
        .events = to_epoll(events),
        .data.u64 = (uint64_t)generation << 32 | (uint32_t)fd,
    };

    return epoll_ctl(s->fd, op, fd, &e) < 0 ? -errno : 0;
}

/*
 * False: that is not its registration any more. The file is closed, and gone from the set with its
 * last descriptor, or is a ghost, which nobody can take out.
 *
 * What was kept may be closed by its owner at this moment, and its number mean another file: that
 * one is not in the set by this number, so nothing happens to it. ThreadSanitizer would take the
 * call for a use of the file; it does not know system calls that are made like this.
 */
static bool take_out(struct watch_set *s, int fd)
{
    bool done = syscall(SYS_epoll_ctl, s->fd, EPOLL_CTL_DEL, fd, NULL) == 0;

    if (!done) {
        s->ghosts = true;
    }
    return done;
}

static bool is_watched(const struct watch *w)
{
    return w->events && w->events != WATCH_KEPT;
}

static void stop(struct watch_set *s, int fd, struct watch *w)
{
    if (!is_watched(w)) {
        return;
    }
    if (!s->keeps) {
        (void)take_out(s, fd);
    }
    epoll_table_write_(w, s->keeps ? WATCH_KEPT : 0, 0);
}

/* What was kept in the set is so no more. As take_out(). */
static bool let_go(struct watch_set *s, int fd, struct watch *w)
{
    epoll_table_write_(w, 0, 0);
    return take_out(s, fd);
}

/* Makes room in the set. False: nothing was kept. */
static bool take_out_all_kept(struct watch_set *s)
{
    bool any = false;

    for (int fd = 0; fd < s->table->length; fd++) {
        struct watch *w = &s->table->watches[fd];

        any |= w->events == WATCH_KEPT && let_go(s, fd, w);
    }
    return any;
}

/* Registers a file that is not in the set, or is there as a ghost that has come back to life. */
static int add(struct watch_set *s, int fd, uint32_t events, uint32_t generation)
{
    int err = control(s, EPOLL_CTL_ADD, fd, events, generation);

    return err == -EEXIST ? control(s, EPOLL_CTL_MOD, fd, events, generation) : err;
}

/* As add(), if need be in the place of what is kept. */
static int find_room(struct watch_set *s, int fd, uint32_t events, uint32_t generation)
{
    int err = add(s, fd, events, generation);
    bool is_full = err == -ENOSPC || err == -ENOMEM;

    return is_full && take_out_all_kept(s) ? add(s, fd, events, generation) : err;
}

static int start(struct watch_set *s, int fd, struct watch *w, uint32_t events, uint64_t token)
{
    int err = w->events ? control(s, EPOLL_CTL_MOD, fd, events, epoll_table_next_(w)) : -ENOENT;

    if (err == -ENOENT) {
        if (w->events) { /* the number means another file now */
            s->ghosts = true;
            epoll_table_write_(w, 0, 0);
        }
        err = find_room(s, fd, events, epoll_table_next_(w));
    }
    if (!err) {
        epoll_table_write_(w, events, token);
    }
    return err;
}

/* Registers all that the table knows in a set that is empty. */
static int refill(struct watch_set *s)
{
    for (int fd = 0; fd < s->table->length; fd++) {
        struct watch *w = &s->table->watches[fd];
        int err = is_watched(w) ? add(s, fd, w->events, w->generation) : -ENOENT;

        if (err == -ENOMEM || err == -ENOSPC) {
            return err;
        }
        if (err && w->events) {
            epoll_table_write_(w, 0, 0); /* was only kept, or closed meanwhile */
        }
    }
    return 0;
}

/* Puts a new set in the place of the old one. A descriptor too few: the next turn tries again. */
static void rebuild(struct watch_set *s)
{
    int fresh = epoll_create1(EPOLL_CLOEXEC);

    if (fresh < 0) {
        return;
    }
    if (dup3(fresh, s->fd, O_CLOEXEC) < 0) {
        s->broken = -errno;
    } else {
        s->broken = refill(s);
        s->rebuilt++;
        s->ghosts = false;
    }
    close(fresh);
}

/* Ends the watch of @fd if its file has been closed under that number. */
static bool is_ghost(struct watch_set *s, int fd, uint32_t generation)
{
    struct watch *w = epoll_table_at_(s->table, fd);
    int err = 0;

    if (w->generation == generation) {
        err = control(s, EPOLL_CTL_MOD, fd, w->events, w->generation);
    }
    if (err != -ENOENT && err != -EBADF) {
        return false;
    }
    epoll_table_write_(w, 0, 0);
    s->ghosts = true;
    return true;
}

/*
 * Whether a report that the table does not know is that of a ghost. What is kept is taken out; what
 * cannot be is a ghost if it comes once more. What the table has come to know meanwhile is to be
 * reported again, also if it is edge-triggered.
 */
static bool is_haunting(struct watch_set *s, uint64_t data)
{
    int fd = (int)(uint32_t)data;
    struct watch *w = epoll_table_at_(s->table, fd);

    if (!w || epoll_table_in_set_(w) != (uint32_t)(data >> 32)) {
        return true; /* or it was changed while this came */
    }
    if (is_watched(w)) {
        (void)control(s, EPOLL_CTL_MOD, fd, w->events, w->generation);
    } else {
        (void)let_go(s, fd, w);
    }
    return false;
}

int epoll_set_open_(struct watch_set *s, struct watch_table *first)
{
    s->fd = epoll_create1(EPOLL_CLOEXEC);
    if (s->fd < 0) {
        return -errno;
    }
    s->table = first;
    s->keeps = true;
    pthread_mutex_init(&s->lock, NULL);
    return 0;
}

void epoll_set_close_(struct watch_set *s, const struct aiox_fdmon_host *host)
{
    pthread_mutex_destroy(&s->lock);
    close(s->fd);
    epoll_table_free_(s->table, host);
}

int epoll_set_change_(struct watch_set *s, const struct aiox_fdmon_host *host, int fd,
                      uint32_t events, uint64_t token)
{
    struct watch *w;
    int err;

    if (fd < 0) {
        return events ? -EBADF : 0;
    }
    pthread_mutex_lock(&s->lock);
    err = events ? epoll_table_reserve_(&s->table, host, fd) : 0;
    w = epoll_table_at_(s->table, fd);
    if (!err && events) {
        err = start(s, fd, w, events, token);
    } else if (!err && w) {
        stop(s, fd, w);
    }
    pthread_mutex_unlock(&s->lock);
    return err;
}

bool epoll_set_inspect_(struct watch_set *s, int fd, uint32_t generation)
{
    bool ghost;

    pthread_mutex_lock(&s->lock);
    ghost = is_ghost(s, fd, generation);
    pthread_mutex_unlock(&s->lock);
    return ghost;
}

void epoll_set_exorcise_(struct watch_set *s, const struct epoll_event *ready, int count)
{
    bool haunted = false;

    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < count; i++) {
        haunted |= is_haunting(s, ready[i].data.u64);
    }
    if (haunted && s->ghosts) {
        s->keeps = false;
        rebuild(s);
    }
    pthread_mutex_unlock(&s->lock);
}

void epoll_set_leave_to_parent_(struct watch_set *s)
{
    s->broken = -EBADF;
    rebuild(s);
}
