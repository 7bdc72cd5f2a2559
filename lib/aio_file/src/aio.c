/* SPDX-License-Identifier: MIT */
/* aio.c - a step as a request of native AIO. */
#include "file.h"

static void done(struct aiox_linux_aio_request *aio, int result)
{
    request_step_done_(AIOX_CONTAINER_OF(aio, struct aiox_file_request, aio_), result);
}

int aio_start_(struct aiox_file_request *r)
{
    r->aio_ = (struct aiox_linux_aio_request){
        .fd = r->file_->fd_,
        .is_write = r->op == AIOX_FILE_WRITE,
        .flags = r->flags,
        .offset = r->offset + r->progress_.done_bytes,
        .done = done,
    };
    r->aio_.iov_count = progress_next_(&r->progress_, &r->aio_.iov);
    aiox_linux_aio_submit(r->file_->aio_, &r->aio_);
    return 0;
}

void aio_cancel_(struct aiox_file_request *r)
{
    (void)aiox_linux_aio_cancel(r->file_->aio_, &r->aio_);
}
