/* SPDX-License-Identifier: MIT */
/* async_request.c - a counter in front of whatever is under way. */
#include "aiox/async_request.h"

#include <errno.h>
#include <stdlib.h>

#include "aiox/assert.h"

int aiox_async_new(struct aiox_async_request **out, const struct aiox_async_class *class_,
                   struct aiox_context *ctx, aiox_async_done_fn *done, void *opaque)
{
    struct aiox_async_request *r;

    aiox_assert(class_->size_bytes >= sizeof(*r));
    r = calloc(1, class_->size_bytes);
    if (!r) {
        return -ENOMEM;
    }
    r->class_ = class_;
    r->ctx = ctx;
    r->done = done;
    r->opaque = opaque;
    aiox_u32_store_relaxed(&r->references_, 1);
    *out = r;
    return 0;
}

struct aiox_async_request *aiox_async_ref(struct aiox_async_request *r)
{
    aiox_assert(aiox_u32_add_relaxed(&r->references_, 1) > 0);
    return r;
}

/* [ASYNC-unref] unref (acq_rel) -> the last unref (acq_rel): what the others did with it before. */
void aiox_async_unref(struct aiox_async_request *r)
{
    if (!r || aiox_u32_sub_acq_rel(&r->references_, 1) > 1) { /* [ASYNC-unref] */
        return;
    }
    if (r->class_->free) {
        r->class_->free(r);
    }
    free(r);
}

void aiox_async_complete(struct aiox_async_request *r, int result)
{
    aiox_assert(!r->complete_);
    if (r->done) {
        r->done(r->opaque, result);
    }
    r->complete_ = true;
    aiox_async_unref(r);
}

bool aiox_async_is_complete(const struct aiox_async_request *r)
{
    return r->complete_;
}

void aiox_async_cancel(struct aiox_async_request *r)
{
    if (!r->complete_ && r->class_->cancel) {
        r->class_->cancel(r);
    }
}

void aiox_async_cancel_sync(struct aiox_async_request *r)
{
    aiox_async_ref(r);
    aiox_async_cancel(r);
    while (!r->complete_) {
        aiox_poll(r->ctx, true);
    }
    aiox_async_unref(r);
}
