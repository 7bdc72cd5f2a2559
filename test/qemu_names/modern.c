/* SPDX-License-Identifier: MIT */
/* modern.c - a program in the original names, as written for release 10.2. */
#include <errno.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "aiox/qemu/aio.h"
#include "aiox/qemu/aio_co.h"
#include "aiox/qemu/coroutine.h"
#include "aiox/qemu/error.h"
#include "aiox/qemu/lockcnt.h"
#include "aiox/qemu/main_loop.h"
#include "test/qemu_names/names.h"

static void count(void *opaque)
{
    ++*(int *)opaque;
}

const char *bottom_halves_2025(void)
{
    AioContext *ctx = aio_context_new(&error_abort);
    MemReentrancyGuard guard;
    int plain = 0, once = 0, idle = 0;

    memset(&guard, 0, sizeof(guard));
    QEMUBH *bh = aio_bh_new(ctx, count, &plain);
    QEMUBH *guarded = aio_bh_new_guarded(ctx, count, &plain, &guard);
    QEMUBH *lazy = aio_bh_new_full(ctx, count, &idle, "lazy", NULL);

    WANT(!aio_poll(ctx, false));
    qemu_bh_schedule(bh);
    qemu_bh_schedule(bh);
    WANT(aio_poll(ctx, true) && plain == 1);
    qemu_bh_schedule(bh);
    qemu_bh_cancel(bh);
    WANT(!aio_poll(ctx, false) && plain == 1);
    qemu_bh_schedule(guarded);
    qemu_bh_schedule_idle(lazy);
    aio_bh_schedule_oneshot(ctx, count, &once);
    WANT(aio_bh_poll(ctx) && plain == 2 && once == 1 && idle == 1);

    qemu_bh_delete(bh);
    qemu_bh_delete(guarded);
    qemu_bh_delete(lazy);
    aio_context_unref(ctx);
    return NULL;
}

struct end {
    int fd;
    int reads, writes, polled;
    bool is_ready;
};

static void take(void *opaque)
{
    struct end *end = opaque;
    char byte;

    end->reads += read(end->fd, &byte, 1) == 1;
}

static void give(void *opaque)
{
    ((struct end *)opaque)->writes++;
}

static bool has_something(void *opaque)
{
    return ((struct end *)opaque)->is_ready;
}

static void take_polled(void *opaque)
{
    struct end *end = opaque;

    end->is_ready = false;
    end->polled++;
}

const char *descriptors_2025(void)
{
    AioContext *ctx = aio_context_new(&error_abort);
    struct end in = {0}, out = {0};
    int fds[2];

    WANT(pipe(fds) == 0);
    in.fd = fds[0];
    aio_set_fd_handler(ctx, fds[0], take, NULL, has_something, take_polled, &in);
    WANT(!aio_poll(ctx, false));
    WANT(write(fds[1], "x", 1) == 1);
    WANT(aio_poll(ctx, true) && in.reads + in.polled == 1);

    aio_set_fd_handler(ctx, fds[1], NULL, give, NULL, NULL, &out);
    WANT(aio_poll(ctx, true) && out.writes == 1);

    aio_context_set_poll_params(ctx, 1000000000, 0, 0, &error_abort);
    aio_set_fd_handler(ctx, fds[1], NULL, NULL, NULL, NULL, NULL);
    aio_set_fd_handler(ctx, fds[0], NULL, NULL, NULL, NULL, NULL);
    WANT(write(fds[1], "x", 1) == 1);
    WANT(!aio_poll(ctx, false));
    close(fds[0]);
    close(fds[1]);
    aio_context_unref(ctx);
    return NULL;
}

struct bell {
    EventNotifier notifier;
    int rung;
};

static void hear(EventNotifier *notifier)
{
    struct bell *bell = (struct bell *)(void *)notifier;

    bell->rung += event_notifier_test_and_clear(notifier);
}

