/* SPDX-License-Identifier: MIT */
/*
 * aiox/qemu/error.h - the original's error objects, over aiox/error.h.
 *
 * An Error is allocated by whoever reports it and freed by whoever gets it.
 * &error_abort as the destination ends the program with the place that
 * reported; &error_fatal says the words and exits with 1; NULL ignores.
 */
#ifndef AIOX_QEMU_ERROR_H_
#define AIOX_QEMU_ERROR_H_

#include <stdio.h>
#include <stdlib.h>

#include "aiox/assert.h"
#include "aiox/attributes.h"
#include "aiox/error.h"

AIOX_BEGIN_DECLS

typedef struct Error {
    struct aiox_error said_;
} Error;

/* Only their addresses count. */
__attribute__((weak)) Error *error_abort;
__attribute__((weak)) Error *error_fatal;

static inline void error_free(Error *err)
{
    free(err);
}

static inline const char *error_get_pretty(const Error *err)
{
    return err->said_.message;
}

/* Says it on stderr and frees it. */
static inline void error_report_err(Error *err)
{
    fprintf(stderr, "%s\n", error_get_pretty(err));
    error_free(err);
}

/* Hands @local, if there is one, to whoever asked for it in @dst. */
static inline void error_propagate(Error **dst, Error *local)
{
    if (!local) {
        return;
    }
    if (dst == &error_abort) {
        aiox_panic("%s", error_get_pretty(local));
    }
    if (dst == &error_fatal) {
        error_report_err(local);
        exit(1);
    }
    if (dst && !*dst) {
        *dst = local;
        return;
    }
    error_free(local);
}

/* Reports in @dst what is in @said. */
static inline void error_set_from_aiox(Error **dst, const struct aiox_error *said)
{
    Error *err = dst ? (Error *)malloc(sizeof(*err)) : NULL;

    if (dst && !err) {
        aiox_panic("no memory for the error '%s'", said->message);
    }
    if (err) {
        err->said_ = *said;
        error_propagate(dst, err);
    }
}

AIOX_END_DECLS

#endif /* AIOX_QEMU_ERROR_H_ */
