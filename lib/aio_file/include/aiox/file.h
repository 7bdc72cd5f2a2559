/* SPDX-License-Identifier: MIT */
/*
 * aiox/file.h - files, which are always "ready" and block all the same.
 *
 * A struct aiox_file is a descriptor in a context. Coroutines use it as they
 * would use the system calls; others start requests and are called back:
 *
 *   n = aiox_co_preadv(&file, iov, count, offset, 0, NULL);
 *
 * Each request goes to the first of these that can serve it; which one it was
 * stands in the request, and aiox_file_explain() says why:
 *
 *   ring       the backend takes requests (io_uring) and knows the operation
 *   linux_aio  a read or write of a file opened with O_DIRECT
 *   inline     a small read that the page cache has (RWF_NOWAIT), in this thread
 *   pool       a thread of the context's pool (aiox/aio_pool.h)
 *
 * With inline_first a small read is tried inline before the ring, too. Where
 * that misses again and again, it is tried ever less often, down to once in 65
 * reads, until it hits.
 *
 * Where the ring is full, or gone, a request goes to the pool; interrupted calls
 * are repeated. A read ends early at the end of the file and nowhere else; a
 * write writes all, or is an error, after which some of it may be written.
 *
 * With O_DIRECT, what the file system does not take because of its alignment
 * is -EINVAL; aiox_file_alignment() tells what it takes.
 */
#ifndef AIOX_FILE_H_
#define AIOX_FILE_H_

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "aiox/aio.h"
#include "aiox/aio_pool.h"
#include "aiox/attributes.h"
#include "aiox/linux_aio.h"
#include "aiox/list.h"
#include "aiox/thread_annotations.h"

AIOX_BEGIN_DECLS

enum aiox_file_engine {
    AIOX_FILE_NO_ENGINE, /* not yet */
    AIOX_FILE_RING,
    AIOX_FILE_LINUX_AIO,
    AIOX_FILE_INLINE,
    AIOX_FILE_POOL,
    AIOX_FILE_ENGINES /* how many */
};

/* "ring", "linux_aio", ... [any] */
AIOX_API const char *aiox_file_engine_name(enum aiox_file_engine engine);

/* ---- files ---- */

struct aiox_file_options {
    unsigned
        avoid; /* engines not to use, 1u << AIOX_FILE_RING and so on; the pool is always there */
    /* The largest read that is tried inline; 0: 64 KiB. */
    size_t inline_max_bytes;
    bool inline_first; /* also before the ring, as long as that pays; not just before the pool */
};

/* All zero is valid to fini. Not to be copied or moved while requests are under way. */
struct aiox_file {
    struct aiox_context *ctx_;
    struct aiox_file_part_ *part_;
    struct aiox_file_options options_;
    int fd_;
    bool is_direct_;
    bool is_append_;
    bool is_block_device_;
    bool has_no_nowait_;
    uint8_t inline_pass_;      /* reads that a ring serves, to go by before the next try inline */
    uint8_t inline_next_pass_; /* that many, if it misses again */
    int aio_error_;            /* why there is no native AIO; 1: not asked yet */
    struct aiox_linux_aio *aio_;
    size_t in_flight_;
    uint64_t served_[AIOX_FILE_ENGINES];
};

/*
 * Makes @f the open file @fd in @ctx. NULL as @options: all zero.
 *
 * Ownership: @fd stays the caller's, who closes it after aiox_file_fini().
 *
 *   -EBADF   @fd is not open
 *   -ENOMEM  no memory
 *
 * [home], or [init]
 */
AIOX_API AIOX_NODISCARD int aiox_file_init(struct aiox_file *f, struct aiox_context *ctx, int fd,
                                           const struct aiox_file_options *options);

/* Ends @f. A request under way ends the program. [home] */
AIOX_API void aiox_file_fini(struct aiox_file *f);

enum aiox_file_op {
    AIOX_FILE_READ,
    AIOX_FILE_WRITE,
    AIOX_FILE_FSYNC,
    AIOX_FILE_FDATASYNC,
    AIOX_FILE_ALLOCATE, /* fallocate(2) */
    AIOX_FILE_DISCARD,  /* a hole in a regular file, BLKDISCARD of a block device */
    AIOX_FILE_COPY,     /* copy_file_range(2) */
};

struct aiox_file_choice {
    enum aiox_file_engine engine;
    char why[160]; /* "pool: the backend 'epoll' takes no requests; the file is not O_DIRECT" */
};

/* Who would serve @op now, and why no better one. [home] */
AIOX_API void aiox_file_explain(struct aiox_file *f, enum aiox_file_op op,
                                struct aiox_file_choice *out);

/* Requests of @f under way. [home] */
AIOX_API size_t aiox_file_in_flight(const struct aiox_file *f);

/* How many requests of @f that engine has served. [home] */
AIOX_API uint64_t aiox_file_served(const struct aiox_file *f, enum aiox_file_engine engine);

/*
 * What buffers in memory, and offsets and lengths, must be multiples of for
 * O_DIRECT; 1 and 1 without. Asks the kernel (STATX_DIOALIGN), and is 512 or
 * the device's logical block if that does not say. May block. [any]
 */
AIOX_API void aiox_file_alignment(const struct aiox_file *f, uint32_t *memory_bytes,
                                  uint32_t *offset_bytes) blocking_fn;

/* ---- requests ---- */

/* As much of a list of buffers as is left. */
struct aiox_file_progress_ {
    const struct iovec *next;
    int count;
    struct iovec part; /* of the buffer before next */
    int64_t left_bytes;
    int64_t done_bytes;
};

/*
 * Lives with whoever submits it, untouched until done is called; so do iov and
 * what it points to. Zero the rest.
 */
