/* SPDX-License-Identifier: MIT */
/*
 * client_inside.h - a client for those who live its life (client.c, client_in.c) and
 * those who talk to all of them (clients.c).
 */
#ifndef AIOX_NBD_CLIENT_INSIDE_H_
#define AIOX_NBD_CLIENT_INSIDE_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/attributes.h"
#include "aiox/list.h"
#include "aiox/log.h"

#include "bytes.h"
#include "client.h"
#include "connection.h"
#include "dialect.h"
#include "handshake.h"
#include "listener.h"
#include "stash.h"
#include "transmission.h"

AIOX_BEGIN_DECLS

_Static_assert((int)STASH_BYTES >= (int)HANDSHAKE_IN_BYTES, "an option must fit");
_Static_assert((int)STASH_BYTES >= (int)HANDSHAKE_OUT_BYTES, "an answer must fit");

struct client {
    struct aiox_list_node link;
    const struct client_host *host;
    struct transmission_host transmission_host;
    struct transmission_stats stats;
    struct connection conn;
    struct transmission t;
    bool greeting;    /* it has not chosen yet */
    bool encrypted;   /* by TLS */
    bool stopping;    /* the server wants it to leave */
    bool aborted;     /* at once: conn is as good as lost */
    bool leaving;     /* no more input; the timer runs */
    int64_t since_ns; /* when it came */
    int64_t moved_ns; /* when bytes last went either way */
    uint32_t failures;
    uint64_t number;
    struct nbd_export *chosen;
    struct dialect dialect;
    struct bytes in; /* of host->stash while there are any */
    char peer[LISTENER_ADDRESS];
};

/* A line of the log that begins with who it is. [home] */
AIOX_PRINTF(3, 4)
void client_say_(const struct client *c, enum aiox_log_level level, const char *format, ...);

/* From now on it is as if the connection were lost; it learns of it by a kick. [home] */
void client_give_up_(struct client *c);

/* ---- client_in.c ---- */

/* Room in @c->in. False: there is none, and the connection is as good as lost. [home] */
bool client_borrow_in_(struct client *c);

/* Gives it back, and what is in it up. [home] */
void client_return_in_(struct client *c);

/* Gives it back unless there is something in it: before a wait, which may be long. [home] */
void client_return_empty_in_(struct client *c);

AIOX_END_DECLS

#endif /* AIOX_NBD_CLIENT_INSIDE_H_ */
