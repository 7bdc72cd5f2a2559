/* SPDX-License-Identifier: MIT */
/*
 * fdmon_poll.c - watches descriptors with one ppoll(2) over all of them.
 *
 * The line-up, the array that ppoll() takes, belongs to [home] and is kept from
 * one wait to the next. interest() comes from any thread, perhaps while [home]
 * sleeps with the line-up in the kernel's hands; so it only writes down a wish,
 * in a table by descriptor number, and puts the number on a list. The next
 * collect() walks that list: the cost grows with what changed, not with what
 * is watched.
 *
 * [home] never allocates. Whoever makes the table longer also makes a line-up
 * of that length, which [home] moves into.
 *
 * Orders
 *   [POLL-wish]  interest() stores the head of the list (release) -> catch_up()
 *                loads it (acquire). Only a hint to look under the lock; what
 *                the wishes carry is ordered by the lock.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "aiox/fdmon.h"
#include "aiox/fdmon_pollfd.h"

#include "mirror.h"
#include "probe.h"

enum {
    OFF_LIST = -2, /* of wish.next: not on the list of changes */
    LAST = -1,     /* of wish.next, and of the head: nothing follows */
    NOWHERE = -1,  /* of wish.place: not in the line-up */
    FIRST_LENGTH = 64,
    EMPTY_LOOKS = 16, /* so many in a row, waited for from outside, and the mirror is suspected */
};

/* What is wanted of one descriptor. */
struct wish {
    uint64_t token;
    uint32_t events; /* as asked, 0: nothing */
    int32_t next;
    int32_t place; /* [home]'s note, kept here because both tables are by number */
    bool always;   /* the mirror's note */
};

/* What ppoll() is asked: tokens[i] belongs to fds[i]. */
struct lineup {
    uint64_t *tokens;
    struct pollfd *fds; /* in the block that starts at tokens */
    int count;
};

struct aiox_fdmon {
    const struct aiox_fdmon_host *host;

    pthread_mutex_t lock; /* guards the rest of this paragraph */
    struct wish *wishes;
    int length; /* of wishes, and what a line-up has room for */
    int changes;
    int watched;
    struct lineup spare; /* longer than what [home] has; tokens NULL: none */
    struct mirror mirror;

    struct lineup now; /* [home] */
    int next;          /* [home] where the search for ready ones goes on */
    int empty_looks;   /* [home] since something was ready; at most EMPTY_LOOKS */
    bool closed_early; /* [home] a number in the line-up is not open any more */
};

static short to_poll(uint32_t events)
{
    return (short)((events & AIOX_FD_READ ? POLLIN : 0) | (events & AIOX_FD_WRITE ? POLLOUT : 0) |
                   (events & AIOX_FD_PRI ? POLLPRI : 0));
}

static uint32_t from_poll(short events)
{
    return (events & POLLIN ? AIOX_FD_READ : 0u) | (events & POLLOUT ? AIOX_FD_WRITE : 0u) |
           (events & POLLPRI ? AIOX_FD_PRI : 0u) | (events & POLLHUP ? AIOX_FD_HANGUP : 0u) |
           (events & (POLLERR | POLLNVAL) ? AIOX_FD_ERROR : 0u);
}

static struct lineup lineup_new(const struct aiox_fdmon_host *host, size_t length)
{
    struct lineup l = {0};

    l.tokens = host->alloc(host, length * (sizeof(*l.tokens) + sizeof(*l.fds)));
    l.fds = l.tokens ? (struct pollfd *)(l.tokens + length) : NULL;
    return l;
}

/* Makes room for the wish of @fd; nothing changed on -ENOMEM. */
static int reserve(struct aiox_fdmon *mon, int fd)
{
    const struct aiox_fdmon_host *host = mon->host;
    size_t length = mon->length ? (size_t)mon->length * 2 : FIRST_LENGTH;
    struct lineup spare;
    struct wish *wishes;

    if (fd < mon->length) {
        return 0;
    }
    length = length > (size_t)fd ? length : (size_t)fd + 1;
    spare = lineup_new(host, length);
    wishes = host->alloc(host, length * sizeof(*wishes));
    if (!spare.tokens || !wishes) {
        host->free(host, spare.tokens);
        host->free(host, wishes);
        return -ENOMEM;
    }
    if (mon->length) {
        memcpy(wishes, mon->wishes, (size_t)mon->length * sizeof(*wishes));
    }
    for (size_t i = (size_t)mon->length; i < length; i++) {
        wishes[i].next = OFF_LIST;
        wishes[i].place = NOWHERE;
    }
    host->free(host, mon->wishes);
    host->free(host, mon->spare.tokens);
    mon->wishes = wishes;
    mon->spare = spare;
    mon->length = (int)length;
    return 0;
}

