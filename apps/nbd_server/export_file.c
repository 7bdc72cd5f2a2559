/* SPDX-License-Identifier: MIT */
/*
 * export_file.c - a raw file or a block device.
 *
 * Where the loop takes requests (io_uring), each read, write and sync is one;
 * elsewhere it is a system call that may block the loop. Both run the same
 * story: advance() looks at a result and says whether the same request needs
 * another call, be it for the rest of a short transfer or because fallocate()
 * has to be asked in another way. Where no way is left, zeroes are written. What
 * has FUA ends with a sync. After a sync has failed nothing is written any more
 * (file_sync.h).
 *
 * Siblings open the file each for itself: the kernel then tells each of them of
 * a failed write-back, and a sync of one covers what all have written.
 */
#include "export.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "aiox/assert.h"

#include "file_open.h"
#include "file_space.h"
#include "file_sync.h"

/* What the next call of a request is. */
enum stage { READING, WRITING, FILLING, ZEROING, TRIMMING, CACHING };

enum { ZEROES_BYTES = 256 << 10 };

static uint8_t zeroes[ZEROES_BYTES]; /* never written to */

struct export_file {
    struct nbd_export base;
    struct aiox_context *ctx;
    int fd;
    bool is_device;
    bool requests;             /* the kernel takes requests, see above */
    bool requests_space;       /* also those that move nothing */
    struct export_io *refused; /* it had no room for these yet */
    uint32_t under_way;        /* transfers at the kernel */
    struct aiox_bh *retry;
    struct file_sync sync;
    char name[128]; /* for the log */
};

static struct export_file *file_of(struct nbd_export *e)
{
    return AIOX_CONTAINER_OF(e, struct export_file, base);
}

static void submit(struct export_file *f, struct export_io *io);

/* ---- the story of a request ---- */

/* All that was to be moved or zeroed was. */
static void moved(struct export_file *f, struct export_io *io)
{
    if (io->stage != READING && io->stage != CACHING && io->fua) {
        file_sync_want(&f->sync, io);
    } else {
        io->done(io, 0);
    }
}

static bool is_transfer(const struct export_io *io)
{
    return io->stage <= FILLING;
}

static int space_mode(const struct export_file *f, const struct export_io *io)
{
    return io->stage == TRIMMING ? file_space_trim_mode(io->attempt)
                                 : file_space_zero_mode(io, f->is_device, io->attempt);
}

/* fallocate() does not know this way. True: there is another call to make. */
static bool try_next_way(struct export_file *f, struct export_io *io)
{
    io->attempt++;
    if (space_mode(f, io) >= 0) {
        return true;
    }
    if (io->stage == TRIMMING) {
        if (f->is_device) {
            file_space_discard(f->fd, io->offset, io->bytes);
        }
        moved(f, io);
        return false;
    }
    if (io->fast) {
        io->done(io, -EOPNOTSUPP);
        return false;
    }
    io->stage = FILLING;
    return true;
}

/* Looks at the result of fallocate() or fadvise(). */
static bool advance_space(struct export_file *f, struct export_io *io, int result)
{
    if (io->stage != CACHING && file_space_is_no_way(result)) {
        return try_next_way(f, io);
    }
    if (result < 0) {
        io->done(io, result);
    } else {
        moved(f, io);
    }
    return false;
}

/* Looks at the result of a call. True: the request needs another one. */
static bool advance(struct export_file *f, struct export_io *io, int result)
{
    if (result == -EINTR || result == -EAGAIN) {
        return true;
    }
    if (!is_transfer(io)) {
        return advance_space(f, io, result);
    }
    if (result <= 0) { /* nothing read or written: the file was cut under us */
        io->done(io, result < 0 ? result : -EIO);
        return false;
    }
    io->moved += (uint64_t)result;
    if (io->moved < io->bytes) {
        return true;
    }
    moved(f, io);
    return false;
}