const char *notifiers_2025(void)
{
    AioContext *ctx = aio_context_new(&error_abort);
    struct bell bell;

    memset(&bell, 0, sizeof(bell));
    WANT(event_notifier_init(&bell.notifier, 0) == 0);
    WANT(event_notifier_get_fd(&bell.notifier) >= 0);
    aio_set_event_notifier(ctx, &bell.notifier, hear, NULL, NULL);
    WANT(!aio_poll(ctx, false));
    WANT(event_notifier_set(&bell.notifier) == 0 && event_notifier_set(&bell.notifier) == 0);
    WANT(aio_poll(ctx, true) && bell.rung == 1);
    WANT(!event_notifier_test_and_clear(&bell.notifier));
    aio_set_event_notifier(ctx, &bell.notifier, NULL, NULL, NULL);
    event_notifier_cleanup(&bell.notifier);
    aio_context_unref(ctx);
    return NULL;
}

const char *timers_2025(void)
{
    AioContext *ctx = aio_context_new(&error_abort);
    QEMUTimer inside;
    int fired = 0;
    QEMUTimer *ms = aio_timer_new(ctx, QEMU_CLOCK_REALTIME, SCALE_MS, count, &fired);

    aio_timer_init(ctx, &inside, QEMU_CLOCK_VIRTUAL, SCALE_NS, count, &fired);
    WANT(!timer_pending(ms));
    timer_mod(ms, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + 3600 * 1000);
    WANT(timer_pending(ms) && !timer_expired(ms, qemu_clock_get_ms(QEMU_CLOCK_REALTIME)));
    WANT(aio_compute_timeout(ctx) > 0);
    timer_mod_anticipate(ms, qemu_clock_get_ms(QEMU_CLOCK_REALTIME));
    while (!aio_poll(ctx, true)) {
    }
    WANT(fired == 1 && !timer_pending(ms));
    timer_mod_ns(&inside, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) - 1);
    timer_del(&inside);
    WANT(timer_expire_time_ns(&inside) == (uint64_t)-1);
    timer_free(ms);
    timer_deinit(&inside);
    WANT(qemu_soonest_timeout(-1, 5) == 5 && qemu_soonest_timeout(-1, -1) == -1);
    WANT(qemu_timeout_ns_to_ms(1) == 1 && qemu_timeout_ns_to_ms(-1) == -1);
    aio_context_unref(ctx);
    return NULL;
}

struct life {
    AioContext *home, *away;
    Coroutine *self;
    QemuCoSleep sleep;
    int fd;
    int steps;
};

static void coroutine_fn live(void *opaque)
{
    struct life *life = opaque;

    life->self = qemu_coroutine_self();
    life->steps++;
    qemu_coroutine_yield();
    life->steps++;
    qemu_co_sleep_ns(QEMU_CLOCK_REALTIME, 1);
    life->steps++;
    yield_until_fd_readable(life->fd);
    life->steps++;
    qemu_co_sleep(&life->sleep);
    life->steps++;
}

static const char *turn_until(AioContext *ctx, const int *steps, int wanted)
{
    while (*steps < wanted) {
        aio_poll(ctx, true);
    }
    return NULL;
}

const char *coroutines_2025(void)
{
    AioContext *ctx = aio_context_new(&error_abort);
    struct life life;
    int fds[2];

    memset(&life, 0, sizeof(life));
    WANT(pipe(fds) == 0 && write(fds[1], "x", 1) == 1);
    life.fd = fds[0];
    Coroutine *co = qemu_coroutine_create(live, &life);

    WANT(!qemu_in_coroutine());
    aio_co_schedule(ctx, co);
    WANT(life.steps == 0 && aio_poll(ctx, true) && life.steps == 1 && life.self == co);
    WANT(!qemu_coroutine_entered(co) && qemu_coroutine_get_aio_context(co) == ctx);
    aio_co_wake(co);
    turn_until(ctx, &life.steps, 4);
    qemu_co_sleep_wake(&life.sleep);
    turn_until(ctx, &life.steps, 5);
    close(fds[0]);
    close(fds[1]);
    aio_context_unref(ctx);
    return NULL;
}

static void coroutine_fn travel(void *opaque)
{
    struct life *life = opaque;

    aio_co_reschedule_self(life->away);
    life->steps++;
    aio_co_reschedule_self(life->home);
    life->steps++;
}

