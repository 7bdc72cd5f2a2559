/* SPDX-License-Identifier: MIT */
/*
 * wire.h - the bytes of the NBD protocol as structs, and back.
 *
 * No input or output, no memory, no decision. Every function that reads takes
 * bytes of a stranger and is total: whatever they are, it returns, and looks
 * at nothing beyond the length it was given. All numbers travel big-endian.
 *
 * Names in capitals and the sections cited are those of the specification,
 * doc/proto.md of the NBD project; what has to do with extended headers is that
 * of its branch extension-ext-header.
 */
#ifndef AIOX_NBD_WIRE_H_
#define AIOX_NBD_WIRE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aiox/attributes.h"

AIOX_BEGIN_DECLS

/* "Newstyle negotiation", "Fixed newstyle negotiation" */
#define NBD_INIT_MAGIC UINT64_C(0x4e42444d41474943)   /* "NBDMAGIC" */
#define NBD_OPTION_MAGIC UINT64_C(0x49484156454F5054) /* "IHAVEOPT" */
#define NBD_REP_MAGIC UINT64_C(0x3e889045565a9)

/* "Handshake flags", "Client flags": the same bits in both directions */
enum {
    NBD_FLAG_FIXED_NEWSTYLE = 1 << 0,
    NBD_FLAG_NO_ZEROES = 1 << 1,
};

/* "Transmission flags" */
enum {
    NBD_FLAG_HAS_FLAGS = 1 << 0,
    NBD_FLAG_READ_ONLY = 1 << 1,
    NBD_FLAG_SEND_FLUSH = 1 << 2,
    NBD_FLAG_SEND_FUA = 1 << 3,
    NBD_FLAG_SEND_TRIM = 1 << 5,
    NBD_FLAG_SEND_WRITE_ZEROES = 1 << 6,
    NBD_FLAG_SEND_DF = 1 << 7,
    NBD_FLAG_CAN_MULTI_CONN = 1 << 8,
    NBD_FLAG_SEND_CACHE = 1 << 10,
    NBD_FLAG_SEND_FAST_ZERO = 1 << 11,
    NBD_FLAG_BLOCK_STATUS_PAYLOAD = 1 << 12,
};

/* "Option types" */
enum {
    NBD_OPT_EXPORT_NAME = 1,
    NBD_OPT_ABORT = 2,
    NBD_OPT_LIST = 3,
    NBD_OPT_STARTTLS = 5,
    NBD_OPT_INFO = 6,
    NBD_OPT_GO = 7,
    NBD_OPT_STRUCTURED_REPLY = 8,
    NBD_OPT_LIST_META_CONTEXT = 9,
    NBD_OPT_SET_META_CONTEXT = 10,
    NBD_OPT_EXTENDED_HEADERS = 11,
};

/* "Option reply types" */
#define NBD_REP_ACK UINT32_C(1)
#define NBD_REP_SERVER UINT32_C(2)
#define NBD_REP_INFO UINT32_C(3)
#define NBD_REP_META_CONTEXT UINT32_C(4)
#define NBD_REP_ERR_UNSUP UINT32_C(0x80000001)
#define NBD_REP_ERR_INVALID UINT32_C(0x80000003)
#define NBD_REP_ERR_TLS_REQD UINT32_C(0x80000005)
#define NBD_REP_ERR_UNKNOWN UINT32_C(0x80000006)
#define NBD_REP_ERR_BLOCK_SIZE_REQD UINT32_C(0x80000008)
#define NBD_REP_ERR_TOO_BIG UINT32_C(0x80000009)

/* "NBD_INFO_*" of NBD_REP_INFO */
enum {
    NBD_INFO_EXPORT = 0,
    NBD_INFO_NAME = 1,
    NBD_INFO_DESCRIPTION = 2,
    NBD_INFO_BLOCK_SIZE = 3,
};

/* "Request message", "Simple reply message", "Structured reply chunk message" */
#define NBD_REQUEST_MAGIC UINT32_C(0x25609513)
#define NBD_SIMPLE_REPLY_MAGIC UINT32_C(0x67446698)
#define NBD_STRUCTURED_REPLY_MAGIC UINT32_C(0x668e33ef)

