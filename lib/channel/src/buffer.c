/* SPDX-License-Identifier: MIT */
/* buffer.c - memory that is read and written like a file. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aiox/assert.h"
#include "aiox/channel_memory.h"
#include "aiox/channel_ops.h"

struct buffer {
    struct aiox_channel base;
    char *data; /* NULL while it has no capacity */
    size_t bytes;
    size_t capacity;
    size_t position; /* may be behind the end */
};

static struct buffer *self_of(const struct aiox_channel *ch)
{
    return AIOX_CONTAINER_OF(ch, struct buffer, base);
}

/* ---- reading ---- */

static size_t read_at(const struct buffer *b, size_t at, void *to, size_t bytes)
{
    size_t left = at < b->bytes ? b->bytes - at : 0;

    bytes = bytes < left ? bytes : left;
    if (bytes > 0) {
        memcpy(to, b->data + at, bytes);
    }
    return bytes;
}

static ssize_t read_once(struct aiox_channel *ch, struct aiox_channel_io *io)
{
    struct buffer *b = self_of(ch);
    size_t at = b->position;

    for (int i = 0; i < io->count; i++) {
        at += read_at(b, at, io->iov[i].iov_base, io->iov[i].iov_len);
    }
    if (!io->peek) {
        size_t was = b->position;

        b->position = at;
        return (ssize_t)(at - was);
    }
    return (ssize_t)(at - b->position);
}

static ssize_t pread_once(struct aiox_channel *ch, void *buf, size_t bytes, int64_t offset)
{
    return offset < 0 ? -EINVAL : (ssize_t)read_at(self_of(ch), (size_t)offset, buf, bytes);
}

/* ---- writing ---- */

static int reserve(struct buffer *b, size_t least)
{
    size_t capacity = b->capacity ? b->capacity : 64;
    char *data;

    if (least <= b->capacity) {
        return 0;
    }
    if (least > SSIZE_MAX / 2) {
        return -ENOMEM;
    }
    while (capacity < least) {
        capacity *= 2;
    }
    data = realloc(b->data, capacity);
    if (!data) {
        return -ENOMEM;
    }
    b->data = data;
    b->capacity = capacity;
    return 0;
}

static ssize_t write_at(struct buffer *b, size_t at, const void *from, size_t bytes)
{
    int err;

    if (bytes == 0) {
        return 0;
    }
    err = at > SSIZE_MAX / 2 || bytes > SSIZE_MAX / 2 ? -ENOMEM : reserve(b, at + bytes);
    if (err < 0) {
        return err;
    }
    if (at > b->bytes) {
        memset(b->data + b->bytes, 0, at - b->bytes);
    }
    memcpy(b->data + at, from, bytes);
    b->bytes = at + bytes > b->bytes ? at + bytes : b->bytes;
    return (ssize_t)bytes;
}

static ssize_t write_once(struct aiox_channel *ch, struct aiox_channel_io *io)
{
    struct buffer *b = self_of(ch);
    ssize_t done = 0;

    for (int i = 0; i < io->count; i++) {
        ssize_t n = write_at(b, b->position, io->iov[i].iov_base, io->iov[i].iov_len);

        if (n < 0) {
            return done > 0 ? done : n;
        }
        b->position += (size_t)n;
        done += n;
    }
    return done;
}

static ssize_t pwrite_once(struct aiox_channel *ch, const void *buf, size_t bytes, int64_t offset)
{
    return offset < 0 ? -EINVAL : write_at(self_of(ch), (size_t)offset, buf, bytes);
}

/* ---- the rest ---- */

static int64_t seek(struct aiox_channel *ch, int64_t offset, int whence)
{
    struct buffer *b = self_of(ch);
    int64_t base = whence == SEEK_CUR ? (int64_t)b->position : 0;

    aiox_assert(whence == SEEK_SET || whence == SEEK_CUR || whence == SEEK_END);
    if (whence == SEEK_END) {
        base = (int64_t)b->bytes;
    }
    if (__builtin_add_overflow(base, offset, &base) || base < 0) {
        return -EINVAL;
    }
    b->position = (size_t)base;
    return base;
}

static int wait_for(struct aiox_channel *ch, uint32_t events, int64_t deadline_ns)
{
    (void)ch;
    (void)deadline_ns;
    return (int)events;
}

static int close_buffer(struct aiox_channel *ch)
{
    (void)ch;
    return 0;
}

static void free_buffer(struct aiox_channel *ch)
{
    free(self_of(ch)->data);
    free(self_of(ch));
}

static const struct aiox_channel_ops ops = {
    .kind = "buffer",
    .read = read_once,
    .write = write_once,
    .wait = wait_for,
    .close = close_buffer,
    .free = free_buffer,
    .pread = pread_once,
    .pwrite = pwrite_once,
    .seek = seek,
};

int aiox_channel_buffer_new(struct aiox_channel **out, size_t capacity_bytes)
{
    struct buffer *b = calloc(1, sizeof(*b));

    if (!b || (capacity_bytes > 0 && reserve(b, capacity_bytes) < 0)) {
        free(b);
        return -ENOMEM;
    }
    aiox_channel_init(&b->base, &ops, AIOX_CHANNEL_SEEKABLE | AIOX_CHANNEL_PEEK);
    *out = &b->base;
    return 0;
}

const void *aiox_channel_buffer_data(const struct aiox_channel *ch)
{
    aiox_assert(ch->ops_ == &ops);
    return self_of(ch)->data;
}

size_t aiox_channel_buffer_bytes(const struct aiox_channel *ch)
{
    aiox_assert(ch->ops_ == &ops);
    return self_of(ch)->bytes;
}
