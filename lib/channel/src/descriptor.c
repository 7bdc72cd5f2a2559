/* SPDX-License-Identifier: MIT */
/*
 * descriptor.c - waits of coroutines, and of threads, for one descriptor.
 *
 * A slot of a direction is changed by whoever waits in that direction, of whom
 * there is one. The lock is for those who end such waits from elsewhere. It is
 * taken before that of a slot; a coroutine is woken with neither.
 */
#define _GNU_SOURCE
#include "descriptor.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "aiox/aio_co.h"
#include "aiox/assert.h"
#include "aiox/clock.h"
#include "aiox/timer.h"

#include "trace.h"

enum { DIRECTIONS = 2 };

/* A wait with a time: who comes first, the timer or another, has taken it out of the slot. */
struct timed_waiter {
    struct waiter waiter;
    struct slot *slot;
    struct aiox_timer timer; /* all zero without a deadline */
};

void descriptor_init_(struct descriptor *d, int fd)
{
    *d = (struct descriptor){.fd = fd};
    pthread_mutex_init(&d->lock, NULL);
}

/* ---- slots; with the lock held ---- */

static void detach(struct descriptor *d, int direction)
{
    struct slot *s = d->slot[direction];

    d->slot[direction] = NULL;
    if (s && s != d->slot[!direction]) {
        slot_put_(s);
    }
}

/* Gives @direction the slot of @ctx. */
static int attach(struct descriptor *d, int direction, struct aiox_context *ctx)
{
    struct slot *other = d->slot[!direction];
    struct slot *s;
    int err;

    if (d->slot[direction] && d->slot[direction]->ctx == ctx) {
        return 0;
    }
    if (other && other->ctx == ctx) {
        s = other;
    } else {
        err = slot_get_(&s, ctx, d->fd);
        if (err < 0) {
            return err;
        }
    }
    detach(d, direction);
    d->slot[direction] = s;
    return 0;
}

static int attach_all(struct descriptor *d, uint32_t directions, struct aiox_context *ctx)
{
    int err = 0;

    for (int i = 0; i < DIRECTIONS && err == 0; i++) {
        if (directions >> i & 1) {
            err = attach(d, i, ctx);
        }
    }
    return err;
}

/* Where it is watched: with the coroutine, or where it always was. */
static struct aiox_context *place(const struct descriptor *d, bool follows,
                                  struct aiox_context *here)
{
    const struct slot *s = d->slot[0] ? d->slot[0] : d->slot[1];

    return follows || !s ? here : s->ctx;
}

/* ---- a coroutine waits ---- */

static void time_is_up(void *opaque)
{
    struct timed_waiter *w = opaque;

    if (slot_strike_(w->slot, &w->waiter)) {
        waiter_wake_(&w->waiter, -ETIMEDOUT);
    }
}

static int start_timer(struct timed_waiter *w, struct aiox_context *here, int64_t deadline_ns)
{
    int err;

    if (deadline_ns < 0) {
        return 0;
    }
    err = aiox_timer_init_ns(&w->timer, aiox_context_timers(here), AIOX_CLOCK_MONOTONIC, time_is_up,
                             w);
    if (err == 0) {
        aiox_timer_mod_ns(&w->timer, deadline_ns); /* runs at home, so not before the yield */
    }
    return err;
}

static int enlist(struct descriptor *d, struct timed_waiter *w, struct aiox_context *ctx)
{
    uint32_t directions = w->waiter.events ? w->waiter.events : (uint32_t)AIOX_FD_READ;
    int err;

    if (d->has_ended) {
        return -ECANCELED;
    }
    err = attach_all(d, directions, ctx);
    if (err < 0) {
        return err;
    }
    w->slot = d->slot[directions & AIOX_FD_READ ? 0 : 1];
    return slot_enlist_(w->slot, &w->waiter);
}

static int wait_in_context(struct descriptor *d, bool follows, uint32_t events,
                           int64_t deadline_ns) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    struct timed_waiter w = {.waiter = {.co = aiox_co_self(), .events = events}};
    struct aiox_context *here = aiox_co_context(w.waiter.co);
    int err = start_timer(&w, here, deadline_ns);

    if (err < 0) {
        return err;
    }
    pthread_mutex_lock(&d->lock);
    err = enlist(d, &w, place(d, follows, here));
    pthread_mutex_unlock(&d->lock);
    if (err == 0) {
        aiox_co_yield();
        err = w.waiter.result;
    }
    aiox_timer_fini(&w.timer);
    return err;
}

