/* SPDX-License-Identifier: MIT */
/*
 * request.h - one request, from its header to its end at the export. reply.h
 * has what is sent then.
 */
#ifndef AIOX_NBD_REQUEST_H_
#define AIOX_NBD_REQUEST_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/attributes.h"

#include "dialect.h"
#include "export.h"
#include "pool.h"
#include "traffic.h"
#include "wire.h"

AIOX_BEGIN_DECLS

struct transmission;

enum {
    /* A read that is this long is looked at for holes. */
    REQUEST_SPARSE_MIN = 32 << 10,
    /* Into so many stretches of data and holes it falls at most. */
    REQUEST_STRETCHES = 8,
    /* What the answer to a block status takes of the pool, and how much it can tell. */
    REQUEST_STATUS_BYTES = POOL_SMALLEST,
    REQUEST_EXTENTS = REQUEST_STATUS_BYTES / (int)sizeof(struct export_extent),
    /* Of a reply, before the payload: headers, and an error with its words. */
    REQUEST_HEAD_BYTES = 128,
};

/* The head of a block of a pool; the payload stands behind it. */
struct request {
    struct transmission *owner;
    struct request *next; /* in the list of finished ones */
    void (*ended)(struct export_io *io, int result);
    struct dialect dialect;
    int64_t began_ns;        /* when its header was taken */
    uint64_t cookie;         /* of the client; nothing to us */
    uint64_t offset;         /* as asked for, also while io is about a part of it */
    uint64_t bytes;          /* likewise */
    uint16_t type;           /* NBD_CMD_* */
    uint16_t flags;          /* NBD_CMD_FLAG_* */
    int refusal;             /* a negative errno: it will not be done, only its payload awaited */
    const char *why;         /* words for that; static */
    uint32_t payload_bytes;  /* of the block */
    uint32_t trailing_bytes; /* that the client sends behind the header */
    uint32_t missing_bytes;  /* of those still to come */
    uint32_t head_bytes;     /* of the reply: the last ones of head */
    uint64_t reply_bytes;    /* to send in all */

    uint32_t stretch_count; /* of a read in stretches; 0 if it is none */
    uint32_t stretch;       /* that is being read */
    struct export_io io;

    /* From io.at on a new request is as the last one left it. */
    struct export_extent stretches[REQUEST_STRETCHES];
    uint8_t stretch_heads[REQUEST_STRETCHES][WIRE_CHUNK_MAX + WIRE_HOLE];

    /* Ends where the payload begins: both leave as one piece. */
    uint8_t head[REQUEST_HEAD_BYTES] __attribute__((aligned(POOL_ALIGNMENT)));
};

/*
 * What becomes of @w on @e before anything is done for it: 0, or the error to
 * answer with, and in *@why words for it.
 *
 *   -EINVAL  unknown command or flag, a flush with a range, a range outside or
 *            not in whole blocks, a read of more than @max_bytes, a block status
 *            that was not agreed on
 *   -ENOSPC  a write or zero outside
 *   -EPERM   a write, zero or trim to what is read-only
 *
 * [any]
 */
int request_check(const struct wire_request *w, const struct dialect *dialect,
                  const struct nbd_export *e, uint32_t max_bytes, const char **why);

/* What @w will hold in memory if it is done. [any] */
uint64_t request_payload(const struct wire_request *w);

/* What the client sends behind the header of @w. [any] */
uint64_t request_trailing(const struct wire_request *w, const struct dialect *dialect);

/*
 * A request for @w, refused if @refusal is not 0. It is refused with -ENOMEM if
 * there is no memory for its payload; NULL if there is none for its head. [home]
 */
struct request *request_new(struct pool *pool, const struct wire_request *w,
                            const struct dialect *dialect, int refusal, const char *why);

void request_free(struct pool *pool, struct request *r);

/* All of it is here. What request_check() could not see yet is refused now. [any] */
void request_arrived(struct request *r, const struct nbd_export *e);

/* Hands it to @e; @r->ended(&@r->io, result) is called with the end of it. [home] */
void request_start(struct request *r, struct nbd_export *e);

/* Counts @r, which ended with @error. [home] */
void request_count(const struct request *r, int error, struct transmission_stats *stats);

/* "read", "write", ..., "unknown command". Static. [any] */
const char *request_verb(uint16_t type);

static inline uint8_t *request_data(struct request *r)
{
    return (uint8_t *)(r + 1);
}

AIOX_END_DECLS

#endif /* AIOX_NBD_REQUEST_H_ */
