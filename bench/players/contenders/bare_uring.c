/* SPDX-License-Identifier: MIT */
/*
 * bare_uring.c - io_uring(7) through liburing, multishot polls, one issuer,
 * deferred task work: what a loop over a ring cannot be faster than. The
 * watched are expected to drain what they read.
 */
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>

#include "bare.h"

enum { ENTRIES = 4096 };

static void *open_loop(const struct contender *who, const char **why)
{
    struct io_uring *ring = malloc(sizeof(*ring));

    (void)who;
    must(ring);
    if (io_uring_queue_init(ENTRIES, ring,
                            IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN) < 0) {
        *why = "io_uring_queue_init() with DEFER_TASKRUN fails";
        free(ring);
        return NULL;
    }
    io_uring_register_ring_fd(ring);
    return ring;
}

static void close_loop(void *loop)
{
    io_uring_queue_exit(loop);
    free(loop);
}

static struct io_uring_sqe *entry(struct io_uring *ring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

    if (!sqe) {
        must(io_uring_submit(ring) > 0);
        sqe = io_uring_get_sqe(ring);
    }
    must(sqe);
    return sqe;
}

static void arm(struct io_uring *ring, struct bare_watch *w)
{
    struct io_uring_sqe *sqe = entry(ring);

    io_uring_prep_poll_multishot(sqe, w->fd, POLLIN);
    io_uring_sqe_set_data(sqe, w);
}

static void *watch(void *loop, int fd, bench_fn *fn, void *opaque)
{
    struct bare_watch *w = malloc(sizeof(*w));

    must(w);
    *w = (struct bare_watch){.fd = fd, .fn = fn, .opaque = opaque};
    arm(loop, w);
    return w;
}

static void handle(struct io_uring *ring, struct io_uring_cqe *cqe)
{
    struct bare_watch *w = io_uring_cqe_get_data(cqe);

    if (w && cqe->res == -ECANCELED) {
        free(w);
        return;
    }
    if (w && !(cqe->flags & IORING_CQE_F_MORE)) {
        arm(ring, w);
    }
    if (w && cqe->res > 0) {
        w->fn(w->opaque);
    }
}

static void unwatch(void *loop, void *watch)
{
    struct io_uring_sqe *sqe = entry(loop);

    io_uring_prep_poll_remove(sqe, (uintptr_t)watch);
    io_uring_sqe_set_data(sqe, NULL);
}

static void turn(void *loop, bool may_block)
{
    struct io_uring *ring = loop;
    struct io_uring_cqe *cqe;
    unsigned head, seen = 0;

    if (may_block) {
        io_uring_submit_and_wait(ring, 1);
    } else {
        io_uring_submit_and_get_events(ring);
    }
    io_uring_for_each_cqe (ring, head, cqe) {
        seen++;
        handle(ring, cqe);
    }
    io_uring_cq_advance(ring, seen);
}

static const struct loop_ops ops = {
    LOOP_OPS,
    WATCH_OPS(unwatch),
};

/* ---- reads of a file ---- */

struct file {
    struct io_uring *ring;
    int fd;
};

struct file_read {
    void *buffer;
    size_t bytes;
    bench_fn *done;
    void *opaque;
};

static void *file_open(const struct contender *who, int fd, const char **why)
{
    struct file *f = malloc(sizeof(*f));

    must(f);
    *f = (struct file){open_loop(who, why), fd};
    if (!f->ring) {
        free(f);
        return NULL;
    }
    return f;
}

static void file_close(void *file)
{
    close_loop(((struct file *)file)->ring);
    free(file);
}

static void file_turn(void *file)
{
    struct io_uring *ring = ((struct file *)file)->ring;
    struct io_uring_cqe *cqe;
    unsigned head, seen = 0;

    io_uring_submit_and_wait(ring, 1);
    io_uring_for_each_cqe (ring, head, cqe) {
        struct file_read *r = io_uring_cqe_get_data(cqe);

        seen++;
        must(cqe->res == (int)r->bytes);
        r->done(r->opaque);
    }
    io_uring_cq_advance(ring, seen);
}

static void *read_new(void *file, void *buffer, size_t bytes, bench_fn *done, void *opaque)
{
    struct file_read *r = malloc(sizeof(*r));

    (void)file;
    must(r);
    *r = (struct file_read){buffer, bytes, done, opaque};
    return r;
}

static void read_at(void *file, void *read, int64_t offset)
{
    struct file *f = file;
    struct file_read *r = read;
    struct io_uring_sqe *sqe = entry(f->ring);

    io_uring_prep_read(sqe, f->fd, r->buffer, (unsigned)r->bytes, (uint64_t)offset);
    io_uring_sqe_set_data(sqe, r);
}

static void read_free(void *file, void *read)
{
    (void)file;
    free(read);
}

static const struct file_ops file_ops = {file_open, file_close, file_turn,
                                         read_new,  read_at,    read_free};

const struct contender bare_uring = {.name = "bare io_uring",
                                     .kind = LIMIT,
                                     .variant = "io_uring",
                                     .version = kernel_version,
                                     .loop = &ops,
                                     .file = &file_ops};
