/* SPDX-License-Identifier: MIT */
/*
 * bytes.h - a stretch of memory that fills at its end and empties at its
 * front.
 *
 * The owner brings the memory and keeps it. What has not been taken moves to
 * the front when that makes room.
 */
#ifndef AIOX_NBD_BYTES_H_
#define AIOX_NBD_BYTES_H_

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "aiox/assert.h"

struct bytes {
    uint8_t *memory;
    size_t capacity;
    size_t start; /* first byte that was not taken */
    size_t end;   /* behind the last byte that was put */
};

static inline size_t bytes_held(const struct bytes *b)
{
    return b->end - b->start;
}

static inline const uint8_t *bytes_front(const struct bytes *b)
{
    return b->memory + b->start;
}

static inline void bytes_take(struct bytes *b, size_t n)
{
    aiox_assert(n <= bytes_held(b));
    b->start += n;
    if (b->start == b->end) {
        b->start = b->end = 0;
    }
}

/* Where bytes_room() bytes may be written; moves what is held to the front. */
static inline uint8_t *bytes_back(struct bytes *b)
{
    if (b->start > 0) {
        memmove(b->memory, b->memory + b->start, bytes_held(b));
        b->end -= b->start;
        b->start = 0;
    }
    return b->memory + b->end;
}

static inline size_t bytes_room(const struct bytes *b)
{
    return b->capacity - bytes_held(b);
}

/* @n bytes were written at bytes_back(). */
static inline void bytes_put(struct bytes *b, size_t n)
{
    aiox_assert(n <= b->capacity - b->end);
    b->end += n;
}

#endif /* AIOX_NBD_BYTES_H_ */
