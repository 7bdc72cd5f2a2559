/* SPDX-License-Identifier: MIT */
/*
 * aiox/async_request.h - something under way whose memory is counted.
 *
 * Whoever offers an operation that ends later has a record per kind (how big a
 * request is, how it is cancelled) and begins its struct with struct
 * aiox_async_request. The operation itself holds one reference, until
 * aiox_async_complete(); who wants to cancel it holds another.
 *
 *   struct copy { struct aiox_async_request base; int from, to; };
 *   static const struct aiox_async_class copying = {"copy", sizeof(struct copy), stop_copy, NULL};
 *
 *   err = aiox_async_new(&r, &copying, ctx, done, opaque);
 */
#ifndef AIOX_ASYNC_REQUEST_H_
#define AIOX_ASYNC_REQUEST_H_

#include <stdbool.h>
#include <stddef.h>

#include "aiox/aio.h"
#include "aiox/atomic.h"
#include "aiox/attributes.h"
#include "aiox/thread_annotations.h"

AIOX_BEGIN_DECLS

struct aiox_async_request;
typedef void aiox_async_done_fn(void *opaque, int result);

/* What requests of one kind have in common. Static, never written. */
struct aiox_async_class {
    const char *name;  /* for people */
    size_t size_bytes; /* of the whole request */
    /*
     * Asks for an early end, which is told by aiox_async_complete() in a later
     * turn, never inside. May be called again, also when it is too late. NULL:
     * there is no early end. [home]
     */
    void (*cancel)(struct aiox_async_request *r);
    /* Called before the memory goes; NULL: nothing to do. [any] */
    void (*free)(struct aiox_async_request *r);
};

struct aiox_async_request {
    const struct aiox_async_class *class_;
    struct aiox_context *ctx; /* whose turns complete it */
    aiox_async_done_fn *done;
    void *opaque;
    aiox_atomic_u32 references_;
    bool complete_;
};

/* ---- whoever asked ---- */

/* One more reference; returns @r. [any] */
AIOX_API struct aiox_async_request *aiox_async_ref(struct aiox_async_request *r);

/* One reference less; NULL is allowed. The last one frees. [any] */
AIOX_API void aiox_async_unref(struct aiox_async_request *r);

/* Asks for an early end. done is called all the same, in a later turn. [home] */
AIOX_API void aiox_async_cancel(struct aiox_async_request *r);

/* The same, and turns the loop until done has returned. Never inside that done. [home] */
AIOX_API void aiox_async_cancel_sync(struct aiox_async_request *r) blocking_fn;

/* True when done has been called and has returned. [home] */
AIOX_API bool aiox_async_is_complete(const struct aiox_async_request *r);

/* ---- whoever offers an operation ---- */

/*
 * Makes a request of @class_->size_bytes, zeroed behind its first member, with
 * the one reference of the operation. @done(@opaque, result) may be NULL.
 *
 *   -ENOMEM  no memory
 *
 * *@out is written only on success. An operation that then cannot begin gives
 * it back with aiox_async_unref(). [any]
 */
AIOX_API AIOX_NODISCARD int aiox_async_new(struct aiox_async_request **out,
                                           const struct aiox_async_class *class_,
                                           struct aiox_context *ctx, aiox_async_done_fn *done,
                                           void *opaque);

/* Calls done with @result and gives up the operation's reference. Once. [home] */
AIOX_API void aiox_async_complete(struct aiox_async_request *r, int result);

AIOX_END_DECLS

#endif /* AIOX_ASYNC_REQUEST_H_ */