static void wish(struct aiox_fdmon *mon, int fd, uint32_t events, uint64_t token)
{
    struct wish *w = &mon->wishes[fd];

    mon->watched += (events != 0) - (w->events != 0);
    if (events || w->events) {
        poll_mirror_tell_(&mon->mirror, fd, events, &w->always);
    }
    w->events = events;
    w->token = token;
    if (w->next == OFF_LIST) {
        w->next = mon->changes;
        __atomic_store_n(&mon->changes, fd, __ATOMIC_RELEASE); /* [POLL-wish] */
    }
}

static int fdmon_poll_interest(struct aiox_fdmon *mon, int fd, uint32_t old_events, uint32_t events,
                               uint64_t token)
{
    int err = 0;

    if (events && fcntl(fd, F_GETFD) < 0) {
        return -EBADF;
    }
    pthread_mutex_lock(&mon->lock);
    if (events) {
        err = reserve(mon, fd);
    }
    if (!err && fd >= 0 && fd < mon->length) {
        wish(mon, fd, events, token);
    }
    pthread_mutex_unlock(&mon->lock);
    return err;
}

static void move_into_spare(struct aiox_fdmon *mon)
{
    struct lineup *spare = &mon->spare;

    if (!spare->tokens) {
        return;
    }
    spare->count = mon->now.count;
    if (spare->count) {
        memcpy(spare->tokens, mon->now.tokens, (size_t)spare->count * sizeof(*spare->tokens));
        memcpy(spare->fds, mon->now.fds, (size_t)spare->count * sizeof(*spare->fds));
    }
    mon->host->free(mon->host, mon->now.tokens);
    mon->now = *spare;
    spare->tokens = NULL;
}

/* The last one in the line-up takes the place of @w's. */
static void leave(struct aiox_fdmon *mon, struct wish *w)
{
    struct lineup *l = &mon->now;
    int last = l->count - 1;
    int fd = l->fds[last].fd;

    l->fds[w->place] = l->fds[last];
    l->tokens[w->place] = l->tokens[last];
    mon->wishes[fd < 0 ? ~fd : fd].place = w->place; /* negative: see report() */
    w->place = NOWHERE;
    l->count = last;
}

/* Brings what is asked of @fd in the line-up into agreement with its wish. */
static void grant(struct aiox_fdmon *mon, int fd, struct wish *w)
{
    struct lineup *l = &mon->now;

    if (!w->events) {
        if (w->place != NOWHERE) {
            leave(mon, w);
        }
        return;
    }
    if (w->place == NOWHERE) {
        w->place = l->count++;
    }
    l->fds[w->place] = (struct pollfd){.fd = fd, .events = to_poll(w->events)};
    l->tokens[w->place] = w->token;
}

static void catch_up(struct aiox_fdmon *mon)
{
    int next;

    if (__atomic_load_n(&mon->changes, __ATOMIC_ACQUIRE) == LAST) { /* [POLL-wish] */
        return;
    }
    pthread_mutex_lock(&mon->lock);
    move_into_spare(mon);
    for (int fd = mon->changes; fd != LAST; fd = next) {
        struct wish *w = &mon->wishes[fd];

        next = w->next;
        w->next = OFF_LIST;
        grant(mon, fd, w);
    }
    __atomic_store_n(&mon->changes, LAST, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&mon->lock);
}

/*
 * Reports up to @max of the @ready ones, going on where the last search ended.
 * A number that is not open any more is reported once and then stands in the
 * line-up as its complement, which the kernel passes over.
 */
static int report(struct aiox_fdmon *mon, int ready, struct aiox_fdmon_event *out, int max)
{
    struct lineup *l = &mon->now;
    int i = mon->next < l->count ? mon->next : 0;
    int n = 0;

    ready = ready < max ? ready : max;
    for (int left = l->count; left > 0 && n < ready; left--) {
        struct pollfd *p = &l->fds[i];

        if (p->revents) {
            out[n++] =
                (struct aiox_fdmon_event){.token = l->tokens[i], .events = from_poll(p->revents)};
            mon->closed_early |= (p->revents & POLLNVAL) != 0;
            p->fd = p->revents & POLLNVAL ? ~p->fd : p->fd;
        }
        i = i + 1 < l->count ? i + 1 : 0;
    }
    mon->next = i;
    return n;
}

static int fdmon_poll_collect(struct aiox_fdmon *mon, int64_t timeout_ns,
                              struct aiox_fdmon_event *out, int max)
{
    struct timespec ts = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
    int ready;

