/* SPDX-License-Identifier: MIT */
/*
 * aiox/log.h - one hook for lines, one for trace points.
 *
 * The libraries print nothing. A program that wants to hear sets a hook.
 * Lines are for what happens once in a life (which backend, and why); what
 * happens every turn is a trace point.
 */
#ifndef AIOX_LOG_H_
#define AIOX_LOG_H_

#include <stdint.h>

#include "aiox/atomic.h"
#include "aiox/attributes.h"

AIOX_BEGIN_DECLS

enum aiox_log_level {
    AIOX_LOG_ERROR = 0, /* something was lost or given up */
    AIOX_LOG_WARN = 1,  /* it goes on, but not as asked */
    AIOX_LOG_INFO = 2,  /* once in a life: what was chosen and why */
    AIOX_LOG_DEBUG = 3,
};

/* @line has no newline and lives until the hook returns. */
typedef void aiox_log_fn(void *opaque, enum aiox_log_level level, const char *line);

/*
 * Sends every line up to @most to @fn(@opaque); NULL stops that. The hook is
 * called in the thread that has something to say and may be called by several
 * at once. [init]
 */
AIOX_API void aiox_log_set_hook(aiox_log_fn *fn, void *opaque, enum aiox_log_level most);

/* Formats and hands over one line, cut after 500 bytes. Free without a hook. [any] */
AIOX_API AIOX_PRINTF(2, 3) void aiox_log(enum aiox_log_level level, const char *format, ...);

/* @room and @event are static names; what @a and @b mean stands in the room's src/trace.h. */
typedef void aiox_trace_fn(void *opaque, const char *room, const char *event, uint64_t a,
                           uint64_t b);

/* Sends every trace point to @fn(@opaque); NULL stops that. [init] */
AIOX_API void aiox_trace_set_hook(aiox_trace_fn *fn, void *opaque);

/* Not for callers: the hook that AIOX_TRACE looks at, and the way to it. */
AIOX_API extern aiox_atomic_ptr aiox_trace_hook_;
AIOX_API AIOX_COLD void aiox_trace_(const char *room, const char *event, uint64_t a, uint64_t b);

/* One predictable branch while nobody listens. [any] signal-safe if the hook is */
#define AIOX_TRACE(room, event, a, b)                                                              \
    do {                                                                                           \
        if (AIOX_UNLIKELY(__atomic_load_n(&aiox_trace_hook_.v_, __ATOMIC_RELAXED) != 0)) {         \
            aiox_trace_(#room, #event, (uint64_t)(a), (uint64_t)(b));                              \
        }                                                                                          \
    } while (0)

AIOX_END_DECLS

#endif /* AIOX_LOG_H_ */
