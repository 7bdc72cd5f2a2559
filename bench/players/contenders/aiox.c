/* SPDX-License-Identifier: MIT */
/* aiox.c - ours: loops, a contender for each backend. */
#include <stdio.h>
#include <stdlib.h>

#include "aiox/aio.h"
#include "aiox/aiox.h"

#include "aiox.h"

struct watch {
    int fd;
    bench_fn *fn;
    void *opaque;
};

static const char *version(void)
{
    return AIOX_VERSION;
}

struct aiox_context *ours_open(const struct contender *who, const char **why)
{
    struct aiox_preferences wish = {
        .backend = who->variant,
        .path = getenv("BENCH_PLUGINS"),
        .is_pinned = true,
    };
    static struct aiox_error err;
    struct aiox_context *ctx;

    if (aiox_new_with(&ctx, &wish, &err) < 0) {
        *why = err.message;
        return NULL;
    }
    return ctx;
}

void ours_close(struct aiox_context *ctx)
{
    aiox_context_unref(ctx);
}

static void *open_loop(const struct contender *who, const char **why)
{
    return ours_open(who, why);
}

static void close_loop(void *loop)
{
    ours_close(loop);
}

static void turn(void *loop, bool may_block)
{
    aiox_poll(loop, may_block);
}

static void *watch(void *loop, int fd, bench_fn *fn, void *opaque)
{
    struct watch *w = malloc(sizeof(*w));
    struct aiox_fd_handler handler = {.read = fn, .flags = AIOX_FD_HANDLER_DRAINS};

    must(w && aiox_set_fd_handler(loop, fd, &handler, opaque) == 0);
    *w = (struct watch){fd, fn, opaque};
    return w;
}

static void unwatch(void *loop, void *watch)
{
    aiox_clear_fd_handler(loop, ((struct watch *)watch)->fd);
    free(watch);
}

static void *timer_new(void *loop, bench_fn *fn, void *opaque)
{
    struct aiox_timer *timer = malloc(sizeof(*timer));

    must(timer);
    must(aiox_timer_init_ns(timer, aiox_context_timers(loop), AIOX_CLOCK_MONOTONIC, fn, opaque) ==
         0);
    return timer;
}

static void timer_arm(void *loop, void *timer, int64_t timeout_ns)
{
    aiox_timer_mod_ns(timer, aiox_context_now_ns(loop) + timeout_ns);
}

/* What time it is for the loop is its own thread's to know. */
static void timer_arm_from_afar(void *loop, void *timer, int64_t timeout_ns)
{
    (void)loop;
    aiox_timer_mod_ns(timer, wall_ns() + timeout_ns);
}

static void timer_cancel(void *loop, void *timer)
{
    (void)loop;
    aiox_timer_cancel(timer);
}

static void timer_free(void *loop, void *timer)
{
    (void)loop;
    aiox_timer_fini(timer);
    free(timer);
}

static void *task_new(void *loop, bench_fn *fn, void *opaque)
{
    struct aiox_bh *bh;

    must(aiox_bh_new(&bh, aiox_context_bhs(loop), "task", fn, opaque) == 0);
    return bh;
}

static void task_ask(void *loop, void *task)
{
    (void)loop;
    aiox_bh_schedule(task);
}

static void task_free(void *loop, void *task)
{
    (void)loop;
    aiox_bh_free(task);
}

void ours_have_thread(void *ctx)
{
    must(aiox_context_set_busy_poll(ctx, AIOX_BUSY_POLL_NS, 0, 0) == 0);
}

static void poll_busily(void *loop, int64_t most_ns)
{
    must(aiox_context_set_busy_poll(loop, most_ns, 0, 0) == 0);
}

static const struct loop_ops loop_ops = {
    LOOP_OPS,
    WATCH_OPS(unwatch),
    TIMER_OPS(timer_free),
    TASK_OPS(task_free),
    .timer_arm_from_afar = timer_arm_from_afar,
    .task_ask_from_afar = task_ask,
    .have_thread = ours_have_thread,
    .poll_busily = poll_busily,
    .serve = ours_serve,
    .pass = ours_pass,
    .converse = ours_converse,
};

#define CONTENDER(id, title, backend)                                                              \
    const struct contender id = {.name = title,                                                    \
                                 .kind = OURS,                                                     \
                                 .variant = backend,                                               \
                                 .version = version,                                               \
                                 .loop = &loop_ops,                                                \
                                 .pool = &ours_pool,                                               \
                                 .file = &ours_file}

CONTENDER(aiox_epoll, "aiox epoll", "epoll");
CONTENDER(aiox_io_uring, "aiox io_uring", "io_uring");
CONTENDER(aiox_poll_, "aiox poll", "poll");

/* Files by the pool alone, whatever else could. */
const struct contender aiox_pool_alone = {
    .name = "aiox pool", .kind = OURS, .variant = "epoll", .version = version, .file = &ours_file};
