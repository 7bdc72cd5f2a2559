/* SPDX-License-Identifier: MIT */
/*
 * aiox/qemu/aio.h - the original names of aiox/aio.h. How a context is made:
 * aiox/qemu/main_loop.h, which knows the backends.
 *
 * Differences on purpose: bottom halves run in the order in which they were
 * asked for; a descriptor that cannot be watched is refused, which aborts here
 * where the original falls back or stays silent. Without memory both abort.
 */
#ifndef AIOX_QEMU_AIO_H_
#define AIOX_QEMU_AIO_H_

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "aiox/aio.h"
#include "aiox/assert.h"
#include "aiox/attributes.h"
#include "aiox/borrow.h"
#include "aiox/qemu/api.h"
#include "aiox/qemu/bh.h"
#include "aiox/qemu/error.h"
#include "aiox/qemu/event_notifier.h"
#include "aiox/qemu/timer.h"

AIOX_BEGIN_DECLS

typedef struct aiox_context AioContext;

typedef aiox_fd_fn IOHandler;
typedef aiox_fd_poll_fn AioPollFn;
typedef bool EventNotifierPollFn(EventNotifier *notifier);

/* ---- the context ---- */

static inline void aio_context_ref(AioContext *ctx)
{
    aiox_context_ref(ctx);
}

static inline void aio_context_unref(AioContext *ctx)
{
    aiox_context_unref(ctx);
}

/* NULL where the thread has none; the original then has the main loop's. */
static inline AioContext *qemu_get_current_aio_context(void)
{
    return aiox_context_current();
}

static inline void qemu_set_current_aio_context(AioContext *ctx)
{
    aiox_context_set_current(ctx);
}

static inline bool in_aio_context_home_thread(AioContext *ctx)
{
    return aiox_context_is_home(ctx);
}

static inline bool aio_poll(AioContext *ctx, bool blocking) blocking_fn
{
    return aiox_poll(ctx, blocking);
}

static inline void aio_notify(AioContext *ctx)
{
    aiox_notify(ctx);
}

/* In the order of asking; may be nested. A loop that sleeps gives way. */
static inline void aio_context_acquire(AioContext *ctx) blocking_fn
{
    aiox_context_acquire(ctx);
}

static inline void aio_context_release(AioContext *ctx)
{
    aiox_context_release(ctx);
}

/* 0, -1 for ever, or ns. */
static inline int64_t aio_compute_timeout(AioContext *ctx)
{
    return aiox_context_timeout_ns(ctx);
}

static inline void aio_context_set_poll_params(AioContext *ctx, int64_t max_ns, int64_t grow,
                                               int64_t shrink, Error **errp)
{
    struct aiox_error said;
    int err = aiox_context_set_busy_poll(ctx, max_ns, (uint32_t)grow, (uint32_t)shrink);

    if (err) {
        aiox_error_set(&said, err, "cannot poll for %lld ns", (long long)max_ns);
        error_set_from_aiox(errp, &said);
    }
}

/* ---- descriptors ---- */

/* Not original names: what all the arities below come to. */
static inline struct aiox_fd_handler aiox_qemu_handler_(IOHandler *read, IOHandler *write,
                                                        AioPollFn *poll, IOHandler *poll_ready)
{
    struct aiox_fd_handler h;

    memset(&h, 0, sizeof(h));
    h.read = read;
    h.write = write;
    h.poll = poll;
    h.poll_ready = poll_ready;
    return h;
}

static inline void aiox_qemu_watch_(AioContext *ctx, int fd, const struct aiox_fd_handler *h,
                                    void *opaque)
{
    int err = aiox_set_fd_handler(ctx, fd, h, opaque);

    if (err) {
        aiox_panic("cannot watch descriptor %d: %s", fd, aiox_error_text(err));
    }
}

/* Not an original name. The notifier is the first member, so it is its own opaque. */
static inline void aiox_qemu_watch_notifier_(AioContext *ctx, EventNotifier *notifier,
                                             EventNotifierHandler *read, EventNotifierPollFn *poll,
                                             EventNotifierHandler *poll_ready)
{
    int err = aiox_set_event_notifier(ctx, &notifier->n_, (aiox_fd_fn *)read,
                                      (aiox_fd_poll_fn *)poll, (aiox_fd_fn *)poll_ready);

    if (err) {
        aiox_panic("cannot watch a notifier: %s", aiox_error_text(err));
    }
}

