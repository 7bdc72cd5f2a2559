/* SPDX-License-Identifier: MIT */
/* pool.c - a step as a job of the context's pool. */
#include "file.h"

static int run(void *opaque)
{
    struct aiox_file_request *r = opaque;

    r->result_ = calls_step_(r);
    return 0;
}

static void done(void *opaque, int result)
{
    struct aiox_file_request *r = opaque;

    request_step_done_(r, result < 0 ? result : r->result_);
}

int pool_start_(struct aiox_file_request *r)
{
    r->job_ = (struct aiox_pool_job){.run = run, .done = done, .opaque = r};
    aiox_pool_submit(r->file_->part_->pool, &r->job_);
    return 0;
}

void pool_cancel_(struct aiox_file_request *r)
{
    (void)aiox_pool_cancel(r->file_->part_->pool, &r->job_);
}