/* "Extended request message", "Extended reply chunk message" */
#define NBD_EXTENDED_REQUEST_MAGIC UINT32_C(0x21e41c71)
#define NBD_EXTENDED_REPLY_MAGIC UINT32_C(0x6e8a278c)

/* "Request types", "Command flags" */
enum {
    NBD_CMD_READ = 0,
    NBD_CMD_WRITE = 1,
    NBD_CMD_DISC = 2,
    NBD_CMD_FLUSH = 3,
    NBD_CMD_TRIM = 4,
    NBD_CMD_CACHE = 5,
    NBD_CMD_WRITE_ZEROES = 6,
    NBD_CMD_BLOCK_STATUS = 7,

    NBD_CMD_FLAG_FUA = 1 << 0,
    NBD_CMD_FLAG_NO_HOLE = 1 << 1,
    NBD_CMD_FLAG_DF = 1 << 2,
    NBD_CMD_FLAG_REQ_ONE = 1 << 3,
    NBD_CMD_FLAG_FAST_ZERO = 1 << 4,
    NBD_CMD_FLAG_PAYLOAD_LEN = 1 << 5,
};

/* "Structured reply flags", "Structured reply types" */
enum {
    NBD_REPLY_FLAG_DONE = 1 << 0,

    NBD_REPLY_TYPE_NONE = 0,
    NBD_REPLY_TYPE_OFFSET_DATA = 1,
    NBD_REPLY_TYPE_OFFSET_HOLE = 2,
    NBD_REPLY_TYPE_BLOCK_STATUS = 5,
    NBD_REPLY_TYPE_BLOCK_STATUS_EXT = 6,
    NBD_REPLY_TYPE_ERROR = (1 << 15) + 1,
    NBD_REPLY_TYPE_ERROR_OFFSET = (1 << 15) + 2,
};

/* "`base:` metadata namespace" */
enum {
    NBD_STATE_HOLE = 1 << 0,
    NBD_STATE_ZERO = 1 << 1,
};

/* "Error values" */
enum {
    NBD_SUCCESS = 0,
    NBD_EPERM = 1,
    NBD_EIO = 5,
    NBD_ENOMEM = 12,
    NBD_EINVAL = 22,
    NBD_ENOSPC = 28,
    NBD_EOVERFLOW = 75,
    NBD_ENOTSUP = 95,
    NBD_ESHUTDOWN = 108,
};

/* Bytes of each message. */
enum {
    WIRE_GREETING = 18,
    WIRE_CLIENT_FLAGS = 4,
    WIRE_OPTION = 16,
    WIRE_OPTION_REPLY = 20,
    WIRE_INFO_EXPORT = 12,
    WIRE_INFO_BLOCK_SIZE = 14,
    WIRE_EXPORT_NAME_REPLY = 10,
    WIRE_EXPORT_NAME_ZEROES = 124,
    WIRE_REQUEST = 28,
    WIRE_EXTENDED_REQUEST = 32,
    WIRE_STATUS_FILTER = 12, /* the payload of a block status for one context */
    WIRE_SIMPLE_REPLY = 16,
    WIRE_CHUNK_MAX = 32, /* 20 if structured, 32 if extended */
    WIRE_ERROR = 6,      /* what an error chunk has before its text */
    WIRE_HOLE = 12,
};

/* Lengths that the specification sets ("Conventions") or that clients count on. */
enum {
    NBD_STRING_MAX = 4096,
    NBD_DEFAULT_MAX_REQUEST = 32 << 20,
};

struct wire_option {
    uint64_t magic;
    uint32_t option;
    uint32_t length;
};

/* The data of NBD_OPT_INFO and NBD_OPT_GO; points into the bytes that were read. */
struct wire_go {
    const uint8_t *name;
    uint32_t name_bytes;
    const uint8_t *infos; /* 16-bit numbers, see wire_go_wants() */
    uint16_t info_count;
};

/* The data of NBD_OPT_LIST_META_CONTEXT and NBD_OPT_SET_META_CONTEXT, likewise. */
struct wire_meta {
    const uint8_t *name;
    uint32_t name_bytes;
    const uint8_t *queries; /* see wire_next_query() */
    uint32_t query_count;
};

