/* SPDX-License-Identifier: MIT */
/* aiox.c - ours, a contender for each backend, and our coroutines. */
#include <stdio.h>
#include <stdlib.h>

#include "aiox/aio.h"
#include "aiox/aiox.h"
#include "aiox/clock.h"
#include "aiox/coroutine.h"

#include "bench/players/bench.h"

struct watch {
    int fd;
    bench_fn *fn;
    void *opaque;
};

static const char *version(void)
{
    return AIOX_VERSION;
}

static void *open_loop(const struct contender *who, const char **why)
{
    struct aiox_preferences wish = {
        .backend = who->variant,
        .path = getenv("BENCH_PLUGINS"),
        .is_pinned = true,
    };
    static struct aiox_error err;
    struct aiox_context *ctx;

    if (aiox_new_with(&ctx, &wish, &err) < 0) {
        *why = err.message;
        return NULL;
    }
    return ctx;
}

static void close_loop(void *loop)
{
    aiox_poll(loop, false);
    aiox_context_unref(loop);
}

static void turn(void *loop, bool may_block)
{
    aiox_poll(loop, may_block);
}

static void *watch(void *loop, int fd, bench_fn *fn, void *opaque)
{
    struct watch *w = malloc(sizeof(*w));
    struct aiox_fd_handler handler = {.read = fn, .flags = AIOX_FD_HANDLER_DRAINS};

    must(w && aiox_set_fd_handler(loop, fd, &handler, opaque) == 0);
    *w = (struct watch){fd, fn, opaque};
    return w;
}

static void unwatch(void *loop, void *watch)
{
    aiox_clear_fd_handler(loop, ((struct watch *)watch)->fd);
    free(watch);
}

static void *timer_new(void *loop, bench_fn *fn, void *opaque)
{
    struct aiox_timer *timer = malloc(sizeof(*timer));

    must(timer);
    must(aiox_timer_init_ns(timer, aiox_context_timers(loop), AIOX_CLOCK_MONOTONIC, fn, opaque) ==
         0);
    return timer;
}

static void timer_arm(void *loop, void *timer, int64_t timeout_ns)
{
    (void)loop;
    aiox_timer_mod_ns(timer, aiox_clock_now_ns() + timeout_ns);
}

static void timer_cancel(void *loop, void *timer)
{
    (void)loop;
    aiox_timer_cancel(timer);
}

static void timer_free(void *loop, void *timer)
{
    (void)loop;
    aiox_timer_fini(timer);
    free(timer);
}

static void *task_new(void *loop, bench_fn *fn, void *opaque)
{
    struct aiox_bh *bh;

    must(aiox_bh_new(&bh, aiox_context_bhs(loop), "task", fn, opaque) == 0);
    return bh;
}

static void task_ask(void *loop, void *task)
{
    (void)loop;
    aiox_bh_schedule(task);
}

static void task_free(void *loop, void *task)
{
    (void)loop;
    aiox_bh_free(task);
}

static const struct loop_ops loop_ops = {
    .open = open_loop,
    .close = close_loop,
    .turn = turn,
    .watch = watch,
    .unwatch = unwatch,
    .timer_new = timer_new,
    .timer_arm = timer_arm,
    .timer_cancel = timer_cancel,
    .timer_free = timer_free,
    .task_new = task_new,
    .task_ask = task_ask,
    .task_ask_from_afar = task_ask,
    .task_free = task_free,
};

static void *create(bench_fn *fn, void *opaque)
{
    struct aiox_co *co;

    must(aiox_co_create(&co, NULL, fn, opaque) == 0);
    return co;
}

static void enter(void *co)
{
    aiox_co_enter(co);
}

static void yield(void) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    aiox_co_yield();
}

static const struct co_ops co_ops = {create, enter, yield};

#define CONTENDER(id, title, backend)                                                              \
    const struct contender id = {                                                                  \
        .name = title, .kind = OURS, .variant = backend, .version = version, .loop = &loop_ops}

CONTENDER(aiox_epoll, "aiox epoll", "epoll");
CONTENDER(aiox_io_uring, "aiox io_uring", "io_uring");
CONTENDER(aiox_poll_, "aiox poll", "poll");

const struct contender aiox_coroutine = {
    .name = "aiox coroutine", .kind = OURS, .version = version, .co = &co_ops};
