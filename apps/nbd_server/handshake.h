/* SPDX-License-Identifier: MIT */
/*
 * handshake.h - from the first byte of a client to the export it chose.
 *
 * A machine without input or output: the caller puts what came into one
 * stretch of bytes and sends what is in another. It holds no memory of its
 * own and takes none, whatever lengths the client writes.
 *
 * Fixed newstyle; the options are those of the table in haggle.c, all others are
 * answered NBD_REP_ERR_UNSUP. Where TLS is required, all but STARTTLS and ABORT are
 * answered NBD_REP_ERR_TLS_REQD before it.
 */
#ifndef AIOX_NBD_HANDSHAKE_H_
#define AIOX_NBD_HANDSHAKE_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/attributes.h"

#include "bytes.h"
#include "dialect.h"
#include "export.h"
#include "wire.h"

AIOX_BEGIN_DECLS

enum {
    /* The data of an option that is looked at; more is answered NBD_REP_ERR_TOO_BIG. */
    HANDSHAKE_DATA_MAX = 8 << 10,
    /* The data of an option that is skipped to stay in step; more ends the connection. */
    HANDSHAKE_SKIP_MAX = 1 << 20,
    /* So many options may be refused before the client is taken for a nuisance. */
    HANDSHAKE_REFUSALS_MAX = 256,
    /* What the two stretches must be able to hold. */
    HANDSHAKE_IN_BYTES = WIRE_OPTION + HANDSHAKE_DATA_MAX,
    HANDSHAKE_OUT_BYTES = 2 * NBD_STRING_MAX + 512, /* a name and a description */
};

enum handshake_verdict {
    HANDSHAKE_HUNGRY, /* send what is there to send; goes on with more bytes in */
    HANDSHAKE_FULL,   /* goes on when out has been sent */
    HANDSHAKE_REMARK, /* goes on at once; h->words is for the log */
    HANDSHAKE_TLS,    /* goes on when out has been sent and TLS has begun; in is empty */
    HANDSHAKE_SERVE,  /* h->chosen in h->dialect; bytes that are left in belong to the transmission
                       */
    HANDSHAKE_END,    /* the client wants no more: send what is in out, close */
    HANDSHAKE_BROKEN, /* close; h->words says why */
};

/* The modes of "TLS negotiation": NOTLS, SELECTIVETLS without a difference, FORCEDTLS. */
enum handshake_tls {
    HANDSHAKE_TLS_OFF,
    HANDSHAKE_TLS_ALLOW,
    HANDSHAKE_TLS_REQUIRE,
};

enum handshake_phase {
    HANDSHAKE_FLAGS,
    HANDSHAKE_OPTION,
    HANDSHAKE_SKIP,
    HANDSHAKE_LIST,
};

struct handshake {
    const struct export_list *exports;
    enum handshake_tls tls; /* the caller may say something else behind the start */
    bool secure;            /* TLS was agreed on */
    enum handshake_phase phase;
    bool no_zeroes;
    uint32_t option;   /* the one that is being skipped or listed */
    uint32_t skip;     /* its bytes still to come */
    uint32_t refusal;  /* and the answer to it */
    uint32_t refusals; /* so far */
    uint32_t max_request_bytes;
    struct dialect dialect;
    struct nbd_export *meta_export; /* whose base:allocation was selected; NULL: nobody's */
    struct nbd_export *list_next;
    struct nbd_export *chosen;
    char words[200];
};

/*
 * Starts; the greeting is in @out, which is empty and holds HANDSHAKE_OUT_BYTES.
 * TLS is off. Clients are told that no read or write may be longer than @max_request_bytes. [any]
 */
void handshake_start(struct handshake *h, const struct export_list *exports,
                     uint32_t max_request_bytes, struct bytes *out);

/* Goes on as far as it can. Not to be called again after SERVE, END, BROKEN. [any] */
enum handshake_verdict handshake_step(struct handshake *h, struct bytes *in, struct bytes *out);

AIOX_END_DECLS

#endif /* AIOX_NBD_HANDSHAKE_H_ */
