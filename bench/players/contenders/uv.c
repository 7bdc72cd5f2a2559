/* SPDX-License-Identifier: MIT */
/* uv.c - libuv. */
#include <stdlib.h>
#include <uv.h>

#include "bench/players/bench.h"

struct user {
    bench_fn *fn;
    void *opaque;
    union {
        uv_handle_t handle;
        uv_poll_t poll;
        uv_timer_t timer;
        uv_async_t async;
    };
};

static const char *version(void)
{
    return uv_version_string();
}

static void call(void *data)
{
    struct user *u = data;

    u->fn(u->opaque);
}

static void on_poll(uv_poll_t *h, int status, int events)
{
    (void)status;
    (void)events;
    call(h->data);
}

static void on_timer(uv_timer_t *h)
{
    call(h->data);
}

static void on_async(uv_async_t *h)
{
    call(h->data);
}

static struct user *new_user(bench_fn *fn, void *opaque)
{
    struct user *u = calloc(1, sizeof(*u));

    must(u);
    u->fn = fn;
    u->opaque = opaque;
    return u;
}

static void *open_loop(const struct contender *who, const char **why)
{
    uv_loop_t *loop = malloc(sizeof(*loop));

    (void)who;
    (void)why;
    must(loop && uv_loop_init(loop) == 0);
    return loop;
}

static void close_loop(void *loop)
{
    uv_run(loop, UV_RUN_NOWAIT);
    uv_loop_close(loop);
    free(loop);
}

static void turn(void *loop, bool may_block)
{
    uv_run(loop, may_block ? UV_RUN_ONCE : UV_RUN_NOWAIT);
}

static void forget(uv_handle_t *handle)
{
    free(handle->data);
}

static void give_up(void *loop, void *user)
{
    struct user *u = user;

    (void)loop;
    uv_close(&u->handle, forget);
}

static void *watch(void *loop, int fd, bench_fn *fn, void *opaque)
{
    struct user *u = new_user(fn, opaque);

    must(uv_poll_init(loop, &u->poll, fd) == 0);
    u->poll.data = u;
    must(uv_poll_start(&u->poll, UV_READABLE, on_poll) == 0);
    return u;
}

static void *timer_new(void *loop, bench_fn *fn, void *opaque)
{
    struct user *u = new_user(fn, opaque);

    must(uv_timer_init(loop, &u->timer) == 0);
    u->timer.data = u;
    return u;
}

/* Its clock counts milliseconds. */
static void timer_arm(void *loop, void *timer, int64_t timeout_ns)
{
    struct user *u = timer;

    (void)loop;
    must(uv_timer_start(&u->timer, on_timer, (uint64_t)(timeout_ns + 999999) / 1000000, 0) == 0);
}

static void timer_cancel(void *loop, void *timer)
{
    struct user *u = timer;

    (void)loop;
    uv_timer_stop(&u->timer);
}

static void *task_new(void *loop, bench_fn *fn, void *opaque)
{
    struct user *u = new_user(fn, opaque);

    must(uv_async_init(loop, &u->async, on_async) == 0);
    u->async.data = u;
    return u;
}

static void task_ask(void *loop, void *task)
{
    struct user *u = task;

    (void)loop;
    uv_async_send(&u->async);
}

static const struct loop_ops ops = {
    .open = open_loop,
    .close = close_loop,
    .turn = turn,
    .watch = watch,
    .unwatch = give_up,
    .timer_new = timer_new,
    .timer_arm = timer_arm,
    .timer_cancel = timer_cancel,
    .timer_free = give_up,
    .task_new = task_new,
    .task_ask = task_ask,
    .task_ask_from_afar = task_ask,
    .task_free = give_up,
};

const struct contender libuv = {.name = "libuv", .kind = PEER, .version = version, .loop = &ops};