struct aiox_file_request {
    enum aiox_file_op op;
    int flags;               /* READ, WRITE: RWF_*; ALLOCATE: FALLOC_FL_* */
    const struct iovec *iov; /* READ, WRITE */
    int iov_count;
    int to_fd; /* COPY: the other file, also the same */
    int64_t offset;
    int64_t to_offset; /* COPY */
    int64_t length;    /* ALLOCATE, DISCARD, COPY */
    /*
     * [home]: once, in a later turn. @result: bytes (READ, WRITE, COPY) or 0, or
     * the negative errno of the system call, or
     *   -ECANCELED  aiox_file_cancel()
     *   -EAGAIN     with RWF_NOWAIT; else there is no thread for the pool
     */
    void (*done)(void *opaque, int64_t result);
    void *opaque;

    enum aiox_file_engine engine; /* from done on: who served it, the last part if several did */
    struct aiox_file *file_;
    int64_t result_;
    bool is_cancelled_;
    struct aiox_file_progress_ progress_;
    struct aiox_list_node link_;
    union { /* of the engine that has it, which fills it in */
        struct aiox_completion ring_;
        struct aiox_linux_aio_request aio_;
        struct aiox_pool_job job_;
    };
};

/* Begins @r; done is never called inside. [home] */
AIOX_API void aiox_file_submit(struct aiox_file *f, struct aiox_file_request *r);

/*
 * Tries @r, a READ, inline and now, whatever the options say. Returns the
 * result, which is final and is not told to done; or -EAGAIN: it would take
 * longer, or a ring can have it and the last tries did not pay;
 * aiox_file_submit() it. [home]
 */
AIOX_API AIOX_NODISCARD int64_t aiox_file_try(struct aiox_file *f, struct aiox_file_request *r);

/*
 * Asks for an early end of @r. done is called all the same, in a later turn:
 * with -ECANCELED if it was in time. [home], before done is called
 */
AIOX_API void aiox_file_cancel(struct aiox_file_request *r);

/* ---- coroutines ---- */

/*
 * The same as calls; the coroutine runs in the home thread of @f's context, and
 * nobody else can enter it while it waits. A read that is served inline does
 * not yield. Results as in struct aiox_file_request; @engine, where not NULL,
 * gets who served it.
 */

/* preadv2(2), up to the end of the file. [coroutine] */
AIOX_API AIOX_NODISCARD ssize_t aiox_co_preadv(struct aiox_file *f, const struct iovec *iov,
                                               int count, int64_t offset, int flags,
                                               enum aiox_file_engine *engine) coroutine_fn;

/* pwritev2(2), all of it. [coroutine] */
AIOX_API AIOX_NODISCARD ssize_t aiox_co_pwritev(struct aiox_file *f, const struct iovec *iov,
                                                int count, int64_t offset, int flags,
                                                enum aiox_file_engine *engine) coroutine_fn;

/* One buffer. [coroutine] */
AIOX_API AIOX_NODISCARD ssize_t aiox_co_pread(struct aiox_file *f, void *buf, size_t bytes,
                                              int64_t offset) coroutine_fn;
AIOX_API AIOX_NODISCARD ssize_t aiox_co_pwrite(struct aiox_file *f, const void *buf, size_t bytes,
                                               int64_t offset) coroutine_fn;

/* fsync(2), fdatasync(2). 0 or an error. [coroutine] */
AIOX_API AIOX_NODISCARD int aiox_co_fsync(struct aiox_file *f,
                                          enum aiox_file_engine *engine) coroutine_fn;
AIOX_API AIOX_NODISCARD int aiox_co_fdatasync(struct aiox_file *f,
                                              enum aiox_file_engine *engine) coroutine_fn;

/* fallocate(2) with @mode, FALLOC_FL_*. 0 or an error: -EOPNOTSUPP, -ENOSPC. [coroutine] */
AIOX_API AIOX_NODISCARD int aiox_co_fallocate(struct aiox_file *f, int mode, int64_t offset,
                                              int64_t length,
                                              enum aiox_file_engine *engine) coroutine_fn;

/* The contents there are of no use any more. 0 or an error: -EOPNOTSUPP. [coroutine] */
AIOX_API AIOX_NODISCARD int aiox_co_discard(struct aiox_file *f, int64_t offset, int64_t length,
                                            enum aiox_file_engine *engine) coroutine_fn;

/*
 * copy_file_range(2) from @f to @to_fd. Returns how much was copied: less only
 * where the file ends. -EXDEV, -EINVAL, -EOPNOTSUPP: the file systems cannot,
 * copy it by reading and writing. [coroutine]
 */
AIOX_API AIOX_NODISCARD ssize_t aiox_co_copy_range(struct aiox_file *f, int64_t offset, int to_fd,
                                                   int64_t to_offset, int64_t length) coroutine_fn;

/* openat(2), on a thread of the pool of aiox_context_current(). A descriptor, or an error.
 * [coroutine] */
AIOX_API AIOX_NODISCARD int aiox_co_openat(int dir_fd, const char *path, int flags,
                                           mode_t mode) coroutine_fn;

/* close(2), likewise: the last close of a file may flush it. 0 or an error. [coroutine] */
AIOX_API int aiox_co_close(int fd) coroutine_fn;

/* statx(2), likewise; @out is struct statx of <sys/stat.h>. 0 or an error. [coroutine] */
struct statx;
AIOX_API AIOX_NODISCARD int aiox_co_statx(int dir_fd, const char *path, int flags, unsigned mask,
                                          struct statx *out) coroutine_fn;

AIOX_END_DECLS

#endif /* AIOX_FILE_H_ */
