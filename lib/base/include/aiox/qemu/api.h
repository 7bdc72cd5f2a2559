/* SPDX-License-Identifier: MIT */
/*
 * aiox/qemu/api.h - whose calling shapes the headers in aiox/qemu/ have.
 *
 * Define AIOX_QEMU_API before the first of them, with the year of the release
 * whose arities a program was written for: the last one of that year (of 2013:
 * release 1.5). What is not listed had one shape. Counting back from 2025:
 *
 *   2025   release 10.2; unless said otherwise
 *   2024   qio_channel_set_blocking() returns 0;
 *          qio_channel_readv_full_all_eof() has no flags
 *   2022   aio_set_fd_handler() and aio_set_event_notifier() with is_external,
 *          thread_pool_submit_aio(pool, ...),
 *          qio_channel_attach_aio_context(), qio_channel_readv_full() has no flags
 *   2021   aio_set_fd_handler() and aio_set_event_notifier() without poll_ready;
 *          qio_channel_writev_full() and _full_all() have no flags
 *   2018   qio_channel_socket_listen_sync(), qio_net_listener_open_sync() without a number
 *   2016   aio_set_fd_handler(ctx, fd, is_external, read, write, opaque),
 *          aio_set_event_notifier(ctx, notifier, is_external, read),
 *          qemu_co_queue_wait(queue)
 *   2015   qemu_coroutine_create(entry), qemu_coroutine_enter(co, opaque)
 *   2014   release 2.2: aio_set_fd_handler(ctx, fd, read, write, opaque),
 *          aio_set_event_notifier(ctx, notifier, read)
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

#if AIOX_QEMU_API < 2013 || AIOX_QEMU_API > 2025
#error "AIOX_QEMU_API is a year from 2013 to 2025"
#endif

#endif /* AIOX_QEMU_API_H_ */
