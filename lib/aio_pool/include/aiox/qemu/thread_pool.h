/* SPDX-License-Identifier: MIT */
/*
 * aiox/qemu/thread_pool.h - the original names of aiox/aio_pool.h and
 * aiox/async_request.h.
 *
 * A BlockAIOCB belongs to its operation until the callback has returned, as in
 * the original; who wants it longer takes a reference.
 */
#ifndef AIOX_QEMU_THREAD_POOL_H_
#define AIOX_QEMU_THREAD_POOL_H_

#include <stdlib.h>

#include "aiox/aio_pool.h"
#include "aiox/assert.h"
#include "aiox/async_request.h"
#include "aiox/attributes.h"
#include "aiox/qemu/aio.h"
#include "aiox/qemu/api.h"

AIOX_BEGIN_DECLS

typedef struct aiox_pool ThreadPool;
typedef struct aiox_async_request BlockAIOCB;
typedef int ThreadPoolFunc(void *opaque);
typedef void BlockCompletionFunc(void *opaque, int ret);

/* ---- requests ---- */

static inline void qemu_aio_ref(void *acb)
{
    aiox_async_ref((BlockAIOCB *)acb);
}

static inline void qemu_aio_unref(void *acb)
{
    aiox_async_unref((BlockAIOCB *)acb);
}

static inline void bdrv_aio_cancel_async(BlockAIOCB *acb)
{
    aiox_async_cancel(acb);
}

static inline void bdrv_aio_cancel(BlockAIOCB *acb) blocking_fn
{
    aiox_async_cancel_sync(acb);
}

/* ---- the pool ---- */

/* Aborts if there is no memory. */
static inline ThreadPool *aio_get_thread_pool(AioContext *ctx)
{
    ThreadPool *pool = NULL;
    int err = aiox_pool_get(&pool, ctx);

    aiox_assert(err == 0);
    return pool;
}

static inline void aio_context_set_thread_pool_params(AioContext *ctx, int64_t min, int64_t max,
                                                      Error **errp)
{
    struct aiox_error said;
    int err = aiox_pool_set_threads(aio_get_thread_pool(ctx), (int)min, (int)max);

    if (err) {
        aiox_error_set(&said, err, "cannot keep %lld to %lld threads: %s", (long long)min,
                       (long long)max, aiox_error_text(err));
        error_set_from_aiox(errp, &said);
    }
}

/* Not an original name: the function and the callback of a job have an opaque each. */
struct aiox_qemu_job_ {
    ThreadPoolFunc *func;
    void *arg;
    BlockCompletionFunc *cb;
    void *opaque;
};

/* Not an original name. */
static inline int aiox_qemu_run_job_(void *opaque)
{
    struct aiox_qemu_job_ *job = (struct aiox_qemu_job_ *)opaque;

    return job->func(job->arg);
}

/* Not an original name. */
static inline void aiox_qemu_end_job_(void *opaque, int ret)
{
    struct aiox_qemu_job_ *job = (struct aiox_qemu_job_ *)opaque;

    if (job->cb) {
        job->cb(job->opaque, ret);
    }
    free(job);
}

/* Not an original name: what both arities come to. */
static inline BlockAIOCB *aiox_qemu_submit_(ThreadPool *pool, const struct aiox_qemu_job_ *what)
{
    struct aiox_qemu_job_ *job = (struct aiox_qemu_job_ *)malloc(sizeof(*job));
    BlockAIOCB *acb = NULL;
    int err;

    aiox_assert(job);
    *job = *what;
    err = aiox_pool_start(&acb, pool, aiox_qemu_run_job_, aiox_qemu_end_job_, job);
    aiox_assert(err == 0);
    aiox_async_unref(acb);
    return acb;
}

#if AIOX_QEMU_API >= 2023

/* On the pool of this thread's context. */
static inline BlockAIOCB *thread_pool_submit_aio(ThreadPoolFunc *func, void *arg,
                                                 BlockCompletionFunc *cb, void *opaque)
{
    const struct aiox_qemu_job_ job = {func, arg, cb, opaque};

    return aiox_qemu_submit_(aio_get_thread_pool(aiox_context_current()), &job);
}

static inline int coroutine_fn thread_pool_submit_co(ThreadPoolFunc *func, void *arg)
{
    return aiox_co_pool_run(func, arg);
}

#else

static inline BlockAIOCB *thread_pool_submit_aio(ThreadPool *pool, ThreadPoolFunc *func, void *arg,
                                                 BlockCompletionFunc *cb, void *opaque)
{
    const struct aiox_qemu_job_ job = {func, arg, cb, opaque};

    return aiox_qemu_submit_(pool, &job);
}

static inline int coroutine_fn thread_pool_submit_co(ThreadPool *pool, ThreadPoolFunc *func,
                                                     void *arg)
{
    return aiox_co_pool_run_in(pool, func, arg);
}

static inline void thread_pool_submit(ThreadPool *pool, ThreadPoolFunc *func, void *arg)
{
    thread_pool_submit_aio(pool, func, arg, NULL, NULL);
}

#endif

AIOX_END_DECLS

#endif /* AIOX_QEMU_THREAD_POOL_H_ */
