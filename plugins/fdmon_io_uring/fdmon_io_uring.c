/* SPDX-License-Identifier: MIT */
/*
 * fdmon_io_uring.c - the face of the backend: what it offers, how it begins and ends.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aiox/fdmon_pollfd.h"

#include "turn.h"

static int io_uring_interest(struct aiox_fdmon *mon, int fd, uint32_t old_events, uint32_t events,
                             uint64_t token)
{
    return watches_interest_(&mon->watches, fd, events, token);
}

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

static void io_uring_close(struct aiox_fdmon *mon)
{
    const struct aiox_fdmon_host *host = mon->host;

    if (mon->enabled && ring_is_at_home_(&mon->ring)) {
        turn_drain_(mon);
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
    int err = turn_begin_(mon);

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
    int err = mon->options.defer ? -ENOTSUP : turn_flush_(mon);

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
    .collect = turn_collect_,
    .pending = turn_is_pending_,
    .flush = turn_flush_,
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
