/* SPDX-License-Identifier: MIT */
/*
 * stats.h - a unix socket at which a server says what goes on in it.
 *
 * One line is asked, one answer given, then the socket is closed:
 *
 *   json                        one JSON object, in one line
 *   prometheus                  Prometheus's text format
 *   GET /json HTTP/1.x          the same two over HTTP
 *   GET /metrics HTTP/1.x
 *
 * Who asks nothing, or takes no answer, is left after a while; a few may be
 * there at once.
 */
#ifndef AIOX_NBD_STATS_H_
#define AIOX_NBD_STATS_H_

#include "aiox/attributes.h"
#include "aiox/error.h"

#include "server.h"

AIOX_BEGIN_DECLS

struct stats;

/*
 * Answers at @path from now on, about @s, which outlives it, of version
 * @version (static). Errors are those of listener_open_unix(), and -ENOMEM.
 * [home of the server]
 */
AIOX_NODISCARD int stats_open(struct stats **out, struct server *s, const char *path,
                              const char *version, struct aiox_error *err);

/* Closes it; the server is over. NULL is allowed. [home of the server] */
void stats_close(struct stats *stats);

AIOX_END_DECLS

#endif /* AIOX_NBD_STATS_H_ */
