/* SPDX-License-Identifier: MIT */
/*
 * transmission.h - the requests of one client: taken from its bytes, kept under
 * way together, turned into replies.
 *
 * A machine without input or output. The caller receives into what
 * transmission_input() shows and sends what transmission_output() shows; both
 * are whole batches, straight into and out of the memory of the requests.
 *
 * Bounds: a request counts against the limits from the moment its header is
 * taken until its reply was sent. At a limit no further one is taken, so a
 * client that does not take its replies is not listened to. Nor is one taken while
 * there is much to send: a client gets the first long replies of a batch before the
 * last ones are read. The pool, which all
 * share, is one of the limits: transmission_continue() looks at it again.
 */
#ifndef AIOX_NBD_TRANSMISSION_H_
#define AIOX_NBD_TRANSMISSION_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "aiox/attributes.h"

#include "bytes.h"
#include "dialect.h"
#include "export.h"
#include "pool.h"
#include "request.h"
#include "traffic.h"

AIOX_BEGIN_DECLS

struct transmission_limits {
    uint32_t request_bytes; /* the longest read or write, at most POOL_PAYLOAD_MAX */
    uint32_t requests;      /* under way at once */
    uint64_t payload_bytes; /* of those together; one alone may always be */
};

/* What a transmission needs of the world; outlives it. */
struct transmission_host {
    struct pool *pool; /* its head is a struct request */
    struct transmission_stats *stats;
    const struct transmission_limits *limits;
    /* A request ended outside of a call to the transmission: there may be something to send. */
    void (*ended)(void *opaque);
    /* The export, not the client, is to blame for the error of @r. */
    void (*failed)(void *opaque, const struct request *r, int error);
};

/* What a handshake has led to. */
struct transmission_service {
    struct nbd_export *served;
    struct dialect dialect;
};

struct transmission {
    const struct transmission_host *host;
    void *opaque;
    struct nbd_export *served;
    struct dialect dialect;
    struct bytes *in;
    int64_t now_ns;          /* by the caller, whenever bytes have moved; for statistics only */
    struct request *filling; /* a write whose payload is coming */
    struct request *first_finished;
    struct request **last_finished;
    uint64_t sent_bytes;    /* of the first finished one's reply */
    uint64_t unsent_bytes;  /* of all of them */
    uint32_t requests;      /* that count */
    uint32_t working;       /* of those: the export's */
    uint64_t payload_bytes; /* of those that count */
    bool receiving;         /* more bytes are of interest */
    bool taking;            /* more requests are */
    bool busy;              /* inside a call */
    bool dropped;           /* nobody wants the replies */
    bool polite;            /* the client said NBD_CMD_DISC */
    char complaint[160];    /* why the client is to be left; empty: nothing wrong */
};

/*
 * Starts with what is in @in, which holds at least WIRE_EXTENDED_REQUEST bytes. It needs
 * memory only while there is something in it, and for transmission_input(). [home]
 */
void transmission_start(struct transmission *t, const struct transmission_host *host, void *opaque,
                        const struct transmission_service *service, struct bytes *in);

/* Ends; none of its requests is at the export. [home] */
void transmission_fini(struct transmission *t);

/* Whether transmission_input() would have something. [home] */
bool transmission_wants_input(const struct transmission *t);

/* Where to receive. Returns how many of @iov it filled; 0: not now. [home] */
int transmission_input(struct transmission *t, struct iovec iov[2]);

/* @n bytes, more than 0, were received into that: starts what is complete. [home] */
void transmission_received(struct transmission *t, size_t n);

/* Starts what waited for a limit, or what was in the bytes of the start. [home] */
void transmission_continue(struct transmission *t);

/*
 * No more bytes will come. Complete requests that are here are still served.
 * @cut: the client hung up, and something half-received is worth a complaint.
 * [home]
 */
void transmission_no_more_input(struct transmission *t, bool cut);

/* What to send: replies in the order they ended. Returns how many of @iov it filled. [home] */
int transmission_output(struct transmission *t, struct iovec *iov, int max);

/* @n bytes of that were sent. [home] */
void transmission_sent(struct transmission *t, size_t n);

/* Nobody is there any more: replies vanish, those to come too; nothing more is taken. [home] */
void transmission_drop(struct transmission *t);

/* True when no request is left and none will be taken. [home] */
bool transmission_is_over(const struct transmission *t);

AIOX_END_DECLS

#endif /* AIOX_NBD_TRANSMISSION_H_ */
