/* SPDX-License-Identifier: MIT */
/*
 * descriptor.c - waits of coroutines for one descriptor. Those of threads: sleeper.c.
 *
 * A slot of a direction is changed by whoever waits in that direction, of whom
 * there is one, and who therefore finds it without the lock. The lock is for those
 * who end such waits from elsewhere. It is taken before that of a slot; a coroutine
 * is woken with neither. Waits are ended for good under the lock first, then who waits
 * is looked for under that of the slot: so whoever enters the slot later sees it.
 */
#include "descriptor.h"

#include <errno.h>
#include <unistd.h>

#include "aiox/aio_co.h"
#include "aiox/assert.h"
#include "aiox/timer.h"

#include "trace.h"

enum { DIRECTIONS = 2 };

/* A wait with a time: who comes first, the timer or another, has taken it out of the slot. */
struct timed_waiter {
    struct waiter waiter;
    struct slot *slot;
    struct aiox_timer timer;
};

void descriptor_init_(struct descriptor *d, int fd)
{
    *d = (struct descriptor){.fd = fd, .sleepers = {.spare_bell = -1}};
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
        err = slot_get_(&s, ctx, d->fd, d->is_external ? AIOX_FD_HANDLER_EXTERNAL : 0u);
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
    int err = aiox_timer_init_ns(&w->timer, aiox_context_timers(here), AIOX_CLOCK_MONOTONIC,
                                 time_is_up, w);

    if (err == 0) {
        aiox_timer_mod_ns(&w->timer, deadline_ns); /* runs at home, so not before the yield */
    }
    return err;
}

/*
 * The slot in which @events are waited for. Mostly it is that of the last wait,
 * which is for nobody else to change.
 */
static int find_slot(struct descriptor *d, struct slot **out, uint32_t events, bool follows,
                     struct aiox_context *here)
{
    uint32_t directions = descriptor_directions_(events);
    int direction = directions & AIOX_FD_READ ? 0 : 1;
    struct slot *s = d->slot[direction];
    int err;

    if (AIOX_LIKELY(s && follows && s->ctx == here && directions == 1u << direction)) {
        *out = s;
        return 0;
    }
    pthread_mutex_lock(&d->lock);
    err = attach_all(d, directions, place(d, follows, here));
    *out = d->slot[direction];
    pthread_mutex_unlock(&d->lock);
    return err;
}

/* Without a deadline: there is no timer to be made. */
static int wait_for_ever(struct slot *s, struct aiox_co *self, uint32_t events,
                         const aiox_atomic_u32 *have_ended) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    struct waiter w = {.co = self, .events = events};
    int err = slot_enlist_(s, &w, have_ended);

    if (err < 0) {
        return err;
    }
    aiox_co_yield();
    return w.result;
}

static int wait_until(struct slot *s, struct aiox_co *self, uint32_t events, int64_t deadline_ns,
                      const aiox_atomic_u32 *have_ended) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    struct timed_waiter w = {.waiter = {.co = self, .events = events}, .slot = s};
    int err = start_timer(&w, aiox_co_context(self), deadline_ns);

    if (err < 0) {
        return err;
    }
    err = slot_enlist_(s, &w.waiter, have_ended);
    if (err == 0) {
        aiox_co_yield();
        err = w.waiter.result;
    }
    aiox_timer_fini(&w.timer);
    return err;
}

/* ---- whoever waits ---- */

static int wait_in_context(struct descriptor *d, struct aiox_co *self, bool follows,
                           uint32_t events, int64_t deadline_ns)
{
    struct slot *s;
    int err = find_slot(d, &s, events, follows, aiox_co_context(self));

    if (err < 0) {
        return err;
    }
    if (deadline_ns < 0) {
        return wait_for_ever(s, self, events, &d->has_ended);
    }
    return wait_until(s, self, events, deadline_ns, &d->has_ended);
}

int descriptor_wait_(struct descriptor *d, bool follows, uint32_t events, int64_t deadline_ns)
{
    struct aiox_co *self = aiox_co_self();
    int seen;

    AIOX_TRACE(channel, wait, d->fd, events);
    if (self && aiox_co_context(self)) {
        seen = wait_in_context(d, self, follows, events, deadline_ns);
    } else {
        seen = descriptor_sleep_(d, events, deadline_ns);
    }
    AIOX_TRACE(channel, woken, d->fd, seen);
    return seen;
}