struct wire_request {
    uint32_t magic;
    uint16_t flags;
    uint16_t type;
    uint64_t cookie;
    uint64_t offset;
    uint64_t length;
};

/* The header of a structured or extended reply chunk. */
struct wire_chunk {
    bool extended;
    uint16_t flags;
    uint16_t type;
    uint64_t cookie;
    uint64_t offset; /* of the request; only extended headers have it */
    uint32_t length; /* of what follows */
};

/* ---- reading ---- */

/* WIRE_CLIENT_FLAGS bytes. [any] */
uint32_t wire_get_client_flags(const uint8_t *bytes);

/* WIRE_OPTION bytes; the data is not looked at. [any] */
void wire_get_option(const uint8_t *bytes, struct wire_option *out);

/*
 * False unless @data is exactly a name length, that name, a count and that
 * many 16-bit numbers; *@out is written only then. [any]
 */
bool wire_get_go(const uint8_t *data, size_t length, struct wire_go *out);

/* True if @info is among the numbers the client asks for. [any] */
bool wire_go_wants(const struct wire_go *go, uint16_t info);

/*
 * False unless @data is exactly a name length, that name, a count and that
 * many queries with their lengths; *@out is written only then. [any]
 */
bool wire_get_meta(const uint8_t *data, size_t length, struct wire_meta *out);

/* Takes the next query off @meta. False: there was none. [any] */
bool wire_next_query(struct wire_meta *meta, const uint8_t **query, uint32_t *bytes);

/* WIRE_REQUEST bytes; a payload is not looked at. [any] */
void wire_get_request(const uint8_t *bytes, struct wire_request *out);

/* The same for WIRE_EXTENDED_REQUEST bytes. [any] */
void wire_get_extended_request(const uint8_t *bytes, struct wire_request *out);

/* 32 and 64 bits, for what has no struct. [any] */
uint32_t wire_get_u32(const uint8_t *bytes);
uint64_t wire_get_u64(const uint8_t *bytes);

/* ---- writing: each returns how many bytes it wrote ---- */

/* WIRE_GREETING bytes. [any] */
size_t wire_put_greeting(uint8_t *out, uint16_t handshake_flags);

/* WIRE_OPTION_REPLY bytes; @length bytes of data follow. [any] */
size_t wire_put_option_reply(uint8_t *out, uint32_t option, uint32_t type, uint32_t length);

/* WIRE_INFO_EXPORT bytes, the data of an NBD_REP_INFO. [any] */
size_t wire_put_info_export(uint8_t *out, uint64_t size_bytes, uint16_t flags);

/* WIRE_INFO_BLOCK_SIZE bytes, the data of an NBD_REP_INFO. [any] */
size_t wire_put_info_block_size(uint8_t *out, uint32_t minimum, uint32_t preferred,
                                uint32_t maximum);

/* WIRE_EXPORT_NAME_REPLY bytes, and WIRE_EXPORT_NAME_ZEROES more with @zeroes. [any] */
size_t wire_put_export_name_reply(uint8_t *out, uint64_t size_bytes, uint16_t flags, bool zeroes);

/* WIRE_SIMPLE_REPLY bytes. [any] */
size_t wire_put_simple_reply(uint8_t *out, uint32_t error, uint64_t cookie);

/* 20 bytes, or WIRE_CHUNK_MAX if extended; @chunk->length bytes follow. [any] */
size_t wire_put_chunk(uint8_t *out, const struct wire_chunk *chunk);

/* 16, 32 and 64 bits, for what has no struct. [any] */
size_t wire_put_u16(uint8_t *out, uint16_t value);
size_t wire_put_u32(uint8_t *out, uint32_t value);
size_t wire_put_u64(uint8_t *out, uint64_t value);

/*
 * The error value of the protocol for a negative errno: one of the few that
 * "Error values" allows, NBD_EIO for all others; NBD_SUCCESS for 0. [any]
 */
uint32_t wire_error(int error);

AIOX_END_DECLS

#endif /* AIOX_NBD_WIRE_H_ */
