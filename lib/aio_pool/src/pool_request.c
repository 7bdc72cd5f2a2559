/* SPDX-License-Identifier: MIT */
/* pool_request.c - a job whose memory is counted. */
#include "pool.h"

struct pool_request {
    struct aiox_async_request base;
    struct aiox_pool *pool;
    struct aiox_pool_job job;
    aiox_pool_run_fn *run;
};

static void cancel(struct aiox_async_request *r)
{
    struct pool_request *request = AIOX_CONTAINER_OF(r, struct pool_request, base);

    (void)aiox_pool_cancel(request->pool, &request->job);
}

static int run(void *opaque)
{
    struct pool_request *request = opaque;

    return request->run(request->base.opaque);
}

static void done(void *opaque, int result)
{
    struct pool_request *request = opaque;

    aiox_async_complete(&request->base, result);
}

int aiox_pool_start(struct aiox_async_request **out, struct aiox_pool *pool, aiox_pool_run_fn *fn,
                    aiox_pool_done_fn *told, void *opaque)
{
    static const struct aiox_async_class jobs = {
        .name = "job",
        .size_bytes = sizeof(struct pool_request),
        .cancel = cancel,
    };
    struct pool_request *request;
    struct aiox_async_request *base;
    int err = aiox_async_new(&base, &jobs, pool->ctx, told, opaque);

    if (err < 0) {
        return err;
    }
    request = AIOX_CONTAINER_OF(base, struct pool_request, base);
    request->pool = pool;
    request->run = fn;
    request->job = (struct aiox_pool_job){.run = run, .done = done, .opaque = request};
    if (out) {
        *out = aiox_async_ref(base);
    }
    aiox_pool_submit(pool, &request->job);
    return 0;
}
