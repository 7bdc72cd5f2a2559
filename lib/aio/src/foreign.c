/* SPDX-License-Identifier: MIT */
/*
 * foreign.c - a turn in three phases, for a loop that is a guest in another.
 *
 * Between prepare and check the home thread runs code that is not ours: the
 * host's, and that of its other guests. All of it may ask for work, turn the
 * loop itself, or change the backend, after prepare has said how long to sleep.
 * Three things see to it that the host wakes all the same:
 *
 *   the word   (notify.c) stays SLEEPY, so whoever asks rings the bell, in
 *              the home thread, too;
 *   the bell   is in the host's descriptor, whatever the backend knows of it;
 *   the alarm  is set by a turn that somebody made in between: it has used
 *              up the bell, and what it did may have made the timeout wrong.
 *
 * None of the phases counts on another having been called: prepare may come
 * twice, check and dispatch may be left out.
 */
#include "aiox/foreign.h"

#include <errno.h>

#include "aiox/assert.h"
#include "aiox/clock.h"

#include "context.h"
#include "lend.h"

/* How long the host may sleep when there is nothing that it could watch. */
#define BLIND_NS AIOX_NS_PER_MS

/* The sooner of two waits; -1 is for ever. */
static int64_t sooner_ns(int64_t a_ns, int64_t b_ns)
{
    return (uint64_t)a_ns < (uint64_t)b_ns ? a_ns : b_ns;
}

static struct outside *at_home(struct aiox_context *ctx)
{
    if (AIOX_UNLIKELY(!home_claim_(&ctx->home))) {
        aiox_panic("another thread is the home of this context; aiox_context_adopt() moves it");
    }
    aiox_assert(ctx->outside.is_open);
    return &ctx->outside;
}

static bool backend_sees(const struct aiox_context *ctx)
{
    return ctx->backend->ops.pending && ctx->backend->ops.pending(ctx->backend->mon);
}

/* Looking before sleeping is over; true if it has found something for the next turn. */
static bool stop_looking(struct aiox_context *ctx)
{
    bool found;

    if (AIOX_LIKELY(!ctx->busy.started)) {
        return false;
    }
    handlers_enter_(&ctx->handlers);
    found = busy_pause_(&ctx->busy, &ctx->handlers);
    handlers_leave_(&ctx->handlers);
    return found;
}

/*
 * Idle bottom halves wait a while from when they are first seen, however often
 * the host comes round meanwhile.
 */
static int64_t timeout_ns(struct aiox_context *ctx)
{
    int64_t idle_ns = aiox_bh_queue_timeout_ns(&ctx->bhs);
    int64_t now_ns;

    if (AIOX_UNLIKELY(idle_ns > 0)) {
        now_ns = aiox_clock_now_ns();
        if (ctx->outside.idle_due_ns == 0) {
            ctx->outside.idle_due_ns = now_ns + idle_ns;
        }
        idle_ns = ctx->outside.idle_due_ns - now_ns;
        idle_ns = idle_ns > 0 ? idle_ns : 0;
    }
    return sooner_ns(idle_ns, aiox_context_timeout_ns(ctx));
}

/* How long the host may sleep over its descriptor, with the backend's in it. */
static int64_t expose(struct aiox_context *ctx, int64_t wait_ns)
{
    const struct backend *b = ctx->backend;
    uint32_t file = 0;
    bool ready = false;
    int fd = b->pollfd.prepare ? b->pollfd.prepare(b->mon, &file, &ready) : -ENOTSUP;

    if (ready || backend_sees(ctx)) {
        return 0;
    }
    if (fd < 0 || outside_watch_(&ctx->outside, fd, file) < 0) {
        return sooner_ns(wait_ns, BLIND_NS);
    }
    return wait_ns;
}

int64_t aiox_foreign_prepare(struct aiox_context *ctx)
{
    struct outside *o = at_home(ctx);
    int64_t wait_ns = 0;

    (void)outside_calm_(o);
    o->is_prepared = true;
    if (stop_looking(ctx) || notify_arm_(&ctx->notify)) {
        return 0;
    }
    wait_ns = timeout_ns(ctx);
    return wait_ns == 0 ? 0 : expose(ctx, wait_ns);
}

bool aiox_foreign_check(struct aiox_context *ctx, bool is_readable)
{
    struct outside *o = at_home(ctx);
    bool was_alarmed = outside_calm_(o);
    bool was_rung = notify_wake_(&ctx->notify);

    o->is_prepared = false;
    return is_readable || was_alarmed || was_rung || ctx->busy.started || backend_sees(ctx) ||
           timeout_ns(ctx) == 0;
}

bool aiox_foreign_dispatch(struct aiox_context *ctx)
{
    struct outside *o = at_home(ctx);

    (void)outside_calm_(o);
    o->is_prepared = false;
    return aiox_poll(ctx, false);
}

int aiox_foreign_begin(struct aiox_context *ctx, int *fd, struct aiox_error *err)
{
    struct outside *o = &ctx->outside;
    int code;

    if (borrow_is_lent_(&ctx->borrow)) {
        return aiox_error_set(err, -EBUSY,
                              "the context is lent; aiox_context_adopt() gives it one home again");
    }
    if (o->is_open) {
        return aiox_error_set(err, -EBUSY, "another loop waits for this context already");
    }
    code = outside_open_(o, aiox_event_notifier_fd(&ctx->bell));
    if (code < 0) {
        return aiox_error_set(err, code, "cannot open a descriptor for another loop: %s",
                              aiox_error_text(code));
    }
    code = context_suit_(ctx, context_wishes_(ctx), err); /* the backend must know */
    if (code < 0) {
        outside_close_(o);
        return code;
    }
    *fd = o->set;
    return 0;
}

void aiox_foreign_end(struct aiox_context *ctx)
{
    outside_close_(&ctx->outside);
    (void)notify_wake_(&ctx->notify);
    if (home_is_here_(&ctx->home) && borrow_is_wanted_(&ctx->borrow)) {
        lend_to_who_waits_(ctx);
    }
}
