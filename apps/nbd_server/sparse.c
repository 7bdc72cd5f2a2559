/* SPDX-License-Identifier: MIT */
/*
 * sparse.c - one map, then one read for each stretch of data, one after the
 * other: there are few, and most reads have one.
 *
 * The map may end early; what it does not tell of is read. So the stretches
 * always are the range to the byte, and a hole behind the end of a file, which
 * no map tells of, is never sent.
 */
#include "sparse.h"

#include "aiox/assert.h"

bool sparse_is_worth_it(const struct request *r)
{
    return r->dialect.replies >= REPLIES_STRUCTURED && !(r->flags & NBD_CMD_FLAG_DF) &&
           r->bytes >= REQUEST_SPARSE_MIN;
}

/* Back to what was asked for. */
static void restore(struct request *r)
{
    r->io.offset = r->offset;
    r->io.bytes = r->bytes;
    r->io.data = request_data(r);
}

static void on_part_read(struct export_io *io, int result);

/* Reads the next stretch of data from r->stretch on, where r->io points to. */
static void read_next(struct request *r, struct nbd_export *e)
{
    while (r->stretch < r->stretch_count) {
        const struct export_extent *s = &r->stretches[r->stretch];

        r->io.bytes = s->bytes;
        if (!(s->state & EXPORT_ZERO)) {
            r->io.done = on_part_read;
            e->ops->read(e, &r->io);
            return;
        }
        r->io.offset += s->bytes;
        r->io.data += s->bytes;
        r->stretch++;
    }
    restore(r);
    r->ended(&r->io, 0);
}

static void on_part_read(struct export_io *io, int result)
{
    struct request *r = AIOX_CONTAINER_OF(io, struct request, io);

    if (result < 0) {
        r->ended(io, result);
        return;
    }
    io->offset += io->bytes;
    io->data += io->bytes;
    r->stretch++;
    read_next(r, io->owner);
}

/* Makes of the extents stretches that cover the range; false: all of it is data. */
static bool divide(struct request *r)
{
    uint64_t told = 0;
    bool has_hole = false;

    r->stretch_count = r->io.extent_count;
    for (uint32_t i = 0; i < r->stretch_count; i++) {
        told += r->stretches[i].bytes;
        has_hole |= (r->stretches[i].state & EXPORT_ZERO) != 0;
    }
    aiox_assert(told <= r->bytes);
    if (told < r->bytes) {
        r->stretches[r->stretch_count++] = (struct export_extent){.bytes = r->bytes - told};
    }
    return has_hole;
}

static void on_mapped(struct export_io *io, int result)
{
    struct request *r = AIOX_CONTAINER_OF(io, struct request, io);
    struct nbd_export *e = io->owner;

    if (result == 0 && divide(r)) {
        read_next(r, e);
        return;
    }
    r->stretch_count = 0; /* also when it cannot be told: then the read says why */
    io->done = r->ended;
    e->ops->read(e, io);
}

void sparse_start(struct request *r, struct nbd_export *e)
{
    r->io.owner = e;
    r->io.extents = r->stretches;
    r->io.hint = true;
    r->io.extent_max = REQUEST_STRETCHES - 1; /* one more for what is not told */
    r->io.done = on_mapped;
    e->ops->map(e, &r->io);
}
