/* SPDX-License-Identifier: MIT */
/*
 * aiox/aio_pool.h - work that blocks, on threads beside the loop.
 *
 * Each context has one pool, made on first use. A job is a function that may
 * block; a thread of the pool runs it, and then its end is told at home, in a
 * turn of the loop.
 *
 *   static int look_up(void *opaque) { ... return 0; }              a thread of the pool
 *   static void told(void *opaque, int result) { ... }              home
 *
 *   me->job = (struct aiox_pool_job){.run = look_up, .done = told, .opaque = me};
 *   aiox_pool_submit(pool, &me->job);
 *
 * A coroutine writes result = aiox_co_pool_run(look_up, me) instead.
 *
 * Threads come when there is work that nobody is free for, one after the
 * other, up to the maximum (64); a thread that had nothing to do for a while
 * (10 s) goes, down to the minimum (0). Jobs begin in the order in which they
 * were submitted; any number may wait. Threads have all signals blocked that
 * can be sent to a process, the name "aiox-pool", and the affinity of the
 * thread that happened to start them.
 *
 * The end of the context ends the pool: jobs that wait are cancelled, running
 * ones are waited for, and all are told (done is called in the thread that
 * ends the context, and must not submit). A coroutine that waits for a job
 * then ends the program.
 */
#ifndef AIOX_AIO_POOL_H_
#define AIOX_AIO_POOL_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/aio.h"
#include "aiox/async_request.h"
#include "aiox/attributes.h"
#include "aiox/list.h"
#include "aiox/thread_annotations.h"

AIOX_BEGIN_DECLS

struct aiox_pool;
typedef int aiox_pool_run_fn(void *opaque);
typedef void aiox_pool_done_fn(void *opaque, int result);

/*
 * The pool of @ctx, which lives as long as @ctx.
 *
 *   -ENOMEM  no memory
 *
 * *@out is written only on success. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_pool_get(struct aiox_pool **out, struct aiox_context *ctx);

/* ---- jobs ---- */

struct aiox_pool_await_; /* who waits for a job */

/*
 * Lives with whoever submits it, untouched until done is called, which may
 * free it or submit it again. Zero the rest.
 */
struct aiox_pool_job {
    aiox_pool_run_fn *run;   /* [any]: in a thread of the pool; what it returns is the result */
    aiox_pool_done_fn *done; /* [home]: once, in a later turn; NULL: nobody wants to know */
    void *opaque;            /* of both */
    struct aiox_list_node waiting_;
    struct aiox_queue_node finished_;
    struct aiox_pool_await_ *awaited_;
    int result_;
    bool is_waiting_;
};

/*
 * Lets a thread run @job. done is never called inside, also of a job that has
 * ended. What the caller wrote before is seen by run, what run wrote by done.
 * Of jobs that have ended when the loop comes to them, done is called in the
 * order in which they ended.
 *
 * The results that are not run's:
 *   -ECANCELED  aiox_pool_cancel(), or the end of the context, came before run
 *   -EAGAIN, -ENOMEM  there is no thread and none can be made: what
 *               pthread_create(3) says. With one thread at least, jobs wait for it.
 *
 * Without done and without a wait for it, @job may be used again only after
 * aiox_pool_drain(). [any]
 */
AIOX_API void aiox_pool_submit(struct aiox_pool *pool, struct aiox_pool_job *job);

/*
 * Keeps @job from running if no thread has begun with it. done is called all
 * the same, in a later turn, with -ECANCELED. Returns whether that is so; a
 * job that runs or has ended is left alone. [home], before done is called
 */
AIOX_API bool aiox_pool_cancel(struct aiox_pool *pool, struct aiox_pool_job *job);

/*
 * The same, and turns the loop until done has returned, so it waits for a job
 * that runs. [home], before done is called
 */
AIOX_API void aiox_pool_cancel_sync(struct aiox_pool *pool, struct aiox_pool_job *job) blocking_fn;

/* Turns the loop until every job that was submitted has been told of. [home] */
AIOX_API void aiox_pool_drain(struct aiox_pool *pool) blocking_fn;

/*
 * A job whose memory is counted (aiox/async_request.h): @run and @done have
 * @opaque. It can be cancelled with aiox_async_cancel() and _cancel_sync().
 * *@out is the caller's reference; NULL: not wanted.
 *
 *   -ENOMEM  no memory: @done is not called
 *
 * [any]
 */
AIOX_API AIOX_NODISCARD int aiox_pool_start(struct aiox_async_request **out, struct aiox_pool *pool,
                                            aiox_pool_run_fn *run, aiox_pool_done_fn *done,
                                            void *opaque);

/*
 * Runs @run(@opaque) on a thread of the pool of the context that is being
 * turned (aiox_context_current()) and returns its result, where the coroutine
 * is at home; other results as of aiox_pool_submit(). Nobody else can enter,
 * wake or schedule the coroutine meanwhile.
 *
 *   -ENOMEM  also: no memory for a pool
 *
 * [coroutine]
 */
AIOX_API AIOX_NODISCARD int aiox_co_pool_run(aiox_pool_run_fn *run, void *opaque) coroutine_fn;

/* The same on @pool, which may be another context's; the coroutine then has an executor.
 * [coroutine] */
AIOX_API AIOX_NODISCARD int aiox_co_pool_run_in(struct aiox_pool *pool, aiox_pool_run_fn *run,
                                                void *opaque) coroutine_fn;

/* ---- threads ---- */

enum { AIOX_POOL_MAX_THREADS_DEFAULT = 64 };
#define AIOX_POOL_IDLE_NS_DEFAULT (INT64_C(10) * 1000 * 1000 * 1000)

/*
 * Keeps at least @min threads, from now on, and has at most @max. Threads
 * beyond a lower @max go when they have ended what they do.
 *
 *   -EINVAL  not 0 <= @min <= @max, or @max is 0; nothing changed
 *   -EAGAIN, -ENOMEM  a thread could not be started; it will be tried again
 *            when there is work
 *
 * [any]
 */
AIOX_API AIOX_NODISCARD int aiox_pool_set_threads(struct aiox_pool *pool, int min, int max);

/*
 * A thread without work goes after @idle_ns (0: at once, -1: never).
 *
 *   -EINVAL  @idle_ns is less than -1
 *
 * [any]
 */
AIOX_API AIOX_NODISCARD int aiox_pool_set_idle_ns(struct aiox_pool *pool, int64_t idle_ns);

struct aiox_pool_info {
    int min;
    int max;
    int threads;    /* there are, or are just being started */
    int idle;       /* of them, without work */
    size_t waiting; /* jobs that no thread has begun with */
    size_t untold;  /* jobs whose done is still to be called, these included */
};

/* As it is for a moment. [any] */
AIOX_API void aiox_pool_get_info(struct aiox_pool *pool, struct aiox_pool_info *out);

AIOX_END_DECLS

#endif /* AIOX_AIO_POOL_H_ */
