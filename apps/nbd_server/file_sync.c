/* SPDX-License-Identifier: MIT */
/*
 * file_sync.c - two lists: whom the sync that runs will satisfy, and who has
 * come since.
 */
#include "file_sync.h"

#include <errno.h>

#include "aiox/assert.h"
#include "aiox/log.h"

static void start(struct file_sync *s);

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

static void done(void *opaque, int64_t result)
{
    struct file_sync *s = opaque;
    bool lost = s->request.engine != s->began; /* what the first one would have said */

    ended(s, result >= 0 && lost ? -EIO : (int)result);
}

static void submit(struct file_sync *s)
{
    s->request = (struct aiox_file_request){.op = AIOX_FILE_FDATASYNC, .done = done, .opaque = s};
    aiox_file_submit(s->file, &s->request);
    s->began = s->request.engine;
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