const char *two_contexts_2025(void)
{
    struct life life;

    memset(&life, 0, sizeof(life));
    life.home = aio_context_new(&error_abort);
    life.away = aio_context_new(&error_abort);
    aio_co_enter(life.home, qemu_coroutine_create(travel, &life));
    while (life.steps < 2) {
        aio_poll(life.home, false);
        aio_poll(life.away, false);
    }
    aio_context_unref(life.home);
    aio_context_unref(life.away);
    return NULL;
}

const char *lockcnt_2025(void)
{
    QemuLockCnt lockcnt;

    qemu_lockcnt_init(&lockcnt);
    qemu_lockcnt_inc(&lockcnt);
    WANT(qemu_lockcnt_count(&lockcnt) == 1);
    qemu_lockcnt_lock(&lockcnt);
    qemu_lockcnt_inc_and_unlock(&lockcnt);
    qemu_lockcnt_dec(&lockcnt);
    if (!qemu_lockcnt_dec_and_lock(&lockcnt)) {
        return "the last visitor got no lock";
    }
    qemu_lockcnt_unlock(&lockcnt);
    qemu_lockcnt_destroy(&lockcnt);
    return NULL;
}

struct request {
    CqeHandler handler; /* first: found by its address */
    int done;
};

static void prepare(struct io_uring_sqe *sqe, void *opaque)
{
    (void)opaque;
    sqe->opcode = IORING_OP_NOP;
}

static void finish(CqeHandler *handler)
{
    ((struct request *)(void *)handler)->done++;
}

const char *requests_2025(void)
{
    AioContext *ctx = aio_context_new(&error_abort);
    struct request request;

    memset(&request, 0, sizeof(request));
    request.handler.cb = finish;
    qemu_set_current_aio_context(ctx);
    WANT(qemu_get_current_aio_context() == ctx && in_aio_context_home_thread(ctx));
    aio_add_sqe(prepare, NULL, &request.handler);
    WANT(request.done == 0);
    turn_until(ctx, &request.done, 1);
    WANT(request.handler.cqe.res == (aio_has_io_uring() ? 0 : -ENOTSUP));
    qemu_set_current_aio_context(NULL);
    aio_context_unref(ctx);
    return NULL;
}

const char *errors_2025(void)
{
    AioContext *ctx = aio_context_new(&error_fatal);
    Error *err = NULL;

    aio_context_set_poll_params(ctx, -1, 0, 0, &err);
    WANT(err && strstr(error_get_pretty(err), "-1"));
    error_free(err);
    aio_context_set_poll_params(ctx, -1, 0, 0, NULL);
    WANT(aio_context_setup(ctx, &error_abort));
    aio_context_ref(ctx);
    aio_context_unref(ctx);
    aio_context_unref(ctx);
    return NULL;
}

static void *ring(void *opaque)
{
    qemu_bh_schedule(opaque);
    return NULL;
}

const char *main_loop_2025(void)
{
    struct bell bell;
    pthread_t thread;
    int ran = 0, fired = 0;

    memset(&bell, 0, sizeof(bell));
    WANT(qemu_init_main_loop(&error_abort) == 0);
    QEMUBH *bh = qemu_bh_new(count, &ran);
    QEMUTimer *timer = timer_new_ms(QEMU_CLOCK_REALTIME, count, &fired);

    WANT(pthread_create(&thread, NULL, ring, bh) == 0);
    while (!ran) {
        main_loop_wait(false);
    }
    WANT(pthread_join(thread, NULL) == 0);
    timer_mod(timer, 0);
    while (!fired) {
        main_loop_wait(true);
    }
    WANT(event_notifier_init(&bell.notifier, 1) == 0);
    WANT(event_notifier_set_handler(&bell.notifier, hear) == 0);
    while (!bell.rung) {
        main_loop_wait(false);
    }
    event_notifier_set_handler(&bell.notifier, NULL);
    event_notifier_cleanup(&bell.notifier);
    timer_free(timer);
    qemu_bh_delete(bh);
    aiox_qemu_fini_main_loop();
    return NULL;
}
