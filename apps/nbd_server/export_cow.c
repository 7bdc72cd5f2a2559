/* SPDX-License-Identifier: MIT */
/*
 * export_cow.c - copy on write: what is written goes to an overlay, what is below
 * is never changed.
 *
 * The overlay is a temporary file without a name, as long as what is below, at
 * first one hole; a bit for each block says where the newest bytes are. A block is
 * either whole in the overlay or not there: before a part of one is written, the
 * block is copied up. The overlay is gone when the export is closed, so nothing of
 * it is ever synced: a flush has nothing to do.
 *
 * A request becomes parts, one after the other, each of which is a request to one
 * of the two layers. Changes of overlapping blocks take turns (cow_turns.h); the bit
 * is set when the bytes are there, and a request that came before that may still
 * read what was there before.
 *
 * Siblings, one in each thread, share turns and bits; the last one gives them back.
 */
#include "export_cow.h"

#include <errno.h>
#include <stdlib.h>

#include "aiox/assert.h"

#include "cow_op.h"

static struct export_cow *cow_of(struct nbd_export *e)
{
    return AIOX_CONTAINER_OF(e, struct export_cow, base);
}

/* ---- one part after the other ---- */

static void finish(struct cow_op *op, int result)
{
    struct export_io *io = op->io;

    if (op->turn.home) {
        cow_turn_give(&op->turn);
    }
    free(op->copy);
    free(op);
    io->done(io, result);
}

/* Parts that end at once do not nest. */
void cow_op_run_(struct cow_op *op)
{
    int more;

    do {
        op->ended = false;
        op->running = true;
        more = op->result < 0 ? op->result : op->next(op);
        op->running = false;
    } while (more > 0 && op->ended);
    if (more <= 0) {
        finish(op, more);
    }
}

static void on_part_done(struct export_io *part, int result)
{
    struct cow_op *op = AIOX_CONTAINER_OF(part, struct cow_op, part);

    op->result = result;
    op->ended = true;
    if (!op->running) {
        cow_op_run_(op);
    }
}

struct cow_op *cow_op_new_(struct nbd_export *e, struct export_io *io,
                           int (*next)(struct cow_op *op))
{
    struct cow_op *op = calloc(1, sizeof(*op));

    io->owner = e;
    if (!op) {
        io->done(io, -ENOMEM);
        return NULL;
    }
    op->cow = cow_of(e);
    op->io = io;
    op->next = next;
    op->at = io->offset;
    op->part.done = on_part_done;
    return op;
}

/* The bytes from op->at on that are in one layer, and which. */
static struct nbd_export *next_run(struct cow_op *op)
{
    bool above;
    uint64_t end = cow_end_(op->io);
    uint64_t count =
        blocks_run(&op->cow->shared->written, blocks_at(op->at), blocks_behind(end), &above);
    uint64_t behind = (blocks_at(op->at) + count) * BLOCKS_BYTES;

    op->part.offset = op->at;
    op->part.bytes = (behind < end ? behind : end) - op->at;
    return above ? op->cow->overlay : op->cow->below;
}

/* ---- read, map, trim: run by run ---- */

static int next_read(struct cow_op *op)
{
    struct nbd_export *layer;

    op->at += op->part.bytes;
    if (op->at == cow_end_(op->io)) {
        return 0;
    }
    layer = next_run(op);
    op->part.data = op->io->data + (op->at - op->io->offset);
    layer->ops->read(layer, &op->part);
    return 1;
}

static int next_map(struct cow_op *op)
{
    struct export_io *io = op->io;
    struct nbd_export *layer;

    for (uint32_t i = 0; i < op->part.extent_count; i++) {
        op->at += op->part.extents[i].bytes;
    }
    io->extent_count += op->part.extent_count;
    if (op->at == cow_end_(io) || io->extent_count == io->extent_max) {
        return 0;
    }
    layer = next_run(op);
    op->part.hint = io->hint;
    op->part.extents = io->extents + io->extent_count;
    op->part.extent_max = io->extent_max - io->extent_count;
    op->part.extent_count = 0;
    layer->ops->map(layer, &op->part);
    return 1;
}

/* What is below stays: only what is in the overlay can be given back. */
static int next_trim(struct cow_op *op)
{
    uint64_t end = cow_end_(op->io);

    op->at += op->part.bytes;
    while (op->at < end) {
        struct nbd_export *layer = next_run(op);

        if (layer == op->cow->overlay) {
            layer->ops->trim(layer, &op->part);
            return 1;
        }
        op->at += op->part.bytes;
    }
    return 0;
}

/* ---- the face ---- */

static void start(struct nbd_export *e, struct export_io *io, int (*next)(struct cow_op *op))
{
    struct cow_op *op = cow_op_new_(e, io, next);

    if (op) {
        cow_op_run_(op);
    }
}