#if AIOX_QEMU_API >= 2023

/* limits: the original's parameters */
static inline void aio_set_fd_handler(AioContext *ctx, int fd, IOHandler *io_read,
                                      IOHandler *io_write, AioPollFn *io_poll,
                                      IOHandler *io_poll_ready, void *opaque)
{
    struct aiox_fd_handler h = aiox_qemu_handler_(io_read, io_write, io_poll, io_poll_ready);

    aiox_qemu_watch_(ctx, fd, &h, opaque);
}

static inline void aio_set_event_notifier(AioContext *ctx, EventNotifier *notifier,
                                          EventNotifierHandler *io_read,
                                          EventNotifierPollFn *io_poll,
                                          EventNotifierHandler *io_poll_ready)
{
    aiox_qemu_watch_notifier_(ctx, notifier, io_read, io_poll, io_poll_ready);
}

#elif AIOX_QEMU_API >= 2015 /* aiox/qemu/aio_external.h */
#elif AIOX_QEMU_API >= 2014

static inline void aio_set_fd_handler(AioContext *ctx, int fd, IOHandler *io_read,
                                      IOHandler *io_write, void *opaque)
{
    struct aiox_fd_handler h = aiox_qemu_handler_(io_read, io_write, NULL, NULL);

    aiox_qemu_watch_(ctx, fd, &h, opaque);
}

static inline void aio_set_event_notifier(AioContext *ctx, EventNotifier *notifier,
                                          EventNotifierHandler *io_read)
{
    aiox_qemu_watch_notifier_(ctx, notifier, io_read, NULL, NULL);
}

#else

typedef int AioFlushHandler(void *opaque);
typedef int AioFlushEventNotifierHandler(EventNotifier *notifier);

static inline void aio_set_fd_handler(AioContext *ctx, int fd, IOHandler *io_read,
                                      IOHandler *io_write, AioFlushHandler *io_flush, void *opaque)
{
    struct aiox_fd_handler h = aiox_qemu_handler_(io_read, io_write, NULL, NULL);

    (void)io_flush;
    aiox_qemu_watch_(ctx, fd, &h, opaque);
}

static inline void aio_set_event_notifier(AioContext *ctx, EventNotifier *notifier,
                                          EventNotifierHandler *io_read,
                                          AioFlushEventNotifierHandler *io_flush)
{
    (void)io_flush;
    aiox_qemu_watch_notifier_(ctx, notifier, io_read, NULL, NULL);
}

#endif

/* ---- bottom halves ---- */

static inline QEMUBH *aio_bh_new_full(AioContext *ctx, QEMUBHFunc *cb, void *opaque,
                                      const char *name, MemReentrancyGuard *guard)
{
    QEMUBH *bh = NULL;
    int err = aiox_bh_new(&bh, aiox_context_bhs(ctx), name, cb, opaque);

    aiox_assert(err == 0);
    if (guard) {
        aiox_bh_set_guard(bh, guard);
    }
    return bh;
}

/* The original takes the name from the source; give one with aio_bh_new_full(). */
static inline QEMUBH *aio_bh_new(AioContext *ctx, QEMUBHFunc *cb, void *opaque)
{
    return aio_bh_new_full(ctx, cb, opaque, "aio_bh_new", NULL);
}

static inline QEMUBH *aio_bh_new_guarded(AioContext *ctx, QEMUBHFunc *cb, void *opaque,
                                         MemReentrancyGuard *guard)
{
    return aio_bh_new_full(ctx, cb, opaque, "aio_bh_new_guarded", guard);
}

static inline void aio_bh_schedule_oneshot_full(AioContext *ctx, QEMUBHFunc *cb, void *opaque,
                                                const char *name)
{
    int err = aiox_bh_schedule_oneshot(ctx, name, cb, opaque);

    aiox_assert(err == 0);
}