    catch_up(mon);
    ready = ppoll(mon->now.fds, (nfds_t)mon->now.count, timeout_ns < 0 ? NULL : &ts, NULL);
    if (ready < 0) {
        return errno == EINTR ? 0 : -errno;
    }
    mon->empty_looks = ready || mon->empty_looks == EMPTY_LOOKS ? 0 : mon->empty_looks + 1;
    return report(mon, ready, out, max);
}

/* ---- "aiox.pollfd/1" ---- */

/* Under the lock. */
static int fill_mirror(struct aiox_fdmon *mon)
{
    int err = poll_mirror_renew_(&mon->mirror);

    for (int fd = 0; !err && fd < mon->length; fd++) {
        struct wish *w = &mon->wishes[fd];

        w->always = false;
        if (w->events) {
            poll_mirror_tell_(&mon->mirror, fd, w->events, &w->always);
        }
    }
    return mon->mirror.is_stale ? -ENOMEM : err;
}

static int pollfd_prepare(struct aiox_fdmon *mon, uint32_t *file, bool *ready)
{
    struct mirror *m = &mon->mirror;
    int fd = 0;

    pthread_mutex_lock(&mon->lock);
    if (m->set < 0 || m->is_stale || mon->closed_early || mon->empty_looks == EMPTY_LOOKS) {
        fd = fill_mirror(mon);
        mon->closed_early = false;
        mon->empty_looks = 0;
    }
    *file = m->file;
    *ready = m->always > 0;
    fd = fd < 0 ? fd : m->set;
    pthread_mutex_unlock(&mon->lock);
    return fd;
}

static const struct aiox_fdmon_pollfd pollfd = {
    .size = sizeof(pollfd),
    .prepare = pollfd_prepare,
};

static const void *get_extension(const char *id)
{
    return strcmp(id, AIOX_FDMON_POLLFD_ID) == 0 ? &pollfd : NULL;
}

/* The mirror is shared with the parent: the child makes one of its own. */
static void fdmon_poll_after_fork(struct aiox_fdmon *mon)
{
    poll_mirror_fini_(&mon->mirror);
}

/* ---- life ---- */

static int fdmon_poll_open(const struct aiox_fdmon_host *host, struct aiox_fdmon **out)
{
    struct aiox_fdmon *mon = host->alloc(host, sizeof(*mon));

    if (!mon) {
        return -ENOMEM;
    }
    mon->host = host;
    mon->changes = LAST;
    poll_mirror_init_(&mon->mirror);
    pthread_mutex_init(&mon->lock, NULL);
    *out = mon;
    return 0;
}

static void fdmon_poll_close(struct aiox_fdmon *mon)
{
    const struct aiox_fdmon_host *host = mon->host;

    pthread_mutex_destroy(&mon->lock);
    poll_mirror_fini_(&mon->mirror);
    host->free(host, mon->now.tokens);
    host->free(host, mon->spare.tokens);
    host->free(host, mon->wishes);
    host->free(host, mon);
}

static void fdmon_poll_describe(struct aiox_fdmon *mon, char *text, size_t bytes)
{
    int watched;

    pthread_mutex_lock(&mon->lock);
    watched = mon->watched;
    pthread_mutex_unlock(&mon->lock);
    snprintf(text, bytes, "ppoll(2), %d descriptors", watched);
}

static const struct aiox_fdmon_ops ops = {
    .size = sizeof(ops),
    .open = fdmon_poll_open,
    .close = fdmon_poll_close,
    .interest = fdmon_poll_interest,
    .collect = fdmon_poll_collect,
    .after_fork = fdmon_poll_after_fork,
    .describe = fdmon_poll_describe,
};

static const struct aiox_fdmon_plugin descriptor = {
    .magic = AIOX_FDMON_MAGIC,
    .abi_major = AIOX_FDMON_ABI_MAJOR,
    .abi_minor = AIOX_FDMON_ABI_MINOR,
    .size = sizeof(descriptor),
    .rank = 100, /* last: its cost grows with what is watched */
    .name = "poll",
    .version = AIOX_FDMON_VERSION,
    .summary = "ppoll(2): works everywhere, for a few dozen descriptors",
    .license = "MIT",
    .caps = AIOX_FDMON_CAP_LEVEL | AIOX_FDMON_CAP_NS_TIMEOUT | AIOX_FDMON_CAP_PRI |
            AIOX_FDMON_CAP_REGULAR | AIOX_FDMON_CAP_FORK | AIOX_FDMON_CAP_POLLFD |
            AIOX_FDMON_CAP_ROAMS,
    .ops = &ops,
    .probe = poll_probe_,
    .get_extension = get_extension,
};

AIOX_FDMON_PLUGIN(poll, AIOX_FDMON_VERSION, descriptor);
