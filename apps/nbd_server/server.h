/* SPDX-License-Identifier: MIT */
/*
 * server.h - a door, a team of workers, exports: opened, changed, stopped.
 *
 * The thread that made a server is its manager; home below is its loop.
 */
#ifndef AIOX_NBD_SERVER_H_
#define AIOX_NBD_SERVER_H_

#include <stdbool.h>

#include "aiox/aiox.h"
#include "aiox/attributes.h"
#include "aiox/error.h"

#include "options.h"

AIOX_BEGIN_DECLS

struct server;

/*
 * Starts the threads, opens all exports and the places to listen at: those of
 * @options, and @passed descriptors from LISTENER_FIRST_PASSED on. @options is
 * allocated and becomes the server's own, also on error. Errors are those of
 * aiox_thread_new(), export_list_open(), and the openers of listener.h.
 * [home], or [init]
 */
AIOX_NODISCARD int server_new(struct server **out, struct aiox_context *ctx,
                              struct options *options, int passed, struct aiox_error *err);

/* Calls @tell(@opaque, uri) for each export at each place, the default first. [home] */
void server_tell_uris(const struct server *s, void (*tell)(void *opaque, const char *uri),
                      void *opaque);

/*
 * Logs of each export who serves its file, and why no better engine, as the threads
 * found when it was opened; a thread of its own where that differs from the first's.
 * Once. [home]
 */
void server_log_engines(struct server *s);

/*
 * Takes over @fresh, which is allocated and becomes the server's own: exports
 * come, go and change, limits on clients change. Later, when all threads agree;
 * if an export cannot be opened nothing changes. The log says what became of it.
 * [home]
 */
void server_reload(struct server *s, struct options *fresh);

/*
 * Listens no more; clients leave when what they have asked is answered, after
 * the time-out in any case. The second time: at once. [home]
 */
void server_stop(struct server *s);

/* True when it was stopped and the last client has left. [home] */
bool server_is_over(const struct server *s);

/* Logs what was done in all. The server is over. [home] */
void server_log_statistics(const struct server *s);

/* Frees a server that is over, or never had a client; NULL is allowed. Turns the loop. [home] */
void server_free(struct server *s);

AIOX_END_DECLS

#endif /* AIOX_NBD_SERVER_H_ */
