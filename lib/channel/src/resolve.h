/* SPDX-License-Identifier: MIT */
/* resolve.h - what the system calls an address. */
#ifndef AIOX_CHANNEL_SRC_RESOLVE_H_
#define AIOX_CHANNEL_SRC_RESOLVE_H_

#include <stdbool.h>

#include "aiox/error.h"
#include "aiox/socket_address.h"

#include "descriptor.h"

enum { RESOLVED_MAX = 8 };

struct resolved {
    int count;
    struct {
        struct sockaddr_storage sa;
        socklen_t bytes;
    } at[RESOLVED_MAX];
};

/* @code; if that is an error, with words in @err: "cannot @what @a: why". [any] */
int address_say_(struct aiox_error *err, int code, const char *what,
                 const struct aiox_socket_address *a);

/*
 * The addresses of @a, at least one. @passive: to listen at. A name is looked
 * up in another thread if the caller is a coroutine of a context, which then
 * waits in @d, so that others may end it (-ECANCELED).
 *
 * -ENOENT, -EHOSTUNREACH, -ENOMEM, -EAGAIN (no thread), -ETIMEDOUT, ... [any]
 */
int resolve_(struct resolved *out, const struct aiox_socket_address *a, bool passive,
             struct descriptor *d, int64_t deadline_ns, struct aiox_error *err);

#endif /* AIOX_CHANNEL_SRC_RESOLVE_H_ */
