/* SPDX-License-Identifier: MIT */
/* context.h - the parts of a context and nothing else. Only context.c and poll.c include it. */
#ifndef AIOX_AIO_SRC_CONTEXT_H_
#define AIOX_AIO_SRC_CONTEXT_H_

#include "aiox/aio.h"
#include "aiox/atomic.h"
#include "aiox/list.h"

#include "backend.h"
#include "busy.h"
#include "handlers.h"
#include "home.h"
#include "notify.h"
#include "parts.h"

struct aiox_context {
    struct notify notify; /* askers write here */
    struct aiox_event_notifier bell;
    struct aiox_bh_queue bhs;
    struct handlers handlers;
    struct aiox_timer_group timers;
    struct busy busy;
    struct backend *backend;      /* [home]; handlers.backend is the same for the others */
    struct aiox_list in_flight;   /* requests the backend has. [home] */
    struct aiox_list completions; /* requests that ended. [home] */
    struct home home;
    struct parts parts;
    struct backend_sources sources;
    struct backend_reports reports;
    aiox_atomic_u32 references;
};

/* The backend has failed for good with @why: goes on with another. Ends the program if there is
 * none. [home] */
void context_lost_backend_(struct aiox_context *ctx, int why);

#endif /* AIOX_AIO_SRC_CONTEXT_H_ */
