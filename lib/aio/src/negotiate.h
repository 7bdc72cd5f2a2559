/* SPDX-License-Identifier: MIT */
/*
 * negotiate.h - what a backend's tables mean to this loop, whatever their age.
 */
#ifndef AIOX_AIO_SRC_NEGOTIATE_H_
#define AIOX_AIO_SRC_NEGOTIATE_H_

#include <stdbool.h>

#include "aiox/attributes.h"
#include "aiox/backend.h"
#include "aiox/fdmon.h"
#include "aiox/fdmon_pollfd.h"

/* The tables of a backend as this loop knows them; what it lacks is NULL, 0 or "". */
struct tables {
    struct aiox_fdmon_plugin plugin; /* .ops is not to be used */
    struct aiox_fdmon_ops ops;
    struct aiox_fdmon_completion completion;
    bool has_completion;
    struct aiox_fdmon_pollfd pollfd; /* prepare is NULL if it has none */
};

/* Takes what both sides know of @theirs. 0, or a negative errno with the reason in @r. */
AIOX_NODISCARD int negotiate_(struct tables *out, const struct aiox_fdmon_plugin *theirs,
                              struct aiox_backend_report *r);

#endif /* AIOX_AIO_SRC_NEGOTIATE_H_ */
