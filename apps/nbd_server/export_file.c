/* SPDX-License-Identifier: MIT */
/*
 * export_file.c - a raw file or a block device.
 *
 * Reads, writes, syncs and changes of room are requests of aiox/file.h, which
 * takes the best engine there is; what it does not know (fadvise, lseek) are jobs
 * of the context's pool. So nothing blocks the loop. What the page cache has is
 * read at once, before anybody is asked; of a file opened with O_DIRECT it has
 * nothing.
 *
 * advance() looks at a result and says whether the request needs another step, be
 * it the next piece of zeroes or because fallocate() has to be asked in another
 * way. Where no way is left, zeroes are written. What has FUA ends with a sync.
 * After a sync has failed nothing is written any more (file_sync.h).
 *
 * Siblings open the file each for itself: the kernel then tells each of them of
 * a failed write-back, and a sync of one covers what all have written.
 */
#include "export.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "aiox/assert.h"

#include "file_direct.h"
#include "file_inside.h"
#include "file_open.h"
#include "file_space.h"
#include "pool.h"

enum {
    ZEROES_BYTES = 256 << 10,
    INLINE_BYTES = 256 << 10, /* longer reads would keep the others waiting, copied or not */
};

/* Never written to. */
static uint8_t zeroes[ZEROES_BYTES] __attribute__((aligned(POOL_PAYLOAD_ALIGNMENT)));

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

static int space_mode(const struct export_file *f, const struct export_io *io)
{
    return io->stage == TRIMMING ? file_space_trim_mode(io->attempt)
                                 : file_space_zero_mode(io, f->is_device, io->attempt);
}

