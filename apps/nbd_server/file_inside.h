/* SPDX-License-Identifier: MIT */
/*
 * file_inside.h - one export of a file, inside of export_file.c, file_job.c and
 * file_map.c.
 */
#ifndef AIOX_NBD_FILE_INSIDE_H_
#define AIOX_NBD_FILE_INSIDE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aiox/aio_pool.h"
#include "aiox/file.h"

#include "blocks.h"
#include "export.h"
#include "file_sync.h"

/* What the next step of a request is. */
enum stage { READING, WRITING, FILLING, ZEROING, TRIMMING, DISCARDING, CACHING, MAPPING };

struct export_file {
    struct nbd_export base;
    struct aiox_file file;
    struct aiox_pool *pool;
    int fd;
    bool is_device;
    bool tries_inline;    /* the page cache may have it */
    uint32_t block_bytes; /* of a device: what can be discarded */
    size_t jobs;          /* under way at the pool, those of the file not counted */
    struct file_sync sync;
    struct blocks dense; /* what was data when somebody looked, all of it; of no device */
    char name[128];      /* for the log */
};

static inline struct export_file *file_of(struct nbd_export *e)
{
    return AIOX_CONTAINER_OF(e, struct export_file, base);
}

/* ---- file_job.c ---- */

/* CACHING and MAPPING: in a thread of the pool. [home] */
void file_job_start_(struct nbd_export *e, struct export_io *io, enum stage stage);

/* Of struct export_ops. [home] */
void file_explain_(struct nbd_export *e, struct export_engine *out);
void file_served_(const struct nbd_export *e, struct export_served *to);

/* ---- file_map.c ---- */

/* MAPPING, with what is known already where @io takes hints. [home] */
void file_map_(struct nbd_export *e, struct export_io *io);

/* The range of @io becomes a hole, perhaps. [home] */
void file_forget_dense_(struct export_file *f, const struct export_io *io);

/* A thread has filled the extents of @io. [home] */
void file_mapped_(struct export_file *f, const struct export_io *io);

#endif /* AIOX_NBD_FILE_INSIDE_H_ */