static inline void aio_bh_schedule_oneshot(AioContext *ctx, QEMUBHFunc *cb, void *opaque)
{
    aio_bh_schedule_oneshot_full(ctx, cb, opaque, "aio_bh_schedule_oneshot");
}

/* True if a bottom half did work. [home] */
static inline bool aio_bh_poll(AioContext *ctx)
{
    return aiox_bh_queue_run(aiox_context_bhs(ctx));
}

/* ---- timers ---- */

static inline QEMUTimer *aio_timer_new(AioContext *ctx, QEMUClockType type, int scale,
                                       QEMUTimerCB *cb, void *opaque)
{
    return timer_new_full(aiox_context_timers(ctx), type, scale, 0, cb, opaque);
}

static inline QEMUTimer *aio_timer_new_with_attrs(AioContext *ctx, QEMUClockType type, int scale,
                                                  int attributes, QEMUTimerCB *cb, void *opaque)
{
    return timer_new_full(aiox_context_timers(ctx), type, scale, attributes, cb, opaque);
}

static inline void aio_timer_init(AioContext *ctx, QEMUTimer *ts, QEMUClockType type, int scale,
                                  QEMUTimerCB *cb, void *opaque)
{
    timer_init_full(ts, aiox_context_timers(ctx), type, scale, 0, cb, opaque);
}

/* limits: the original's parameters */
static inline void aio_timer_init_with_attrs(AioContext *ctx, QEMUTimer *ts, QEMUClockType type,
                                             int scale, int attributes, QEMUTimerCB *cb,
                                             void *opaque)
{
    timer_init_full(ts, aiox_context_timers(ctx), type, scale, attributes, cb, opaque);
}

/* ---- requests of io_uring ---- */

/* What the kernel answered, as in struct io_uring_cqe. */
typedef struct CqeHandler {
    struct aiox_completion completion_; /* first: found by its address */
    void (*cb)(struct CqeHandler *handler);
    struct {
        int32_t res;
    } cqe;
} CqeHandler;

static inline bool aio_has_io_uring(void)
{
    return aiox_has_completion(aiox_context_current());
}

/* Not an original name. */
static inline void aiox_qemu_completed_(struct aiox_completion *c, int result)
{
    CqeHandler *handler = (CqeHandler *)(void *)c;

    handler->cqe.res = result;
    handler->cb(handler);
}

/* Not an original name. */
static inline void aiox_qemu_refused_(void *opaque)
{
    CqeHandler *handler = (CqeHandler *)opaque;

    handler->cb(handler);
}

struct io_uring_sqe;

/* Not an original name: a prepare function and what it is given. */
struct aiox_qemu_prepare_ {
    void (*prep_sqe)(struct io_uring_sqe *sqe, void *opaque);
    void *opaque;
};

/* Not an original name. */
static inline void aiox_qemu_prepare_sqe_(void *sqe, void *opaque)
{
    const struct aiox_qemu_prepare_ *prepare = (const struct aiox_qemu_prepare_ *)opaque;

    prepare->prep_sqe((struct io_uring_sqe *)sqe, prepare->opaque);
}

/*
 * Hands a request to the kernel by this thread's context. @prep_sqe fills the
 * zeroed entry. What cannot be handed over is answered in a later turn, too,
 * with the reason in cqe.res (-EAGAIN: too many; -ENOTSUP: no io_uring).
 */
static inline void aio_add_sqe(void (*prep_sqe)(struct io_uring_sqe *sqe, void *opaque),
                               void *opaque, CqeHandler *handler)
{
    struct aiox_qemu_prepare_ prepare = {prep_sqe, opaque};
    AioContext *ctx = aiox_context_current();
    int err;

    handler->completion_.done = aiox_qemu_completed_;
    err = aiox_submit(ctx, aiox_qemu_prepare_sqe_, &prepare, &handler->completion_);
    if (err) {
        handler->cqe.res = err;
        aio_bh_schedule_oneshot_full(ctx, aiox_qemu_refused_, handler, "aio_add_sqe");
    }
}

AIOX_END_DECLS

#include "aiox/qemu/aio_external.h"

#endif /* AIOX_QEMU_AIO_H_ */
