/* SPDX-License-Identifier: MIT */
/* pool.c - the pool of a context: a crew, and the way home. */
#include "pool.h"

#include <errno.h>

#include "aiox/assert.h"

/* Lives in the frame of whoever waits; several may, one inside the other. */
struct aiox_pool_await_ {
    struct aiox_pool_await_ *outer;
    bool told;
};

/* [home] */
static void tell(void *opaque, struct aiox_pool_job *job)
{
    struct aiox_pool *pool = opaque;
    struct aiox_pool_await_ *await = job->awaited_; /* done may free the job */

    aiox_u64_sub_relaxed(&pool->untold, 1);
    if (job->done) {
        job->done(job->opaque, job->result_);
    }
    for (; await; await = await->outer) {
        await->told = true;
    }
}

/* [any] */
static void ended(void *opaque, struct aiox_pool_job *job)
{
    struct aiox_pool *pool = opaque;

    finished_put_(&pool->finished, job);
}

static int init_part(struct aiox_context *ctx, void *data)
{
    struct aiox_pool *pool = data;

    pool->ctx = ctx;
    crew_init_(&pool->crew, &crew_threads_, ended, pool);
    return finished_init_(&pool->finished, aiox_context_bhs(ctx), tell, pool);
}

static void fini_part(struct aiox_context *ctx, void *data)
{
    struct aiox_pool *pool = data;

    (void)ctx;
    pool->is_ending = true;
    crew_fini_(&pool->crew);
    finished_fini_(&pool->finished);
}

int aiox_pool_get(struct aiox_pool **out, struct aiox_context *ctx)
{
    static const struct aiox_context_part kind = {
        .name = "pool",
        .bytes = sizeof(struct aiox_pool),
        .init = init_part,
        .fini = fini_part,
    };
    void *part;
    int err = aiox_context_part_get(ctx, &kind, &part);

    if (err == 0) {
        *out = part;
    }
    return err;
}

void pool_set_threads_from_(struct aiox_pool *pool, const struct crew_threads *from)
{
    pool->crew.from = from;
}

void aiox_pool_submit(struct aiox_pool *pool, struct aiox_pool_job *job)
{
    aiox_assert(job->run);
    job->awaited_ = NULL;
    aiox_u64_add_relaxed(&pool->untold, 1);
    crew_submit_(&pool->crew, job);
}

bool aiox_pool_cancel(struct aiox_pool *pool, struct aiox_pool_job *job)
{
    return crew_cancel_(&pool->crew, job);
}

void aiox_pool_cancel_sync(struct aiox_pool *pool, struct aiox_pool_job *job)
{
    struct aiox_pool_await_ await = {.outer = job->awaited_};

    job->awaited_ = &await;
    (void)crew_cancel_(&pool->crew, job);
    while (!await.told) {
        aiox_poll(pool->ctx, true);
    }
}

void aiox_pool_drain(struct aiox_pool *pool)
{
    while (aiox_u64_load_relaxed(&pool->untold) > 0) {
        aiox_poll(pool->ctx, true);
    }
}

int aiox_pool_set_threads(struct aiox_pool *pool, int min, int max)
{
    if (min < 0 || max < 1 || min > max) {
        return -EINVAL;
    }
    return crew_set_threads_(&pool->crew, min, max);
}

int aiox_pool_set_idle_ns(struct aiox_pool *pool, int64_t idle_ns)
{
    if (idle_ns < -1) {
        return -EINVAL;
    }
    crew_set_idle_ns_(&pool->crew, idle_ns > INT64_MAX / 2 ? -1 : idle_ns);
    return 0;
}

void aiox_pool_get_info(struct aiox_pool *pool, struct aiox_pool_info *out)
{
    crew_get_info_(&pool->crew, out);
    out->untold = (size_t)aiox_u64_load_relaxed(&pool->untold);
}