/* What the next call of a transfer is about. */
static uint8_t *rest_data(const struct export_io *io)
{
    return io->stage == FILLING ? zeroes : io->data + io->moved;
}

static uint32_t rest_bytes(const struct export_io *io)
{
    uint64_t left = io->bytes - io->moved;

    return (uint32_t)(io->stage == FILLING && left > ZEROES_BYTES ? ZEROES_BYTES : left);
}

/* ---- by system calls ---- */

static int call(const struct export_file *f, const struct export_io *io)
{
    off_t offset = (off_t)(io->offset + io->moved);
    ssize_t n;

    if (!is_transfer(io)) {
        return io->stage == CACHING ? file_space_cache(f->fd, io)
                                    : file_space_allocate(f->fd, io, space_mode(f, io));
    }
    n = io->stage == READING ? pread(f->fd, rest_data(io), rest_bytes(io), offset)
                             : pwrite(f->fd, rest_data(io), rest_bytes(io), offset);
    return n < 0 ? -errno : (int)n;
}

static void run_blocking(struct export_file *f, struct export_io *io)
{
    while (advance(f, io, call(f, io))) {
    }
}

/* ---- by requests to the kernel ---- */

static void prepare_space(struct io_uring_sqe *sqe, const struct export_file *f,
                          const struct export_io *io)
{
    sqe->fd = f->fd;
    sqe->off = io->offset;
    if (io->stage == CACHING) {
        sqe->opcode = IORING_OP_FADVISE;
        sqe->len = (uint32_t)file_space_cached(io);
        sqe->fadvise_advice = POSIX_FADV_WILLNEED;
    } else {
        sqe->opcode = IORING_OP_FALLOCATE;
        sqe->addr = io->bytes;
        sqe->len = (uint32_t)space_mode(f, io);
    }
}

static void prepare(void *memory, void *opaque)
{
    struct io_uring_sqe *sqe = memory;
    const struct export_io *io = opaque;
    const struct export_file *f = file_of(io->owner);

    if (!is_transfer(io)) {
        prepare_space(sqe, f, io);
        return;
    }
    sqe->opcode = io->stage == READING ? IORING_OP_READ : IORING_OP_WRITE;
    sqe->fd = f->fd;
    sqe->off = io->offset + io->moved;
    sqe->addr = (uintptr_t)rest_data(io);
    sqe->len = rest_bytes(io);
}

/* Room was made, or may have been: those who were refused try again. */
static void retry(void *opaque)
{
    struct export_file *f = opaque;
    struct export_io *list = f->refused;

    f->refused = NULL;
    file_sync_retry(&f->sync);
    while (list) {
        struct export_io *io = list;

        list = io->next;
        submit(f, io);
    }
}

static void call_done(struct aiox_completion *c, int result)
{
    struct export_io *io = AIOX_CONTAINER_OF(c, struct export_io, completion);
    struct export_file *f = file_of(io->owner);

    f->under_way--;
    if (advance(f, io, result)) {
        submit(f, io);
    }
    if (f->refused) {
        aiox_bh_schedule(f->retry);
    }
}

static void submit(struct export_file *f, struct export_io *io)
{
    int error = -ENOTSUP;

    io->completion.done = call_done;
    if (is_transfer(io) || f->requests_space) {
        error = aiox_submit(f->ctx, prepare, io, &io->completion);
    }
    if (error == 0) {
        f->under_way++;
    } else if (error == -EAGAIN) {
        io->next = f->refused;
        f->refused = io;
        if (f->under_way == 0) { /* others fill the queue: no end of ours will wake us */
            aiox_bh_schedule(f->retry);
        }
    } else {
        run_blocking(f, io);
    }
}

/* ---- the face ---- */

