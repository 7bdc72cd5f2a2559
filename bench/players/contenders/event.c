/* SPDX-License-Identifier: MIT */
/* event.c - libevent. */
#include <event2/event.h>
#include <event2/thread.h>
#include <stdlib.h>
#include <sys/time.h>

#include "bench/players/bench.h"

struct user {
    struct callee callee;
    struct event *event;
};

static const char *version(void)
{
    return event_get_version();
}

static void on_event(evutil_socket_t fd, short what, void *opaque)
{
    (void)fd;
    (void)what;
    callee_call(opaque);
}

static void *open_loop(const struct contender *who, const char **why)
{
    (void)who;
    *why = "event_base_new() fails";
    must(evthread_use_pthreads() == 0);
    return event_base_new();
}

static void close_loop(void *loop)
{
    event_base_free(loop);
}

static void turn(void *loop, bool may_block)
{
    event_base_loop(loop,
                    EVLOOP_NO_EXIT_ON_EMPTY | EVLOOP_ONCE | (may_block ? 0 : EVLOOP_NONBLOCK));
}

static struct user *new_user(void *loop, int fd, short what, bench_fn *fn, void *opaque)
{
    struct user *u = callee_new(sizeof(*u), fn, opaque);

    u->event = event_new(loop, fd, what, on_event, u);
    must(u->event);
    return u;
}

static void *watch(void *loop, int fd, bench_fn *fn, void *opaque)
{
    struct user *u = new_user(loop, fd, EV_READ | EV_PERSIST, fn, opaque);

    must(event_add(u->event, NULL) == 0);
    return u;
}

static void *timer_new(void *loop, bench_fn *fn, void *opaque)
{
    return new_user(loop, -1, 0, fn, opaque);
}

static void timer_arm(void *loop, void *timer, int64_t timeout_ns)
{
    struct user *u = timer;
    struct timeval t = {timeout_ns / 1000000000, timeout_ns % 1000000000 / 1000};

    (void)loop;
    must(event_add(u->event, &t) == 0);
}

static void timer_cancel(void *loop, void *timer)
{
    struct user *u = timer;

    (void)loop;
    event_del(u->event);
}

static void *task_new(void *loop, bench_fn *fn, void *opaque)
{
    return new_user(loop, -1, EV_PERSIST, fn, opaque);
}

static void task_ask(void *loop, void *task)
{
    struct user *u = task;

    (void)loop;
    event_active(u->event, EV_READ, 0);
}

static void give_up(void *loop, void *user)
{
    struct user *u = user;

    (void)loop;
    event_free(u->event);
    free(u);
}

static const struct loop_ops ops = {
    LOOP_OPS,
    WATCH_OPS(give_up),
    TIMER_OPS(give_up),
    TASK_OPS(give_up),
    .runs_asks_at_once = true,
    .timer_arm_from_afar = timer_arm,
    .task_ask_from_afar = task_ask,
};

const struct contender libevent = {
    .name = "libevent", .kind = PEER, .version = version, .loop = &ops};
