/* SPDX-License-Identifier: MIT */
/*
 * aiox/qemu/aio_external.h - how descriptors were watched from 2015 to 2022: each was external or
 * not.
 *
 * Included by aiox/qemu/aio.h where AIOX_QEMU_API says so. Until 2021 a poll function that
 * found something had served it.
 */
#ifndef AIOX_QEMU_AIO_EXTERNAL_H_
#define AIOX_QEMU_AIO_EXTERNAL_H_

#include "aiox/qemu/aio.h"

#if AIOX_QEMU_API >= 2015 && AIOX_QEMU_API < 2023

AIOX_BEGIN_DECLS

/* Not an original name: for those who have served what they found. */
static inline void aiox_qemu_served_(void *opaque)
{
    (void)opaque;
}

/* Not an original name. */
static inline void aiox_qemu_watch_external_(AioContext *ctx, int fd, bool is_external,
                                             struct aiox_fd_handler *h, void *opaque)
{
    h->flags = is_external ? (uint32_t)AIOX_FD_HANDLER_EXTERNAL : 0u;
    if (h->poll && !h->poll_ready) {
        h->poll_ready = aiox_qemu_served_;
    }
    aiox_qemu_watch_(ctx, fd, h, opaque);
}

static inline void aio_disable_external(AioContext *ctx)
{
    aiox_context_disable_external(ctx);
}

/* Aborts where a limit of the backend forbids it. */
static inline void aio_enable_external(AioContext *ctx)
{
    int err = aiox_context_enable_external(ctx);

    aiox_assert(err == 0);
}

#if AIOX_QEMU_API >= 2022

/* limits: the original's parameters */
static inline void aio_set_fd_handler(AioContext *ctx, int fd, bool is_external, IOHandler *io_read,
                                      IOHandler *io_write, AioPollFn *io_poll,
                                      IOHandler *io_poll_ready, void *opaque)
{
    struct aiox_fd_handler h = aiox_qemu_handler_(io_read, io_write, io_poll, io_poll_ready);

    aiox_qemu_watch_external_(ctx, fd, is_external, &h, opaque);
}

static inline void aio_set_event_notifier(AioContext *ctx, EventNotifier *notifier,
                                          bool is_external, EventNotifierHandler *io_read,
                                          EventNotifierPollFn *io_poll,
                                          EventNotifierHandler *io_poll_ready)
{
    struct aiox_fd_handler h = aiox_qemu_handler_(
        (aiox_fd_fn *)io_read, NULL, (aiox_fd_poll_fn *)io_poll, (aiox_fd_fn *)io_poll_ready);

    aiox_qemu_watch_external_(ctx, event_notifier_get_fd(notifier), is_external, &h, notifier);
}

#elif AIOX_QEMU_API >= 2017

/* limits: the original's parameters */
static inline void aio_set_fd_handler(AioContext *ctx, int fd, bool is_external, IOHandler *io_read,
                                      IOHandler *io_write, AioPollFn *io_poll, void *opaque)
{
    struct aiox_fd_handler h = aiox_qemu_handler_(io_read, io_write, io_poll, NULL);

    aiox_qemu_watch_external_(ctx, fd, is_external, &h, opaque);
}

static inline void aio_set_event_notifier(AioContext *ctx, EventNotifier *notifier,
                                          bool is_external, EventNotifierHandler *io_read,
                                          EventNotifierPollFn *io_poll)
{
    struct aiox_fd_handler h =
        aiox_qemu_handler_((aiox_fd_fn *)io_read, NULL, (aiox_fd_poll_fn *)io_poll, NULL);

    aiox_qemu_watch_external_(ctx, event_notifier_get_fd(notifier), is_external, &h, notifier);
}

#else

static inline void aio_set_fd_handler(AioContext *ctx, int fd, bool is_external, IOHandler *io_read,
                                      IOHandler *io_write, void *opaque)
{
    struct aiox_fd_handler h = aiox_qemu_handler_(io_read, io_write, NULL, NULL);

    aiox_qemu_watch_external_(ctx, fd, is_external, &h, opaque);
}

static inline void aio_set_event_notifier(AioContext *ctx, EventNotifier *notifier,
                                          bool is_external, EventNotifierHandler *io_read)
{
    struct aiox_fd_handler h = aiox_qemu_handler_((aiox_fd_fn *)io_read, NULL, NULL, NULL);

    aiox_qemu_watch_external_(ctx, event_notifier_get_fd(notifier), is_external, &h, notifier);
}

#endif

AIOX_END_DECLS

#endif /* 2015 to 2022 */

#endif /* AIOX_QEMU_AIO_EXTERNAL_H_ */
