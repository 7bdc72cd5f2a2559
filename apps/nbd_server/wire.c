/* SPDX-License-Identifier: MIT */
/*
 * wire.c - one function per message, one line per field, in wire order.
 */
#include "wire.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

static uint16_t get_u16(const uint8_t *bytes)
{
    uint16_t big;

    memcpy(&big, bytes, sizeof(big));
    return be16toh(big);
}

uint32_t wire_get_u32(const uint8_t *bytes)
{
    uint32_t big;

    memcpy(&big, bytes, sizeof(big));
    return be32toh(big);
}

uint64_t wire_get_u64(const uint8_t *bytes)
{
    uint64_t big;

    memcpy(&big, bytes, sizeof(big));
    return be64toh(big);
}

size_t wire_put_u64(uint8_t *out, uint64_t value)
{
    uint64_t big = htobe64(value);

    memcpy(out, &big, sizeof(big));
    return sizeof(big);
}

size_t wire_put_u16(uint8_t *out, uint16_t value)
{
    uint16_t big = htobe16(value);

    memcpy(out, &big, sizeof(big));
    return sizeof(big);
}

size_t wire_put_u32(uint8_t *out, uint32_t value)
{
    uint32_t big = htobe32(value);

    memcpy(out, &big, sizeof(big));
    return sizeof(big);
}

uint32_t wire_get_client_flags(const uint8_t *bytes)
{
    return wire_get_u32(bytes);
}

void wire_get_option(const uint8_t *bytes, struct wire_option *out)
{
    out->magic = wire_get_u64(bytes);
    out->option = wire_get_u32(bytes + 8);
    out->length = wire_get_u32(bytes + 12);
}

bool wire_get_go(const uint8_t *data, size_t length, struct wire_go *out)
{
    enum { LENGTH_FIELD = 4, COUNT_FIELD = 2, INFO = 2 };
    uint32_t name_bytes;
    uint16_t info_count;

    if (length < LENGTH_FIELD + COUNT_FIELD) {
        return false;
    }
    name_bytes = wire_get_u32(data);
    if (name_bytes > length - LENGTH_FIELD - COUNT_FIELD) { /* cannot wrap: checked above */
        return false;
    }
    info_count = get_u16(data + LENGTH_FIELD + name_bytes);
    if (length - LENGTH_FIELD - COUNT_FIELD - name_bytes != (size_t)info_count * INFO) {
        return false;
    }
    out->name = data + LENGTH_FIELD;
    out->name_bytes = name_bytes;
    out->infos = data + LENGTH_FIELD + name_bytes + COUNT_FIELD;
    out->info_count = info_count;
    return true;
}

bool wire_go_wants(const struct wire_go *go, uint16_t info)
{
    for (uint16_t i = 0; i < go->info_count; i++) {
        if (get_u16(go->infos + 2 * (size_t)i) == info) {
            return true;
        }
    }
    return false;
}

/* False unless @count queries are exactly the @left bytes at @at. */
static bool are_queries(const uint8_t *at, size_t left, uint32_t count)
{
    enum { LENGTH_FIELD = 4 };

    for (uint32_t i = 0; i < count; i++) { /* each takes bytes: no more turns than those allow */
        uint32_t bytes;

        if (left < LENGTH_FIELD) {
            return false;
        }
        bytes = wire_get_u32(at);
        if (bytes > left - LENGTH_FIELD) {
            return false;
        }
        at += LENGTH_FIELD + bytes;
        left -= LENGTH_FIELD + bytes;
    }
    return left == 0;
}

bool wire_get_meta(const uint8_t *data, size_t length, struct wire_meta *out)
{
    enum { LENGTH_FIELD = 4, COUNT_FIELD = 4 };
    const uint8_t *queries;
    uint32_t name_bytes, count;

    if (length < LENGTH_FIELD + COUNT_FIELD) {
        return false;
    }
    name_bytes = wire_get_u32(data);
    if (name_bytes > length - LENGTH_FIELD - COUNT_FIELD) { /* cannot wrap: checked above */
        return false;
    }
    count = wire_get_u32(data + LENGTH_FIELD + name_bytes);
    queries = data + LENGTH_FIELD + name_bytes + COUNT_FIELD;
    if (!are_queries(queries, length - (size_t)(queries - data), count)) {
        return false;
    }
    out->name = data + LENGTH_FIELD;
    out->name_bytes = name_bytes;
    out->queries = queries;
    out->query_count = count;
    return true;
}

