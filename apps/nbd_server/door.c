/* SPDX-License-Identifier: MIT */
/*
 * door.c - some clients each turn, and pauses.
 */
#include "door.h"

#include <errno.h>

#include "aiox/clock.h"
#include "aiox/log.h"

enum { ACCEPTS_PER_TURN = 64 };

static const int64_t pause_ns = 100 * AIOX_NS_PER_MS;

static void stop_looking(struct door *d)
{
    for (int i = 0; d->looking && i < d->count; i++) {
        aiox_clear_fd_handler(d->ctx, d->places[i].listener.fd);
    }
    d->looking = false;
}

/* Something is short: waits a moment. */
static void pause_looking(struct door *d, int error)
{
    if (!d->in_want) {
        aiox_log(AIOX_LOG_WARN, "cannot accept a client (%s): waiting", aiox_error_text(error));
    }
    d->in_want = true;
    d->pauses++;
    stop_looking(d);
    aiox_timer_mod_ns(&d->pause, aiox_clock_now_ns() + pause_ns);
}

static void on_knock(void *opaque)
{
    struct door_place *p = opaque;
    struct door *d = p->door;

    for (int i = 0; i < ACCEPTS_PER_TURN && d->looking; i++) {
        char peer[LISTENER_ADDRESS];
        int fd = listener_accept(&p->listener, peer);

        if (fd == -EAGAIN) {
            return;
        }
        d->knocks++;
        if (fd >= 0) {
            d->in_want = false;
            d->welcome(d->opaque, fd, peer);
        } else if (fd != -ECONNABORTED && fd != -EINTR && fd != -EPROTO) {
            pause_looking(d, fd);
        }
    }
}

static int look(struct door *d)
{
    const struct aiox_fd_handler handler = {.read = on_knock};

    if (d->looking || d->closed) {
        return 0;
    }
    d->looking = true;
    for (int i = 0; i < d->count; i++) {
        int error = aiox_set_fd_handler(d->ctx, d->places[i].listener.fd, &handler, &d->places[i]);

        if (error < 0) {
            stop_looking(d);
            return error;
        }
    }
    return 0;
}

static void on_pause_over(void *opaque)
{
    struct door *d = opaque;
    int error = look(d);

    if (error < 0) {
        pause_looking(d, error);
    }
}

int door_init(struct door *d, struct aiox_context *ctx,
              void (*welcome)(void *opaque, int fd, const char *peer), void *opaque)
{
    *d = (struct door){.ctx = ctx, .welcome = welcome, .opaque = opaque};
    return aiox_timer_init_ns(&d->pause, aiox_context_timers(ctx), AIOX_CLOCK_MONOTONIC,
                              on_pause_over, d);
}

int door_add(struct door *d, const struct listener *l)
{
    if (d->count == DOOR_PLACES_MAX) {
        return -ENOSPC;
    }
    d->places[d->count++] = (struct door_place){.listener = *l, .door = d};
    return 0;
}

int door_open(struct door *d)
{
    return look(d);
}

void door_look_again(struct door *d)
{
    if (!d->looking && !d->closed) {
        aiox_timer_mod_ns(&d->pause, aiox_clock_now_ns());
    }
}

void door_close(struct door *d)
{
    stop_looking(d);
    d->closed = true;
    aiox_timer_cancel(&d->pause);
    for (int i = 0; i < d->count; i++) {
        listener_close(&d->places[i].listener);
    }
}

void door_fini(struct door *d)
{
    if (!d->ctx) {
        return;
    }
    door_close(d);
    aiox_timer_fini(&d->pause);
}
