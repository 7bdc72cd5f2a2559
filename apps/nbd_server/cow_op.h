/* SPDX-License-Identifier: MIT */
/*
 * cow_op.h - one request to a copy on write, inside of export_cow.c and
 * cow_change.c.
 */
#ifndef AIOX_NBD_COW_OP_H_
#define AIOX_NBD_COW_OP_H_

#include <stdbool.h>
#include <stdint.h>

#include "blocks.h"
#include "cow_turns.h"
#include "export.h"

/* What is done to the layers; the last one is what was asked for. */
enum phase { COPY_READ, COPY_WRITE, CHANGE };

/* By siblings, each in a thread of its own. */
struct cow_shared {
    aiox_atomic_u32 users;
    struct cow_turns turns;
    struct blocks written;
    uint64_t blocks_max; /* so many may be */
};

struct export_cow {
    struct nbd_export base;
    struct nbd_export *below;
    struct nbd_export *overlay;
    struct cow_shared *shared;
    struct cow_home home;
};

struct cow_op {
    struct export_io part; /* under way at a layer */
    struct cow_turn turn;
    struct export_cow *cow;
    struct export_io *io;
    void (*forward)(struct nbd_export *e, struct export_io *io); /* of a change */
    int (*next)(struct cow_op *op); /* starts a part: 1; 0: there is none; or an error */
    uint64_t at;                    /* where the next part begins */
    int result;                     /* of the last part */
    bool running;                   /* next() is being called */
    bool ended;                     /* a part ended meanwhile */
    enum phase phase;
    uint64_t copies[2]; /* blocks to be copied up */
    int copy_count;
    int copied;
    uint8_t *copy;
};

static inline uint64_t cow_end_(const struct export_io *io)
{
    return io->offset + io->bytes;
}

/* NULL: there was no memory, and @io is done with that. */
struct cow_op *cow_op_new_(struct nbd_export *e, struct export_io *io,
                           int (*next)(struct cow_op *op));

/* Goes on until a part is under way, or to the end of it. */
void cow_op_run_(struct cow_op *op);

/* Does with the overlay what @forward does, when it is the turn of @io. */
void cow_change_(struct nbd_export *e, struct export_io *io,
                 void (*forward)(struct nbd_export *e, struct export_io *io));

#endif /* AIOX_NBD_COW_OP_H_ */
