/* SPDX-License-Identifier: MIT */
/*
 * pool.c - one stack of free blocks per size; the newest, still in the
 * processor's cache, is the first to be used again.
 */
#include "pool.h"

#include <stdlib.h>

#include "aiox/assert.h"

/* What a free block holds. */
struct kept {
    struct kept *next;
};

static unsigned class_of(size_t payload_bytes)
{
    if (payload_bytes == 0) {
        return 0;
    }
    if (payload_bytes <= POOL_SMALLEST) {
        return 1;
    }
    return (unsigned)(64 - __builtin_clzll((payload_bytes - 1) / POOL_SMALLEST)) + 1;
}

static size_t class_bytes(const struct pool *pool, unsigned class)
{
    return pool->pad_bytes + pool->head_bytes +
           (class == 0 ? 0 : (size_t)POOL_SMALLEST << (class - 1));
}

void pool_init(struct pool *pool, size_t head_bytes, size_t keep_bytes)
{
    aiox_assert(head_bytes >= sizeof(struct kept) && head_bytes % POOL_ALIGNMENT == 0);
    *pool = (struct pool){
        .head_bytes = head_bytes,
        .pad_bytes = -head_bytes % POOL_PAYLOAD_ALIGNMENT,
        .keep_bytes = keep_bytes,
        .lend_bytes = SIZE_MAX,
    };
}

static void set_wanted(struct pool *pool, bool wanted)
{
    if (pool->wanted == wanted) {
        return;
    }
    pool->wanted = wanted;
    if (pool->scarce) {
        pool->scarce(pool->opaque, wanted);
    }
}

bool pool_may_take(struct pool *pool, size_t payload_bytes)
{
    size_t bytes = class_bytes(pool, class_of(payload_bytes));

    if (bytes <= pool->lend_bytes && pool->lent_bytes <= pool->lend_bytes - bytes) {
        return true;
    }
    set_wanted(pool, true);
    return false;
}

static void free_block(const struct pool *pool, void *block)
{
    free((char *)block - pool->pad_bytes);
}

void pool_fini(struct pool *pool)
{
    for (unsigned class = 0; class < POOL_CLASSES; class ++) {
        struct kept *block = pool->kept[class];

        while (block) {
            struct kept *next = block->next;

            free_block(pool, block);
            block = next;
        }
        pool->kept[class] = NULL;
    }
    pool->kept_bytes = 0;
}

void *pool_take(struct pool *pool, size_t payload_bytes)
{
    unsigned class = class_of(payload_bytes);
    struct kept *block;
    void *memory;

    aiox_assert(payload_bytes <= POOL_PAYLOAD_MAX);
    pool->lent_bytes += class_bytes(pool, class);
    block = pool->kept[class];
    if (block) {
        pool->kept[class] = block->next;
        pool->kept_bytes -= class_bytes(pool, class);
        return block;
    }
    if (posix_memalign(&memory, POOL_PAYLOAD_ALIGNMENT, class_bytes(pool, class)) != 0) {
        pool->lent_bytes -= class_bytes(pool, class);
        return NULL;
    }
    return (char *)memory + pool->pad_bytes;
}

static void keep_or_free(struct pool *pool, unsigned class, struct kept *kept)
{
    if (pool->kept_bytes + class_bytes(pool, class) > pool->keep_bytes) {
        free_block(pool, kept);
        return;
    }
    kept->next = pool->kept[class];
    pool->kept[class] = kept;
    pool->kept_bytes += class_bytes(pool, class);
}

void pool_give(struct pool *pool, void *block, size_t payload_bytes)
{
    unsigned class = class_of(payload_bytes);

    pool->lent_bytes -= class_bytes(pool, class);
    keep_or_free(pool, class, block);
    set_wanted(pool, false);
}
