/* SPDX-License-Identifier: MIT */
/* pool_co.c - a coroutine that waits for a job. */
#include "aiox/assert.h"
#include "aiox/coroutine.h"

#include "pool.h"

static const char waiting[] = "aiox_co_pool_run";

/* Lives in the frame of the coroutine. */
struct co_job {
    struct aiox_pool_job job;
    struct aiox_pool *pool;
    struct aiox_co *co;
    aiox_pool_run_fn *run;
    void *opaque;
    int result;
};

static int run(void *opaque)
{
    struct co_job *work = opaque;

    return work->run(work->opaque);
}

static void done(void *opaque, int result)
{
    struct co_job *work = opaque;

    if (AIOX_UNLIKELY(work->pool->is_ending)) {
        aiox_panic("a context ends while the coroutine %s (%p) waits for its pool",
                   aiox_co_name(work->co), (void *)work->co);
    }
    work->result = result;
    aiox_assert(aiox_co_unmark(work->co, waiting));
    aiox_co_wake(work->co);
}

int aiox_co_pool_run_in(struct aiox_pool *pool, aiox_pool_run_fn *fn, void *opaque)
{
    struct co_job work = {
        .job = {.run = run, .done = done, .opaque = &work},
        .pool = pool,
        .co = aiox_co_self(),
        .run = fn,
        .opaque = opaque,
    };

    aiox_assert(aiox_in_coroutine());
    aiox_co_mark(work.co, waiting);
    aiox_pool_submit(pool, &work.job);
    aiox_co_yield();
    return work.result;
}

int aiox_co_pool_run(aiox_pool_run_fn *fn, void *opaque)
{
    struct aiox_context *here = aiox_context_current();
    struct aiox_pool *pool;
    int err;

    aiox_assert(here);
    err = aiox_pool_get(&pool, here);
    return err < 0 ? err : aiox_co_pool_run_in(pool, fn, opaque);
}
