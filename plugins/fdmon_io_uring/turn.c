/* SPDX-License-Identifier: MIT */
/*
 * turn.c - one turn of the ring.
 *
 * A turn learns what interest() has changed, makes entries of what is to be
 * armed and cancelled, and hands them over in the same system call with which
 * it waits. Completions are then taken from the queue as far as they fit; the
 * rest stays there, first in, first out, for the next turn. With nothing to
 * hand over and nothing held back, a turn that only looks costs no system
 * call.
 *
 * The ring is made by open(), in any thread, and enabled by the first turn:
 * that thread is its only user from then on, as the kernel demands for the
 * cheap way of delivering (IORING_SETUP_DEFER_TASKRUN).
 */
#define _GNU_SOURCE

#include "turn.h"
#include "watch.h"

enum {
    DRAIN_PATIENCE_NS = 10000000,
};

int turn_begin_(struct aiox_fdmon *mon)
{
    if (!mon->enabled && !mon->broken) {
        mon->broken = ring_enable_(&mon->ring);
        mon->enabled = !mon->broken;
    }
    if (watches_have_changed_(&mon->watches)) {
        watches_take_(&mon->watches);
    }
    return mon->broken;
}

static int enter(struct aiox_fdmon *mon, unsigned wait_for, int64_t timeout_ns)
{
    int rc = ring_enter_(&mon->ring, wait_for, timeout_ns);

    if (rc < 0 && !ring_is_transient_(rc)) {
        mon->broken = rc;
    }
    return mon->broken;
}

static bool has_work(const struct watches *ws)
{
    return watches_have_queued_(ws) || watches_have_changed_(ws);
}

/* Hands over what there is, and waits if there is nothing to report yet. */
static int exchange(struct aiox_fdmon *mon, int64_t timeout_ns)
{
    struct ring *r = &mon->ring;
    bool idle;

    if (watches_have_queued_(&mon->watches)) {
        watches_queue_(&mon->watches, r);
    }
    idle = !io_uring_cq_ready(&r->lib);
    if (!io_uring_sq_ready(&r->lib) && !(idle && (timeout_ns != 0 || ring_calls_(r)))) {
        return 0;
    }
    return enter(mon, idle && timeout_ns != 0, timeout_ns);
}

/* Enters the report of @cqe as out[n], or adds it to an earlier one. Returns how many there are. */
static int report(struct aiox_fdmon *mon, const struct io_uring_cqe *cqe,
                  struct aiox_fdmon_event *out, int n)
{
    struct watch *w = (struct watch *)(uintptr_t)(cqe->user_data & ~(uint64_t)KIND_MASK);
    uint32_t events;
    int place;

    switch (cqe->user_data & KIND_MASK) {
    case KIND_REQUEST:
        return n + requests_done_(&mon->requests, cqe, &out[n]);
    case KIND_WATCH:
        events = watch_done_(&mon->watches, w, cqe->res, cqe->flags);
        break;
    case KIND_REMOVAL:
        watch_removed_(&mon->watches, w, cqe->res);
        return n;
    default:
        return n;
    }
    if (!events) {
        return n;
    }
    place = watch_place_(w, mon->turn, n);
    if (place < n) {
        out[place].events |= events;
        return n;
    }
    out[n] = (struct aiox_fdmon_event){.token = w->token, .events = events};
    return n + 1;
}

/* Takes completions as far as their reports fit. */
static int reap(struct aiox_fdmon *mon, struct aiox_fdmon_event *out, int n, int max)
{
    struct io_uring *lib = &mon->ring.lib;
    struct io_uring_cqe *cqe;
    unsigned taken = 0;
    unsigned head;

    io_uring_for_each_cqe (lib, head, cqe) { /* [RING-complete] */
        if (n >= max) {
            break;
        }
        n = report(mon, cqe, out, n);
        taken++;
    }
    io_uring_cq_advance(lib, taken); /* [RING-reaped] */
    return n;
}

/*
 * Takes what is in the queue, then what the kernel still keeps: it delivers
 * some 20 at a time, or the queue was full. The number of times is limited,
 * for somebody might ring faster than this.
 */
static int reap_all(struct aiox_fdmon *mon, struct aiox_fdmon_event *out, int n, int max)
{
    n = reap(mon, out, n, max);
    for (int left = max / 16 + 1; left > 0 && n < max && ring_calls_(&mon->ring); left--) {
        if (enter(mon, 0, 0)) {
            break;
        }
        n = reap(mon, out, n, max);
    }
    return n;
}

/*
 * A completion may only have been a reason to ask again; and what was stopped is let go by this
 * turn, whatever it reports.
 */
static bool is_to_go_on(const struct watches *ws, int reports)
{
    return ws->refused || (reports == 0 && has_work(ws));
}

int turn_collect_(struct aiox_fdmon *mon, int64_t timeout_ns, struct aiox_fdmon_event *out, int max)
{
    int n;

    if (turn_begin_(mon) || exchange(mon, timeout_ns)) {
        return mon->broken;
    }
    mon->turn++;
    n = reap_all(mon, out, 0, max);
    for (int again = 0; again < 2 && is_to_go_on(&mon->watches, n); again++) {
        if (turn_begin_(mon) || exchange(mon, 0)) {
            return n > 0 ? n : mon->broken; /* what has come is told, and the fault next time */
        }
        n = reap_all(mon, out, n, max);
    }
    return n;
}

int turn_flush_(struct aiox_fdmon *mon)
{
    int rc = turn_begin_(mon);

    if (rc) {
        return rc;
    }
    watches_queue_(&mon->watches, &mon->ring);
    rc = io_uring_sq_ready(&mon->ring.lib) ? ring_submit_(&mon->ring) : 0;
    return rc < 0 && !ring_is_transient_(rc) ? rc : 0;
}

bool turn_is_pending_(struct aiox_fdmon *mon)
{
    return io_uring_cq_ready(&mon->ring.lib) || ring_calls_(&mon->ring) ||
           io_uring_sq_ready(&mon->ring.lib) || has_work(&mon->watches);
}

/*
 * Ends all that is under way; of a home that has ended, the kernel has done so. A
 * request that is just changing hands inside the kernel can miss that it was
 * cancelled: so all are asked again when nothing has come for a while.
 */
void turn_drain_(struct aiox_fdmon *mon)
{
    struct aiox_fdmon_event unread[32];
    int n = 0;

    watches_cancel_all_(&mon->watches);
    while (!mon->broken && (mon->watches.in_kernel || mon->requests.in_flight)) {
        if (n == 0 && !mon->requests.to_cancel) {
            requests_cancel_all_(&mon->requests);
        }
        watches_queue_(&mon->watches, &mon->ring);
        requests_queue_cancels_(&mon->requests, &mon->ring);
        enter(mon, !io_uring_cq_ready(&mon->ring.lib), DRAIN_PATIENCE_NS);
        n = reap_all(mon, unread, 0, sizeof(unread) / sizeof(*unread));
    }
}
