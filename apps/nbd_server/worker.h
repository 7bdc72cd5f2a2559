/* SPDX-License-Identifier: MIT */
/*
 * worker.h - one thread's share of a server: its loop, its clients, its memory,
 * its exports.
 *
 * Worker 0 lives in the loop of the thread that runs the server, the manager;
 * each of the others has a thread. Workers share nothing that is written while
 * requests are served. The manager talks to them by letters (team.h).
 */
#ifndef AIOX_NBD_WORKER_H_
#define AIOX_NBD_WORKER_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/aiox.h"
#include "aiox/atomic.h"
#include "aiox/attributes.h"
#include "aiox/error.h"
#include "aiox/list.h"
#include "aiox/thread.h"

#include "client.h"
#include "export.h"
#include "listener.h"
#include "mailbox.h"
#include "options.h"
#include "pool.h"
#include "stash.h"

AIOX_BEGIN_DECLS

/* What the manager wants of all workers. Outlives them. */
struct worker_host {
    struct aiox_bh *news; /* the manager's: clients have left, or how many greet has changed */
};

struct worker {
    int number;
    struct aiox_context *ctx;
    struct aiox_thread *thread; /* not of worker 0 */
    struct mailbox mailbox;
    const struct worker_host *host;

    /* Home's. */
    struct export_list exports;
    struct export_list pending; /* opened, but not agreed on: worker_exports.h */
    struct nbd_export *retired; /* not for new clients */
    struct aiox_list clients;
    struct client_host client_host;
    struct transmission_stats left; /* of clients that have left */
    uint64_t last_number;           /* of the newest client */
    unsigned long greeting;
    unsigned long most_greeting;
    struct pool pool;
    struct stash stash;
    struct aiox_timer scarcity; /* of memory */
    struct aiox_bh *given_back; /* memory was, while somebody waited for it */
    struct tls_counts tls_counts;
    uint64_t made_room; /* clients that had to leave while they greeted */
    bool settled;       /* timer and bottom half are there */

    /* Written by one thread, read by another. */
    aiox_atomic_u32 present; /* clients on their way or here: manager adds, worker subtracts */
};

/* A client on its way to a worker. */
struct guest {
    struct letter letter;
    struct worker *worker;
    int fd;
    uint64_t number;
    char peer[LISTENER_ADDRESS];
};

/*
 * Opens worker @number: in @ctx, or in a thread of its own if that is NULL.
 * worker_close() is due in any case. Errors are those of aiox_thread_new(),
 * and -ENOMEM. [init]
 */
AIOX_NODISCARD int worker_open(struct worker *w, int number, struct aiox_context *ctx,
                               const struct options *options, const struct worker_host *host,
                               struct aiox_error *err);

/* Takes over what may change while it runs. [home] */
void worker_set_limits(struct worker *w, const struct options *options);
/* How long its loop looks before it sleeps. [home] */
void worker_set_busy_poll(struct worker *w, const struct options *options);

/* Takes @fd in any case; @peer is copied. [manager] */
void worker_welcome(struct worker *w, int fd, uint64_t number, const char *peer);

/* How many clients it has or is to get. [any] */
static inline uint32_t worker_present(const struct worker *w)
{
    return aiox_u32_load_relaxed(&w->present);
}

/* All of its clients leave: when they are answered, or (@at_once) now. [home] */
void worker_stop(struct worker *w, bool at_once);

/* Gives back what is in the loop; no client is left. [home] */
void worker_leave_loop(struct worker *w);

/* Ends the thread. All zero is allowed. [manager] */
void worker_close(struct worker *w);

AIOX_END_DECLS

#endif /* AIOX_NBD_WORKER_H_ */
