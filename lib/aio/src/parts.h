/* SPDX-License-Identifier: MIT */
/* parts.h - what other libraries keep in a context. */
#ifndef AIOX_AIO_SRC_PARTS_H_
#define AIOX_AIO_SRC_PARTS_H_

#include <pthread.h>

#include "aiox/aio.h"
#include "aiox/atomic.h"

struct part;

/* Only grows until it ends, so that looking needs no lock. One part may need another to be made. */
struct parts {
    aiox_atomic_ptr newest; /* struct part */
    pthread_mutex_t making; /* recursive */
};

void parts_init_(struct parts *parts);

/* Ends all parts, the last made first. */
void parts_fini_(struct parts *parts, struct aiox_context *ctx);

/* See aiox_context_part_get(). [any] */
int parts_get_(struct parts *parts, struct aiox_context *ctx, const struct aiox_context_part *kind,
               void **out);

#endif /* AIOX_AIO_SRC_PARTS_H_ */
