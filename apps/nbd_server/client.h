/* SPDX-License-Identifier: MIT */
/*
 * client.h - one connection, from accept to close.
 */
#ifndef AIOX_NBD_CLIENT_H_
#define AIOX_NBD_CLIENT_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/aiox.h"
#include "aiox/attributes.h"
#include "aiox/list.h"

#include "export.h"
#include "handshake.h"
#include "stash.h"
#include "tls.h"
#include "transmission.h"

AIOX_BEGIN_DECLS

/* What all clients of a thread share; outlives them. */
struct client_host {
    struct aiox_context *ctx;
    const struct export_list *exports;
    struct pool *pool;
    struct stash *stash;
    struct transmission_stats *stats; /* of those who have left */
    struct transmission_limits limits;
    enum handshake_tls tls;
    struct tls_keys *tls_keys; /* NULL: tls is off */
    struct tls_counts *tls_counts;
    int64_t handshake_ns; /* a handshake that takes longer is ended; 0: never */
    int64_t idle_ns;      /* a client from which nothing comes leaves; 0: never */
    int64_t leave_ns;     /* a client that takes no replies while it leaves is left behind */
    /* A client has chosen an export, or failed to. Called at home, perhaps inside client_new(). */
    void (*settled)(void *opaque);
    /* A client has ended and is gone. Called at home, perhaps inside client_new(). */
    void (*left)(void *opaque);
    void *opaque;
};

/*
 * Begins to serve who is at @fd, which becomes the client's own on success.
 * @peer are words for the log, copied. The client is linked into @list until
 * it has left, which may be before this returns.
 *
 *   -ENOMEM   no memory
 *
 * [home]
 */
AIOX_NODISCARD int client_new(const struct client_host *host, struct aiox_list *list, int fd,
                              uint64_t number, const char *peer);

/* No more requests: each of @list leaves when those it has sent are answered. [home] */
void client_stop_all(struct aiox_list *list);

/* The same for those that chose @e. [home] */
void client_stop_those_of(struct aiox_list *list, const struct nbd_export *e);

/* Memory was given back: all look whether what they waited for can go on. [home] */
void client_continue_all(struct aiox_list *list);

/*
 * Those who hold memory that waits for them, and have neither taken a reply nor
 * sent of a payload for @patience_ns, leave as if the connection were lost. [home]
 */
void client_abort_stalled(struct aiox_list *list, int64_t patience_ns);

/* They leave as soon as the export is done with their requests, answered or not. [home] */
void client_abort_all(struct aiox_list *list);

/* Of those that have not chosen, the one that came first leaves. [home] */
void client_abort_longest_greeting(struct aiox_list *list);

/* True if one of @list has chosen @e, or may yet find it: it came before number @before. [home] */
bool client_may_use(const struct aiox_list *list, const struct nbd_export *e, uint64_t before);

/* A client at this moment. */
struct client_view {
    uint64_t number;
    const char *peer;
    const char *state;               /* "greeting", "served", "leaving" */
    const struct nbd_export *chosen; /* or NULL */
    bool encrypted;                  /* by TLS */
    int64_t age_ns;
    int64_t still_ns;       /* since bytes last went either way */
    uint32_t requests;      /* under way */
    uint64_t payload_bytes; /* of those */
    const struct transmission_stats *stats;
};

typedef void client_view_fn(void *opaque, const struct client_view *view);

/* Calls @see(@opaque, view) for each client; the view lives until it returns. [home] */
void client_view_all(const struct aiox_list *list, client_view_fn *see, void *opaque);

AIOX_END_DECLS

#endif /* AIOX_NBD_CLIENT_H_ */
