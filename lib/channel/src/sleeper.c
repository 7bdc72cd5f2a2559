/* SPDX-License-Identifier: MIT */
/*
 * sleeper.c - waits of threads for a descriptor.
 *
 * A thread sleeps in poll(2), over the descriptor and a bell of its own that is
 * rung by whoever ends its wait. A bell that is not needed stays for the next.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "aiox/clock.h"

#include "descriptor.h"

enum { NO_BELL_SLICE_NS = 100 * 1000 * 1000 };

/* Lives in the frame of its thread. The lock of the descriptor guards it. */
struct sleeper {
    struct sleeper *next;
    uint32_t directions;
    int bell; /* an eventfd; -1: there is none to be had, so it looks now and then */
    bool is_rung;
};

/* Into the list; -ECANCELED if waits have been ended for good. */
static int lie_down(struct descriptor *d, struct sleeper *s)
{
    struct sleepers *all = &d->sleepers;
    int err = 0;

    pthread_mutex_lock(&d->lock);
    if (aiox_u32_load_relaxed(&d->has_ended)) {
        err = -ECANCELED;
    } else {
        s->bell = all->spare_bell >= 0 ? all->spare_bell : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        all->spare_bell = -1;
        s->next = all->first;
        all->first = s;
    }
    pthread_mutex_unlock(&d->lock);
    return err;
}

/* Out of it. Returns whether another has ended its wait. */
static bool get_up(struct descriptor *d, struct sleeper *s)
{
    struct sleepers *all = &d->sleepers;
    struct sleeper **at = &all->first;
    eventfd_t rung;

    pthread_mutex_lock(&d->lock);
    while (*at != s) {
        at = &(*at)->next;
    }
    *at = s->next;
    if (s->is_rung && s->bell >= 0) {
        (void)eventfd_read(s->bell, &rung);
    }
    if (all->spare_bell < 0) {
        all->spare_bell = s->bell;
    } else if (s->bell >= 0) {
        close(s->bell);
    }
    pthread_mutex_unlock(&d->lock);
    return s->is_rung;
}

bool sleepers_ring_(struct sleepers *all, int direction)
{
    for (struct sleeper *s = all->first; s; s = s->next) {
        if (s->directions >> direction & 1 && !s->is_rung) {
            s->is_rung = true;
            (void)eventfd_write(s->bell, 1);
            return true;
        }
    }
    return false;
}

void sleepers_close_(struct sleepers *all)
{
    if (all->spare_bell >= 0) {
        close(all->spare_bell);
        all->spare_bell = -1;
    }
}

static bool is_rung(struct descriptor *d, const struct sleeper *s)
{
    bool rung;

    pthread_mutex_lock(&d->lock);
    rung = s->is_rung;
    pthread_mutex_unlock(&d->lock);
    return rung;
}

static struct timespec until(int64_t deadline_ns)
{
    int64_t left_ns = deadline_ns - aiox_clock_now_ns();

    if (left_ns < 0) {
        left_ns = 0;
    }
    return (struct timespec){.tv_sec = left_ns / AIOX_NS_PER_S, .tv_nsec = left_ns % AIOX_NS_PER_S};
}

/* An end or an error makes each kind of attempt possible. */
static int seen_by_poll(short revents, uint32_t events)
{
    uint32_t seen =
        (revents & POLLIN ? AIOX_FD_READ : 0u) | (revents & POLLOUT ? AIOX_FD_WRITE : 0u);

    if (revents & POLLNVAL) {
        return -EBADF;
    }
    if (revents & (POLLHUP | POLLERR)) {
        seen = events;
    }
    return (int)(seen & events);
}

/* One sleep, until @deadline_ns or a while before it. As poll(2), or a negative errno. */
static AIOX_NOINLINE int sleep_once(struct pollfd p[2], int64_t deadline_ns)
{
    int64_t slice_ns = aiox_clock_now_ns() + NO_BELL_SLICE_NS;
    bool is_cut = p[1].fd < 0 && (deadline_ns < 0 || slice_ns < deadline_ns);
    struct timespec left = until(is_cut ? slice_ns : deadline_ns);
    int n = ppoll(p, 2, deadline_ns < 0 && !is_cut ? NULL : &left, NULL);

    if (n == 0 && is_cut) {
        return -EINTR;
    }
    return n < 0 ? -errno : n;
}

static int sleep_until(struct descriptor *d, struct sleeper *s, uint32_t events,
                       int64_t deadline_ns)
{
    struct pollfd p[] = {
        {
            .fd = events ? d->fd : -1,
            .events = (short)((events & AIOX_FD_READ ? POLLIN : 0) |
                              (events & AIOX_FD_WRITE ? POLLOUT : 0)),
        },
        {.fd = s->bell, .events = POLLIN},
    };
    int n;

    do {
        n = sleep_once(p, deadline_ns);
    } while (n == -EINTR && !is_rung(d, s));
    if (n < 0) {
        return n;
    }
    return n == 0 ? -ETIMEDOUT : seen_by_poll(p[0].revents, events);
}

int descriptor_sleep_(struct descriptor *d, uint32_t events, int64_t deadline_ns)
{
    struct sleeper s = {.directions = descriptor_directions_(events)};
    int seen = lie_down(d, &s);

    if (seen < 0) {
        return seen;
    }
    seen = sleep_until(d, &s, events, deadline_ns);
    return get_up(d, &s) ? -ECANCELED : seen;
}
