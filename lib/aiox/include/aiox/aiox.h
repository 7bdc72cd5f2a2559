/* SPDX-License-Identifier: MIT */
/*
 * aiox/aiox.h - the front door: a loop with the best backend that works here.
 *
 *   struct aiox_context *ctx;
 *   struct aiox_error err;
 *
 *   if (aiox_new(&ctx, &err) < 0) { complain(err.message); }
 *
 * Who decides which backend it is, first who has something to say:
 *
 *   1. a pin of the program      preferences with is_pinned
 *   2. the environment           AIOX_FDMON
 *   3. a wish of the program     preferences without
 *   4. the default               auto: all that are found, best rank first
 *
 * Environment, read at each call and nowhere else:
 *
 *   AIOX_FDMON        a specification (grammar in aiox/backend.h): "io_uring,epoll"
 *   AIOX_FDMON_PATH   further absolute directories of plugins, "a:b"
 *   AIOX_FDMON_OPTS   options of backends, "io_uring.entries=64,io_uring.defer=0"
 *   AIOX_FDMON_DEBUG  1: what became of each candidate goes to the log (AIOX_LOG_DEBUG)
 *   AIOX_TRACE        trace points to stderr, unless the program has a hook: "all",
 *                     or rooms, "bh,timer" (docs/tracing.md); read by aiox_new() alone
 *   AIOX_NO_ENV       1: none of the above is read
 *
 * An empty variable is one that is not set. None is read in a process with
 * more rights than its caller (setuid, file capabilities: AT_SECURE in
 * getauxval(3)), which also takes files from the system's plugin directory
 * only; nor after aiox_env_deny(); nor, AIOX_FDMON_DEBUG and AIOX_TRACE aside,
 * for a pin.
 */
#ifndef AIOX_AIOX_H_
#define AIOX_AIOX_H_

#include <stdbool.h>

#include "aiox/aio.h"

AIOX_BEGIN_DECLS

/*
 * Makes a context with the best backend that works here.
 *
 * Ownership: the caller has one reference and gives it up by
 * aiox_context_unref().
 *
 * Returns 0, or what aiox_context_new() and aiox_context_setup() return; @err
 * has the words, beginning with the variable that is to blame if one is. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_new(struct aiox_context **out, struct aiox_error *err);

/* What a program has to say on the choice. All zero: nothing. */
struct aiox_preferences {
    const char *backend; /* a specification; NULL: no wish */
    const char *path;    /* further absolute directories of plugins, "a:b" */
    const char *options; /* "io_uring.entries=64" */
    bool is_pinned;      /* the environment has no say; needs backend */
};

/* As aiox_new(); @wish may be NULL, and is copied. [any] */
AIOX_API AIOX_NODISCARD int aiox_new_with(struct aiox_context **out,
                                          const struct aiox_preferences *wish,
                                          struct aiox_error *err);

/* What is chosen from, and who decided. */
struct aiox_choice {
    struct aiox_backend_sources sources;
    const char *spec;
    const char *said_by; /* "program", "AIOX_FDMON", "wish" or "default" */
    bool is_debugging;   /* AIOX_FDMON_DEBUG */
};

/*
 * Finds out what aiox_new_with(@wish) would choose from, for tools and for
 * programs that build on aiox_context_new(). Opens nothing. Strings are
 * @wish's or the environment's and live as long. [any]
 */
AIOX_API void aiox_choice_get(struct aiox_choice *out, const struct aiox_preferences *wish);

/* No variable is read any more in this process, for good. [any] */
AIOX_API void aiox_env_deny(void);

AIOX_END_DECLS

#endif /* AIOX_AIOX_H_ */
