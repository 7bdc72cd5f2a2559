/* SPDX-License-Identifier: MIT */
/*
 * inline.c - a read that the page cache has, without anybody's help.
 *
 * Never with O_DIRECT: RWF_NOWAIT then still waits for the device.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/uio.h>

#include "file.h"
#include "trace.h"

bool inline_try_(struct aiox_file_request *r)
{
    struct aiox_file *f = r->file_;
    struct aiox_file_progress_ *p = &r->progress_;
    const struct iovec *iov;
    int count = progress_next_(p, &iov);
    ssize_t n;

    if (r->op != AIOX_FILE_READ || f->is_direct_ || f->has_no_nowait_) {
        return false;
    }
    n = preadv2(f->fd_, iov, count, r->offset, r->flags | RWF_NOWAIT);
    if (n < 0) {
        f->has_no_nowait_ = errno == EOPNOTSUPP;
        AIOX_TRACE(aio_file, miss, (uintptr_t)r, -errno);
        return false; /* a real error comes again */
    }
    progress_take_(p, (size_t)n);
    r->engine = AIOX_FILE_INLINE;
    r->result_ = p->done_bytes;
    if (n > 0 && p->left_bytes > 0 && !(r->flags & RWF_NOWAIT)) {
        AIOX_TRACE(aio_file, miss, (uintptr_t)r, n);
        return false;
    }
    AIOX_TRACE(aio_file, engine, (uintptr_t)r, AIOX_FILE_INLINE);
    return true;
}
