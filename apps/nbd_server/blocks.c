/* SPDX-License-Identifier: MIT */
/*
 * blocks.c - words of 64 bits; whole ones are looked at and changed at once.
 */
#include "blocks.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

#include "aiox/assert.h"

enum { WORD = 64 };

static size_t map_bytes(const struct blocks *b)
{
    return (size_t)(b->count / WORD + 1) * sizeof(aiox_atomic_u64);
}

int blocks_init(struct blocks *b, uint64_t size_bytes)
{
    void *memory;

    *b = (struct blocks){.count = blocks_behind(size_bytes)};
    memory = mmap(NULL, map_bytes(b), PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        b->count = 0;
        return -ENOMEM;
    }
    b->words = memory;
    return 0;
}

void blocks_fini(struct blocks *b)
{
    if (b->words) {
        munmap(b->words, map_bytes(b));
        b->words = NULL;
    }
}

/* The bits of the word of @first that stand for blocks from @first up to @end. */
static uint64_t mask_of(uint64_t first, uint64_t end)
{
    uint64_t mask = ~UINT64_C(0) << (first % WORD);
    uint64_t behind = first - first % WORD + WORD;

    return end >= behind ? mask : mask & ~(~UINT64_C(0) << (end % WORD));
}

static uint64_t next_word(uint64_t i)
{
    return i - i % WORD + WORD;
}

void blocks_set(struct blocks *b, uint64_t first, uint64_t end)
{
    aiox_assert(end <= b->count);
    for (uint64_t i = first; i < end; i = next_word(i)) {
        uint64_t mask = mask_of(i, end);
        uint64_t before = aiox_u64_or_relaxed(&b->words[i / WORD], mask);

        aiox_u64_add_relaxed(&b->set, (uint64_t)__builtin_popcountll(mask & ~before));
    }
}

void blocks_clear(struct blocks *b, uint64_t first, uint64_t end)
{
    aiox_assert(end <= b->count);
    for (uint64_t i = first; i < end; i = next_word(i)) {
        uint64_t mask = mask_of(i, end), before;

        if (aiox_u64_load_relaxed(&b->words[i / WORD]) & mask) { /* else it may stay untouched */
            before = aiox_u64_and_relaxed(&b->words[i / WORD], ~mask);
            aiox_u64_sub_relaxed(&b->set, (uint64_t)__builtin_popcountll(mask & before));
        }
    }
}

uint64_t blocks_missing(const struct blocks *b, uint64_t first, uint64_t end)
{
    uint64_t missing = 0;

    aiox_assert(end <= b->count);
    for (uint64_t i = first; i < end; i = next_word(i)) {
        uint64_t unset = ~aiox_u64_load_relaxed(&b->words[i / WORD]) & mask_of(i, end);

        missing += (uint64_t)__builtin_popcountll(unset);
    }
    return missing;
}

uint64_t blocks_run(const struct blocks *b, uint64_t first, uint64_t end, bool *is_set)
{
    uint64_t flip;

    aiox_assert(first < end && end <= b->count);
    if (end - first > BLOCKS_SCAN) {
        end = first + BLOCKS_SCAN;
    }
    *is_set = aiox_u64_load_relaxed(&b->words[first / WORD]) >> (first % WORD) & 1;
    flip = *is_set ? ~UINT64_C(0) : 0;
    for (uint64_t i = first; i < end; i = next_word(i)) {
        uint64_t others = (aiox_u64_load_relaxed(&b->words[i / WORD]) ^ flip) & mask_of(i, end);

        if (others) {
            return i - i % WORD + (uint64_t)__builtin_ctzll(others) - first;
        }
    }
    return end - first;
}
