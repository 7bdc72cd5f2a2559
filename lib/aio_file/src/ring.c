/* SPDX-License-Identifier: MIT */
/* ring.c - a step as a request to the backend's ring. */
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/io_uring.h>

#include "file.h"

static void fill_transfer(struct io_uring_sqe *sqe, const struct aiox_file_request *r)
{
    const struct iovec *iov;
    int count = progress_next_(&r->progress_, &iov);

    sqe->addr = (uintptr_t)iov;
    sqe->len = (uint32_t)count;
    sqe->off = (uint64_t)(r->offset + r->progress_.done_bytes);
    sqe->rw_flags = (uint32_t)r->flags;
}

static void fill_allocate(struct io_uring_sqe *sqe, const struct aiox_file_request *r, int mode)
{
    sqe->off = (uint64_t)r->offset;
    sqe->addr = (uint64_t)r->length;
    sqe->len = (uint32_t)mode;
}

static void prepare(void *entry, void *opaque)
{
    struct aiox_file_request *r = opaque;
    struct io_uring_sqe *sqe = entry;

    sqe->opcode = (uint8_t)choose_opcode_(r->file_, r->op);
    sqe->fd = r->file_->fd_;
    switch (r->op) {
    case AIOX_FILE_READ:
    case AIOX_FILE_WRITE:
        fill_transfer(sqe, r);
        break;
    case AIOX_FILE_FDATASYNC:
        sqe->fsync_flags = IORING_FSYNC_DATASYNC;
        break;
    case AIOX_FILE_ALLOCATE:
        fill_allocate(sqe, r, r->flags);
        break;
    case AIOX_FILE_DISCARD:
        fill_allocate(sqe, r, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
        break;
    case AIOX_FILE_FSYNC:
    case AIOX_FILE_COPY: /* never comes here: it has no opcode */
        break;
    }
}

static void done(struct aiox_completion *c, int result)
{
    request_step_done_(AIOX_CONTAINER_OF(c, struct aiox_file_request, ring_), result);
}

int ring_start_(struct aiox_file_request *r)
{
    r->ring_ = (struct aiox_completion){.done = done};
    return aiox_submit(r->file_->ctx_, prepare, r, &r->ring_);
}

void ring_cancel_(struct aiox_file_request *r)
{
    (void)aiox_submit_cancel(r->file_->ctx_, &r->ring_);
}
