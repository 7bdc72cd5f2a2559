/* SPDX-License-Identifier: MIT */
/*
 * file_job.c - what aiox/file.h does not do with a file, as jobs of the context's
 * pool: reading ahead, and looking where data and holes are. And who serves the
 * rest, in words and numbers.
 */
#include <stdio.h>

#include "file_inside.h"
#include "file_space.h"

/* In a thread of the pool. */
static int run_job(void *opaque)
{
    struct export_io *io = opaque;
    int fd = file_of(io->owner)->fd;
    uint32_t min_mask = io->owner->min_mask;

    if (io->stage == CACHING) {
        return file_space_cache(fd, io);
    }
    file_space_map(fd, min_mask, io);
    return 0;
}

static void on_job_done(void *opaque, int result)
{
    struct export_io *io = opaque;

    struct export_file *f = file_of(io->owner);

    f->jobs--;
    if (io->stage == MAPPING && result == 0) {
        file_mapped_(f, io);
    }
    io->done(io, result);
}

void file_job_start_(struct nbd_export *e, struct export_io *io, enum stage stage)
{
    struct export_file *f = file_of(e);

    io->owner = e;
    io->stage = stage;
    io->at.job = (struct aiox_pool_job){.run = run_job, .done = on_job_done, .opaque = io};
    f->jobs++;
    aiox_pool_submit(f->pool, &io->at.job);
}

/* ---- who serves ---- */

void file_explain_(struct nbd_export *e, struct export_engine *out)
{
    struct export_file *f = file_of(e);
    struct aiox_file_choice choice;

    aiox_file_explain(&f->file, AIOX_FILE_READ, &choice);
    out->name = aiox_file_engine_name(choice.engine);
    snprintf(out->why, sizeof(out->why), "%s%s", choice.why,
             f->tries_inline ? "; what is cached is read at once" : "");
}

void file_served_(const struct nbd_export *e, struct export_served *to)
{
    const struct export_file *f = AIOX_CONTAINER_OF(e, struct export_file, base);

    to->ring += aiox_file_served(&f->file, AIOX_FILE_RING);
    to->linux_aio += aiox_file_served(&f->file, AIOX_FILE_LINUX_AIO);
    to->at_once += aiox_file_served(&f->file, AIOX_FILE_INLINE);
    to->pool += aiox_file_served(&f->file, AIOX_FILE_POOL);
}
