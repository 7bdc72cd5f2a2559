/* SPDX-License-Identifier: MIT */
/*
 * lend.c - a context whose home changes from turn to turn.
 *
 * A plain context has one home, and all that is here costs it one look per turn. It
 * becomes a lent one when its home acquires it, or finds between two turns
 * that somebody waits. From then on its home is whoever holds it, or nobody, and
 * its backend is one that lets that happen: poll and epoll do, a ring of
 * io_uring is opened anew without the flags that bind it to a thread. Requests
 * cannot move to another ring, so a context that has some is not lent before
 * they have ended, unless it was lent in time.
 *
 * A guest of another loop (foreign.c) is not lent: the host knows one thread, and
 * waits in a way that nobody can make it wait its turn.
 */
#include "lend.h"

#include <errno.h>

#include "aiox/assert.h"
#include "aiox/log.h"

#include "context.h"

static const struct backend_wishes roaming = {.roaming = true};

/* ---- a backend that lets its home change ---- */

/* Goes on with the best that roams. */
static int move_to_one_that_roams(struct aiox_context *ctx, struct aiox_error *err)
{
    char any[LOST_SPEC_BYTES];
    struct backend *to;
    int code;

    lost_spec_(&ctx->lost, roaming, any);
    code = backend_open_(&to, &ctx->sources, any, NULL, err);
    return code < 0 ? code : context_move_to_(ctx, to, err);
}

/* Opens the one in use anew if that takes it, or another one if that cannot be. */
static int let_roam(struct aiox_context *ctx, struct aiox_error *err)
{
    int code;

    if (ctx->outside.is_open) {
        return aiox_error_set(err, -EBUSY,
                              "another loop waits for this context, which is lent "
                              "after aiox_foreign_end()");
    }
    code = context_suit_(ctx, roaming, err);
    return code == -ENOTSUP ? move_to_one_that_roams(ctx, err) : code;
}

/* The same for somebody who waits: false only while requests are under way, or a host is there. */
static bool must_roam(struct aiox_context *ctx)
{
    struct aiox_error err;
    int code = let_roam(ctx, &err);

    if (code == 0 || code == -EBUSY) {
        return code == 0;
    }
    aiox_log(AIOX_LOG_WARN, "the backend '%s' cannot be lent (%s); the loop goes on with another",
             ctx->backend->plugin.name, err.message);
    if (move_to_one_that_roams(ctx, &err) < 0) {
        aiox_panic("no backend lets a context be lent: %s", err.message);
    }
    return true;
}

/* ---- whose turn it is ---- */

/* Lends @ctx if it is not, but not in a turn, under requests, or as a guest of another loop. */
static bool is_lent_by_now(struct aiox_context *ctx)
{
    if (!ctx->borrow.lent && ctx->borrow.turns == 0 && must_roam(ctx)) {
        borrow_lend_(&ctx->borrow, home_number_());
    }
    return ctx->borrow.lent;
}

void lend_to_who_waits_(struct aiox_context *ctx)
{
    if (ctx->borrow.depth == 0 && is_lent_by_now(ctx)) {
        borrow_give_(&ctx->borrow, &ctx->home);
    }
}

int aiox_context_lend(struct aiox_context *ctx, struct aiox_error *err)
{
    bool was_home = home_is_here_(&ctx->home);
    int code;

    if (borrow_is_lent_(&ctx->borrow)) {
        return 0;
    }
    aiox_assert(home_claim_(&ctx->home) && ctx->borrow.depth == 0 && ctx->borrow.turns == 0);
    code = let_roam(ctx, err);
    if (code == 0) {
        borrow_lend_(&ctx->borrow, home_number_());
        borrow_give_(&ctx->borrow, &ctx->home);
    } else if (!was_home) {
        home_set_(&ctx->home, HOME_NONE_YET);
    }
    return code;
}

void aiox_context_acquire(struct aiox_context *ctx)
{
    uint64_t me = home_number_();
    struct borrower w;

    if (!home_is_here_(&ctx->home) && !borrow_enter_(&ctx->borrow, &ctx->home, &w, me)) {
        aiox_notify(ctx);
        borrow_wait_(&w);
    }
    if (ctx->borrow.depth++ > 0) {
        return;
    }
    /* Lent now, before it has requests. */
    if (is_lent_by_now(ctx) && borrow_is_new_(&ctx->borrow, me)) {
        aiox_notify(ctx);
    }
}

/* In a plain context, what its home acquires within a turn it does not give up by this. */
void aiox_context_release(struct aiox_context *ctx)
{
    struct borrow *b = &ctx->borrow;

    aiox_assert(home_is_here_(&ctx->home) && b->depth > 0);
    b->depth--;
    aiox_assert(b->depth > 0 || b->turns == 0 || !b->lent);
    if (b->depth == 0 && is_lent_by_now(ctx)) {
        borrow_give_(&ctx->borrow, &ctx->home);
    }
}

/* ---- one home again ---- */

static int reopen_bound(struct aiox_context *ctx, struct aiox_error *err)
{
    struct backend *to;
    int code = backend_reopen_(&to, ctx->backend, context_wishes_(ctx), err);

    return code < 0 ? code : context_move_to_(ctx, to, err);
}

static int take_over(struct aiox_context *ctx, struct aiox_error *err)
{
    int code = context_check_no_requests_(ctx, err);

    if (code < 0 || home_claim_(&ctx->home)) {
        return code; /* nobody's yet: the backend is not bound */
    }
    home_take_(&ctx->home);
    code = reopen_bound(ctx, err);
    if (code < 0) {
        context_lost_backend_(ctx, code);
    }
    return code;
}

int aiox_context_adopt(struct aiox_context *ctx, struct aiox_error *err)
{
    if (home_is_here_(&ctx->home)) {
        return 0;
    }
    if (!borrow_end_(&ctx->borrow, &ctx->home, home_number_())) {
        return take_over(ctx, err);
    }
    if (ctx->backend->told.roaming && aiox_list_is_empty(&ctx->in_flight)) {
        (void)reopen_bound(ctx, NULL); /* else it goes on with the one it has */
    }
    return 0;
}
