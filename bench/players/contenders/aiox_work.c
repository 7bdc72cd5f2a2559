/* SPDX-License-Identifier: MIT */
/* aiox_work.c - ours: the pool of a loop, and files. */
#include <stdlib.h>

#include "aiox/aio_pool.h"
#include "aiox/file.h"

#include "aiox.h"

/* ---- the pool ---- */

struct pool {
    struct aiox_context *ctx;
    struct aiox_pool *pool;
};

struct job {
    struct aiox_pool_job job;
    bench_fn *run, *done;
    void *opaque;
};

static void *pool_open(const struct contender *who, int threads, const char **why)
{
    struct pool *p = malloc(sizeof(*p));

    must(p);
    p->ctx = ours_open(who, why);
    if (!p->ctx) {
        free(p);
        return NULL;
    }
    ours_have_thread(p->ctx);
    must(aiox_pool_get(&p->pool, p->ctx) == 0);
    must(aiox_pool_set_threads(p->pool, threads, threads) == 0);
    return p;
}

static void pool_close(void *pool)
{
    ours_close(((struct pool *)pool)->ctx);
    free(pool);
}

static void pool_turn(void *pool)
{
    aiox_poll(((struct pool *)pool)->ctx, true);
}

static int run(void *opaque)
{
    struct job *j = opaque;

    j->run(j->opaque);
    return 0;
}

static void job_done(void *opaque, int result)
{
    struct job *j = opaque;

    must(result == 0);
    j->done(j->opaque);
}

static void *job_new(void *pool, bench_fn *fn, bench_fn *done, void *opaque)
{
    struct job *j = calloc(1, sizeof(*j));

    (void)pool;
    must(j);
    *j = (struct job){
        .job = {.run = run, .done = job_done, .opaque = j},
        .run = fn,
        .done = done,
        .opaque = opaque,
    };
    return j;
}

static void submit(void *pool, void *job)
{
    aiox_pool_submit(((struct pool *)pool)->pool, &((struct job *)job)->job);
}

static void job_free(void *pool, void *job)
{
    (void)pool;
    free(job);
}

const struct pool_ops ours_pool = {pool_open, pool_close, pool_turn, job_new, submit, job_free};

/* ---- files ---- */

struct file {
    struct aiox_context *ctx;
    struct aiox_file file;
};

struct file_read {
    struct aiox_file_request request;
    struct iovec iov;
    bench_fn *done;
    void *opaque;
};

/* Who has no loop reads by the pool alone. */
static void *file_open(const struct contender *who, int fd, const char **why)
{
    struct aiox_file_options options = {0};
    struct file *f = calloc(1, sizeof(*f));

    must(f);
    f->ctx = ours_open(who, why);
    if (!f->ctx) {
        free(f);
        return NULL;
    }
    if (!who->loop) {
        options.avoid = ~(1u << AIOX_FILE_POOL);
    }
    must(aiox_file_init(&f->file, f->ctx, fd, &options) == 0);
    return f;
}

static void file_close(void *file)
{
    struct file *f = file;

    aiox_file_fini(&f->file);
    ours_close(f->ctx);
    free(f);
}

static void file_turn(void *file)
{
    aiox_poll(((struct file *)file)->ctx, true);
}

static void read_done(void *opaque, int64_t result)
{
    struct file_read *r = opaque;

    must(result == (int64_t)r->iov.iov_len);
    r->done(r->opaque);
}

static void *read_new(void *file, void *buffer, size_t bytes, bench_fn *done, void *opaque)
{
    struct file_read *r = calloc(1, sizeof(*r));

    (void)file;
    must(r);
    r->iov = (struct iovec){buffer, bytes};
    r->done = done;
    r->opaque = opaque;
    return r;
}

static void read_at(void *file, void *read, int64_t offset)
{
    struct file_read *r = read;

    r->request = (struct aiox_file_request){
        .op = AIOX_FILE_READ,
        .iov = &r->iov,
        .iov_count = 1,
        .offset = offset,
        .done = read_done,
        .opaque = r,
    };
    aiox_file_submit(&((struct file *)file)->file, &r->request);
}

static void read_free(void *file, void *read)
{
    (void)file;
    free(read);
}

const struct file_ops ours_file = {file_open, file_close, file_turn, read_new, read_at, read_free};
