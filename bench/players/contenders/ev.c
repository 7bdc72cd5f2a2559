/* SPDX-License-Identifier: MIT */
/* ev.c - libev. */
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/players/bench.h"

#define NS 1e-9

struct user {
    struct callee callee;
    union {
        ev_io io;
        ev_timer timer;
        ev_async async;
    };
};

static const char *version(void)
{
    static char text[16];

    snprintf(text, sizeof(text), "%d.%d", ev_version_major(), ev_version_minor());
    return text;
}

static void on_io(struct ev_loop *loop, ev_io *w, int events)
{
    (void)loop;
    (void)events;
    callee_call(w->data);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
    (void)loop;
    (void)events;
    callee_call(w->data);
}

static void on_async(struct ev_loop *loop, ev_async *w, int events)
{
    (void)loop;
    (void)events;
    callee_call(w->data);
}

static void *open_loop(const struct contender *who, const char **why)
{
    (void)who;
    *why = "ev_loop_new() with EVBACKEND_EPOLL fails";
    return ev_loop_new(EVBACKEND_EPOLL);
}

static void close_loop(void *loop)
{
    ev_loop_destroy(loop);
}

static void turn(void *loop, bool may_block)
{
    ev_run(loop, may_block ? EVRUN_ONCE : EVRUN_NOWAIT);
}

static void *watch(void *loop, int fd, bench_fn *fn, void *opaque)
{
    struct user *u = callee_new(sizeof(*u), fn, opaque);

    ev_io_init(&u->io, on_io, fd, EV_READ);
    u->io.data = u;
    ev_io_start(loop, &u->io);
    return u;
}

static void unwatch(void *loop, void *watch)
{
    struct user *u = watch;

    ev_io_stop(loop, &u->io);
    free(u);
}

static void *timer_new(void *loop, bench_fn *fn, void *opaque)
{
    struct user *u = callee_new(sizeof(*u), fn, opaque);

    (void)loop;
    ev_timer_init(&u->timer, on_timer, 0., 0.);
    u->timer.data = u;
    return u;
}

static void timer_arm(void *loop, void *timer, int64_t timeout_ns)
{
    struct user *u = timer;

    u->timer.repeat = (double)timeout_ns * NS;
    ev_timer_again(loop, &u->timer);
}

static void timer_cancel(void *loop, void *timer)
{
    struct user *u = timer;

    ev_timer_stop(loop, &u->timer);
}

static void timer_free(void *loop, void *timer)
{
    timer_cancel(loop, timer);
    free(timer);
}

static void *task_new(void *loop, bench_fn *fn, void *opaque)
{
    struct user *u = callee_new(sizeof(*u), fn, opaque);

    ev_async_init(&u->async, on_async);
    u->async.data = u;
    ev_async_start(loop, &u->async);
    return u;
}

static void task_ask(void *loop, void *task)
{
    struct user *u = task;

    ev_feed_event(loop, &u->async, EV_ASYNC);
}

static void task_ask_from_afar(void *loop, void *task)
{
    struct user *u = task;

    ev_async_send(loop, &u->async);
}

static void task_free(void *loop, void *task)
{
    struct user *u = task;

    ev_async_stop(loop, &u->async);
    free(u);
}

static const struct loop_ops ops = {
    LOOP_OPS,
    WATCH_OPS(unwatch),
    TIMER_OPS(timer_free),
    TASK_OPS(task_free),
    .asks_at_home_only = true,
    .runs_asks_at_once = true,
    .task_ask_from_afar = task_ask_from_afar,
};

/* The way that is thread-safe, taken at home, too. */
static const struct loop_ops async_ops = {
    LOOP_OPS,
    .task_new = task_new,
    .task_ask = task_ask_from_afar,
    .task_free = task_free,
};

const struct contender libev = {.name = "libev", .kind = PEER, .version = version, .loop = &ops};
const struct contender libev_async = {
    .name = "libev async", .kind = PEER, .version = version, .loop = &async_ops};
