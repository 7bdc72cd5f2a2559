/* SPDX-License-Identifier: MIT */
/*
 * aiox/log.h - one hook for lines.
 *
 * The libraries print nothing. A program that wants to hear sets a hook.
 * Lines are for what happens once in a life (which backend, and why); what
 * happens every turn is a trace point (aiox/trace.h).
 */
#ifndef AIOX_LOG_H_
#define AIOX_LOG_H_

#include <stdbool.h>

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

/* Whether a line of @level would reach a hook: for those who take pains over theirs. [any] */
AIOX_API bool aiox_log_is_heard(enum aiox_log_level level);

AIOX_END_DECLS

#endif /* AIOX_LOG_H_ */
