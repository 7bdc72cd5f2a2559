/* SPDX-License-Identifier: MIT */
/* requests.c - hands requests to a backend that takes them. */
#include <errno.h>

#include "context.h"

bool aiox_has_completion(struct aiox_context *ctx)
{
    return ctx->backend->has_completion;
}

bool aiox_can_submit(struct aiox_context *ctx, unsigned opcode)
{
    const struct backend *b = ctx->backend;

    return b->has_completion && b->completion.supports(b->mon, opcode);
}

int aiox_submit(struct aiox_context *ctx, aiox_fdmon_prepare_fn *prepare, void *opaque,
                struct aiox_completion *c)
{
    struct backend *b = ctx->backend;
    int err;

    if (!b->has_completion) {
        return -ENOTSUP;
    }
    err = b->completion.submit(b->mon, prepare, opaque, (uintptr_t)c);
    if (err == 0) {
        aiox_list_push_back(&ctx->in_flight, &c->link_);
        context_ask_from_home_(ctx);
    }
    return err;
}

int aiox_submit_cancel(struct aiox_context *ctx, struct aiox_completion *c)
{
    struct backend *b = ctx->backend;

    context_ask_from_home_(ctx);
    return b->has_completion ? b->completion.cancel(b->mon, (uintptr_t)c) : -ENOENT;
}
