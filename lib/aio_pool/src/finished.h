/* SPDX-License-Identifier: MIT */
/*
 * finished.h - from any thread to home: jobs that have ended.
 *
 * Knows bottom halves and nothing else of a loop.
 */
#ifndef AIOX_AIO_POOL_SRC_FINISHED_H_
#define AIOX_AIO_POOL_SRC_FINISHED_H_

#include "aiox/aio_pool.h"
#include "aiox/bh.h"

AIOX_BEGIN_DECLS

struct finished {
    aiox_atomic_ptr newest; /* job->finished_, the newest first */
    struct aiox_queue due;  /* taken out, the oldest first; home */
    struct aiox_bh *bh;
    void (*tell)(void *opaque, struct aiox_pool_job *job); /* [home] */
    void *opaque;
};

/* What is put there is told at the home of @q. 0 or -ENOMEM. [init] */
int finished_init_(struct finished *f, struct aiox_bh_queue *q,
                   void (*tell)(void *opaque, struct aiox_pool_job *job), void *opaque);

/* Tells the rest, and ends it. Nobody puts any more. [any] */
void finished_fini_(struct finished *f);

/* [any] */
void finished_put_(struct finished *f, struct aiox_pool_job *job);

AIOX_END_DECLS

#endif /* AIOX_AIO_POOL_SRC_FINISHED_H_ */
