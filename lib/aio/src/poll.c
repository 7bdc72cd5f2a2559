/* SPDX-License-Identifier: MIT */
/* poll.c - one turn of the loop, from top to bottom. */
#include "aiox/assert.h"

#include "context.h"
#include "dispatch.h"
#include "lend.h"
#include "trace.h"

/* The sooner of two waits; -1 is for ever. */
static int64_t sooner_ns(int64_t a_ns, int64_t b_ns)
{
    return (uint64_t)a_ns < (uint64_t)b_ns ? a_ns : b_ns;
}

int64_t aiox_context_timeout_ns(struct aiox_context *ctx)
{
    int64_t bhs_ns = aiox_bh_queue_timeout_ns(&ctx->bhs);

    if (bhs_ns == 0 || !aiox_list_is_empty(&ctx->completions) || !aiox_list_is_empty(&ctx->ready) ||
        handlers_have_always_ready_(&ctx->handlers)) {
        return 0;
    }
    return sooner_ns(bhs_ns, aiox_timer_group_timeout_ns(&ctx->timers));
}

/* Takes note of what has happened, and sorts it. */
static void accept(struct aiox_context *ctx, const struct backend_events *events)
{
    struct collected found = {0};
    bool rung = false;

    ctx->now_ns = 0; /* time has passed */
    AIOX_TRACE(aio, collected, (uintptr_t)ctx, events->count);
    if (AIOX_UNLIKELY(events->count < 0)) {
        context_lost_backend_(ctx, events->count);
    }
    if (!notify_is_quiet_(&ctx->notify)) {
        rung = notify_is_rung_(&ctx->notify);
        notify_accept_(&ctx->notify);
    }
    if (events->count > 0) {
        found = dispatch_sort_(&ctx->handlers, events->list, events->count, &ctx->ready,
                               ctx->backend->has_completion ? &ctx->completions : NULL);
    }
    if (found.bell) {
        (void)aiox_event_notifier_test_and_clear(&ctx->bell);
    }
    handlers_add_always_ready_(&ctx->handlers, &ctx->ready);
    busy_learn_(&ctx->busy, &ctx->handlers, rung, found.other, &ctx->ready);
}

/*
 * Says "I am about to sleep", and sleeps unless somebody has rung. Whoever has
 * asked since @timeout_ns was found out has rung already, or finds that the
 * loop sleeps and sets the bell.
 */
static void sleep_until_something(struct aiox_context *ctx, int64_t timeout_ns,
                                  struct backend_events *events)
{
    if (notify_arm_(&ctx->notify)) {
        timeout_ns = 0;
        ctx->busy.is_timed = false; /* nothing is learnt from a wait that is none */
    }
    AIOX_TRACE(aio, sleep, (uintptr_t)ctx, timeout_ns);
    backend_collect_(ctx->backend, timeout_ns, events);
}

static void wait(struct aiox_context *ctx, bool may_block)
{
    struct backend_events events;
    int64_t timeout_ns = may_block ? aiox_context_timeout_ns(ctx) : 0;
    bool may_look = busy_may_look_(&ctx->busy);

    events.count = 0;
    if (busy_look_(&ctx->busy, &ctx->handlers, &ctx->notify, timeout_ns, &ctx->ready, &events) ||
        timeout_ns == 0 || busy_stop_(&ctx->busy, &ctx->handlers, &ctx->ready)) {
        if (events.count == 0) {
            backend_collect_(ctx->backend, 0, &events);
        }
    } else {
        /* Looking takes time, and calls those who may have asked for something. */
        sleep_until_something(ctx, may_look ? aiox_context_timeout_ns(ctx) : timeout_ns, &events);
    }
    accept(ctx, &events);
}

/* Calls whom it concerns; what they ask of the bottom halves costs less than between turns. */
static bool serve(struct aiox_context *ctx)
{
    struct aiox_bh_queue *outer = aiox_bh_queue_begin(&ctx->bhs);
    bool progress = dispatch_completions_(&ctx->completions);

    progress |= aiox_bh_queue_run(&ctx->bhs);
    progress |= dispatch_handlers_(&ctx->ready);
    aiox_bh_queue_end(outer);
    return progress;
}

static bool turn(struct aiox_context *ctx, bool may_block)
{
    bool progress;

    AIOX_TRACE(aio, poll_enter, (uintptr_t)ctx, may_block);
    ctx->borrow.turns++;
    handlers_enter_(&ctx->handlers);

    wait(ctx, may_block);
    if (aiox_list_is_empty(&ctx->ready) && aiox_list_is_empty(&ctx->completions)) {
        progress = aiox_bh_queue_run(&ctx->bhs);
    } else {
        progress = serve(ctx);
    }

    handlers_leave_(&ctx->handlers);
    progress |= aiox_timer_group_run(&ctx->timers);
    outside_turned_(&ctx->outside);
    ctx->now_ns = 0;
    ctx->borrow.turns--;
    AIOX_TRACE(aio, poll_leave, (uintptr_t)ctx, progress);
    return progress;
}

/* Not at home: the loop is for all, and this thread is its home for one turn. */
static AIOX_COLD bool borrow_for_a_turn(struct aiox_context *ctx, bool may_block)
{
    bool progress;

    if (!borrow_is_for_all_(&ctx->borrow)) {
        aiox_panic("another thread is the home of this context; aiox_context_adopt() moves it, "
                   "aiox_context_acquire() borrows it");
    }
    aiox_context_acquire(ctx);
    progress = aiox_poll(ctx, may_block);
    aiox_context_release(ctx);
    return progress;
}

bool aiox_poll(struct aiox_context *ctx, bool may_block)
{
    struct aiox_context *outer;
    bool progress;

    if (AIOX_UNLIKELY(!home_begin_turn_(&ctx->home, ctx, &outer))) {
        return borrow_for_a_turn(ctx, may_block);
    }
    progress = turn(ctx, may_block);
    home_end_turn_(outer);
    if (AIOX_UNLIKELY(borrow_is_wanted_(&ctx->borrow))) {
        lend_to_who_waits_(ctx);
    }
    return progress;
}
