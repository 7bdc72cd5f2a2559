/* SPDX-License-Identifier: MIT */
/* error.c - fills the caller's struct; allocates nothing. */
#define _GNU_SOURCE
#include "aiox/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int aiox_error_set(struct aiox_error *err, int code, const char *format, ...)
{
    va_list args;

    if (err) {
        err->code = code;
        va_start(args, format);
        vsnprintf(err->message, sizeof(err->message), format, args);
        va_end(args);
    }
    return code;
}

int aiox_error_prefix(struct aiox_error *err, const char *format, ...)
{
    char old[sizeof(err->message)];
    va_list args;
    int length;

    if (!err) {
        return 0;
    }
    memcpy(old, err->message, sizeof(old));
    va_start(args, format);
    length = vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    if (length >= 0 && (size_t)length < sizeof(err->message)) {
        snprintf(err->message + length, sizeof(err->message) - (size_t)length, "%s", old);
    }
    return err->code;
}

const char *aiox_error_text(int code)
{
    const char *text = strerrordesc_np(abs(code));

    return text ? text : "unknown error";
}

const char *aiox_error_name(int code)
{
    const char *name = strerrorname_np(abs(code));

    return name ? name : "?";
}
