/* SPDX-License-Identifier: MIT */
/*
 * team.h - all workers, and one question to them at a time or several.
 *
 * Who asks is the manager: the thread that runs the server, also worker 0.
 */
#ifndef AIOX_NBD_TEAM_H_
#define AIOX_NBD_TEAM_H_

#include <stdint.h>

#include "aiox/aiox.h"
#include "aiox/attributes.h"
#include "aiox/error.h"

#include "mailbox.h"
#include "options.h"
#include "worker.h"

AIOX_BEGIN_DECLS

struct team {
    struct worker *workers;
    int count;
    int asking; /* questions on their way */
    struct worker_host host;
    struct mailbox answers; /* the manager's */
};

struct team_ask;
typedef void team_each_fn(struct team_ask *ask, struct worker *w);
typedef void team_done_fn(struct team_ask *ask);

/* A question on its way. Lives with who asks until done has been called. Zeroed: none. */
struct team_ask {
    struct team *team;
    team_each_fn *each;
    team_done_fn *done;
    int missing; /* answers */
    struct team_part {
        struct letter letter;
        struct team_ask *ask;
        struct worker *worker;
    } parts[OPTIONS_THREADS_MAX];
};

/*
 * Opens as many workers as @options says, the first in @ctx. @news is scheduled
 * when a client has left. team_close() is due in any case. Errors are those of
 * worker_open(). [init]
 */
AIOX_NODISCARD int team_open(struct team *t, struct aiox_context *ctx,
                             const struct options *options, struct aiox_bh *news,
                             struct aiox_error *err);

/*
 * Calls @each(@ask, worker) in the thread of each worker, and when all have
 * answered by returning, @done(@ask) in the manager's, in a later turn. [manager]
 */
void team_ask_all(struct team *t, struct team_ask *ask, team_each_fn *each, team_done_fn *done);

static inline bool team_is_asking(const struct team_ask *ask)
{
    return ask->missing > 0;
}

/* The worker with the fewest clients. [manager] */
struct worker *team_choose(struct team *t);

/* Clients in all. [manager] */
unsigned long team_present(const struct team *t);

/* Ends all workers, none of which has a client; turns @ctx meanwhile. [manager] */
void team_close(struct team *t);

AIOX_END_DECLS

#endif /* AIOX_NBD_TEAM_H_ */
