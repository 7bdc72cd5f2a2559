/* SPDX-License-Identifier: MIT */
/*
 * sleep.c - until a time has come, or somebody says so.
 *
 * The sleeper's name stands in struct aiox_co_sleep. Whoever swaps it out has
 * woken it, and there is only one. The sleeper is marked, too, so that nobody
 * else enters it.
 *
 *   [CO-sleep]  sleep (release) -> rouse (acquire): the sleeper is marked, and
 *               knows its executor.
 */
#include <errno.h>

#include "aiox/assert.h"

#include "aio_co.h"

static const char sleeping[] = "aiox_co_sleep";

struct nap {
    struct aiox_co_sleep *sleep;
    struct aiox_timer timer; /* all zero without an end */
    bool timed_out;
};

/* Takes the sleeper out, so that nobody else can wake it; NULL if there is none. */
static struct aiox_co *rouse(struct aiox_co_sleep *sleep)
{
    struct aiox_co *co = aiox_ptr_swap_acquire(&sleep->sleeper_, NULL); /* [CO-sleep] */

    aiox_assert(!co || aiox_co_unmark(co, sleeping));
    return co;
}

static void time_has_come(void *opaque)
{
    struct nap *nap = opaque;
    struct aiox_co *co = rouse(nap->sleep);

    if (co) {
        nap->timed_out = true;
        aiox_co_wake(co);
    }
}

static int64_t end_of(enum aiox_clock clock, int64_t timeout_ns)
{
    int64_t now = aiox_timer_clock_ns(clock);

    return timeout_ns > INT64_MAX - now ? INT64_MAX : now + timeout_ns;
}

static int start_timer(struct nap *nap, struct aiox_context *ctx, enum aiox_clock clock,
                       int64_t timeout_ns)
{
    int err;

    if (timeout_ns < 0) {
        return 0;
    }
    err = aiox_timer_init_ns(&nap->timer, aiox_context_timers(ctx), clock, time_has_come, nap);
    if (err == 0) {
        aiox_timer_mod_ns(&nap->timer, end_of(clock, timeout_ns));
    }
    return err;
}

int aiox_co_sleep_wakeable_ns(struct aiox_co_sleep *sleep, enum aiox_clock clock,
                              int64_t timeout_ns)
{
    struct aiox_context *ctx = part_here_()->ctx;
    struct aiox_co *self = aiox_co_self();
    struct nap nap = {.sleep = sleep};
    struct aiox_co *other = NULL;
    int err = start_timer(&nap, ctx, clock, timeout_ns);

    if (err < 0) {
        return err;
    }
    aiox_co_mark(self, sleeping);
    if (!aiox_ptr_cas_release(&sleep->sleeper_, (void **)&other, self)) { /* [CO-sleep] */
        aiox_panic("%s sleeps where %s already does", aiox_co_name(self), aiox_co_name(other));
    }
    aiox_co_yield();
    aiox_timer_fini(&nap.timer);
    return nap.timed_out ? 0 : -ECANCELED;
}

bool aiox_co_sleep_wake(struct aiox_co_sleep *sleep)
{
    struct aiox_co *co = rouse(sleep);

    if (co) {
        aiox_co_wake(co);
    }
    return co != NULL;
}

int aiox_co_sleep_ns(enum aiox_clock clock, int64_t timeout_ns)
{
    struct aiox_co_sleep nobody_else = {AIOX_ATOMIC_INIT(NULL)};
    int err;

    if (timeout_ns < 0) {
        aiox_co_schedule(part_here_()->ctx, aiox_co_self());
        aiox_co_yield();
        return 0;
    }
    err = aiox_co_sleep_wakeable_ns(&nobody_else, clock, timeout_ns);
    aiox_assert(err != -ECANCELED);
    return err;
}
