/* SPDX-License-Identifier: MIT */
/*
 * context.h - the parts of a context. Only context.c, foreign.c, lend.c, poll.c and requests.c
 * include it.
 */
#ifndef AIOX_AIO_SRC_CONTEXT_H_
#define AIOX_AIO_SRC_CONTEXT_H_

#include "aiox/aio.h"
#include "aiox/atomic.h"
#include "aiox/list.h"

#include "backend.h"
#include "borrow.h"
#include "busy.h"
#include "handlers.h"
#include "home.h"
#include "lost.h"
#include "notify.h"
#include "outside.h"
#include "parts.h"

struct aiox_context {
    struct notify notify; /* askers write here */
    struct aiox_event_notifier bell;
    struct aiox_bh_queue bhs;
    struct handlers handlers;
    struct aiox_timer_group timers;
    struct busy busy;
    struct backend *backend;      /* [home]; handlers.backend is the same for the others */
    struct lost lost;             /* since aiox_context_setup(). [home] */
    struct aiox_list in_flight;   /* requests the backend has. [home] */
    struct aiox_list completions; /* requests that ended. [home] */
    struct aiox_list ready;       /* handlers to be served by this turn and those inside. [home] */
    struct home home;
    int64_t now_ns;         /* [home] what aiox_context_now_ns() has read; 0: nothing */
    struct outside outside; /* [home] */
    struct borrow borrow;
    struct parts parts;
    struct backend_sources sources;
    struct backend_reports reports;
    aiox_atomic_u32 references;
};

/* What @ctx needs of its backend as things are. [home] */
static inline struct backend_wishes context_wishes_(const struct aiox_context *ctx)
{
    return (struct backend_wishes){.hosted = ctx->outside.is_open, .roaming = ctx->borrow.lent};
}

/* The backend has failed for good with @why: goes on with one that has not failed since
 * aiox_context_setup(). Ends the program if there is none. [home] */
void context_lost_backend_(struct aiox_context *ctx, int why);

/*
 * Every descriptor goes to @to; then @to is the backend and the former one is closed. On error @to
 * is closed. [home]
 */
AIOX_NODISCARD int context_move_to_(struct aiox_context *ctx, struct backend *to,
                                    struct aiox_error *err);

/* 0, or -EBUSY while there are requests, which stay with the backend that has them. [home] */
AIOX_NODISCARD int context_check_no_requests_(const struct aiox_context *ctx,
                                              struct aiox_error *err);

/*
 * Lets the backend be one that suits: opens it anew if that takes it. -EBUSY while there are
 * requests, -ENOTSUP if it cannot; else what open() said. On error nothing changed. [home]
 */
AIOX_NODISCARD int context_suit_(struct aiox_context *ctx, struct backend_wishes wishes,
                                 struct aiox_error *err);

/* What the home changes between the phases of a foreign loop would be seen too late: rings. [home]
 */
void context_ask_from_home_(struct aiox_context *ctx);

#endif /* AIOX_AIO_SRC_CONTEXT_H_ */
