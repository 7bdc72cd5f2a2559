/* SPDX-License-Identifier: MIT */
/*
 * fdmon_io_uring.c - one turn of the ring, and the face of the backend.
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

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aiox/fdmon_pollfd.h"

#include "ring.h"

enum {
    DRAIN_PATIENCE_NS = 10000000,
};

struct aiox_fdmon {
    const struct aiox_fdmon_host *host;
    struct ring_options options;
    struct ring ring;
    struct watches watches;
    struct requests requests;

    bool enabled;       /* [home] */
    int broken;         /* [home] a negative errno: no further turn */
    uint32_t turn;      /* [home] */
    uint32_t ring_file; /* [home] another after fork(2) */
};

/* ---- one turn ---- */

/* Enables the ring for this thread, the first time; then learns what has changed. */
static int begin(struct aiox_fdmon *mon)
{
    if (!mon->enabled && !mon->broken) {
        mon->broken = ring_enable_(&mon->ring);
        mon->enabled = !mon->broken;
    }
    watches_take_(&mon->watches);
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

/* Hands over what there is, and waits if there is nothing to report yet. */
static int exchange(struct aiox_fdmon *mon, int64_t timeout_ns)
{
    struct ring *r = &mon->ring;
    bool idle;

    watches_queue_(&mon->watches, r);
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
    out[n] = (struct aiox_fdmon_event){.token = watch_token_(w), .events = events};
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
static int reap_all(struct aiox_fdmon *mon, struct aiox_fdmon_event *out, int max)
{
    int n = reap(mon, out, 0, max);

    for (int left = max / 16 + 1; left > 0 && n < max && ring_calls_(&mon->ring); left--) {
        if (enter(mon, 0, 0)) {
            break;
        }
        n = reap(mon, out, n, max);
    }
    return n;
}

static int io_uring_collect(struct aiox_fdmon *mon, int64_t timeout_ns,
                            struct aiox_fdmon_event *out, int max)
{
    int n;

    if (begin(mon) || exchange(mon, timeout_ns)) {
        return mon->broken;
    }
    mon->turn++;
    n = reap_all(mon, out, max);
    /* A completion may only have been a reason to ask again. */
    for (int again = 0; n == 0 && again < 2 && watches_have_work_(&mon->watches); again++) {
        if (begin(mon) || exchange(mon, 0)) {
            return mon->broken;
        }
        n = reap_all(mon, out, max);
    }
    return n;
}

static int io_uring_flush(struct aiox_fdmon *mon)
{
    int rc = begin(mon);

    if (rc) {
        return rc;
    }
    watches_queue_(&mon->watches, &mon->ring);
    rc = io_uring_sq_ready(&mon->ring.lib) ? ring_submit_(&mon->ring) : 0;
    return rc < 0 && !ring_is_transient_(rc) ? rc : 0;
}

static bool io_uring_pending(struct aiox_fdmon *mon)
{
    return io_uring_cq_ready(&mon->ring.lib) || ring_calls_(&mon->ring) ||
           io_uring_sq_ready(&mon->ring.lib) || watches_have_work_(&mon->watches);
}

static int io_uring_interest(struct aiox_fdmon *mon, int fd, uint32_t old_events, uint32_t events,
                             uint64_t token)
{
    return watches_interest_(&mon->watches, fd, events, token);
}

/* ---- life ---- */

/* The option @name, a number from 1 to 32768. */
static unsigned number(const struct aiox_fdmon_host *host, const char *name, unsigned otherwise)
{
    const char *text = host->option(host, name);
    char *end;
    unsigned long n = text ? strtoul(text, &end, 10) : 0;
    char line[120];

    if (n >= 1 && n <= 32768 && !*end) {
        return (unsigned)n;
    }
    if (text) {
        snprintf(line, sizeof(line), "io_uring.%s=%.32s is not a number from 1 to 32768", name,
                 text);
        host->log(host, 1, line);
    }
    return otherwise;
}

static void read_options(struct ring_options *o, const struct aiox_fdmon_host *host)
{
    const char *defer = host->option(host, "defer");

    o->entries = number(host, "entries", 128);
    o->cq_entries = number(host, "cq_entries", 512);
    o->cq_entries = o->cq_entries < o->entries ? o->entries : o->cq_entries;
    o->roams = host->get_extension(host, AIOX_FDMON_ROAMING_ID);
    /* Watched from outside, a ring that defers stays silent, and an eventfd(2) of it may. */
    o->defer =
        (!defer || *defer != '0') && !o->roams && !host->get_extension(host, AIOX_FDMON_POLLFD_ID);
}

static int io_uring_open(const struct aiox_fdmon_host *host, struct aiox_fdmon **out)
{
    struct aiox_fdmon *mon = host->alloc(host, sizeof(*mon));
    const char *call;
    int err;

    if (!mon) {
        return -ENOMEM;
    }
    mon->host = host;
    read_options(&mon->options, host);
    err = ring_open_(&mon->ring, &mon->options, &call);
    if (err) {
        host->free(host, mon);
        return err;
    }
    watches_init_(&mon->watches, host);
    requests_init_(&mon->requests, host, &mon->ring);
    *out = mon;
    return 0;
}

/*
 * Ends all that is under way; of a home that has ended, the kernel has done so. A
 * request that is just changing hands inside the kernel can miss that it was
 * cancelled: so all are asked again when nothing has come for a while.
 */
static void drain(struct aiox_fdmon *mon)
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
        n = reap_all(mon, unread, sizeof(unread) / sizeof(*unread));
    }
}

