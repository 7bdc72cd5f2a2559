/* SPDX-License-Identifier: MIT */
/*
 * file.h - what the parts of this library know of each other.
 *
 *   request.c   the story of a request: begin, a step has ended, again or end
 *   choose.c    which engine, and why
 *   ring.c  aio.c  inline.c  pool.c   the engines: each does one step
 *   calls.c     system calls that block
 *   progress.c  what is left of a list of buffers
 *   part.c      requests that have ended, until the next turn
 */
#ifndef AIOX_AIO_FILE_SRC_FILE_H_
#define AIOX_AIO_FILE_SRC_FILE_H_

#include "aiox/bh.h"
#include "aiox/file.h"

AIOX_BEGIN_DECLS

/* What a context has for files. [home] */
struct aiox_file_part_ {
    struct aiox_context *ctx;
    struct aiox_pool *pool;
    struct aiox_list ended; /* requests, to be told in the next turn */
    struct aiox_list due;   /* ... in this one */
    struct aiox_bh *bh;
    size_t in_flight;
};

/* ---- part.c ---- */

/* 0 or -ENOMEM. */
int part_get_(struct aiox_file_part_ **out, struct aiox_context *ctx);

/* Calls request_end_(@r, @r->result_) in a later turn. */
void part_end_later_(struct aiox_file_part_ *part, struct aiox_file_request *r);

/* ---- choose.c ---- */

/* The opcode of a ring for @op of @f, or -1. */
int choose_opcode_(const struct aiox_file *f, enum aiox_file_op op);

/* Who serves @op, less the engines in @avoid (bits). */
enum aiox_file_engine choose_(struct aiox_file *f, enum aiox_file_op op, unsigned avoid);

/* ---- request.c ---- */

/* An engine has done its step of @r; never called inside its start. */
void request_step_done_(struct aiox_file_request *r, int64_t result);

/* Begins @r. Returns whether it has ended at once: then nobody is told yet. */
bool request_begin_(struct aiox_file *f, struct aiox_file_request *r);

/* Tells @r. */
void request_end_(struct aiox_file_request *r, int64_t result);

static inline bool request_is_transfer_(const struct aiox_file_request *r)
{
    return r->op == AIOX_FILE_READ || r->op == AIOX_FILE_WRITE;
}

/* ---- engines: begin a step of @r; 0, or -EAGAIN or -ENOTSUP: not this one ---- */

int ring_start_(struct aiox_file_request *r);
void ring_cancel_(struct aiox_file_request *r);

int aio_start_(struct aiox_file_request *r);
void aio_cancel_(struct aiox_file_request *r);

int pool_start_(struct aiox_file_request *r);
void pool_cancel_(struct aiox_file_request *r);

/* Reads what the page cache has. Returns whether @r has ended, with @r->result_. */
bool inline_try_(struct aiox_file_request *r);

/* ---- calls.c ---- */

/* One step of @r by a system call that may block; the result. [any] */
int64_t calls_step_(const struct aiox_file_request *r);

/* ---- progress.c ---- */

void progress_init_(struct aiox_file_progress_ *p, const struct iovec *iov, int count);

/* What is to be transferred next, in one call. Returns how many buffers; 0: none is left. */
int progress_next_(const struct aiox_file_progress_ *p, const struct iovec **out);

/* @bytes of that have been transferred. */
void progress_take_(struct aiox_file_progress_ *p, size_t bytes);

AIOX_END_DECLS

#endif /* AIOX_AIO_FILE_SRC_FILE_H_ */