bool wire_next_query(struct wire_meta *meta, const uint8_t **query, uint32_t *bytes)
{
    if (meta->query_count == 0) {
        return false;
    }
    *bytes = wire_get_u32(meta->queries);
    *query = meta->queries + 4;
    meta->queries = *query + *bytes;
    meta->query_count--;
    return true;
}

void wire_get_request(const uint8_t *bytes, struct wire_request *out)
{
    out->magic = wire_get_u32(bytes);
    out->flags = get_u16(bytes + 4);
    out->type = get_u16(bytes + 6);
    out->cookie = wire_get_u64(bytes + 8);
    out->offset = wire_get_u64(bytes + 16);
    out->length = wire_get_u32(bytes + 24);
}

void wire_get_extended_request(const uint8_t *bytes, struct wire_request *out)
{
    wire_get_request(bytes, out);
    out->length = wire_get_u64(bytes + 24);
}

size_t wire_put_greeting(uint8_t *out, uint16_t handshake_flags)
{
    size_t n = wire_put_u64(out, NBD_INIT_MAGIC);

    n += wire_put_u64(out + n, NBD_OPTION_MAGIC);
    return n + wire_put_u16(out + n, handshake_flags);
}

size_t wire_put_option_reply(uint8_t *out, uint32_t option, uint32_t type, uint32_t length)
{
    size_t n = wire_put_u64(out, NBD_REP_MAGIC);

    n += wire_put_u32(out + n, option);
    n += wire_put_u32(out + n, type);
    return n + wire_put_u32(out + n, length);
}

size_t wire_put_info_export(uint8_t *out, uint64_t size_bytes, uint16_t flags)
{
    size_t n = wire_put_u16(out, NBD_INFO_EXPORT);

    n += wire_put_u64(out + n, size_bytes);
    return n + wire_put_u16(out + n, flags);
}

size_t wire_put_info_block_size(uint8_t *out, uint32_t minimum, uint32_t preferred,
                                uint32_t maximum)
{
    size_t n = wire_put_u16(out, NBD_INFO_BLOCK_SIZE);

    n += wire_put_u32(out + n, minimum);
    n += wire_put_u32(out + n, preferred);
    return n + wire_put_u32(out + n, maximum);
}

size_t wire_put_export_name_reply(uint8_t *out, uint64_t size_bytes, uint16_t flags, bool zeroes)
{
    size_t n = wire_put_u64(out, size_bytes);

    n += wire_put_u16(out + n, flags);
    if (zeroes) {
        memset(out + n, 0, WIRE_EXPORT_NAME_ZEROES);
        n += WIRE_EXPORT_NAME_ZEROES;
    }
    return n;
}

size_t wire_put_simple_reply(uint8_t *out, uint32_t error, uint64_t cookie)
{
    size_t n = wire_put_u32(out, NBD_SIMPLE_REPLY_MAGIC);

    n += wire_put_u32(out + n, error);
    return n + wire_put_u64(out + n, cookie);
}

size_t wire_put_chunk(uint8_t *out, const struct wire_chunk *chunk)
{
    size_t n =
        wire_put_u32(out, chunk->extended ? NBD_EXTENDED_REPLY_MAGIC : NBD_STRUCTURED_REPLY_MAGIC);

    n += wire_put_u16(out + n, chunk->flags);
    n += wire_put_u16(out + n, chunk->type);
    n += wire_put_u64(out + n, chunk->cookie);
    if (!chunk->extended) {
        return n + wire_put_u32(out + n, chunk->length);
    }
    n += wire_put_u64(out + n, chunk->offset);
    return n + wire_put_u64(out + n, chunk->length);
}

uint32_t wire_error(int error)
{
    static const struct {
        int error;
        uint32_t value;
    } table[] = {
        {0, NBD_SUCCESS},           {-EPERM, NBD_EPERM},
        {-EACCES, NBD_EPERM},       {-EROFS, NBD_EPERM},
        {-ENOMEM, NBD_ENOMEM},      {-EINVAL, NBD_EINVAL},
        {-ENOSPC, NBD_ENOSPC},      {-EDQUOT, NBD_ENOSPC},
        {-EFBIG, NBD_ENOSPC},       {-EOVERFLOW, NBD_EOVERFLOW},
        {-EOPNOTSUPP, NBD_ENOTSUP}, {-ESHUTDOWN, NBD_ESHUTDOWN},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].error == error) {
            return table[i].value;
        }
    }
    return NBD_EIO;
}
