/* SPDX-License-Identifier: MIT */
/*
 * blocks.h - which blocks of a range of bytes were written: one bit each.
 *
 * The bits take memory when they are touched, so a large range of which little
 * is written takes little.
 */
#ifndef AIOX_NBD_BLOCKS_H_
#define AIOX_NBD_BLOCKS_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/atomic.h"
#include "aiox/attributes.h"

AIOX_BEGIN_DECLS

enum {
    BLOCKS_BYTES = 4096,
    /* So many are looked at to find the end of a run. */
    BLOCKS_SCAN = 1 << 20,
};

/*
 * Zeroed: of an empty range. May be changed and read by several threads at once:
 * each bit is a fact of its own. Whoever must know in which order it became one
 * (an answer was sent before the question came) has that order from elsewhere.
 */
struct blocks {
    aiox_atomic_u64 *words;
    uint64_t count;      /* of blocks, the last may be a part of one */
    aiox_atomic_u64 set; /* of those, how many are set */
};

/* For @size_bytes, no block set. 0 or -ENOMEM. [any] */
AIOX_NODISCARD int blocks_init(struct blocks *b, uint64_t size_bytes);
void blocks_fini(struct blocks *b);

/* All blocks from @first up to, without, @end, which are within the range. [any] */
void blocks_set(struct blocks *b, uint64_t first, uint64_t end);
void blocks_clear(struct blocks *b, uint64_t first, uint64_t end);

/* How many of these are not set. [any] */
uint64_t blocks_missing(const struct blocks *b, uint64_t first, uint64_t end);

/*
 * How many blocks from @first up to @end are like @first, which is before @end;
 * *@is_set says how that is. May stop early, after BLOCKS_SCAN. [any]
 */
uint64_t blocks_run(const struct blocks *b, uint64_t first, uint64_t end, bool *is_set);

/* The block that @offset is in, and the one behind the last that lies before @offset. [any] */
static inline uint64_t blocks_at(uint64_t offset)
{
    return offset / BLOCKS_BYTES;
}

static inline uint64_t blocks_behind(uint64_t offset)
{
    return offset / BLOCKS_BYTES + (offset % BLOCKS_BYTES != 0);
}

AIOX_END_DECLS

#endif /* AIOX_NBD_BLOCKS_H_ */
