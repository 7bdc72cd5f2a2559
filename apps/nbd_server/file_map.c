/* SPDX-License-Identifier: MIT */
/*
 * file_map.c - data and holes: looked for by a thread of the pool, and for reads
 * that only want to leave holes out, remembered.
 *
 * Only data is remembered. To read it is never wrong: what became a hole since, by
 * whomever, reads as zeroes. A hole that was remembered would hide what others
 * have written there.
 */
#include "file_inside.h"

enum { AHEAD_BYTES = 64 << 20 }; /* so much is remembered of data that goes on */

/* The whole of it is known to be data. */
static bool is_dense(const struct export_file *f, const struct export_io *io)
{
    if (f->is_device) { /* has no holes that a thread could find */
        return true;
    }
    return f->dense.words && blocks_missing(&f->dense, blocks_at(io->offset),
                                            blocks_behind(io->offset + io->bytes)) == 0;
}

void file_map_(struct nbd_export *e, struct export_io *io)
{
    if (io->hint && is_dense(file_of(e), io)) {
        io->owner = e;
        io->extents[0] = (struct export_extent){.bytes = io->bytes};
        io->extent_count = 1;
        io->done(io, 0);
    } else {
        file_job_start_(e, io, MAPPING);
    }
}

/* Whole blocks of it; the last one may be cut by the end of the export. */
static void remember(struct export_file *f, uint64_t from, uint64_t to)
{
    uint64_t size = f->base.size_bytes;
    uint64_t first = blocks_behind(from);
    uint64_t end = to >= size ? blocks_behind(size) : blocks_at(to);

    if (f->dense.words && first < end) {
        blocks_set(&f->dense, first, end);
    }
}

void file_mapped_(struct export_file *f, const struct export_io *io)
{
    uint64_t at = io->offset;

    for (uint32_t i = 0; i < io->extent_count; i++) {
        const struct export_extent *x = &io->extents[i];

        if (!x->state) {
            remember(f, at, at + x->bytes);
        }
        at += x->bytes;
    }
    if (io->moved > 0) {
        remember(f, at, io->moved - at < AHEAD_BYTES ? io->moved : at + AHEAD_BYTES);
    }
}

void file_forget_dense_(struct export_file *f, const struct export_io *io)
{
    if (f->dense.words && io->bytes > 0) {
        blocks_clear(&f->dense, blocks_at(io->offset), blocks_behind(io->offset + io->bytes));
    }
}
