/* SPDX-License-Identifier: MIT */
/*
 * ring_fd.c - readiness, by poll requests.
 *
 * How a request is made:
 *   ordinary    one-shot. The completion queues it again, and the next turn
 *               arms it in the same system call with which it waits: what is
 *               still ready then is reported at once, as poll(2) would.
 *   draining    multishot: stays in the kernel and completes once per change.
 *   half-closed the kernel adds POLLRDHUP to each mask. A watch for writing on
 *               a socket whose peer has shut down would complete for ever with
 *               nothing to report; it is armed multishot, which says such a
 *               thing once. What it reports is then looked at again by
 *               cancelling it, since the end of a request queues it anew.
 *
 * Orders
 *   [RING-change]  see watch.c.
 */
#define _GNU_SOURCE

#include "watch.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

static uint32_t to_poll(uint32_t events)
{
    return (events & AIOX_FD_READ ? (uint32_t)POLLIN : 0u) |
           (events & AIOX_FD_WRITE ? (uint32_t)POLLOUT : 0u) |
           (events & AIOX_FD_PRI ? (uint32_t)POLLPRI : 0u);
}

/* By POLLIN, POLLPRI, POLLOUT, POLLERR, POLLHUP, POLLNVAL: the six lowest bits. */
#define FROM(e)                                                                                    \
    (((e)&POLLIN ? AIOX_FD_READ : 0) | ((e)&POLLOUT ? AIOX_FD_WRITE : 0) |                         \
     ((e)&POLLPRI ? AIOX_FD_PRI : 0) | ((e)&POLLHUP ? AIOX_FD_HANGUP : 0) |                        \
     ((e) & (POLLERR | POLLNVAL) ? AIOX_FD_ERROR : 0))
#define FROM_4(e) FROM(e), FROM((e) + 1), FROM((e) + 2), FROM((e) + 3)
#define FROM_16(e) FROM_4(e), FROM_4((e) + 4), FROM_4((e) + 8), FROM_4((e) + 12)
static const uint8_t from_poll[64] = {FROM_16(0), FROM_16(16), FROM_16(32), FROM_16(48)};

_Static_assert((POLLIN | POLLPRI | POLLOUT | POLLERR | POLLHUP | POLLNVAL) == 63, "they are");

static void push(struct watch_queue *q, struct watch *w, enum queue_name name)
{
    w->on = name;
    w->next = NULL;
    *(q->first ? &q->last->next : &q->first) = w;
    q->last = w;
}

static struct watch *pop(struct watch_queue *q)
{
    struct watch *w = q->first;

    q->first = w->next;
    w->on = ON_NONE;
    return w;
}

static void cancel(struct watches *ws, struct watch *w)
{
    if (w->on == ON_NONE && !w->cancelled) {
        push(&ws->to_cancel, w, ON_CANCEL);
    }
}

/* What becomes of @w, of which the kernel knows nothing: it is armed, or its life ends. */
static void settle(struct watches *ws, struct watch *w)
{
    if (w->on != ON_NONE) {
        return;
    }
    if (!w->dead) {
        push(&ws->to_arm, w, ON_ARM);
    } else {
        w->next = ws->ended;
        ws->ended = w;
    }
}

/* Learns of one change; under the lock. */
static void take(struct watches *ws, struct watch *w)
{
    w->listed = false;
    if (w->wanted) {
        w->taken = true;
        settle(ws, w);
    } else if (!w->taken) {
        ws->by_fd[w->fd] = NULL;
        watch_unused_(ws, w);
    } else {
        w->dead = true;
        if (w->armed) {
            cancel(ws, w);
        } else {
            settle(ws, w);
        }
    }
}

void watches_take_(struct watches *ws)
{
    struct watch *next;

    pthread_mutex_lock(&ws->lock);
    for (struct watch *w = ws->ended; w; w = next) {
        next = w->next;
        watch_unused_(ws, w);
    }
    ws->ended = NULL;
    for (struct watch *w = ws->changes; w; w = next) {
        next = w->next_change;
        take(ws, w);
    }
    __atomic_store_n(&ws->changes, NULL, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&ws->lock);
}

/*
 * True if arming more would only fill the queue of completions: what is ready
 * completes at once. Those that wait have their turn when these are reported.
 */
static bool has_enough(const struct ring *r)
{
    return !io_uring_sq_space_left(&r->lib) &&
           io_uring_cq_ready(&r->lib) > r->lib.cq.ring_entries / 2;
}