/* ---- a thread waits ---- */

static bool has_ended(struct descriptor *d)
{
    bool ended;

    pthread_mutex_lock(&d->lock);
    ended = d->has_ended;
    pthread_mutex_unlock(&d->lock);
    return ended;
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

static int wait_in_thread(struct descriptor *d, uint32_t events, int64_t deadline_ns)
{
    struct pollfd p = {
        .fd = events ? d->fd : -1,
        .events =
            (short)((events & AIOX_FD_READ ? POLLIN : 0) | (events & AIOX_FD_WRITE ? POLLOUT : 0)),
    };
    int n;

    do {
        struct timespec left = until(deadline_ns);

        if (has_ended(d)) {
            return -ECANCELED;
        }
        n = ppoll(&p, 1, deadline_ns < 0 ? NULL : &left, NULL);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return -errno;
    }
    return n == 0 ? -ETIMEDOUT : seen_by_poll(p.revents, events);
}

int descriptor_wait_(struct descriptor *d, bool follows, uint32_t events, int64_t deadline_ns)
{
    struct aiox_co *self = aiox_co_self();
    int seen;

    AIOX_TRACE(channel, wait, d->fd, events);
    if (self && aiox_co_context(self)) {
        seen = wait_in_context(d, follows, events, deadline_ns);
    } else {
        seen = wait_in_thread(d, events, deadline_ns);
    }
    AIOX_TRACE(channel, woken, d->fd, seen);
    return seen;
}

/* ---- others end it ---- */

bool descriptor_wake_(struct descriptor *d, uint32_t event)
{
    int direction = event == AIOX_FD_READ ? 0 : 1;
    struct waiter *w = NULL;

    pthread_mutex_lock(&d->lock);
    if (d->slot[direction]) {
        w = slot_take_(d->slot[direction], direction);
    }
    pthread_mutex_unlock(&d->lock);
    if (w) {
        AIOX_TRACE(channel, wake, d->fd, event);
        waiter_wake_(w, -ECANCELED);
    }
    return w != NULL;
}

void descriptor_end_waits_(struct descriptor *d)
{
    pthread_mutex_lock(&d->lock);
    d->has_ended = true;
    pthread_mutex_unlock(&d->lock);
    (void)descriptor_wake_(d, AIOX_FD_READ);
    (void)descriptor_wake_(d, AIOX_FD_WRITE);
}

int descriptor_close_(struct descriptor *d)
{
    int err = 0;

    pthread_mutex_lock(&d->lock);
    d->has_ended = true;
    detach(d, 0);
    detach(d, 1);
    pthread_mutex_unlock(&d->lock);
    if (d->fd >= 0 && close(d->fd) < 0) {
        err = -errno;
    }
    d->fd = -1;
    return err == -EINTR ? 0 : err; /* it is closed (Linux) */
}

void descriptor_fini_(struct descriptor *d)
{
    pthread_mutex_destroy(&d->lock);
}

/* ---- is it worth a try ---- */

enum { SURE = 3, LOOK_AGAIN = 64 };

bool descriptor_expects_nothing_(struct descriptor *d)
{
    if (!d->emptied || d->vain < SURE || !aiox_in_coroutine() || !d->slot[0] ||
        !slot_is_armed_(d->slot[0], AIOX_FD_READ)) {
        return false;
    }
    d->vain++;
    if (d->vain % LOOK_AGAIN == 0) {
        return false;
    }
    AIOX_TRACE(channel, skip, d->fd, d->vain);
    d->emptied = false; /* the try after the wait is to be made */
    return true;
}

void descriptor_has_read_(struct descriptor *d, ssize_t result, bool emptied)
{
    if (result == -EAGAIN) {
        d->vain += d->emptied;
        d->emptied = false;
        return;
    }
    if (d->emptied) {
        d->vain = 0;
    }
    d->emptied = emptied;
}
