/* SPDX-License-Identifier: MIT */
/*
 * crew.h - who works on what: jobs that wait, threads that come and go.
 *
 * Knows no loop: what has ended is handed to a function given at birth. Where
 * threads come from is given, too, so that a test can have none.
 */
#ifndef AIOX_AIO_POOL_SRC_CREW_H_
#define AIOX_AIO_POOL_SRC_CREW_H_

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "aiox/aio_pool.h"
#include "aiox/atomic.h"
#include "aiox/list.h"

AIOX_BEGIN_DECLS

struct crew_threads {
    /* Starts a thread that runs @work(@opaque). 0 or a negative errno. [any] */
    int (*start)(void *(*work)(void *opaque), void *opaque);
    /* Called first in a new thread. */
    void (*begin)(void);
    /* Waits for the end of a thread. [any] */
    void (*join)(pthread_t thread);
};

/* Threads of the system. */
extern const struct crew_threads crew_threads_;

struct crew {
    pthread_mutex_t lock;     /* guards what follows, up to the next blank line */
    struct aiox_list waiting; /* jobs, the oldest first */
    struct aiox_list idle;    /* workers, who came last first */
    size_t waiting_count;
    int idle_count;
    int threads; /* alive, or being started */
    int min;
    int max;
    int64_t idle_ns;
    bool is_calling; /* a worker was called or is being started, and has not come yet */
    bool is_closing;
    bool has_left;            /* some thread has */
    pthread_t left;           /* the last that has; it has joined the one before */
    aiox_atomic_u32 all_left; /* 1: closing, and the last has left */

    const struct crew_threads *from;
    void (*ended)(void *opaque, struct aiox_pool_job *job); /* [any] */
    void *opaque;
};

/* Makes a crew without threads. [init] */
void crew_init_(struct crew *c, const struct crew_threads *from,
                void (*ended)(void *opaque, struct aiox_pool_job *job), void *opaque);

/*
 * Ends it: jobs that wait end with -ECANCELED, the others are waited for.
 * Nobody else uses it any more. [any]
 */
void crew_fini_(struct crew *c);

/* [any] */
void crew_submit_(struct crew *c, struct aiox_pool_job *job);

/* Takes a job that waits back, ended with -ECANCELED. Returns whether it did. [any] */
bool crew_cancel_(struct crew *c, struct aiox_pool_job *job);

/* As in aiox/aio_pool.h, with arguments that are right. [any] */
int crew_set_threads_(struct crew *c, int min, int max);
void crew_set_idle_ns_(struct crew *c, int64_t idle_ns);
void crew_get_info_(struct crew *c, struct aiox_pool_info *out);

AIOX_END_DECLS

#endif /* AIOX_AIO_POOL_SRC_CREW_H_ */
