/* SPDX-License-Identifier: MIT */
/*
 * scenes.c - the hot paths whose cost is guarded.
 *
 * Everything runs in one thread and depends on no clock, no address and no
 * luck, so two runs execute the same instructions.
 */
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "aiox/aio.h"
#include "aiox/assert.h"
#include "aiox/bh.h"
#include "aiox/co_sync.h"
#include "aiox/coroutine.h"
#include "aiox/foreign.h"
#include "aiox/lockcnt.h"
#include "aiox/timer.h"

#include "bench/counts/counts.h"

enum { TIMERS = 1000 };

const struct aiox_fdmon_plugin *aiox_fdmon_poll(uint32_t index);
const struct aiox_fdmon_plugin *aiox_fdmon_epoll(uint32_t index);

static unsigned ran;

static void run(void *opaque)
{
    (void)opaque;
    ran++;
}

/* ---- bottom halves ---- */

static struct aiox_bh_queue queue;
static struct aiox_bh *bh;

static void bh_begin(void)
{
    aiox_bh_queue_init(&queue, NULL, NULL);
    aiox_assert(aiox_bh_new(&bh, &queue, "counted", run, NULL) == 0);
}

static void bh_ask_and_run(void)
{
    aiox_bh_schedule(bh);
    aiox_bh_queue_run(&queue);
}

static void ask_again(void *opaque)
{
    struct aiox_bh **self = opaque;

    aiox_bh_schedule(*self);
}

static void bh_turn_begin(void)
{
    aiox_bh_queue_init(&queue, NULL, NULL);
    aiox_assert(aiox_bh_new(&bh, &queue, "asks in a turn", ask_again, &bh) == 0);
    aiox_bh_schedule(bh);
}

static void bh_ask_in_turn(void)
{
    aiox_bh_queue_run(&queue);
}

static void bh_end(void)
{
    aiox_bh_free(bh);
    aiox_bh_queue_run(&queue);
    aiox_bh_queue_fini(&queue);
}

/* ---- timers ---- */

static struct aiox_timer_group group;
static struct aiox_timer timers[TIMERS];
static uint64_t seed;

/* Marsaglia's xorshift: the same each time. */
static uint64_t next_number(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void timer_rearm(void)
{
    uint64_t number = next_number();

    aiox_timer_mod_ns(&timers[number % TIMERS], INT64_MAX / 2 + (int64_t)(number >> 20));
}

static void timer_begin(void)
{
    seed = 88172645463325252;
    aiox_timer_group_init(&group, NULL, NULL);
    for (int i = 0; i < TIMERS; i++) {
        aiox_assert(aiox_timer_init_ns(&timers[i], &group, AIOX_CLOCK_MONOTONIC, run, NULL) == 0);
        aiox_timer_mod_ns(&timers[i], INT64_MAX / 2 + (int64_t)(next_number() >> 20));
    }
}

static void timer_end(void)
{
    for (int i = 0; i < TIMERS; i++) {
        aiox_timer_fini(&timers[i]);
    }
    aiox_timer_group_fini(&group);
}

/* ---- the loop, on epoll ---- */

static struct aiox_context *ctx;
static int fd;

static void take(void *opaque)
{
    eventfd_t value;

    (void)opaque;
    aiox_assert(eventfd_read(fd, &value) == 0);
}

static void loop_begin(void)
{
    static aiox_fdmon_entry_fn *const linked_in[] = {aiox_fdmon_poll, aiox_fdmon_epoll, NULL};
    static const struct aiox_backend_sources sources = {
        .linked_in = linked_in,
        .linked_in_only = true,
    };
    struct aiox_fd_handler handler = {.read = take};
    struct aiox_error err;

    aiox_assert(aiox_context_new(&ctx, &sources, &err) == 0);
    aiox_assert(aiox_context_setup(ctx, "epoll", &err) == 0);
    fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    aiox_assert(fd >= 0 && aiox_set_fd_handler(ctx, fd, &handler, NULL) == 0);
    while (aiox_poll(ctx, false)) {
    }
}

static void loop_end(void)
{
    aiox_clear_fd_handler(ctx, fd);
    close(fd);
    aiox_context_unref(ctx);
}

static void idle_turn(void)
{
    aiox_poll(ctx, false);
}

static void handler_dispatch(void)
{
    aiox_assert(eventfd_write(fd, 1) == 0);
    aiox_assert(aiox_poll(ctx, true));
}

static void notify_awake(void)
{
    aiox_notify(ctx);
}

/* A host may be at any moment between saying that it will wait and that it does not. */
static void guest_begin(void)
{
    struct aiox_error err;
    int guest_fd;

    loop_begin();
    aiox_assert(aiox_foreign_begin(ctx, &guest_fd, &err) == 0);
    aiox_assert(aiox_foreign_prepare(ctx) != 0);
}

static void guest_end(void)
{
    aiox_foreign_end(ctx);
    loop_end();
}

/* It is woken, takes its turn and goes to sleep again. */
static void notify_asleep(void)
{
    aiox_notify(ctx);
    aiox_assert(aiox_foreign_check(ctx, true));
    aiox_foreign_dispatch(ctx);
    aiox_assert(aiox_foreign_prepare(ctx) != 0);
}

/* ---- coroutines ---- */

static struct aiox_co *co;
static bool is_over;

static void coroutine_fn yield_until_over(void *opaque)
{
    (void)opaque;
    while (!is_over) {
        aiox_co_yield();
    }
}

static void switch_begin(void)
{
    aiox_assert(aiox_co_create(&co, NULL, yield_until_over, NULL) == 0);
    aiox_co_enter(co);
}

static void co_switch(void)
{
    aiox_co_enter(co);
}

static void switch_end(void)
{
    is_over = true;
    aiox_co_enter(co);
}

static void nothing(void)
{
}

static void co_life(void)
{
    aiox_assert(aiox_co_create(&co, NULL, run, NULL) == 0);
    aiox_co_enter(co);
}

/* ---- locks of coroutines ---- */

static struct aiox_co_mutex mutex;

static void in_coroutine(void (*body)(void *opaque), void *opaque)
{
    aiox_assert(aiox_co_create(&co, NULL, body, opaque) == 0);
    aiox_co_enter(co);
}

static void mutex_begin(void)
{
    aiox_co_mutex_init(&mutex);
}

static void mutex_pair(void) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    aiox_co_mutex_lock(&mutex);
    aiox_co_mutex_unlock(&mutex);
}

