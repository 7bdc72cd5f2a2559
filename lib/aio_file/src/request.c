/* SPDX-License-Identifier: MIT */
/*
 * request.c - the story of a request.
 *
 * It goes in steps, of which most requests have one: an engine does as much as
 * it does in one go. Then the request ends, or goes on with the rest, or does
 * the same again with another engine.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/uio.h>

#include "aiox/assert.h"

#include "file.h"
#include "trace.h"

enum {
    INLINE_MAX_DEFAULT = 64 * 1024,
    POOL_ONLY = 1u << AIOX_FILE_RING | 1u << AIOX_FILE_LINUX_AIO,
};

static void begin_step(struct aiox_file_request *r, unsigned avoid)
{
    static int (*const start[AIOX_FILE_ENGINES])(struct aiox_file_request *) = {
        [AIOX_FILE_RING] = ring_start_,
        [AIOX_FILE_LINUX_AIO] = aio_start_,
        [AIOX_FILE_POOL] = pool_start_,
    };
    int err;

    do {
        r->engine = choose_(r->file_, r->op, avoid);
        avoid |= 1u << r->engine;
        AIOX_TRACE(aio_file, engine, (uintptr_t)r, r->engine);
        err = start[r->engine](r);
        if (AIOX_UNLIKELY(err < 0)) {
            AIOX_TRACE(aio_file, refuse, (uintptr_t)r, err);
        }
    } while (err < 0); /* the pool takes everything */
}

static bool may_wait(const struct aiox_file_request *r)
{
    return !request_is_transfer_(r) || !(r->flags & RWF_NOWAIT);
}

/* Doing it twice comes to the same. */
static bool is_repeatable(const struct aiox_file_request *r)
{
    return r->op != AIOX_FILE_WRITE || !(r->file_->is_append_ || r->flags & RWF_APPEND);
}

/* The engine could not, and that says nothing about the request. */
static bool is_engines_fault(const struct aiox_file_request *r, int64_t result)
{
    switch (result) {
    case -EAGAIN:
        return r->engine != AIOX_FILE_POOL && may_wait(r);
    case -ECANCELED: /* the ring is gone */
        return r->engine == AIOX_FILE_RING && is_repeatable(r);
    case -EINVAL: /* some file systems have no native AIO */
        return r->engine == AIOX_FILE_LINUX_AIO;
    default:
        return false;
    }
}

static int64_t outcome(const struct aiox_file_request *r, int64_t result)
{
    const struct aiox_file_progress_ *p = &r->progress_;

    if (!request_is_transfer_(r)) {
        return result;
    }
    if (result > 0) {
        return r->is_cancelled_ && p->left_bytes > 0 ? -ECANCELED : p->done_bytes;
    }
    if (result == 0) {
        return r->op == AIOX_FILE_READ || p->left_bytes == 0 ? p->done_bytes : -EIO;
    }
    if (p->done_bytes > 0 && !may_wait(r)) {
        return p->done_bytes;
    }
    if (p->done_bytes > 0 && r->op == AIOX_FILE_READ && r->file_->is_direct_ && result == -EINVAL) {
        return p->done_bytes; /* the end of the file is not aligned */
    }
    return result;
}

/* Something was transferred, and more is to be. */
static bool goes_on(const struct aiox_file_request *r, int64_t result)
{
    return result > 0 && request_is_transfer_(r) && r->progress_.left_bytes > 0 && may_wait(r) &&
           !r->is_cancelled_;
}

void request_step_done_(struct aiox_file_request *r, int64_t result)
{
    if (result > 0 && request_is_transfer_(r)) {
        progress_take_(&r->progress_, (size_t)result);
    }
    if (goes_on(r, result) || (result == -EINTR && !r->is_cancelled_)) {
        begin_step(r, 0);
    } else if (is_engines_fault(r, result) && !r->is_cancelled_) {
        AIOX_TRACE(aio_file, retry, (uintptr_t)r, result);
        begin_step(r, POOL_ONLY);
    } else {
        request_end_(r, outcome(r, result));
    }
}

void request_end_(struct aiox_file_request *r, int64_t result)
{
    struct aiox_file *f = r->file_;

    AIOX_TRACE(aio_file, end, (uintptr_t)r, result);
    f->served_[r->engine]++;
    f->in_flight_--;
    f->part_->in_flight--;
    if (r->done) {
        r->done(r->opaque, result);
    }
}

static void reset(struct aiox_file *f, struct aiox_file_request *r)
{
    r->file_ = f;
    r->engine = AIOX_FILE_NO_ENGINE;
    r->is_cancelled_ = false;
    if (request_is_transfer_(r)) {
        aiox_assert(r->offset >= 0 && r->iov_count >= 0);
        progress_init_(&r->progress_, r->iov, r->iov_count);
    }
}

static bool is_for_inline(struct aiox_file *f, const struct aiox_file_request *r)
{
    size_t most = f->options_.inline_max_bytes;

    if (r->op != AIOX_FILE_READ || f->options_.avoid & 1u << AIOX_FILE_INLINE ||
        r->progress_.left_bytes > (int64_t)(most ? most : INLINE_MAX_DEFAULT)) {
        return false;
    }
    return f->options_.inline_first || choose_(f, r->op, 0) == AIOX_FILE_POOL;
}

int64_t aiox_file_try(struct aiox_file *f, struct aiox_file_request *r)
{
    aiox_assert(r->op == AIOX_FILE_READ);
    reset(f, r);
    if (!inline_try_(r)) {
        return -EAGAIN;
    }
    f->served_[AIOX_FILE_INLINE]++;
    return r->result_;
}

bool request_begin_(struct aiox_file *f, struct aiox_file_request *r)
{
    reset(f, r);
    f->in_flight_++;
    f->part_->in_flight++;
    if (is_for_inline(f, r) && inline_try_(r)) {
        return true;
    }
    begin_step(r, 0);
    return false;
}

void aiox_file_submit(struct aiox_file *f, struct aiox_file_request *r)
{
    if (request_begin_(f, r)) {
        part_end_later_(f->part_, r);
    }
}

void aiox_file_cancel(struct aiox_file_request *r)
{
    AIOX_TRACE(aio_file, cancel, (uintptr_t)r, r->engine);
    r->is_cancelled_ = true;
    switch (r->engine) {
    case AIOX_FILE_RING:
        ring_cancel_(r);
        break;
    case AIOX_FILE_LINUX_AIO:
        aio_cancel_(r);
        break;
    case AIOX_FILE_POOL:
        pool_cancel_(r);
        break;
    default: /* it has ended */
        break;
    }
}
