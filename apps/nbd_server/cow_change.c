/* SPDX-License-Identifier: MIT */
/*
 * cow_change.c - what is written to a copy on write: blocks of which a part stays
 * are copied up, then the change itself is done to the overlay.
 */
#include <errno.h>
#include <stdlib.h>

#include "cow_op.h"
#include "pool.h"

static int start_copy(struct cow_op *op)
{
    uint64_t offset = op->copies[op->copied] * BLOCKS_BYTES;
    uint64_t left = op->cow->base.size_bytes - offset;
    struct nbd_export *layer = op->phase == COPY_READ ? op->cow->below : op->cow->overlay;

    op->part.offset = offset;
    op->part.bytes = left < BLOCKS_BYTES ? left : BLOCKS_BYTES;
    op->part.data = op->copy;
    if (op->phase == COPY_READ) {
        layer->ops->read(layer, &op->part);
    } else {
        layer->ops->write(layer, &op->part);
    }
    return 1;
}

static int start_change(struct cow_op *op)
{
    op->part.offset = op->io->offset;
    op->part.bytes = op->io->bytes;
    op->part.data = op->io->data;
    op->part.keep = op->io->keep;
    op->part.fast = op->io->fast;
    op->forward(op->cow->overlay, &op->part);
    return 1;
}

/* The part of this phase has ended: which is next? */
static int next_change(struct cow_op *op)
{
    struct blocks *written = &op->cow->shared->written;

    if (op->phase == COPY_READ) {
        op->phase = COPY_WRITE;
        return start_copy(op);
    }
    if (op->phase == COPY_WRITE) {
        blocks_set(written, op->copies[op->copied], op->copies[op->copied] + 1);
        op->phase = ++op->copied < op->copy_count ? COPY_READ : CHANGE;
        return op->phase == CHANGE ? start_change(op) : start_copy(op);
    }
    blocks_set(written, op->turn.first, op->turn.end);
    return 0;
}

/* Notes @block to be copied up, if the change covers only a part of it and it is not there. */
static void note_copy(struct cow_op *op, uint64_t block)
{
    uint64_t from = block * BLOCKS_BYTES, to = from + BLOCKS_BYTES;
    bool covered = op->io->offset <= from &&
                   (cow_end_(op->io) >= to || cow_end_(op->io) == op->cow->base.size_bytes);
    bool noted = op->copy_count > 0 && op->copies[0] == block;

    if (!covered && !noted && blocks_missing(&op->cow->shared->written, block, block + 1) > 0) {
        op->copies[op->copy_count++] = block;
    }
}

static int first_change(struct cow_op *op)
{
    struct cow_shared *shared = op->cow->shared;
    uint64_t more = blocks_missing(&shared->written, op->turn.first, op->turn.end);

    if (aiox_u64_load_relaxed(&shared->written.set) + more > shared->blocks_max) {
        return -ENOSPC;
    }
    op->next = next_change;
    note_copy(op, op->turn.first);
    note_copy(op, op->turn.end - 1);
    if (op->copy_count == 0) {
        op->phase = CHANGE;
        return start_change(op);
    }
    op->copy = aligned_alloc(POOL_PAYLOAD_ALIGNMENT, BLOCKS_BYTES);
    op->phase = COPY_READ;
    return op->copy ? start_copy(op) : -ENOMEM;
}

static void on_turn(struct cow_turn *turn)
{
    cow_op_run_(AIOX_CONTAINER_OF(turn, struct cow_op, turn));
}

void cow_change_(struct nbd_export *e, struct export_io *io,
                 void (*forward)(struct nbd_export *e, struct export_io *io))
{
    struct cow_op *op;

    if (io->bytes == 0) {
        io->done(io, 0);
        return;
    }
    op = cow_op_new_(e, io, first_change);
    if (!op) {
        return;
    }
    op->forward = forward;
    op->turn.home = &op->cow->home;
    op->turn.first = blocks_at(io->offset);
    op->turn.end = blocks_behind(cow_end_(io));
    op->turn.go = on_turn;
    cow_turn_take(&op->turn);
}
