/* SPDX-License-Identifier: MIT */
/*
 * aiox/qemu/api.h - whose calling shapes the headers in aiox/qemu/ have.
 *
 * Define AIOX_QEMU_API before the first of them, with the year of the release
 * whose arities a program was written for. What is not listed had one shape.
 *
 *   2025   release 10.2; unless said otherwise
 *   2014   release 2.2: aio_set_fd_handler(ctx, fd, read, write, opaque),
 *          aio_set_event_notifier(ctx, notifier, read),
 *          qemu_coroutine_create(entry), qemu_coroutine_enter(co, opaque),
 *          thread_pool_submit_aio(pool, fn, arg, done, opaque)
 *   2013   release 1.5: the same, but aio_context_new() without an Error, and
 *          aio_set_fd_handler(ctx, fd, read, write, flush, opaque) and
 *          aio_set_event_notifier(ctx, notifier, read, flush). What flush says
 *          is not asked: aio_poll() never waited for less than it does here.
 */
#ifndef AIOX_QEMU_API_H_
#define AIOX_QEMU_API_H_

#ifndef AIOX_QEMU_API
#define AIOX_QEMU_API 2025
#endif

#if AIOX_QEMU_API != 2013 && AIOX_QEMU_API != 2014 && AIOX_QEMU_API != 2025
#error "AIOX_QEMU_API is 2013, 2014 or 2025"
#endif

#endif /* AIOX_QEMU_API_H_ */