static void io_uring_close(struct aiox_fdmon *mon)
{
    const struct aiox_fdmon_host *host = mon->host;

    if (mon->enabled && ring_is_at_home_(&mon->ring)) {
        drain(mon);
    }
    ring_close_(&mon->ring);
    requests_fini_(&mon->requests);
    watches_fini_(&mon->watches);
    host->free(host, mon);
}

static void io_uring_after_fork(struct aiox_fdmon *mon)
{
    const char *call;

    ring_leave_to_parent_(&mon->ring);
    watches_after_fork_(&mon->watches);
    requests_after_fork_(&mon->requests);
    mon->enabled = false;
    mon->ring_file++;
    mon->broken = ring_open_(&mon->ring, &mon->options, &call);
}

static void io_uring_describe(struct aiox_fdmon *mon, char *text, size_t bytes)
{
    unsigned flags = mon->ring.lib.flags;

    snprintf(text, bytes, "io_uring, %u entries, %u completions%s%s%s",
             mon->ring.lib.sq.ring_entries, mon->ring.lib.cq.ring_entries,
             flags & IORING_SETUP_DEFER_TASKRUN  ? ", single issuer, deferred task work"
             : flags & IORING_SETUP_COOP_TASKRUN ? ", cooperative task work"
             : mon->ring.roams                   ? ", one thread after another"
                                                 : "",
             flags & IORING_SETUP_NO_SQARRAY ? ", no index array" : "",
             mon->ring.lib.features & IORING_FEAT_NO_IOWAIT ? ", no I/O wait when idle" : "");
}

/* ---- "aiox.completion/1" ---- */

static int completion_submit(struct aiox_fdmon *mon, aiox_fdmon_prepare_fn *prepare, void *opaque,
                             uint64_t token)
{
    int err = begin(mon);

    return err ? err : requests_submit_(&mon->requests, &mon->ring, prepare, opaque, token);
}

static int completion_cancel(struct aiox_fdmon *mon, uint64_t token)
{
    return requests_cancel_(&mon->requests, &mon->ring, token);
}

static bool completion_supports(struct aiox_fdmon *mon, unsigned opcode)
{
    return requests_supports_(&mon->requests, opcode);
}

static const struct aiox_fdmon_completion completion = {
    .size = sizeof(completion),
    .submit = completion_submit,
    .cancel = completion_cancel,
    .supports = completion_supports,
};

/* ---- "aiox.pollfd/1" ---- */

static int pollfd_prepare(struct aiox_fdmon *mon, uint32_t *file, bool *ready)
{
    int err = mon->options.defer ? -ENOTSUP : io_uring_flush(mon);

    *file = mon->ring_file;
    *ready = false;
    return err ? err : mon->ring.lib.ring_fd;
}

static const struct aiox_fdmon_pollfd pollfd = {
    .size = sizeof(pollfd),
    .prepare = pollfd_prepare,
};

static const void *get_extension(const char *id)
{
    if (strcmp(id, AIOX_FDMON_COMPLETION_ID) == 0) {
        return &completion;
    }
    return strcmp(id, AIOX_FDMON_POLLFD_ID) == 0 ? &pollfd : NULL;
}

static const struct aiox_fdmon_ops ops = {
    .size = sizeof(ops),
    .open = io_uring_open,
    .close = io_uring_close,
    .interest = io_uring_interest,
    .collect = io_uring_collect,
    .pending = io_uring_pending,
    .flush = io_uring_flush,
    .after_fork = io_uring_after_fork,
    .describe = io_uring_describe,
};

static const struct aiox_fdmon_option options[] = {
    {"entries", "128", "entries of the submission queue, 1 to 32768, rounded up to a power of 2"},
    {"cq_entries", "512", "entries of the completion queue, 1 to 32768, not below entries"},
    {"defer", "1", "0 delivers completions at any time rather than when the loop asks for them"},
    {NULL, NULL, NULL},
};

static const struct aiox_fdmon_plugin descriptor = {
    .magic = AIOX_FDMON_MAGIC,
    .abi_major = AIOX_FDMON_ABI_MAJOR,
    .abi_minor = AIOX_FDMON_ABI_MINOR,
    .size = sizeof(descriptor),
    /* Below epoll: watches that stay and do not drain cost 4 to 14 % more than there, though */
    /* others cost less. README.md has the figures. */
    .rank = 150,
    .name = "io_uring",
    .version = AIOX_FDMON_VERSION,
    .summary = "io_uring(7): readiness without system calls of its own, and completion requests",
    .license = "MIT",
    .caps = AIOX_FDMON_CAP_LEVEL | AIOX_FDMON_CAP_NS_TIMEOUT | AIOX_FDMON_CAP_PRI |
            AIOX_FDMON_CAP_REGULAR | AIOX_FDMON_CAP_MANY_FDS | AIOX_FDMON_CAP_PENDING |
            AIOX_FDMON_CAP_COMPLETION | AIOX_FDMON_CAP_FORK | AIOX_FDMON_CAP_LOCKS_MEMORY |
            AIOX_FDMON_CAP_POLLFD | AIOX_FDMON_CAP_MAY_ROAM,
    .ops = &ops,
    .options = options,
    .probe = io_uring_probe_,
    .get_extension = get_extension,
};

AIOX_FDMON_PLUGIN(io_uring, AIOX_FDMON_VERSION, descriptor);
