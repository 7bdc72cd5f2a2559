/* SPDX-License-Identifier: MIT */
/*
 * file_sync.c - two lists: whom the sync that runs will satisfy, and who has
 * come since.
 */
#include "file_sync.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <unistd.h>

#include "aiox/assert.h"
#include "aiox/log.h"

static void start(struct file_sync *s);
static void submit(struct file_sync *s);

static void note_error(struct file_sync *s, int error)
{
    aiox_log(AIOX_LOG_ERROR,
             "%s: fdatasync failed (%s): writes may be lost, further ones are refused", s->name,
             aiox_error_text(error));
    s->error = error;
}

static void ended(struct file_sync *s, int result)
{
    struct export_io *list = s->now;

    if (result < 0 && s->error == 0) {
        note_error(s, result);
    }
    s->now = NULL;
    s->running = false;
    while (list) {
        struct export_io *io = list;

        list = io->next;
        io->done(io, s->error);
    }
    if (s->next && !s->running) {
        start(s);
    }
}

static void done(struct aiox_completion *c, int result)
{
    struct file_sync *s = AIOX_CONTAINER_OF(c, struct file_sync, completion);

    if (result == -EINTR || result == -EAGAIN) {
        submit(s);
    } else {
        ended(s, result);
    }
}

static void prepare(void *memory, void *opaque)
{
    struct io_uring_sqe *sqe = memory;
    const struct file_sync *s = opaque;

    sqe->opcode = IORING_OP_FSYNC;
    sqe->fd = s->fd;
    sqe->fsync_flags = IORING_FSYNC_DATASYNC;
}

static int sync_blocking(const struct file_sync *s)
{
    int result;

    do {
        result = fdatasync(s->fd) < 0 ? -errno : 0;
    } while (result == -EINTR);
    return result;
}

static void submit(struct file_sync *s)
{
    int error = -ENOTSUP;

    if (s->requests) {
        s->completion.done = done;
        error = aiox_submit(s->ctx, prepare, s, &s->completion);
    }
    if (error == -EAGAIN) {
        s->refused = true;
        aiox_bh_schedule(s->retry);
    } else if (error < 0) {
        ended(s, sync_blocking(s));
    }
}

static void start(struct file_sync *s)
{
    aiox_assert(!s->running && !s->now);
    s->running = true;
    s->now = s->next;
    s->next = NULL;
    if (s->error) {
        ended(s, s->error);
    } else {
        submit(s);
    }
}

void file_sync_want(struct file_sync *s, struct export_io *io)
{
    io->next = s->next;
    s->next = io;
    if (!s->running) {
        start(s);
    }
}

void file_sync_retry(struct file_sync *s)
{
    if (s->refused) {
        s->refused = false;
        submit(s);
    }
}
