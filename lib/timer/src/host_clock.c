/* SPDX-License-Identifier: MIT */
/*
 * host_clock.c - the time of day, and who hears of its jumps.
 *
 * Whoever reads the clock compares how far it and the monotonic clock have gone
 * since the last look. One thread looks at a time, the others just read. It goes
 * on looking while it tells the watchers: what they read finds no second jump
 * inside the first.
 *
 * The watchers' mutex is recursive, so that a watcher may watch and unwatch, and
 * held while they are told, so that unwatching elsewhere waits for that.
 *
 * [TIMER-look]  end of a look (release) -> next look (acquire): the last readings.
 */
#define _GNU_SOURCE
#include "clocks.h"

#include <pthread.h>

#include "aiox/assert.h"
#include "aiox/atomic.h"
#include "aiox/clock.h"

#include "registry.h"

static const int64_t least_jump_ns = 100 * AIOX_NS_PER_MS;

static aiox_atomic_u32 looking;
static struct {
    bool any;
    int64_t wall_ns;
    int64_t monotonic_ns;
} last; /* whoever is looking */

static pthread_mutex_t watch_mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static struct aiox_list watches = {.head_ = {&watches.head_, &watches.head_}};
static struct aiox_list_node *to_tell_next; /* while the watchers are told */

static void tell_watchers(int64_t jump_ns)
{
    struct aiox_host_clock_watcher *watcher;

    pthread_mutex_lock(&watch_mutex);
    to_tell_next = watches.head_.next_;
    while (to_tell_next != &watches.head_) {
        watcher = AIOX_CONTAINER_OF(to_tell_next, struct aiox_host_clock_watcher, link_);
        to_tell_next = to_tell_next->next_;
        watcher->fn_(watcher->opaque_, jump_ns);
    }
    to_tell_next = NULL;
    pthread_mutex_unlock(&watch_mutex);
}

/* How far the wall clock has jumped since the last look; 0 if it has not. */
static int64_t look_for_jump(void)
{
    int64_t before = aiox_clock_now_ns();
    int64_t wall = aiox_clock_wall_ns();
    int64_t monotonic = aiox_clock_now_ns();
    int64_t elapsed = monotonic - last.monotonic_ns;
    int64_t jump = wall - last.wall_ns - elapsed;
    int64_t least = least_jump_ns + elapsed / 1000;
    bool any = last.any;

    AIOX_PLAIN_WRITE(&last);
    /* Interrupted between two readings, they are not of one moment. */
    if (monotonic - before > least_jump_ns / 2) {
        return 0;
    }
    last.any = true;
    last.wall_ns = wall;
    last.monotonic_ns = monotonic;
    return any && (jump > least || jump < -least) ? jump : 0;
}

int64_t host_clock_ns_(void)
{
    int64_t jump_ns;

    if (!aiox_u32_swap_acquire(&looking, 1)) { /* [TIMER-look] */
        jump_ns = look_for_jump();
        if (AIOX_UNLIKELY(jump_ns)) {
            tell_watchers(jump_ns);
            registry_notify_();
        }
        aiox_u32_store_release(&looking, 0); /* [TIMER-look] */
    }
    return aiox_clock_wall_ns();
}

void aiox_host_clock_watch(struct aiox_host_clock_watcher *watcher, aiox_host_clock_fn *fn,
                           void *opaque)
{
    aiox_assert(fn);
    watcher->fn_ = fn;
    watcher->opaque_ = opaque;
    host_clock_ns_(); /* from now on */
    pthread_mutex_lock(&watch_mutex);
    aiox_list_push_back(&watches, &watcher->link_);
    pthread_mutex_unlock(&watch_mutex);
}

void aiox_host_clock_unwatch(struct aiox_host_clock_watcher *watcher)
{
    pthread_mutex_lock(&watch_mutex);
    if (aiox_list_is_linked(&watcher->link_)) {
        if (to_tell_next == &watcher->link_) {
            to_tell_next = watcher->link_.next_;
        }
        aiox_list_remove(&watcher->link_);
    }
    pthread_mutex_unlock(&watch_mutex);
}