static void start(struct nbd_export *e, struct export_io *io, enum stage stage)
{
    struct export_file *f = file_of(e);

    io->owner = e;
    io->stage = stage;
    io->moved = 0;
    io->attempt = 0;
    if (io->bytes == 0) {
        moved(f, io);
    } else if (f->requests) {
        submit(f, io);
    } else {
        run_blocking(f, io);
    }
}

static void file_read(struct nbd_export *e, struct export_io *io)
{
    start(e, io, READING);
}

/* Starts what changes the file, unless a sync has failed. */
static void start_change(struct nbd_export *e, struct export_io *io, enum stage stage)
{
    struct export_file *f = file_of(e);

    if (f->sync.error) {
        io->done(io, f->sync.error);
    } else {
        start(e, io, stage);
    }
}

static void file_write(struct nbd_export *e, struct export_io *io)
{
    start_change(e, io, WRITING);
}

static void file_zero(struct nbd_export *e, struct export_io *io)
{
    if (io->fast && file_space_zero_mode(io, file_of(e)->is_device, 0) < 0) {
        io->done(io, -EOPNOTSUPP);
    } else {
        start_change(e, io, ZEROING);
    }
}

static void file_trim(struct nbd_export *e, struct export_io *io)
{
    start_change(e, io, TRIMMING);
}

static void file_cache(struct nbd_export *e, struct export_io *io)
{
    start(e, io, CACHING);
}

static void file_map(struct nbd_export *e, struct export_io *io)
{
    io->owner = e;
    file_space_map(file_of(e)->fd, io);
    io->done(io, 0);
}

static void file_flush(struct nbd_export *e, struct export_io *io)
{
    io->owner = e;
    if (e->read_only) { /* nothing was written through us */
        io->done(io, 0);
    } else {
        file_sync_want(&file_of(e)->sync, io);
    }
}

static void file_close(struct nbd_export *e)
{
    struct export_file *f = file_of(e);

    aiox_assert(!f->under_way && !f->sync.running && !f->refused);
    aiox_bh_free(f->retry);
    close(f->fd);
    free(f);
}

static const struct export_ops file_ops = {
    .read = file_read,
    .write = file_write,
    .flush = file_flush,
    .zero = file_zero,
    .trim = file_trim,
    .cache = file_cache,
    .map = file_map,
    .close = file_close,
};

bool export_file_uses_requests(struct aiox_context *ctx)
{
    return aiox_has_completion(ctx) && aiox_can_submit(ctx, IORING_OP_READ) &&
           aiox_can_submit(ctx, IORING_OP_WRITE) && aiox_can_submit(ctx, IORING_OP_FSYNC);
}

int export_file_descriptor(const struct nbd_export *e)
{
    return AIOX_CONTAINER_OF(e, struct export_file, base)->fd;
}

int export_file_adopt(struct nbd_export **out, struct aiox_context *ctx,
                      const struct file_found *found, const char *name, struct aiox_error *err)
{
    struct export_file *f = calloc(1, sizeof(*f));

    if (!f || aiox_bh_new(&f->retry, aiox_context_bhs(ctx), "nbd file retry", retry, f) < 0) {
        free(f);
        return aiox_error_set(err, -ENOMEM, "no memory");
    }
    f->base.ops = &file_ops;
    f->base.size_bytes = found->size_bytes;
    f->base.preferred_bytes = found->preferred_bytes;
    memcpy(f->base.file, found->file, sizeof(f->base.file));
    f->ctx = ctx;
    f->fd = found->fd;
    f->is_device = found->is_device;
    snprintf(f->name, sizeof(f->name), "%s", name);
    f->requests = export_file_uses_requests(ctx);
    f->requests_space = f->requests && aiox_can_submit(ctx, IORING_OP_FALLOCATE) &&
                        aiox_can_submit(ctx, IORING_OP_FADVISE);
    f->sync = (struct file_sync){
        .ctx = ctx,
        .retry = f->retry,
        .name = f->name,
        .fd = f->fd,
        .requests = f->requests,
    };
    *out = &f->base;
    return 0;
}