static void mutex_end(void)
{
    aiox_co_mutex_fini(&mutex);
}

static struct aiox_co_rwlock rwlock;

static void reader_pair(void) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    aiox_co_rwlock_rdlock(&rwlock);
    aiox_co_rwlock_unlock(&rwlock);
}

static struct aiox_co_queue waiting;

static void coroutine_fn wait_until_over(void *opaque)
{
    (void)opaque;
    while (!is_over) {
        aiox_co_queue_wait(&waiting, NULL);
    }
}

static void queue_begin(void)
{
    is_over = false;
    aiox_assert(aiox_co_create(&co, NULL, wait_until_over, NULL) == 0);
    aiox_co_enter(co);
}

static void queue_wake(void)
{
    aiox_assert(aiox_co_queue_next(&waiting));
}

static void queue_end(void)
{
    is_over = true;
    queue_wake();
}

/* ---- lockcnt ---- */

static struct aiox_lockcnt lockcnt;

static void lockcnt_visit(void)
{
    aiox_lockcnt_inc(&lockcnt);
    aiox_lockcnt_dec(&lockcnt);
}

const struct scene scenes[] = {
    {"bh_ask_and_run", bh_begin, bh_ask_and_run, bh_end, NULL},
    {"bh_ask_in_turn", bh_turn_begin, bh_ask_in_turn, bh_end, NULL},
    {"timer_rearm", timer_begin, timer_rearm, timer_end, NULL},
    {"idle_turn", loop_begin, idle_turn, loop_end, NULL},
    {"handler_dispatch", loop_begin, handler_dispatch, loop_end, NULL},
    {"notify_awake", loop_begin, notify_awake, loop_end, NULL},
    {"notify_asleep", guest_begin, notify_asleep, guest_end, NULL},
    {"co_switch", switch_begin, co_switch, switch_end, NULL},
    {"co_life", nothing, co_life, nothing, NULL},
    {"co_mutex_pair", mutex_begin, mutex_pair, mutex_end, in_coroutine},
    {"co_reader_pair", nothing, reader_pair, nothing, in_coroutine},
    {"co_queue_wake", queue_begin, queue_wake, queue_end, NULL},
    {"lockcnt_visit", nothing, lockcnt_visit, nothing, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