static void cow_read(struct nbd_export *e, struct export_io *io)
{
    start(e, io, next_read);
}

static void cow_write(struct nbd_export *e, struct export_io *io)
{
    cow_change_(e, io, cow_of(e)->overlay->ops->write);
}

static void cow_zero(struct nbd_export *e, struct export_io *io)
{
    cow_change_(e, io, cow_of(e)->overlay->ops->zero);
}

static void cow_trim(struct nbd_export *e, struct export_io *io)
{
    start(e, io, next_trim);
}

static void cow_map(struct nbd_export *e, struct export_io *io)
{
    io->extent_count = 0;
    start(e, io, next_map);
}

static void cow_flush(struct nbd_export *e, struct export_io *io)
{
    io->done(io, 0);
}

static void cow_cache(struct nbd_export *e, struct export_io *io)
{
    struct nbd_export *below = cow_of(e)->below;

    below->ops->cache(below, io);
}

/* The last one (acq_rel, with each other's) comes behind all that the others did. */
static void unshare(struct cow_shared *shared)
{
    if (aiox_u32_sub_acq_rel(&shared->users, 1) == 1) {
        cow_turns_fini(&shared->turns);
        blocks_fini(&shared->written);
        free(shared);
    }
}

static void cow_close(struct nbd_export *e)
{
    struct export_cow *c = cow_of(e);

    c->below->ops->close(c->below);
    c->overlay->ops->close(c->overlay);
    unshare(c->shared);
    aiox_bh_free(c->home.bh);
    free(c);
}

/* Writes are the overlay's, which is a file; so it says who serves both. */
static void cow_explain(struct nbd_export *e, struct export_engine *out)
{
    struct nbd_export *overlay = cow_of(e)->overlay;

    overlay->ops->explain(overlay, out);
}

static void cow_served(const struct nbd_export *e, struct export_served *to)
{
    const struct export_cow *c = AIOX_CONTAINER_OF(e, struct export_cow, base);

    c->overlay->ops->served(c->overlay, to);
    if (c->below->ops->served) {
        c->below->ops->served(c->below, to);
    }
}

static const struct export_ops cow_ops = {
    .read = cow_read,
    .write = cow_write,
    .flush = cow_flush,
    .zero = cow_zero,
    .trim = cow_trim,
    .cache = cow_cache,
    .map = cow_map,
    .explain = cow_explain,
    .served = cow_served,
    .close = cow_close,
};

static void on_ready(void *opaque)
{
    cow_home_run(opaque);
}

/* What @layers share with siblings to come; NULL: no memory. */
static struct cow_shared *share(const struct cow_layers *layers)
{
    struct cow_shared *shared = calloc(1, sizeof(*shared));

    if (!shared || blocks_init(&shared->written, layers->below->size_bytes) < 0) {
        free(shared);
        return NULL;
    }
    cow_turns_init(&shared->turns);
    shared->blocks_max = layers->bytes_max ? layers->bytes_max / BLOCKS_BYTES : UINT64_MAX;
    aiox_u32_store_relaxed(&shared->users, 1);
    return shared;
}

/* That of a sibling, which holds it meanwhile. */
static struct cow_shared *share_with(const struct nbd_export *sibling)
{
    struct cow_shared *shared = AIOX_CONTAINER_OF(sibling, struct export_cow, base)->shared;

    aiox_u32_add_relaxed(&shared->users, 1);
    return shared;
}

int export_cow_over(struct nbd_export **out, struct aiox_context *ctx,
                    const struct cow_layers *layers)
{
    struct export_cow *c = calloc(1, sizeof(*c));

    aiox_assert(layers->below->size_bytes == layers->overlay->size_bytes);
    if (!c) {
        return -ENOMEM;
    }
    if (aiox_bh_new(&c->home.bh, aiox_context_bhs(ctx), "nbd cow turns", on_ready, &c->home) < 0) {
        goto fail;
    }
    c->shared = layers->sibling ? share_with(layers->sibling) : share(layers);
    if (!c->shared) {
        goto fail_bh;
    }
    c->home.turns = &c->shared->turns;
    aiox_list_init(&c->home.ready);
    c->below = layers->below;
    c->overlay = layers->overlay;
    c->base.ops = &cow_ops;
    c->base.size_bytes = layers->below->size_bytes;
    c->base.preferred_bytes = layers->below->preferred_bytes;
    c->base.min_mask = layers->below->min_mask;
    *out = &c->base;
    return 0;

fail_bh:
    aiox_bh_free(c->home.bh);
fail:
    free(c);
    return -ENOMEM;
}

struct cow_layers export_cow_layers(const struct nbd_export *e)
{
    const struct export_cow *c = AIOX_CONTAINER_OF(e, struct export_cow, base);

    return (struct cow_layers){.below = c->below, .overlay = c->overlay};
}
