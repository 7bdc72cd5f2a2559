/* SPDX-License-Identifier: MIT */
/* nbd_wire.h - what the NBD protocol sends, all numbers big-endian. */
#ifndef AIOX_BENCH_PLAYERS_NBD_WIRE_H_
#define AIOX_BENCH_PLAYERS_NBD_WIRE_H_

#include <stdint.h>

#define NBD_MAGIC UINT64_C(0x4e42444d41474943)
#define NBD_OPTION_MAGIC UINT64_C(0x49484156454f5054)
#define NBD_OPTION_REPLY_MAGIC UINT64_C(0x0003e889045565a9)
#define NBD_REQUEST_MAGIC UINT32_C(0x25609513)
#define NBD_REPLY_MAGIC UINT32_C(0x67446698)

enum {
    NBD_FIXED = 1,     /* of the handshake's flags */
    NBD_NO_ZEROES = 2, /* likewise */
    NBD_OPTION_GO = 7,
    NBD_REPLY_ACK = 1,  /* to an option */
    NBD_REPLY_INFO = 3, /* likewise */
    NBD_INFO_EXPORT = 0,
    NBD_HAS_FLAGS = 1, /* of an export's flags */
    NBD_READ_ONLY = 2, /* likewise */
    NBD_COMMAND_READ = 0,
    NBD_COMMAND_DISCONNECT = 2,
};

struct nbd_greeting {
    uint64_t magic, option_magic;
    uint16_t flags;
} __attribute__((packed));

/* Of the client: its flags and an option whose data follows. */
struct nbd_answer {
    uint32_t flags;
    uint64_t magic;
    uint32_t option, bytes;
} __attribute__((packed));

/* Of the server; data follows. */
struct nbd_option_reply {
    uint64_t magic;
    uint32_t option, type, bytes;
} __attribute__((packed));

struct nbd_info_export {
    uint16_t what;
    uint64_t bytes;
    uint16_t flags;
} __attribute__((packed));

struct nbd_request {
    uint32_t magic;
    uint16_t flags, type;
    uint64_t cookie, offset;
    uint32_t bytes;
} __attribute__((packed));

struct nbd_reply {
    uint32_t magic, error;
    uint64_t cookie;
} __attribute__((packed));

#endif /* AIOX_BENCH_PLAYERS_NBD_WIRE_H_ */
