/* SPDX-License-Identifier: MIT */
/*
 * export_file.c - a raw file or a block device.
 *
 * Where the loop takes requests (io_uring), each read, write and sync is one;
 * elsewhere it is a system call that may block the loop. Both run the same
 * story: advance() looks at a result and says whether the same request needs
 * another call, be it for the rest of a short transfer. A FUA write ends with a
 * sync. After a sync has failed nothing is written any more (file_sync.h).
 */
#include "export.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aiox/assert.h"

#include "file_sync.h"

enum stage { READING, WRITING };

struct export_file {
    struct nbd_export base;
    struct aiox_context *ctx;
    int fd;
    bool requests;             /* the kernel takes requests, see above */
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

/* All bytes were moved. */
static void moved(struct export_file *f, struct export_io *io)
{
    if (io->stage == WRITING && io->fua) {
        file_sync_want(&f->sync, io);
    } else {
        io->done(io, 0);
    }
}

/* Looks at the result of a transfer. True: the rest of it needs another call. */
static bool advance(struct export_file *f, struct export_io *io, int result)
{
    if (result == -EINTR || result == -EAGAIN) {
        return true;
    }
    if (result <= 0) { /* nothing read or written: the file was cut under us */
        io->done(io, result < 0 ? result : -EIO);
        return false;
    }
    io->moved += (uint32_t)result;
    if (io->moved < io->bytes) {
        return true;
    }
    moved(f, io);
    return false;
}

/* ---- by system calls ---- */

static int transfer(struct export_file *f, struct export_io *io)
{
    uint8_t *data = io->data + io->moved;
    size_t left = io->bytes - io->moved;
    off_t offset = (off_t)(io->offset + io->moved);
    ssize_t n =
        io->stage == READING ? pread(f->fd, data, left, offset) : pwrite(f->fd, data, left, offset);

    return n < 0 ? -errno : (int)n;
}

static void transfer_blocking(struct export_file *f, struct export_io *io)
{
    while (advance(f, io, transfer(f, io))) {
    }
}

/* ---- by requests to the kernel ---- */

static void prepare_transfer(void *memory, void *opaque)
{
    struct io_uring_sqe *sqe = memory;
    const struct export_io *io = opaque;

    sqe->opcode = io->stage == READING ? IORING_OP_READ : IORING_OP_WRITE;
    sqe->fd = file_of(io->owner)->fd;
    sqe->off = io->offset + io->moved;
    sqe->addr = (uintptr_t)(io->data + io->moved);
    sqe->len = io->bytes - io->moved;
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

static void transfer_done(struct aiox_completion *c, int result)
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
    int error;

    io->completion.done = transfer_done;
    error = aiox_submit(f->ctx, prepare_transfer, io, &io->completion);
    if (error == 0) {
        f->under_way++;
    } else if (error == -EAGAIN) {
        io->next = f->refused;
        f->refused = io;
        if (f->under_way == 0) { /* others fill the queue: no end of ours will wake us */
            aiox_bh_schedule(f->retry);
        }
    } else {
        transfer_blocking(f, io);
    }
}

/* ---- the face ---- */

static void start(struct nbd_export *e, struct export_io *io, enum stage stage)
{
    struct export_file *f = file_of(e);

    io->owner = e;
    io->stage = stage;
    io->moved = 0;
    if (io->bytes == 0) {
        moved(f, io);
    } else if (f->requests) {
        submit(f, io);
    } else {
        transfer_blocking(f, io);
    }
}

static void file_read(struct nbd_export *e, struct export_io *io)
{
    start(e, io, READING);
}

static void file_write(struct nbd_export *e, struct export_io *io)
{
    struct export_file *f = file_of(e);

    if (f->sync.error) {
        io->done(io, f->sync.error);
    } else {
        start(e, io, WRITING);
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

    aiox_assert(!f->under_way && !f->sync.running && !f->refused);
    aiox_bh_free(f->retry);
    close(f->fd);
    free(f);
}

static const struct export_ops file_ops = {
    .read = file_read,
    .write = file_write,
    .flush = file_flush,
    .close = file_close,
};

bool export_file_uses_requests(struct aiox_context *ctx)
{
    return aiox_has_completion(ctx) && aiox_can_submit(ctx, IORING_OP_READ) &&
           aiox_can_submit(ctx, IORING_OP_WRITE) && aiox_can_submit(ctx, IORING_OP_FSYNC);
}

/* Opens the file and finds its size; returns the descriptor. */
static int open_sized(const struct export_spec *spec, uint64_t *size_bytes, struct aiox_error *err)
{
    struct stat st;
    off_t end;
    int fd = open(spec->source, (spec->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
    int error = fd < 0 ? -errno : 0;

    if (error < 0) {
        bool may_read = error == -EACCES || error == -EROFS || error == -EPERM;

        return aiox_error_set(err, error, "cannot open '%s': %s%s", spec->source,
                              aiox_error_text(error),
                              may_read && !spec->read_only ? " (perhaps with --read-only)" : "");
    }
    /* Only open() may not block (a FIFO): the ring takes the flag for "do not wait". */
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    if (fstat(fd, &st) < 0 || !(S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))) {
        close(fd);
        return aiox_error_set(err, -EINVAL, "'%s' is neither a file nor a block device",
                              spec->source);
    }
    end = lseek(fd, 0, SEEK_END);
    if (end < 0) {
        error = -errno;
        close(fd);
        return aiox_error_set(err, error, "cannot find the size of '%s': %s", spec->source,
                              aiox_error_text(error));
    }
    *size_bytes = (uint64_t)end;
    return fd;
}

int export_file_open(struct nbd_export **out, struct aiox_context *ctx,
                     const struct export_spec *spec, struct aiox_error *err)
{
    struct export_file *f = calloc(1, sizeof(*f));
    int error = -ENOMEM;

    if (!f || aiox_bh_new(&f->retry, aiox_context_bhs(ctx), "nbd file retry", retry, f) < 0) {
        aiox_error_set(err, error, "no memory");
        goto fail_memory;
    }
    error = f->fd = open_sized(spec, &f->base.size_bytes, err);
    if (error < 0) {
        goto fail_bh;
    }
    f->base.ops = &file_ops;
    f->ctx = ctx;
    snprintf(f->name, sizeof(f->name), "%s", spec->source);
    f->requests = export_file_uses_requests(ctx);
    f->sync = (struct file_sync){
        .ctx = ctx,
        .retry = f->retry,
        .name = f->name,
        .fd = f->fd,
        .requests = f->requests,
    };
    *out = &f->base;
    return 0;

fail_bh:
    aiox_bh_free(f->retry);
fail_memory:
    free(f);
    return error;
}
