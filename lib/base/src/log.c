/* SPDX-License-Identifier: MIT */
/*
 * log.c - hands lines to the program's hook.
 *
 * [LOG-hook]  set (release) -> line (acquire): what @opaque points to.
 *
 * A hook and its opaque are two words. They are set before a second thread
 * looks ([init]), so they need not change together.
 */
#include "aiox/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "aiox/atomic.h"

static aiox_atomic_ptr log_hook;
static void *log_opaque;
static enum aiox_log_level log_most;

void aiox_log_set_hook(aiox_log_fn *fn, void *opaque, enum aiox_log_level most)
{
    log_opaque = opaque;
    log_most = most;
    aiox_ptr_store_release(&log_hook, (void *)fn); /* [LOG-hook] */
}

bool aiox_log_is_heard(enum aiox_log_level level)
{
    return aiox_ptr_load_acquire(&log_hook) && level <= log_most; /* [LOG-hook] */
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