/* ---- others end it ---- */

/* With the lock held: rings for a thread, or takes out a coroutine, which then is in *@w. */
static bool end_wait(struct descriptor *d, int direction, struct waiter **w)
{
    if (d->slot[direction]) {
        *w = slot_take_(d->slot[direction], direction);
    }
    return *w || sleepers_ring_(&d->sleepers, direction);
}

bool descriptor_wake_(struct descriptor *d, uint32_t event)
{
    int direction = event == AIOX_FD_READ ? 0 : 1;
    struct waiter *w = NULL;
    bool ended;

    pthread_mutex_lock(&d->lock);
    ended = end_wait(d, direction, &w) || (d->is_opening && end_wait(d, !direction, &w));
    if (ended) {
        AIOX_TRACE(channel, wake, d->fd, event);
    }
    pthread_mutex_unlock(&d->lock);
    if (w) {
        waiter_wake_(w, -ECANCELED);
    }
    return ended;
}

void descriptor_end_waits_(struct descriptor *d)
{
    pthread_mutex_lock(&d->lock);
    aiox_u32_store_relaxed(&d->has_ended, true);
    pthread_mutex_unlock(&d->lock);
    while (descriptor_wake_(d, AIOX_FD_READ)) { /* of threads there may be more than one */
    }
    while (descriptor_wake_(d, AIOX_FD_WRITE)) {
    }
}

/* ---- what it is a descriptor of ---- */

int descriptor_begin_opening_(struct descriptor *d)
{
    int err = 0;

    pthread_mutex_lock(&d->lock);
    if (d->is_opening) {
        err = -EALREADY;
    } else if (d->fd >= 0) {
        err = -EISCONN;
    } else {
        d->is_opening = true;
    }
    pthread_mutex_unlock(&d->lock);
    return err;
}

void descriptor_end_opening_(struct descriptor *d)
{
    pthread_mutex_lock(&d->lock);
    d->is_opening = false;
    pthread_mutex_unlock(&d->lock);
}

void descriptor_take_(struct descriptor *d, int fd)
{
    pthread_mutex_lock(&d->lock);
    d->fd = fd;
    pthread_mutex_unlock(&d->lock);
}

int descriptor_let_go_(struct descriptor *d)
{
    int fd;

    pthread_mutex_lock(&d->lock);
    fd = d->fd;
    detach(d, 0);
    detach(d, 1);
    d->fd = -1;
    pthread_mutex_unlock(&d->lock);
    return fd;
}

void descriptor_set_external_(struct descriptor *d, bool external)
{
    pthread_mutex_lock(&d->lock);
    d->is_external = external;
    pthread_mutex_unlock(&d->lock);
}

int descriptor_close_(struct descriptor *d)
{
    int err = 0, fd;

    pthread_mutex_lock(&d->lock);
    aiox_u32_store_relaxed(&d->has_ended, true);
    pthread_mutex_unlock(&d->lock);
    fd = descriptor_let_go_(d);
    if (fd >= 0 && close(fd) < 0) {
        err = -errno;
    }
    sleepers_close_(&d->sleepers);
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
    unsigned *vain = &d->vain[d->emptied];

    if (!d->has_read || *vain < SURE || !d->slot[0] || !slot_is_armed_(d->slot[0], AIOX_FD_READ) ||
        !aiox_in_coroutine()) {
        return false;
    }
    ++*vain;
    if (*vain % LOOK_AGAIN == 0) {
        return false;
    }
    AIOX_TRACE(channel, skip, d->fd, *vain);
    d->has_read = false; /* the try after the wait is to be made */
    return true;
}

void descriptor_has_read_(struct descriptor *d, ssize_t result, bool emptied)
{
    if (d->has_read) {
        d->vain[d->emptied] = result == -EAGAIN ? d->vain[d->emptied] + 1 : 0;
    }
    d->has_read = result > 0;
    d->emptied = emptied;
}
