/* SPDX-License-Identifier: MIT */
/* file_co.c - requests that read like calls. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "aiox/assert.h"
#include "aiox/coroutine.h"

#include "file.h"

static const char waiting[] = "a request of aiox/file.h";

/* Lives in the frame of the coroutine. */
struct co_request {
    struct aiox_file_request request;
    struct aiox_co *co;
    int64_t result;
};

static void woken(void *opaque, int64_t result)
{
    struct co_request *c = opaque;

    c->result = result;
    aiox_assert(aiox_co_unmark(c->co, waiting));
    aiox_co_wake(c->co);
}

/* What @c->request comes to. */
static coroutine_fn int64_t run(struct aiox_file *f, struct co_request *c,
                                enum aiox_file_engine *engine)
{
    struct aiox_file_request *r = &c->request;

    aiox_assert(aiox_in_coroutine());
    c->co = aiox_co_self();
    r->opaque = c;
    if (request_begin_(f, r)) {
        request_end_(r, r->result_); /* nobody is told: there is no done yet */
        c->result = r->result_;
    } else {
        r->done = woken;
        aiox_co_mark(c->co, waiting);
        aiox_co_yield();
    }
    if (engine) {
        *engine = r->engine;
    }
    return c->result;
}

ssize_t aiox_co_preadv(struct aiox_file *f, const struct iovec *iov, int count, int64_t offset,
                       int flags, enum aiox_file_engine *engine)
{
    struct co_request c = {
        .request =
            {
                .op = AIOX_FILE_READ,
                .flags = flags,
                .iov = iov,
                .iov_count = count,
                .offset = offset,
            },
    };

    return (ssize_t)run(f, &c, engine);
}

ssize_t aiox_co_pwritev(struct aiox_file *f, const struct iovec *iov, int count, int64_t offset,
                        int flags, enum aiox_file_engine *engine)
{
    struct co_request c = {
        .request =
            {
                .op = AIOX_FILE_WRITE,
                .flags = flags,
                .iov = iov,
                .iov_count = count,
                .offset = offset,
            },
    };

    return (ssize_t)run(f, &c, engine);
}

ssize_t aiox_co_pread(struct aiox_file *f, void *buf, size_t bytes, int64_t offset)
{
    struct iovec iov = {.iov_base = buf, .iov_len = bytes};

    return aiox_co_preadv(f, &iov, 1, offset, 0, NULL);
}

ssize_t aiox_co_pwrite(struct aiox_file *f, const void *buf, size_t bytes, int64_t offset)
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t)buf, .iov_len = bytes};

    return aiox_co_pwritev(f, &iov, 1, offset, 0, NULL);
}

int aiox_co_fsync(struct aiox_file *f, enum aiox_file_engine *engine)
{
    struct co_request c = {.request = {.op = AIOX_FILE_FSYNC}};

    return (int)run(f, &c, engine);
}

int aiox_co_fdatasync(struct aiox_file *f, enum aiox_file_engine *engine)
{
    struct co_request c = {.request = {.op = AIOX_FILE_FDATASYNC}};

    return (int)run(f, &c, engine);
}

int aiox_co_fallocate(struct aiox_file *f, int mode, int64_t offset, int64_t length,
                      enum aiox_file_engine *engine)
{
    struct co_request c = {
        .request =
            {
                .op = AIOX_FILE_ALLOCATE,
                .flags = mode,
                .offset = offset,
                .length = length,
            },
    };

    return (int)run(f, &c, engine);
}

int aiox_co_discard(struct aiox_file *f, int64_t offset, int64_t length,
                    enum aiox_file_engine *engine)
{
    struct co_request c = {
        .request = {.op = AIOX_FILE_DISCARD, .offset = offset, .length = length},
    };

    return (int)run(f, &c, engine);
}

ssize_t aiox_co_copy_range(struct aiox_file *f, int64_t offset, int to_fd, int64_t to_offset,
                           int64_t length)
{
    struct co_request c = {
        .request =
            {
                .op = AIOX_FILE_COPY,
                .to_fd = to_fd,
                .offset = offset,
                .to_offset = to_offset,
                .length = length,
            },
    };

    return (ssize_t)run(f, &c, NULL);
}

/* ---- without a file ---- */

struct path_call {
    int dir_fd;
    const char *path;
    int flags;
    unsigned mode; /* or mask */
    struct statx *out;
};

static int call_openat(void *opaque)
{
    const struct path_call *c = opaque;
    int fd = openat(c->dir_fd, c->path, c->flags, c->mode);

    return fd < 0 ? -errno : fd;
}

int aiox_co_openat(int dir_fd, const char *path, int flags, mode_t mode)
{
    struct path_call c = {.dir_fd = dir_fd, .path = path, .flags = flags, .mode = mode};

    return aiox_co_pool_run(call_openat, &c);
}

static int call_close(void *opaque)
{
    return close(*(int *)opaque) < 0 ? -errno : 0;
}

int aiox_co_close(int fd)
{
    return aiox_co_pool_run(call_close, &fd);
}

static int call_statx(void *opaque)
{
    const struct path_call *c = opaque;

    return syscall(SYS_statx, c->dir_fd, c->path, c->flags, c->mode, c->out) < 0 ? -errno : 0;
}

int aiox_co_statx(int dir_fd, const char *path, int flags, unsigned mask, struct statx *out)
{
    struct path_call c = {.dir_fd = dir_fd, .path = path, .flags = flags, .mode = mask, .out = out};

    return aiox_co_pool_run(call_statx, &c);
}
