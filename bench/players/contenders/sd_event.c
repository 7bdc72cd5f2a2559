/* SPDX-License-Identifier: MIT */
/* sd_event.c - systemd's event loop. It has no way to ask from another thread. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "bench/players/bench.h"

struct user {
    struct callee callee;
    sd_event_source *source;
};

/* It does not say; the name of its file does: libsystemd.so.0.35.0. */
static const char *version(void)
{
    static char path[PATH_MAX];
    Dl_info info;

    if (!dladdr((void *)(uintptr_t)sd_event_new, &info) || !realpath(info.dli_fname, path)) {
        return "libsystemd";
    }
    return basename(path);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *opaque)
{
    (void)source;
    (void)fd;
    (void)events;
    callee_call(opaque);
    return 0;
}

static int on_time(sd_event_source *source, uint64_t usec, void *opaque)
{
    (void)source;
    (void)usec;
    callee_call(opaque);
    return 0;
}

static int on_defer(sd_event_source *source, void *opaque)
{
    (void)source;
    callee_call(opaque);
    return 0;
}

static void *open_loop(const struct contender *who, const char **why)
{
    sd_event *loop = NULL;

    (void)who;
    *why = "sd_event_new() fails";
    return sd_event_new(&loop) < 0 ? NULL : loop;
}

static void close_loop(void *loop)
{
    sd_event_unref(loop);
}

static void turn(void *loop, bool may_block)
{
    must(sd_event_run(loop, may_block ? (uint64_t)-1 : 0) >= 0);
}

static void *watch(void *loop, int fd, bench_fn *fn, void *opaque)
{
    struct user *u = callee_new(sizeof(*u), fn, opaque);

    must(sd_event_add_io(loop, &u->source, fd, EPOLLIN, on_io, u) >= 0);
    return u;
}

static void *timer_new(void *loop, bench_fn *fn, void *opaque)
{
    struct user *u = callee_new(sizeof(*u), fn, opaque);

    must(sd_event_add_time(loop, &u->source, CLOCK_MONOTONIC, 0, 1, on_time, u) >= 0);
    must(sd_event_source_set_enabled(u->source, SD_EVENT_OFF) >= 0);
    return u;
}

static void timer_arm(void *loop, void *timer, int64_t timeout_ns)
{
    struct user *u = timer;

    (void)loop;
    must(sd_event_source_set_time_relative(u->source, (uint64_t)(timeout_ns + 999) / 1000) >= 0);
    must(sd_event_source_set_enabled(u->source, SD_EVENT_ONESHOT) >= 0);
}

static void timer_cancel(void *loop, void *timer)
{
    struct user *u = timer;

    (void)loop;
    must(sd_event_source_set_enabled(u->source, SD_EVENT_OFF) >= 0);
}

static void *task_new(void *loop, bench_fn *fn, void *opaque)
{
    struct user *u = callee_new(sizeof(*u), fn, opaque);

    must(sd_event_add_defer(loop, &u->source, on_defer, u) >= 0);
    must(sd_event_source_set_enabled(u->source, SD_EVENT_OFF) >= 0);
    return u;
}

static void task_ask(void *loop, void *task)
{
    struct user *u = task;

    (void)loop;
    must(sd_event_source_set_enabled(u->source, SD_EVENT_ONESHOT) >= 0);
}

static void give_up(void *loop, void *user)
{
    struct user *u = user;

    (void)loop;
    sd_event_source_disable_unref(u->source);
    free(u);
}

static const struct loop_ops ops = {
    LOOP_OPS, WATCH_OPS(give_up), TIMER_OPS(give_up), TASK_OPS(give_up), .asks_at_home_only = true,
};

const struct contender sd_event_ = {
    .name = "sd-event", .kind = PEER, .version = version, .loop = &ops};
