/* SPDX-License-Identifier: MIT */
/* pool.h - what a context has of it. */
#ifndef AIOX_AIO_POOL_SRC_POOL_H_
#define AIOX_AIO_POOL_SRC_POOL_H_

#include "aiox/aio_pool.h"

#include "crew.h"
#include "finished.h"

AIOX_BEGIN_DECLS

struct aiox_pool {
    struct crew crew;
    struct finished finished;
    struct aiox_context *ctx;
    aiox_atomic_u64 untold; /* jobs */
    bool is_ending;         /* with its context */
};

/* Takes threads from there from now on. For tests. [init] */
void pool_set_threads_from_(struct aiox_pool *pool, const struct crew_threads *from);

AIOX_END_DECLS

#endif /* AIOX_AIO_POOL_SRC_POOL_H_ */
