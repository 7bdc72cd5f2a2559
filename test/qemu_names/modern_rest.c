/* SPDX-License-Identifier: MIT */
/* modern_rest.c - the names of release 10.2 that the other halves of the program do not need. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aiox/qemu/aio.h"
#include "aiox/qemu/aio_co.h"
#include "aiox/qemu/channel.h"
#include "aiox/qemu/channel_socket.h"
#include "aiox/qemu/co_sync.h"
#include "aiox/qemu/coroutine.h"
#include "aiox/qemu/error.h"
#include "aiox/qemu/lockcnt.h"
#include "aiox/qemu/main_loop.h"
#include "aiox/qemu/net_listener.h"
#include "aiox/qemu/thread_pool.h"
#include "test/qemu_names/names.h"

static void count(void *opaque)
{
    ++*(int *)opaque;
}

const char *rest_of_contexts_2025(void)
{
    AioContext *ctx = aio_context_new(&error_abort);
    EventNotifier notifier;
    Error *local = NULL, *err = NULL;
    int ran = 0;

    aio_notify(ctx);
    WANT(!aio_poll(ctx, true)); /* a notification is not work, and lets nobody sleep */
    aio_bh_schedule_oneshot_full(ctx, count, &ran, "count");
    WANT(aio_poll(ctx, true) && ran == 1);

    memset(&notifier, 0, sizeof(notifier));
    event_notifier_init_fd(&notifier, eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC));
    WANT(event_notifier_test_and_clear(&notifier) && !event_notifier_test_and_clear(&notifier));
    event_notifier_cleanup(&notifier);

    aio_context_set_poll_params(ctx, -1, 0, 0, &local);
    error_propagate(&err, local);
    WANT(local && err == local);
    error_report_err(err);
    aio_context_unref(ctx);
    return NULL;
}

const char *rest_of_timers_2025(void)
{
    AioContext *ctx = aio_context_new(&error_abort);
    QEMUTimerListGroup *group = aiox_context_timers(ctx);
    int fired = 0, outside = 0;
    QEMUTimer external;
    QEMUTimer *full = timer_new_full(group, QEMU_CLOCK_VIRTUAL, SCALE_US, 0, count, &fired);
    QEMUTimer *other = aio_timer_new_with_attrs(ctx, QEMU_CLOCK_REALTIME, SCALE_NS,
                                                QEMU_TIMER_ATTR_EXTERNAL, count, &outside);

    aio_timer_init_with_attrs(ctx, &external, QEMU_CLOCK_VIRTUAL, SCALE_NS,
                              QEMU_TIMER_ATTR_EXTERNAL, count, &outside);
    timer_mod_ns(&external, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + INT64_C(3600000000000));
    WANT(qemu_clock_deadline_ns_all(QEMU_CLOCK_VIRTUAL, 0) == -1);
    WANT(qemu_clock_deadline_ns_all(QEMU_CLOCK_VIRTUAL, QEMU_TIMER_ATTR_EXTERNAL) > 0);
    timer_mod_anticipate_ns(&external, INT64_MAX);
    timer_mod_anticipate_ns(&external, 0);
    timer_mod_ns(other, 0);
    WANT(timerlistgroup_deadline_ns(group) == 0);
    WANT(timerlistgroup_run_timers(group) && outside == 2);

    timer_mod(full, qemu_clock_get_us(QEMU_CLOCK_VIRTUAL) - 1);
    qemu_clock_enable(QEMU_CLOCK_VIRTUAL, false);
    WANT(!timerlistgroup_run_timers(group) && fired == 0);
    qemu_clock_enable(QEMU_CLOCK_VIRTUAL, true);
    WANT(timerlistgroup_run_timers(group) && fired == 1);
    WANT(get_clock() <= qemu_clock_get_ns(QEMU_CLOCK_REALTIME) && get_clock_realtime() > 0);

    timer_free(full);
    timer_free(other);
    timer_deinit(&external);
    aio_context_unref(ctx);
    return NULL;
}

static void take(void *opaque)
{
    eventfd_t value;

    if (eventfd_read(*(int *)opaque, &value) == 0) {
        *(int *)opaque = -1;
    }
}

const char *rest_of_the_main_loop_2025(void)
{
    QEMUTimer inside[3];
    QEMUTimer *made[3];
    int fired = 0, fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC), left = fd;

    WANT(qemu_init_main_loop(&error_abort) == 0);
    timer_init_ns(&inside[0], QEMU_CLOCK_REALTIME, count, &fired);
    timer_init_us(&inside[1], QEMU_CLOCK_REALTIME, count, &fired);
    timer_init_ms(&inside[2], QEMU_CLOCK_REALTIME, count, &fired);
    made[0] = timer_new_ns(QEMU_CLOCK_REALTIME, count, &fired);
    made[1] = timer_new_us(QEMU_CLOCK_REALTIME, count, &fired);
    made[2] = timer_new(QEMU_CLOCK_REALTIME, SCALE_MS, count, &fired);
    for (int i = 0; i < 3; i++) {
        timer_mod(&inside[i], 0);
        timer_mod(made[i], 0);
    }
    while (fired < 6) {
        main_loop_wait(false);
    }
    qemu_set_fd_handler(fd, take, NULL, &left);
    while (left == fd) {
        main_loop_wait(false);
    }
    qemu_set_fd_handler(fd, NULL, NULL, NULL);
    close(fd);
    qemu_notify_event();
    main_loop_wait(false);
    for (int i = 0; i < 3; i++) {
        timer_deinit(&inside[i]);
        timer_free(made[i]);
    }
    aiox_qemu_fini_main_loop();
    return NULL;
}

