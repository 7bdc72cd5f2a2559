/* SPDX-License-Identifier: MIT */
/*
 * request.h - one request, from its header to its reply.
 */
#ifndef AIOX_NBD_REQUEST_H_
#define AIOX_NBD_REQUEST_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/attributes.h"

#include "export.h"
#include "pool.h"
#include "wire.h"

AIOX_BEGIN_DECLS

struct transmission;

/* The head of a block of a pool; the payload stands behind it. */
struct request {
    struct export_io io;
    struct transmission *owner;
    struct request *next;   /* in the list of finished ones */
    uint64_t cookie;        /* of the client; nothing to us */
    uint16_t type;          /* NBD_CMD_* */
    int refusal;            /* a negative errno: it will not be done, only its payload awaited */
    uint32_t payload_bytes; /* of the block */
    uint32_t missing_bytes; /* of the payload that the client is still to send */
    uint32_t reply_bytes;   /* to send, from reply on */
    /* The reply ends where the payload begins: both leave as one piece. */
    struct {
        uint8_t pad[POOL_ALIGNMENT - WIRE_SIMPLE_REPLY];
        uint8_t bytes[WIRE_SIMPLE_REPLY];
    } __attribute__((aligned(POOL_ALIGNMENT))) reply;
};

/*
 * What becomes of @w on @e before anything is done for it: 0, or the error to
 * answer with.
 *
 *   -EINVAL  unknown command or flag, a flush with a range, a read outside or of
 *            more than @max_bytes
 *   -ENOSPC  a write outside
 *   -EPERM   a write to what is read-only
 *
 * [any]
 */
int request_check(const struct wire_request *w, const struct nbd_export *e, uint32_t max_bytes);

/* What @w will hold in memory if it is done. [any] */
uint32_t request_payload(const struct wire_request *w);

/*
 * A request for @w, refused if @refusal is not 0. It is refused with -ENOMEM if
 * there is no memory for its payload; NULL if there is none for its head. [home]
 */
struct request *request_new(struct pool *pool, const struct wire_request *w, int refusal);

void request_free(struct pool *pool, struct request *r);

/* Hands it to @e; @r->io.done is called with the end of it. [home] */
void request_start(struct request *r, struct nbd_export *e);

/* Writes the reply: @error (negative errno), or success and the payload of a read. [home] */
void request_conclude(struct request *r, int error);

/* "read", "write", "flush", "unknown command". Static. [any] */
const char *request_verb(uint16_t type);

static inline uint8_t *request_data(struct request *r)
{
    return (uint8_t *)(r + 1);
}

AIOX_END_DECLS

#endif /* AIOX_NBD_REQUEST_H_ */
