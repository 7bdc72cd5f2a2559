/* SPDX-License-Identifier: MIT */
/*
 * pool.h - blocks of memory that were used a moment ago.
 *
 * A block is a head of fixed size and a payload behind it, which is aligned so
 * that devices can read into it; payloads come in powers of two, so that a block given back fits
 * the next one of about its size. What is kept is bounded for all clients together, whoever gave it
 * back; so is what is lent, if those who take ask first.
 */
#ifndef AIOX_NBD_POOL_H_
#define AIOX_NBD_POOL_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aiox/attributes.h"

AIOX_BEGIN_DECLS

enum {
    POOL_ALIGNMENT = 64,          /* of a block */
    POOL_PAYLOAD_ALIGNMENT = 512, /* enough for O_DIRECT nearly everywhere */
    POOL_SMALLEST = 4096,         /* payload, unless there is none */
    POOL_CLASSES = 15,            /* none, 4 KiB, 8 KiB, ... 32 MiB */
    POOL_PAYLOAD_MAX = 32 << 20,
};

/* What a server keeps. Under AddressSanitizer nothing, so that it sees each block die. */
#define POOL_KEEP_BYTES (AIOX_ASAN ? (size_t)0 : (size_t)32 << 20)

struct pool {
    size_t head_bytes;
    size_t pad_bytes;  /* in front of the head, so that the payload is aligned */
    size_t keep_bytes; /* at most so much */
    size_t kept_bytes;
    size_t lend_bytes; /* at most so much should be in use */
    size_t lent_bytes;
    bool wanted; /* somebody asked and was told to wait */
    /* Told when that becomes true, and when something is given back while it is. NULL: nobody. */
    void (*scarce)(void *opaque, bool wanted);
    void *opaque;
    void *kept[POOL_CLASSES];
};

/*
 * Blocks of @pool have @head_bytes (a multiple of POOL_ALIGNMENT) before the
 * payload. Nobody has to wait until lend_bytes is set. [any]
 */
void pool_init(struct pool *pool, size_t head_bytes, size_t keep_bytes);

/* True if one more block is within the bounds. False: wait until scarce(false). [home] */
bool pool_may_take(struct pool *pool, size_t payload_bytes);

/* Gives back what is kept; all blocks were given back before. [home] */
void pool_fini(struct pool *pool);

/* A block for @payload_bytes, at most POOL_PAYLOAD_MAX, or NULL. Not cleared. [home] */
void *pool_take(struct pool *pool, size_t payload_bytes);

/* Takes back what pool_take() gave for the same @payload_bytes. [home] */
void pool_give(struct pool *pool, void *block, size_t payload_bytes);

AIOX_END_DECLS

#endif /* AIOX_NBD_POOL_H_ */