/*
 * POLL_REMOVE is quicker, but leaves a request alive whose wake-up is just being dealt with, and
 * says so. Then a cancellation marks it.
 */
static bool queue_cancel(struct ring *r, const struct watch *w)
{
    if (w->insist) {
        return ring_queue_cancel_(r, (uintptr_t)w | KIND_WATCH);
    }
    return ring_queue_poll_remove_(r, (uintptr_t)w | KIND_WATCH, (uintptr_t)w | KIND_REMOVAL);
}

static bool queue_arm(struct ring *r, struct watch *w)
{
    struct io_uring_sqe *sqe = ring_own_sqe_(r);
    bool multishot = (w->events & AIOX_FDMON_DRAINS) || w->half_closed;

    if (!sqe) {
        return false;
    }
    if (multishot) {
        io_uring_prep_poll_multishot(sqe, w->fd, to_poll(w->events));
    } else {
        io_uring_prep_poll_add(sqe, w->fd, to_poll(w->events));
    }
    io_uring_sqe_set_data64(sqe, (uintptr_t)w | KIND_WATCH);
    return true;
}

void watches_queue_(struct watches *ws, struct ring *r)
{
    while (ws->to_cancel.first) {
        struct watch *w = ws->to_cancel.first;

        if (w->armed && !queue_cancel(r, w)) {
            return;
        }
        pop(&ws->to_cancel);
        w->cancelled = w->armed;
        if (!w->armed) {
            settle(ws, w);
        }
    }
    ws->refused = false;
    while (ws->to_arm.first) {
        struct watch *w = ws->to_arm.first;

        if (!w->dead && (has_enough(r) || !queue_arm(r, w))) {
            return;
        }
        pop(&ws->to_arm);
        w->armed = !w->dead;
        ws->in_kernel += w->armed;
        if (w->dead) {
            settle(ws, w);
        }
    }
}

/* What the kernel has found on a watch that counts. */
static uint32_t judge(struct watches *ws, struct watch *w, int32_t result, bool more)
{
    uint32_t events = from_poll[result & 63] & (w->events | AIOX_FD_HANGUP | AIOX_FD_ERROR);

    w->half_closed |= !events;
    if (!more) {
        settle(ws, w);
    } else if (events && !(w->events & AIOX_FDMON_DRAINS)) {
        cancel(ws, w);
    }
    return events;
}

uint32_t watch_done_(struct watches *ws, struct watch *w, int32_t result, uint32_t flags)
{
    bool more = flags & IORING_CQE_F_MORE;

    if (!more) {
        w->armed = false;
        w->cancelled = false;
        w->insist = false;
        ws->in_kernel--;
    }
    if (!w->dead && result >= 0) {
        return judge(ws, w, result, more);
    }
    if (!w->dead && result != -ECANCELED) {
        return AIOX_FD_ERROR; /* once: it is not armed again */
    }
    if (!more) { /* dead, or cancelled to be looked at again, or by a user's request */
        settle(ws, w);
    }
    return 0;
}

void watch_removed_(struct watches *ws, struct watch *w, int32_t result)
{
    bool is_wanted;

    if (result >= 0) {
        return;
    }
    pthread_mutex_lock(&ws->lock); /* @w may be another's by now, who is just making it */
    is_wanted = w->cancelled;
    pthread_mutex_unlock(&ws->lock);
    if (is_wanted) {
        w->cancelled = false;
        w->insist = true;
        ws->refused = true;
        cancel(ws, w);
    }
}

void watches_cancel_all_(struct watches *ws)
{
    for (struct slab *slab = ws->slabs; slab; slab = slab->next) {
        for (int i = 0; i < SLAB_WATCHES; i++) {
            struct watch *w = &slab->watches[i];

            w->dead = true;
            if (w->armed) {
                cancel(ws, w);
            }
        }
    }
}

void watches_after_fork_(struct watches *ws)
{
    memset(&ws->to_arm, 0, sizeof(ws->to_arm));
    memset(&ws->to_cancel, 0, sizeof(ws->to_cancel));
    ws->in_kernel = 0;
    for (struct slab *slab = ws->slabs; slab; slab = slab->next) {
        for (int i = 0; i < SLAB_WATCHES; i++) {
            struct watch *w = &slab->watches[i];
            bool known = w->armed || w->on != ON_NONE;

            w->armed = false;
            w->cancelled = false;
            w->insist = false;
            w->on = ON_NONE;
            if (known) {
                settle(ws, w);
            }
        }
    }
}
