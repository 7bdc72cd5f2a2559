/* SPDX-License-Identifier: MIT */
/*
 * inline.c - a read that the page cache has, without anybody's help.
 *
 * Never with O_DIRECT: RWF_NOWAIT then still waits for the device.
 *
 * A try that misses is a system call for nothing. Beside a thread of the pool that
 * is little, beside a ring it is much: where one serves the read, each miss in a row
 * lets twice as many reads go by before the next try. The first hit ends that.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/uio.h>

#include "file.h"
#include "trace.h"

enum { PASS_MAX = 64 };

/* False: this read is one that a miss lets go by. */
static bool is_due(struct aiox_file *f)
{
    if (f->inline_pass_ == 0 || choose_(f, AIOX_FILE_READ, 0) == AIOX_FILE_POOL) {
        return true;
    }
    f->inline_pass_--;
    return false;
}

static void note_miss(struct aiox_file *f)
{
    f->inline_pass_ = f->inline_next_pass_;
    f->inline_next_pass_ = f->inline_pass_ < PASS_MAX ? f->inline_pass_ * 2 : PASS_MAX;
}

static void note_hit(struct aiox_file *f)
{
    f->inline_pass_ = 0;
    f->inline_next_pass_ = 1;
}

bool inline_try_(struct aiox_file_request *r)
{
    struct aiox_file *f = r->file_;
    struct aiox_file_progress_ *p = &r->progress_;
    const struct iovec *iov;
    int count = progress_next_(p, &iov);
    ssize_t n;

    if (r->op != AIOX_FILE_READ || f->is_direct_ || f->has_no_nowait_ || !is_due(f)) {
        return false;
    }
    n = preadv2(f->fd_, iov, count, r->offset, r->flags | RWF_NOWAIT);
    if (n < 0) {
        f->has_no_nowait_ = errno == EOPNOTSUPP;
        note_miss(f);
        AIOX_TRACE(aio_file, miss, (uintptr_t)r, -errno);
        return false; /* a real error comes again */
    }
    progress_take_(p, (size_t)n);
    r->engine = AIOX_FILE_INLINE;
    r->result_ = p->done_bytes;
    if (n > 0 && p->left_bytes > 0 && !(r->flags & RWF_NOWAIT)) {
        note_miss(f);
        AIOX_TRACE(aio_file, miss, (uintptr_t)r, n);
        return false;
    }
    note_hit(f);
    AIOX_TRACE(aio_file, engine, (uintptr_t)r, AIOX_FILE_INLINE);
    return true;
}
