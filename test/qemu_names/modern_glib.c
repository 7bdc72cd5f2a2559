/* SPDX-License-Identifier: MIT */
/* modern_glib.c - the program for release 10.2 that lets GLib turn the loop. */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "aiox/qemu/aio_glib.h"
#include "aiox/qemu/main_loop.h"
#include "test/qemu_names/names.h"

/* What GLib's loop has had to do for the context before it may end. */
struct day {
    GMainLoop *loop;
    AioContext *ctx;
    int fd;
    int rings, reads, fires;
};

static void look_at_the_clock(struct day *day)
{
    if (day->rings && day->reads && day->fires) {
        g_main_loop_quit(day->loop);
    }
}

static void ring(void *opaque)
{
    struct day *day = opaque;

    day->rings++;
    look_at_the_clock(day);
}

static void take(void *opaque)
{
    struct day *day = opaque;
    char byte;

    day->reads += read(day->fd, &byte, 1) == 1;
    look_at_the_clock(day);
}

static void fire(void *opaque)
{
    struct day *day = opaque;

    day->fires++;
    look_at_the_clock(day);
}

static void *ask(void *opaque)
{
    struct day *day = opaque;

    aio_bh_schedule_oneshot(day->ctx, ring, day);
    return NULL;
}

static const char *live_through(struct day *day, int out)
{
    QEMUTimer *timer = aio_timer_new(day->ctx, QEMU_CLOCK_REALTIME, SCALE_MS, fire, day);
    pthread_t thread;

    aio_set_fd_handler(day->ctx, day->fd, take, NULL, NULL, NULL, day);
    timer_mod(timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + 1);
    WANT(write(out, "x", 1) == 1);
    WANT(pthread_create(&thread, NULL, ask, day) == 0);
    g_main_loop_run(day->loop);
    WANT(pthread_join(thread, NULL) == 0);
    WANT(day->rings == 1 && day->reads == 1 && day->fires == 1);
    aio_set_fd_handler(day->ctx, day->fd, NULL, NULL, NULL, NULL, NULL);
    timer_free(timer);
    return NULL;
}

const char *g_source_2025(void)
{
    AioContext *ctx = aio_context_new(&error_abort);
    GMainContext *host = g_main_context_new();
    struct day day = {.loop = g_main_loop_new(host, FALSE), .ctx = ctx};
    GSource *source = aio_get_g_source(ctx), *same = aio_get_g_source(ctx);
    const char *wrong;
    int fds[2];

    WANT(pipe(fds) == 0 && source == same);
    day.fd = fds[0];
    g_source_attach(source, host);
    g_source_unref(source);
    wrong = live_through(&day, fds[1]);
    g_source_destroy(same);
    g_source_unref(same);
    WANT(!aio_poll(ctx, false));
    close(fds[0]);
    close(fds[1]);
    g_main_loop_unref(day.loop);
    g_main_context_unref(host);
    aio_context_unref(ctx);
    return wrong;
}
