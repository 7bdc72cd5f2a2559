/* SPDX-License-Identifier: MIT */
/*
 * reply.c - one function for each kind of reply.
 *
 * Sections of the specification: "Simple reply message", "Structured reply chunk
 * message", "Structured reply types", "Extended reply chunk message".
 */
#include "reply.h"

#include <errno.h>
#include <string.h>

#include "aiox/assert.h"
#include "aiox/error.h"

enum {
    /* What is left for the words of an error. */
    WORDS_MAX = REQUEST_HEAD_BYTES - WIRE_CHUNK_MAX - WIRE_ERROR - 8,
};

/* ---- heads ---- */

/* @bytes of @from become the head; what follows is the payload. */
static void set_head(struct request *r, const uint8_t *from, size_t bytes)
{
    aiox_assert(bytes <= REQUEST_HEAD_BYTES);
    memcpy(r->head + REQUEST_HEAD_BYTES - bytes, from, bytes);
    r->head_bytes = (uint32_t)bytes;
}

static size_t put_chunk(const struct request *r, uint8_t *out, uint16_t flags, uint16_t type,
                        uint32_t length)
{
    const struct wire_chunk chunk = {
        .extended = r->dialect.replies == REPLIES_EXTENDED,
        .flags = flags,
        .type = type,
        .cookie = r->cookie,
        .offset = r->offset,
        .length = length,
    };

    return wire_put_chunk(out, &chunk);
}

/* "Error values": the two that mean something special are said where they do. */
static uint32_t error_value(const struct request *r, int error)
{
    if (error == -EOPNOTSUPP && !r->io.fast) {
        return NBD_EIO;
    }
    return wire_error(error);
}

/* ---- kinds ---- */

static void conclude_simple(struct request *r, int error)
{
    uint8_t head[WIRE_SIMPLE_REPLY];
    bool carries_data = r->type == NBD_CMD_READ && error == 0;

    set_head(r, head, wire_put_simple_reply(head, error_value(r, error), r->cookie));
    r->reply_bytes = r->head_bytes + (carries_data ? r->bytes : 0);
}

/* NBD_REPLY_TYPE_ERROR, or with where it happened, if that was found out at the export. */
static void conclude_error(struct request *r, int error)
{
    const char *words = r->why ? r->why : aiox_error_text(error);
    size_t word_bytes = strnlen(words, WORDS_MAX);
    bool placed = !r->refusal && r->type == NBD_CMD_READ;
    size_t length = WIRE_ERROR + word_bytes + (placed ? 8 : 0);
    uint8_t head[REQUEST_HEAD_BYTES];
    size_t n =
        put_chunk(r, head, NBD_REPLY_FLAG_DONE,
                  placed ? NBD_REPLY_TYPE_ERROR_OFFSET : NBD_REPLY_TYPE_ERROR, (uint32_t)length);

    n += wire_put_u32(head + n, error_value(r, error));
    n += wire_put_u16(head + n, (uint16_t)word_bytes);
    memcpy(head + n, words, word_bytes);
    n += word_bytes;
    if (placed) {
        n += wire_put_u64(head + n, r->io.offset);
    }
    set_head(r, head, n);
    r->reply_bytes = n;
}

static void conclude_done(struct request *r)
{
    uint8_t head[WIRE_CHUNK_MAX];

    set_head(r, head, put_chunk(r, head, NBD_REPLY_FLAG_DONE, NBD_REPLY_TYPE_NONE, 0));
    r->reply_bytes = r->head_bytes;
}

/* One chunk with all of it. */
static void conclude_data(struct request *r)
{
    uint8_t head[WIRE_CHUNK_MAX + 8];
    size_t n =
        put_chunk(r, head, NBD_REPLY_FLAG_DONE, NBD_REPLY_TYPE_OFFSET_DATA, (uint32_t)r->bytes + 8);

    n += wire_put_u64(head + n, r->offset);
    set_head(r, head, n);
    r->reply_bytes = n + r->bytes;
}

static size_t put_stretch_head(const struct request *r, uint32_t i, uint64_t offset, uint8_t *out)
{
    uint32_t bytes = (uint32_t)r->stretches[i].bytes;
    uint16_t flags = i + 1 == r->stretch_count ? NBD_REPLY_FLAG_DONE : 0;
    size_t n;

    if (r->stretches[i].state & EXPORT_ZERO) {
        n = put_chunk(r, out, flags, NBD_REPLY_TYPE_OFFSET_HOLE, WIRE_HOLE);
        n += wire_put_u64(out + n, offset);
        return n + wire_put_u32(out + n, bytes);
    }
    n = put_chunk(r, out, flags, NBD_REPLY_TYPE_OFFSET_DATA, bytes + 8);
    return n + wire_put_u64(out + n, offset);
}

