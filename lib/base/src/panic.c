/* SPDX-License-Identifier: MIT */
/* panic.c - the last word of a program. */
#include "aiox/assert.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "aiox/log.h"

#include "trace.h"

void aiox_panic_at(const char *file, int line, const char *function, const char *format, ...)
{
    char text[500];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    AIOX_TRACE(base, panic, (uintptr_t)text, line);
    fprintf(stderr, "aiox: %s:%d: %s: %s\n", file, line, function, text);
    fflush(stderr);
    aiox_log(AIOX_LOG_ERROR, "%s:%d: %s: %s", file, line, function, text);
    abort();
}
