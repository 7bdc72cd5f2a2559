/* SPDX-License-Identifier: MIT */
/* turner.c - a loop that turns every 10 ms until its input ends: something to watch. */
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "aiox/aio.h"
#include "aiox/aiox.h"
#include "aiox/assert.h"
#include "aiox/clock.h"

struct turner {
    struct aiox_context *ctx;
    struct aiox_timer timer;
    bool is_over;
};

static void nothing(void *opaque)
{
    (void)opaque;
}

static void again(void *opaque)
{
    struct turner *t = opaque;

    aiox_timer_mod_ns(&t->timer, aiox_clock_now_ns() + 10 * AIOX_NS_PER_MS);
    aiox_assert(aiox_bh_schedule_oneshot(t->ctx, "turner", nothing, NULL) == 0);
}

static void end(void *opaque)
{
    ((struct turner *)opaque)->is_over = true;
}

int main(void)
{
    const struct aiox_fd_handler handler = {.read = end};
    struct turner t = {.is_over = false};

    aiox_assert(aiox_new(&t.ctx, NULL) == 0);
    aiox_assert(aiox_set_fd_handler(t.ctx, STDIN_FILENO, &handler, &t) == 0);
    aiox_assert(aiox_timer_init_ns(&t.timer, aiox_context_timers(t.ctx), AIOX_CLOCK_MONOTONIC,
                                   again, &t) == 0);
    again(&t);
    puts("turning");
    fflush(stdout);
    while (!t.is_over) {
        aiox_poll(t.ctx, true);
    }
    aiox_clear_fd_handler(t.ctx, STDIN_FILENO);
    aiox_timer_fini(&t.timer);
    aiox_poll(t.ctx, false);
    aiox_context_unref(t.ctx);
    return 0;
}