/* One chunk for each stretch. */
static void conclude_stretches(struct request *r)
{
    uint64_t offset = r->offset;

    r->reply_bytes = 0;
    for (uint32_t i = 0; i < r->stretch_count; i++) {
        const struct export_extent *s = &r->stretches[i];

        r->reply_bytes += put_stretch_head(r, i, offset, r->stretch_heads[i]);
        r->reply_bytes += s->state & EXPORT_ZERO ? 0 : s->bytes;
        offset += s->bytes;
    }
}

/*
 * The extents stand in the payload; what is sent of them takes no more room, so
 * they become it in place, from the first on.
 */
static size_t put_extents(struct request *r, bool extended)
{
    const struct export_extent *from = r->io.extents;
    uint8_t *to = request_data(r);
    size_t n = 0;

    _Static_assert(sizeof(struct export_extent) >= 16, "an extent is overwritten behind its use");
    for (uint32_t i = 0; i < r->io.extent_count; i++) {
        struct export_extent x = from[i];

        if (extended) {
            n += wire_put_u64(to + n, x.bytes);
            n += wire_put_u64(to + n, x.state);
        } else {
            n += wire_put_u32(to + n, (uint32_t)x.bytes);
            n += wire_put_u32(to + n, x.state);
        }
    }
    return n;
}

static void conclude_status(struct request *r)
{
    bool extended = r->dialect.replies == REPLIES_EXTENDED;
    size_t list_bytes = put_extents(r, extended);
    size_t fields = extended ? 8 : 4;
    uint8_t head[WIRE_CHUNK_MAX + 8];
    size_t n = put_chunk(r, head, NBD_REPLY_FLAG_DONE,
                         extended ? NBD_REPLY_TYPE_BLOCK_STATUS_EXT : NBD_REPLY_TYPE_BLOCK_STATUS,
                         (uint32_t)(fields + list_bytes));

    n += wire_put_u32(head + n, DIALECT_ALLOCATION_ID);
    if (extended) {
        n += wire_put_u32(head + n, r->io.extent_count);
    }
    set_head(r, head, n);
    r->reply_bytes = n + list_bytes;
}

void reply_conclude(struct request *r, int error)
{
    if (r->dialect.replies == REPLIES_SIMPLE) {
        conclude_simple(r, error);
    } else if (error) {
        r->stretch_count = 0;
        conclude_error(r, error);
    } else if (r->type == NBD_CMD_BLOCK_STATUS) {
        conclude_status(r);
    } else if (r->stretch_count > 0) {
        conclude_stretches(r);
    } else if (r->type == NBD_CMD_READ && r->bytes > 0) {
        conclude_data(r);
    } else {
        conclude_done(r);
    }
}

/* ---- pieces ---- */

struct pieces {
    struct iovec *iov;
    int max;
    int count;
    uint64_t skip;
};

static void add(struct pieces *p, uint8_t *from, uint64_t bytes)
{
    uint64_t skip = p->skip < bytes ? p->skip : bytes;

    p->skip -= skip;
    if (skip < bytes && p->count < p->max) {
        p->iov[p->count].iov_base = from + skip;
        p->iov[p->count++].iov_len = (size_t)(bytes - skip);
    }
}

static size_t stretch_head_bytes(const struct request *r, const struct export_extent *s)
{
    size_t chunk = r->dialect.replies == REPLIES_EXTENDED ? WIRE_CHUNK_MAX : 20;

    return chunk + (s->state & EXPORT_ZERO ? WIRE_HOLE : 8);
}

int reply_output(struct request *r, uint64_t skip, struct iovec *iov, int max)
{
    struct pieces p = {.iov = iov, .max = max, .skip = skip};
    uint8_t *data = request_data(r);

    if (r->stretch_count == 0) {
        add(&p, r->head + REQUEST_HEAD_BYTES - r->head_bytes, r->reply_bytes);
        return p.count;
    }
    for (uint32_t i = 0; i < r->stretch_count; i++) {
        const struct export_extent *s = &r->stretches[i];

        add(&p, r->stretch_heads[i], stretch_head_bytes(r, s));
        if (!(s->state & EXPORT_ZERO)) {
            add(&p, data, s->bytes);
        }
        data += s->bytes;
    }
    return p.count;
}
