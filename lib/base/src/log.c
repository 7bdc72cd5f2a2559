/* SPDX-License-Identifier: MIT */
/*
 * log.c - hands lines and trace points to the program's hooks.
 *
 * [LOG-hook]  set (release) -> line (acquire): what @opaque points to.
 * [TRACE-hook] likewise for trace points.
 *
 * A hook and its opaque are two words. They are set before a second thread
 * looks ([init]), so they need not change together.
 */
#include "aiox/log.h"

#include <stdarg.h>
#include <stdio.h>

static aiox_atomic_ptr log_hook;
static void *log_opaque;
static enum aiox_log_level log_most;

aiox_atomic_ptr aiox_trace_hook_;
static void *trace_opaque;

void aiox_log_set_hook(aiox_log_fn *fn, void *opaque, enum aiox_log_level most)
{
    log_opaque = opaque;
    log_most = most;
    aiox_ptr_store_release(&log_hook, (void *)fn); /* [LOG-hook] */
}

void aiox_log(enum aiox_log_level level, const char *format, ...)
{
    aiox_log_fn *fn = (aiox_log_fn *)aiox_ptr_load_acquire(&log_hook); /* [LOG-hook] */
    char line[500];
    va_list args;

    if (!fn || level > log_most) {
        return;
    }
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    fn(log_opaque, level, line);
}

void aiox_trace_set_hook(aiox_trace_fn *fn, void *opaque)
{
    trace_opaque = opaque;
    aiox_ptr_store_release(&aiox_trace_hook_, (void *)fn); /* [TRACE-hook] */
}

void aiox_trace_(const char *room, const char *event, uint64_t a, uint64_t b)
{
    aiox_trace_fn *fn =
        (aiox_trace_fn *)aiox_ptr_load_acquire(&aiox_trace_hook_); /* [TRACE-hook] */

    if (fn) {
        fn(trace_opaque, room, event, a, b);
    }
}