/* fallocate() does not know this way. True: there is another step to make. */
static bool try_next_way(struct export_file *f, struct export_io *io)
{
    uint64_t from, bytes;

    io->attempt++;
    if (space_mode(f, io) >= 0) {
        return true;
    }
    if (io->stage == TRIMMING) {
        if (file_space_whole_blocks(io, f->block_bytes, &from, &bytes)) {
            io->stage = DISCARDING;
            return true;
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

/* Looks at how much was transferred: all, or the file was cut under us. */
static bool advance_transfer(struct export_file *f, struct export_io *io, int64_t result)
{
    if (result < 0 || (uint64_t)result < io->iov.iov_len) {
        io->done(io, result < 0 ? (int)result : -EIO);
        return false;
    }
    io->moved += (uint64_t)result;
    if (io->moved < io->bytes) {
        return true;
    }
    moved(f, io);
    return false;
}

/* Looks at the result of a step. True: the request needs another one. */
static bool advance(struct export_file *f, struct export_io *io, int64_t result)
{
    switch (io->stage) {
    case READING:
    case WRITING:
    case FILLING:
        return advance_transfer(f, io, result);
    case ZEROING:
    case TRIMMING:
        if (file_space_is_no_way((int)result)) {
            return try_next_way(f, io);
        }
        break;
    case DISCARDING: /* a hint: no is no error */
        result = 0;
        break;
    }
    if (result < 0) {
        io->done(io, (int)result);
    } else {
        moved(f, io);
    }
    return false;
}

/* ---- steps ---- */

static void begin_step(struct export_file *f, struct export_io *io);

static void on_step(void *opaque, int64_t result)
{
    struct export_io *io = opaque;
    struct export_file *f = file_of(io->owner);

    if (advance(f, io, result)) {
        begin_step(f, io);
    }
}

/* What a transfer is to move next. */
static void fill_transfer(struct aiox_file_request *r, struct export_io *io)
{
    uint64_t left = io->bytes - io->moved;

    io->iov = (struct iovec){io->data, left};
    if (io->stage == FILLING) {
        io->iov = (struct iovec){zeroes, left < ZEROES_BYTES ? left : ZEROES_BYTES};
    }
    r->op = io->stage == READING ? AIOX_FILE_READ : AIOX_FILE_WRITE;
    r->iov = &io->iov;
    r->iov_count = 1;
    r->offset = (int64_t)(io->offset + io->moved);
}

static void fill_space(struct aiox_file_request *r, const struct export_file *f,
                       const struct export_io *io)
{
    uint64_t from = io->offset, bytes = io->bytes;

    r->op = AIOX_FILE_ALLOCATE;
    if (io->stage == DISCARDING) {
        r->op = AIOX_FILE_DISCARD;
        (void)file_space_whole_blocks(io, f->block_bytes, &from, &bytes);
    } else {
        r->flags = space_mode(f, io);
    }
    r->offset = (int64_t)from;
    r->length = (int64_t)bytes;
}

static void fill(struct export_file *f, struct export_io *io)
{
    struct aiox_file_request *r = &io->at.file;

    *r = (struct aiox_file_request){.done = on_step, .opaque = io};
    if (io->stage <= FILLING) {
        fill_transfer(r, io);
    } else {
        fill_space(r, f, io);
    }
}

static void begin_step(struct export_file *f, struct export_io *io)
{
    fill(f, io);
    aiox_file_submit(&f->file, &io->at.file);
}

static void start(struct nbd_export *e, struct export_io *io, enum stage stage)
{
    struct export_file *f = file_of(e);

    io->owner = e;
    io->stage = stage;
    io->moved = 0;
    io->attempt = 0;
    if (io->bytes == 0) {
        moved(f, io);
    } else {
        begin_step(f, io);
    }
}

/* ---- the face ---- */

/* What the page cache has, without anybody's help. True: the read has ended. */
static bool read_at_once(struct nbd_export *e, struct export_io *io)
{
    struct export_file *f = file_of(e);
    int64_t result;

    if (!f->tries_inline || io->bytes == 0 || io->bytes > INLINE_BYTES) {
        return false;
    }
    io->owner = e;
    io->stage = READING;
    io->moved = 0;
    fill(f, io);
    result = aiox_file_try(&f->file, &io->at.file);
    if (result == -EAGAIN) {
        return false;
    }
    (void)advance(f, io, result);
    return true;
}

static void file_read(struct nbd_export *e, struct export_io *io)
{
    if (!read_at_once(e, io)) {
        start(e, io, READING);
    }
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
        file_forget_dense_(file_of(e), io);
        start_change(e, io, ZEROING);
    }
}

static void file_trim(struct nbd_export *e, struct export_io *io)
{
    file_forget_dense_(file_of(e), io);
    start_change(e, io, TRIMMING);
}

static void file_cache(struct nbd_export *e, struct export_io *io)
{
    if (io->bytes == 0) {
        io->done(io, 0);
    } else {
        file_job_start_(e, io, CACHING);
    }
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

    aiox_assert(!f->jobs && !f->sync.running);
    aiox_file_fini(&f->file);
    blocks_fini(&f->dense);
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
    .map = file_map_,
    .explain = file_explain_,
    .served = file_served_,
    .close = file_close,
};

int export_file_descriptor(const struct nbd_export *e)
{
    return AIOX_CONTAINER_OF(e, struct export_file, base)->fd;
}

/* What the context has for it, and a thread that is there whenever one is needed. */
static int init_engine(struct export_file *f, struct aiox_context *ctx,
                       const struct file_found *found)
{
    /* What is cached is tried for here, where the end can be told at once. */
    const struct aiox_file_options options = {.avoid = 1u << AIOX_FILE_INLINE};
    int error = aiox_pool_get(&f->pool, ctx);

    if (error == 0) {
        error = aiox_pool_set_threads(f->pool, 1, AIOX_POOL_MAX_THREADS_DEFAULT);
    }
    if (error == 0) {
        error = aiox_file_init(&f->file, ctx, found->fd, &options);
    }
    f->tries_inline = !found->is_direct;
    return error;
}

int export_file_adopt(struct nbd_export **out, struct aiox_context *ctx,
                      const struct file_found *found, const char *name, struct aiox_error *err)
{
    struct export_file *f = calloc(1, sizeof(*f));
    int error = f ? init_engine(f, ctx, found) : -ENOMEM;
    uint32_t min_bytes = 1;

    if (error < 0) {
        free(f);
        return aiox_error_set(err, error, "no engine for files: %s", aiox_error_text(error));
    }
    if (found->is_direct) {
        error = file_direct_settle(&f->file, found->fd, found->size_bytes, &min_bytes, err);
    }
    if (error < 0) {
        aiox_error_prefix(err, "'%s': ", name);
        aiox_file_fini(&f->file);
        free(f);
        return error;
    }
    f->base.ops = &file_ops;
    f->base.size_bytes = found->size_bytes;
    f->base.min_mask = min_bytes - 1;
    f->base.preferred_bytes =
        found->preferred_bytes > min_bytes ? found->preferred_bytes : min_bytes;
    memcpy(f->base.file, found->file, sizeof(f->base.file));
    f->fd = found->fd;
    f->is_device = found->is_device;
    f->block_bytes = found->block_bytes;
    snprintf(f->name, sizeof(f->name), "%s", name);
    (void)!blocks_init(&f->dense, found->size_bytes); /* without it more is asked, not less */
    f->sync = (struct file_sync){.file = &f->file, .name = f->name};
    *out = &f->base;
    return 0;
}
