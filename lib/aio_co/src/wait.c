/* SPDX-License-Identifier: MIT */
/*
 * wait.c - until a descriptor is ready, or a time has come.
 *
 * A waiting coroutine is marked. Whoever takes the mark away has woken it, and
 * there is only one; the others just leave their note in its frame. Descriptor
 * and timer do so at home, aiox_co_wait_fd_cancel() anywhere.
 */
#include <errno.h>

#include "aiox/assert.h"

#include "aio_co.h"

static const char waiting[] = "aiox_co_wait_fd";

struct fd_wait {
    struct waiter waiter;
    struct aiox_timer timer; /* all zero without a deadline */
    bool timed_out;
};

static bool end_wait(struct aiox_co *co)
{
    bool ended = aiox_co_unmark(co, waiting);

    if (ended) {
        aiox_co_wake(co);
    }
    return ended;
}

static void woken(struct waiter *waiter)
{
    (void)end_wait(waiter->co);
}

static void timed_out(void *opaque)
{
    struct fd_wait *wait = opaque;

    wait->timed_out = true;
    (void)end_wait(wait->waiter.co);
}

static int start_timer(struct fd_wait *wait, struct aiox_context *ctx, int64_t deadline_ns)
{
    int err;

    if (deadline_ns < 0) {
        return 0;
    }
    err = aiox_timer_init_ns(&wait->timer, aiox_context_timers(ctx), AIOX_CLOCK_MONOTONIC,
                             timed_out, wait);
    if (err == 0) {
        aiox_timer_mod_ns(&wait->timer, deadline_ns);
    }
    return err;
}

static int outcome(const struct fd_wait *wait)
{
    if (wait->waiter.seen) {
        return (int)wait->waiter.seen;
    }
    return wait->timed_out ? -ETIMEDOUT : -ECANCELED;
}

int aiox_co_wait_fd(int fd, uint32_t events, int64_t deadline_ns)
{
    struct co_part *part = part_here_();
    struct fd_wait wait = {.waiter = {.co = aiox_co_self(), .events = events, .wake = woken}};
    struct watch *watch;
    int result;

    aiox_assert(events && !(events & ~(uint32_t)AIOX_FD_ASKABLE));
    if (fd < 0) {
        return -EBADF;
    }
    watch = watch_get_(&part->watches, fd);
    if (!watch) {
        return -ENOMEM;
    }
    result = start_timer(&wait, part->ctx, deadline_ns);
    if (result < 0) {
        return result;
    }
    result = watch_begin_(watch, &wait.waiter);
    if (result == 0) {
        aiox_co_mark(wait.waiter.co, waiting);
        aiox_co_yield();
        result = outcome(&wait);
        watch_end_(watch, &wait.waiter);
    }
    aiox_timer_fini(&wait.timer);
    return result;
}

bool aiox_co_wait_fd_cancel(struct aiox_co *co)
{
    return end_wait(co);
}

int aiox_co_keep_fd(int fd)
{
    struct co_part *part = part_here_();
    struct watch *watch;

    if (fd < 0) {
        return -EBADF;
    }
    watch = watch_get_(&part->watches, fd);
    if (!watch) {
        return -ENOMEM;
    }
    watch->is_kept = true;
    return 0;
}

void aiox_co_release_fd(int fd)
{
    struct watch *watch = watch_get_(&part_here_()->watches, fd);

    if (watch) { /* else it was never kept */
        watch_release_(watch);
    }
}
