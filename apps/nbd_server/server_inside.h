/* SPDX-License-Identifier: MIT */
/*
 * server_inside.h - a server for its birth and stop (server.c), its changes
 * (server_reload.c) and those who look at it (stats.c).
 */
#ifndef AIOX_NBD_SERVER_INSIDE_H_
#define AIOX_NBD_SERVER_INSIDE_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/aiox.h"
#include "aiox/attributes.h"
#include "aiox/error.h"

#include "door.h"
#include "options.h"
#include "server.h"
#include "team.h"
#include "text_out.h"
#include "worker_exports.h"

AIOX_BEGIN_DECLS

/* A change of exports on its way. */
struct reload {
    struct team_ask ask;
    struct options *fresh; /* NULL: there is none */
    struct options *next;  /* came meanwhile */
    struct export_plan plan;
    struct aiox_error errors[OPTIONS_THREADS_MAX]; /* of each worker */
    struct text_out engines[OPTIONS_THREADS_MAX];  /* likewise, until they are in the log */
};

struct server {
    struct aiox_context *ctx;
    struct options *options;
    struct team team;
    struct door door;
    struct reload reload;
    struct team_ask stop;
    struct team_ask abort;
    struct aiox_bh *news;       /* clients have left */
    struct aiox_timer patience; /* at a stop */
    uint64_t accepted;          /* also the number of the newest client */
    uint64_t refused;
    bool full; /* the last one that came was refused for their number */
    bool stopping;
    bool aborting;
    bool one_client; /* --stdio: over when it has left */
    int64_t started_ns;
};

/* Opens the first exports, in all workers. Turns the loop. Errors of export_list_open(). [init] */
AIOX_NODISCARD int server_open_exports_(struct server *s, struct aiox_error *err);

AIOX_END_DECLS

#endif /* AIOX_NBD_SERVER_INSIDE_H_ */