struct queue {
    CoQueue waiting;
    QemuCoSleep sleep;
    int order[2];
    int woken, slept;
};

static void coroutine_fn wait_last(void *opaque)
{
    struct queue *q = opaque;

    qemu_co_queue_wait(&q->waiting, NULL);
    q->order[q->woken++] = 2;
}

static void coroutine_fn wait_in_front(void *opaque)
{
    struct queue *q = opaque;

    qemu_co_queue_wait_flags(&q->waiting, NULL, CO_QUEUE_WAIT_FRONT);
    q->order[q->woken++] = 1;
}

static void coroutine_fn sleep_long(void *opaque)
{
    struct queue *q = opaque;

    qemu_coroutine_enter_if_inactive(qemu_coroutine_self()); /* active: nothing happens */
    qemu_co_sleep_ns_wakeable(&q->sleep, QEMU_CLOCK_REALTIME, INT64_C(3600000000000));
    q->slept++;
}

const char *rest_of_coroutines_2025(void)
{
    AioContext *ctx = aio_context_new(&error_abort);
    QemuLockCnt lockcnt;
    struct queue q;

    memset(&q, 0, sizeof(q));
    qemu_set_current_aio_context(ctx);
    qemu_co_queue_init(&q.waiting);
    qemu_coroutine_inc_pool_size(8);
    aio_co_enter(ctx, qemu_coroutine_create(wait_last, &q));
    aio_co_enter(ctx, qemu_coroutine_create(wait_in_front, &q));
    aio_co_enter(ctx, qemu_coroutine_create(sleep_long, &q));
    WANT(qemu_co_enter_next(&q.waiting, NULL));
    qemu_co_enter_all(&q.waiting, NULL);
    WANT(!qemu_co_enter_next(&q.waiting, NULL));
    WANT(q.woken == 2 && q.order[0] == 1 && q.order[1] == 2 && q.slept == 0);
    qemu_co_sleep_wake(&q.sleep);
    while (!q.slept) {
        aio_poll(ctx, true);
    }
    qemu_coroutine_dec_pool_size(8);
    qemu_set_current_aio_context(NULL);
    aio_context_unref(ctx);

    qemu_lockcnt_init(&lockcnt);
    qemu_lockcnt_inc(&lockcnt);
    qemu_lockcnt_inc(&lockcnt);
    if (qemu_lockcnt_dec_if_lock(&lockcnt)) {
        qemu_lockcnt_unlock(&lockcnt);
        return "who is not the last visitor got the lock";
    }
    WANT(qemu_lockcnt_count(&lockcnt) == 2);
    qemu_lockcnt_dec(&lockcnt);
    if (!qemu_lockcnt_dec_if_lock(&lockcnt)) {
        return "the last visitor got no lock";
    }
    qemu_lockcnt_unlock(&lockcnt);
    qemu_lockcnt_destroy(&lockcnt);
    return NULL;
}

static int answer(void *opaque)
{
    return *(int *)opaque + 1;
}

static void note(void *opaque, int ret)
{
    *(int *)opaque = ret;
}

const char *rest_of_the_thread_pool_2025(void)
{
    AioContext *ctx = aio_context_new(&error_abort);
    int question = 41, ret = 0;

    qemu_set_current_aio_context(ctx);
    BlockAIOCB *acb = thread_pool_submit_aio(answer, &question, note, &ret);
    qemu_aio_ref(acb);
    bdrv_aio_cancel_async(acb);
    while (ret == 0) {
        aio_poll(ctx, true);
    }
    WANT(ret == 42 || ret == -ECANCELED);
    qemu_aio_unref(acb);
    qemu_set_current_aio_context(NULL);
    aio_context_unref(ctx);
    return NULL;
}

const char *rest_of_channels_2025(void)
{
    char in[] = "abcd", out[5] = "";
    struct iovec from[2] = {{in, 1}, {in + 1, 3}}, to[2] = {{out, 3}, {out + 3, 1}};
    QIONetListener *listener = qio_net_listener_new();
    int fds[2];

    WANT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    QIOChannel *one = QIO_CHANNEL(qio_channel_socket_new_fd(fds[0], &error_abort));
    QIOChannel *other = QIO_CHANNEL(qio_channel_socket_new_fd(fds[1], &error_abort));

    qio_channel_set_blocking(one, true, &error_abort);
    qio_channel_set_blocking(other, true, &error_abort);
    qio_channel_set_cork(one, true);
    WANT(qio_channel_writev(one, from, 2, &error_abort) == 4);
    qio_channel_set_cork(one, false);
    qio_channel_wait(other, POLLIN);
    WANT(qio_channel_readv(other, to, 2, &error_abort) == 4 && strcmp(out, in) == 0);

    memset(out, 0, sizeof(out));
    WANT(qio_channel_writev_all(one, from, 2, &error_abort) == 0);
    WANT(qio_channel_readv_all(other, to, 2, &error_abort) == 0 && strcmp(out, in) == 0);
    qio_channel_wake_read(other); /* nobody waits */

    WANT(qio_channel_ref(one) == one);
    qio_channel_unref(one);
    qio_channel_unref(one);
    WANT(qio_channel_readv_all_eof(other, to, 2, &error_abort) == 0);
    qio_channel_unref(other);
    qio_net_listener_set_name(listener, "the rest");
    object_unref(OBJECT(listener));
    return NULL;
}
