/* SPDX-License-Identifier: MIT */
/*
 * backend.h - one open monitor, ready for the loop to use.
 *
 * Whoever has a struct backend need not know where it came from: its tables
 * are complete as far as both sides know them, and NULL where the plugin has
 * nothing. It never moves: the plugin holds on to @host.
 */
#ifndef AIOX_AIO_SRC_BACKEND_H_
#define AIOX_AIO_SRC_BACKEND_H_

#include <stdbool.h>

#include "aiox/attributes.h"
#include "aiox/backend.h"
#include "aiox/error.h"
#include "aiox/fdmon.h"
#include "aiox/fdmon_pollfd.h"

struct backend_options; /* options.h */

/* For what a monitor is opened, beyond the usual; its plugin may ask while it is. */
struct backend_wishes {
    bool hosted;  /* somebody else waits for it: "aiox.pollfd/1" */
    bool roaming; /* one thread after another is its [home]: "aiox.roaming/1" */
};

enum { EVENTS_PER_TURN = 128 };

/* What one collect() brings. */
struct backend_events {
    int count; /* negative: why the backend is beyond repair */
    struct aiox_fdmon_event list[EVENTS_PER_TURN];
};

struct backend {
    struct aiox_fdmon_ops ops; /* open, close, interest, collect are never NULL */
    struct aiox_fdmon *mon;
    struct aiox_fdmon_completion completion; /* complete if has_completion, else zero */
    bool has_completion;
    struct aiox_fdmon_pollfd pollfd; /* prepare is NULL if it has none */
    struct backend_wishes told;      /* when it was opened */
    struct aiox_fdmon_plugin plugin; /* no string is NULL; caps agree with ops and completion */
    struct aiox_fdmon_host host;
    const char *path; /* empty: linked in; lives for good */
    struct backend_options *options;
};

/* Waits at most @timeout_ns for something to happen. [home] */
static inline void backend_collect_(struct backend *b, int64_t timeout_ns,
                                    struct backend_events *out)
{
    out->count = b->ops.collect(b->mon, timeout_ns, out->list, EVENTS_PER_TURN);
}

/* A struct aiox_backend_sources that owns what it points to, in one block. All zero: empty. */
struct backend_sources {
    aiox_fdmon_entry_fn **linked_in; /* where the block begins */
    char *path;
    char *options;
    bool linked_in_only;
    bool system_only;
};

/* 0 or -ENOMEM; *@out is written only on success. @from->linked_in must not be empty. */
AIOX_NODISCARD int backend_sources_copy_(struct backend_sources *out,
                                         const struct aiox_backend_sources *from);
/* What of @s says where to search; it owns nothing. */
struct aiox_backend_sources backend_sources_to_search_(const struct backend_sources *s);
/* Leaves it all zero. */
void backend_sources_free_(struct backend_sources *s);

/* What became of each candidate, in the order of looking. All zero: empty. */
struct backend_reports {
    struct aiox_backend_report *items; /* perhaps shared */
    int count;
    int room_;
};

/* Leaves it all zero. */
void backend_reports_free_(struct backend_reports *r);

/*
 * Opens a monitor of the backend that @spec chooses (grammar in
 * aiox/backend.h) among @from; NULL: of the first that is linked in, without a
 * probe. @reports may be NULL; what it held is replaced, also on error.
 *
 * Errors as aiox_context_setup(): -EINVAL for a bad @spec or bad options,
 * -ENOENT for an unknown name, else the reason of the last candidate. Says one
 * line of information when the first choice was not taken. [any]
 */
AIOX_NODISCARD int backend_open_(struct backend **out, const struct backend_sources *from,
                                 const char *spec, struct backend_reports *reports,
                                 struct aiox_error *err);

/* True if @b does as it is. [any] */
bool backend_suits_(const struct backend *b, struct backend_wishes wishes);

/*
 * Opens a second monitor of @like's plugin with @like's options, and tells it of @wishes. -ENOTSUP
 * if the plugin cannot do that; else what open() said. [any]
 */
AIOX_NODISCARD int backend_reopen_(struct backend **out, const struct backend *like,
                                   struct backend_wishes wishes, struct aiox_error *err);

/* Opens *@b, which nobody uses yet, anew unless it suits. On error it is closed. [any] */
AIOX_NODISCARD int backend_suit_(struct backend **b, struct backend_wishes wishes,
                                 struct aiox_error *err);

/* Closes the monitor and frees @b; takes NULL. [home], or any thread once home has ended. */
void backend_close_(struct backend *b);

#endif /* AIOX_AIO_SRC_BACKEND_H_ */
