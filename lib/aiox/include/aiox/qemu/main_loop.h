/* SPDX-License-Identifier: MIT */
/*
 * aiox/qemu/main_loop.h - the original's main loop, and how a context is made.
 *
 * There is one main context in a process. qemu_init_main_loop() makes it and
 * is called first, in the thread that calls main_loop_wait().
 */
#ifndef AIOX_QEMU_MAIN_LOOP_H_
#define AIOX_QEMU_MAIN_LOOP_H_

#include <string.h>

#include "aiox/aiox.h"
#include "aiox/assert.h"
#include "aiox/attributes.h"
#include "aiox/qemu/aio.h"
#include "aiox/qemu/api.h"
#include "aiox/qemu/error.h"

AIOX_BEGIN_DECLS

/* ---- contexts ---- */

#if AIOX_QEMU_API >= 2014

/* With the backend that AIOX_FDMON asks for, else the best. NULL and an Error if there is none. */
static inline AioContext *aio_context_new(Error **errp)
{
    struct aiox_error said;
    AioContext *ctx = NULL;

    if (aiox_new(&ctx, &said)) {
        error_set_from_aiox(errp, &said);
    }
    return ctx;
}

#else

/* With the backend that AIOX_FDMON asks for, else the best. Aborts if there is none. */
static inline AioContext *aio_context_new(void)
{
    struct aiox_error said;
    AioContext *ctx = NULL;

    if (aiox_new(&ctx, &said)) {
        aiox_panic("%s", said.message);
    }
    return ctx;
}

#endif

/* Chooses the backend once more, by what AIOX_FDMON says now; false and an Error: as it was. */
static inline bool aio_context_setup(AioContext *ctx, Error **errp)
{
    struct aiox_error said;
    struct aiox_choice choice;

    aiox_choice_get(&choice, NULL);
    if (aiox_context_setup(ctx, choice.spec, &said)) {
        error_set_from_aiox(errp, &said);
        return false;
    }
    return true;
}

/* ---- the main loop ---- */

__attribute__((weak)) AioContext *aiox_qemu_main_context_;

/* 0, or a negative errno and an Error. */
static inline int qemu_init_main_loop(Error **errp)
{
    struct aiox_error said;
    int err = 0;

    if (!aiox_qemu_main_context_) {
        err = aiox_new(&aiox_qemu_main_context_, &said);
    }
    if (err) {
        error_set_from_aiox(errp, &said);
        return err;
    }
    aiox_context_set_current(aiox_qemu_main_context_);
    return 0;
}

/* Not an original name: for programs that end cleanly. */
static inline void aiox_qemu_fini_main_loop(void)
{
    aiox_context_set_current(NULL);
    aiox_context_unref(aiox_qemu_main_context_);
    aiox_qemu_main_context_ = NULL;
}

static inline AioContext *qemu_get_aio_context(void)
{
    aiox_assert(aiox_qemu_main_context_);
    return aiox_qemu_main_context_;
}

static inline void main_loop_wait(int nonblocking) blocking_fn
{
    aiox_poll(qemu_get_aio_context(), !nonblocking);
}

static inline void qemu_notify_event(void)
{
    aiox_notify(qemu_get_aio_context());
}

static inline QEMUBH *qemu_bh_new(QEMUBHFunc *cb, void *opaque)
{
    return aio_bh_new_full(qemu_get_aio_context(), cb, opaque, "qemu_bh_new", NULL);
}

static inline void qemu_set_fd_handler(int fd, IOHandler *fd_read, IOHandler *fd_write,
                                       void *opaque)
{
    struct aiox_fd_handler h;

    memset(&h, 0, sizeof(h));
    h.read = fd_read;
    h.write = fd_write;
    aiox_qemu_watch_(qemu_get_aio_context(), fd, &h, opaque);
}

/* NULL as @handler stops. */
static inline int event_notifier_set_handler(EventNotifier *notifier, EventNotifierHandler *handler)
{
    aiox_qemu_watch_notifier_(qemu_get_aio_context(), notifier, handler, NULL, NULL);
    return 0;
}

/* ---- timers of the main loop ---- */

static inline QEMUTimer *timer_new(QEMUClockType type, int scale, QEMUTimerCB *cb, void *opaque)
{
    return aio_timer_new(qemu_get_aio_context(), type, scale, cb, opaque);
}

static inline QEMUTimer *timer_new_ns(QEMUClockType type, QEMUTimerCB *cb, void *opaque)
{
    return timer_new(type, SCALE_NS, cb, opaque);
}

static inline QEMUTimer *timer_new_us(QEMUClockType type, QEMUTimerCB *cb, void *opaque)
{
    return timer_new(type, SCALE_US, cb, opaque);
}

static inline QEMUTimer *timer_new_ms(QEMUClockType type, QEMUTimerCB *cb, void *opaque)
{
    return timer_new(type, SCALE_MS, cb, opaque);
}

static inline void timer_init_ns(QEMUTimer *ts, QEMUClockType type, QEMUTimerCB *cb, void *opaque)
{
    aio_timer_init(qemu_get_aio_context(), ts, type, SCALE_NS, cb, opaque);
}

static inline void timer_init_us(QEMUTimer *ts, QEMUClockType type, QEMUTimerCB *cb, void *opaque)
{
    aio_timer_init(qemu_get_aio_context(), ts, type, SCALE_US, cb, opaque);
}

static inline void timer_init_ms(QEMUTimer *ts, QEMUClockType type, QEMUTimerCB *cb, void *opaque)
{
    aio_timer_init(qemu_get_aio_context(), ts, type, SCALE_MS, cb, opaque);
}

AIOX_END_DECLS

#endif /* AIOX_QEMU_MAIN_LOOP_H_ */
