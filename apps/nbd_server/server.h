/* SPDX-License-Identifier: MIT */
/*
 * server.h - listens, accepts, drains.
 */
#ifndef AIOX_NBD_SERVER_H_
#define AIOX_NBD_SERVER_H_

#include <stdbool.h>

#include "aiox/aiox.h"
#include "aiox/attributes.h"
#include "aiox/error.h"

#include "listener.h"
#include "options.h"

AIOX_BEGIN_DECLS

struct server;

/*
 * Opens all exports and listens at all places of @options, which must outlive
 * the server. Errors are those of export_list_open(), listener_open_unix() and
 * listener_open_tcp(). [home], or [init]
 */
AIOX_NODISCARD int server_new(struct server **out, struct aiox_context *ctx,
                              const struct options *options, struct aiox_error *err);

/* Calls @tell(@opaque, uri) for each export at each place, the default first. [home] */
void server_tell_uris(const struct server *s, void (*tell)(void *opaque, const char *uri),
                      void *opaque);

/*
 * Listens no more; clients leave when what they have asked is answered, after
 * the time-out in any case. The second time: at once. [home]
 */
void server_stop(struct server *s);

/* True when it was stopped and the last client has left. [home] */
bool server_is_over(const struct server *s);

/* Logs what was done in all. [home] */
void server_log_statistics(const struct server *s);

/* Frees a server that is over, or never had a client; NULL is allowed. [home] */
void server_free(struct server *s);

AIOX_END_DECLS

#endif /* AIOX_NBD_SERVER_H_ */
