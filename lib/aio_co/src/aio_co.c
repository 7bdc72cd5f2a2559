/* SPDX-License-Identifier: MIT */
/* aio_co.c - which context a coroutine is in, and how it gets to another. */
#include "aio_co.h"

#include <errno.h>

#include "aiox/assert.h"

#include "trace.h"

static struct co_part *part_of_executor(struct aiox_executor *ex)
{
    return AIOX_CONTAINER_OF(ex, struct co_part, home.executor);
}

/*
 * Once @co is in the inbox it may run, end, and let its context go. So whoever
 * is not at home, where that cannot happen meanwhile, holds a reference.
 */
static void send(struct co_part *part, struct aiox_co *co)
{
    AIOX_TRACE(aio_co, send, (uintptr_t)co, (uintptr_t)part->ctx);
    if (aiox_context_is_home(part->ctx)) {
        home_send_(&part->home, co);
    } else {
        struct aiox_context *ctx = aiox_context_ref(part->ctx);

        home_send_(&part->home, co);
        aiox_context_unref(ctx);
    }
}

/* The address of this function is how an executor is known to be a context's. */
static void schedule_from_anywhere(struct aiox_executor *ex, struct aiox_co *co)
{
    struct co_part *part = part_of_executor(ex);

    if (!aiox_in_coroutine() && aiox_context_is_home(part->ctx)) {
        aiox_co_enter_on(ex, co);
    } else {
        send(part, co);
    }
}

/* How locks wait with a deadline. The timer lives in the frame of who waits. */
static int yield_until(struct aiox_executor *ex, int64_t deadline_ns,
                       void (*too_late)(void *opaque), void *opaque) coroutine_fn
{
    struct aiox_timer_group *timers = aiox_context_timers(part_of_executor(ex)->ctx);
    struct aiox_timer timer;
    int err = aiox_timer_init_ns(&timer, timers, AIOX_CLOCK_MONOTONIC, too_late, opaque);

    if (err < 0) {
        return err;
    }
    aiox_timer_mod_ns(&timer, deadline_ns);
    aiox_co_yield();
    aiox_timer_fini(&timer); /* here, at home, its function is not running elsewhere */
    return 0;
}

/* ---- the part ---- */

static int init_part(struct aiox_context *ctx, void *data)
{
    struct co_part *part = data;

    part->ctx = ctx;
    part->home.executor.schedule = schedule_from_anywhere;
    part->home.executor.yield_until = yield_until;
    watches_init_(&part->watches, ctx);
    return home_init_(&part->home, aiox_context_bhs(ctx));
}

static void fini_part(struct aiox_context *ctx, void *data)
{
    struct co_part *part = data;

    home_fini_(&part->home);
    watches_fini_(&part->watches);
}

static const struct aiox_context_part kind = {
    .name = "coroutines",
    .bytes = sizeof(struct co_part),
    .init = init_part,
    .fini = fini_part,
};

struct co_part *part_of_(struct aiox_context *ctx)
{
    void *part = NULL;

    if (aiox_context_part_get(ctx, &kind, &part) < 0) {
        aiox_panic("no memory for the coroutines of a context; aiox_co_attach() tells in time");
    }
    return part;
}

static bool is_ours(const struct aiox_executor *ex)
{
    return ex && ex->schedule == schedule_from_anywhere;
}

struct co_part *part_here_(void)
{
    struct aiox_co *self = aiox_co_self();
    struct aiox_executor *ex = self ? aiox_co_executor(self) : NULL;

    if (!is_ours(ex)) {
        aiox_panic("%s is not in a context: enter it by aiox_co_enter_in()",
                   self ? aiox_co_name(self) : "a thread outside of coroutines");
    }
    return part_of_executor(ex);
}

/* ---- the public face ---- */

int aiox_co_attach(struct aiox_context *ctx)
{
    void *part;

    return aiox_context_part_get(ctx, &kind, &part);
}

void aiox_co_enter_in(struct aiox_context *ctx, struct aiox_co *co)
{
    aiox_co_wake_on(&part_of_(ctx)->home.executor, co);
}

void aiox_co_schedule(struct aiox_context *ctx, struct aiox_co *co)
{
    send(part_of_(ctx), co);
}

struct aiox_context *aiox_co_context(const struct aiox_co *co)
{
    struct aiox_executor *ex = aiox_co_executor(co);

    return is_ours(ex) ? part_of_executor(ex)->ctx : NULL;
}

/* ---- moving ---- */

static const char moving[] = "aiox_co_move_self";

struct move {
    struct leaver leaver;
    struct aiox_context *to;
};

/* Called at the old home. When the coroutine is on its way, *@leaver is no more. */
static void arrive(struct leaver *leaver)
{
    struct move *move = AIOX_CONTAINER_OF(leaver, struct move, leaver);
    struct aiox_context *to = move->to;
    struct aiox_co *co = leaver->co;

    aiox_assert(aiox_co_unmark(co, moving));
    send(part_of_(to), co);
    aiox_context_unref(to);
}

void aiox_co_move_self(struct aiox_context *ctx)
{
    struct co_part *here = part_here_();
    struct move move = {.leaver = {.co = aiox_co_self(), .send = arrive}};

    if (here->ctx == ctx) {
        return;
    }
    AIOX_TRACE(aio_co, move, (uintptr_t)move.leaver.co, (uintptr_t)ctx);
    (void)part_of_(ctx);
    move.to = aiox_context_ref(ctx);
    aiox_co_mark(move.leaver.co, moving);
    home_leave_(&here->home, &move.leaver);
    aiox_co_yield();
}
