/* SPDX-License-Identifier: MIT */
/* glib.c - GLib's main loop. */
#include <glib-unix.h>
#include <stdlib.h>

#include "bench/players/bench.h"

struct user {
    struct callee callee;
    GSource *source;
};

static const char *version(void)
{
    static char text[32];

    g_snprintf(text, sizeof(text), "%u.%u.%u", glib_major_version, glib_minor_version,
               glib_micro_version);
    return text;
}

static gboolean on_fd(gint fd, GIOCondition condition, gpointer opaque)
{
    (void)fd;
    (void)condition;
    callee_call(opaque);
    return G_SOURCE_CONTINUE;
}

static gboolean on_ready(gpointer opaque)
{
    struct user *u = opaque;

    g_source_set_ready_time(u->source, -1);
    callee_call(&u->callee);
    return G_SOURCE_CONTINUE;
}

static gboolean dispatch(GSource *source, GSourceFunc fn, gpointer opaque)
{
    (void)source;
    return fn(opaque);
}

/* A source that is due at its ready time and at no other. */
static GSourceFuncs timed = {.dispatch = dispatch};

static void *open_loop(const struct contender *who, const char **why)
{
    (void)who;
    (void)why;
    return g_main_context_new();
}

static void close_loop(void *loop)
{
    g_main_context_unref(loop);
}

static void turn(void *loop, bool may_block)
{
    g_main_context_iteration(loop, may_block);
}

static struct user *attach(void *loop, GSource *source, GSourceFunc callback, bench_fn *fn,
                           void *opaque)
{
    struct user *u = callee_new(sizeof(*u), fn, opaque);

    must(source);
    u->source = source;
    g_source_set_callback(source, callback, u, NULL);
    g_source_attach(source, loop);
    return u;
}

static void *watch(void *loop, int fd, bench_fn *fn, void *opaque)
{
    return attach(loop, g_unix_fd_source_new(fd, G_IO_IN), G_SOURCE_FUNC(on_fd), fn, opaque);
}

static void *timer_new(void *loop, bench_fn *fn, void *opaque)
{
    return attach(loop, g_source_new(&timed, sizeof(GSource)), on_ready, fn, opaque);
}

static void timer_arm(void *loop, void *timer, int64_t timeout_ns)
{
    struct user *u = timer;

    (void)loop;
    g_source_set_ready_time(u->source, g_get_monotonic_time() + (timeout_ns + 999) / 1000);
}

static void timer_cancel(void *loop, void *timer)
{
    struct user *u = timer;

    (void)loop;
    g_source_set_ready_time(u->source, -1);
}

static void *task_new(void *loop, bench_fn *fn, void *opaque)
{
    return timer_new(loop, fn, opaque);
}

static void task_ask(void *loop, void *task)
{
    struct user *u = task;

    (void)loop;
    g_source_set_ready_time(u->source, 0);
}

static void give_up(void *loop, void *user)
{
    struct user *u = user;

    (void)loop;
    g_source_destroy(u->source);
    g_source_unref(u->source);
    free(u);
}

static const struct loop_ops ops = {
    LOOP_OPS,
    WATCH_OPS(give_up),
    TIMER_OPS(give_up),
    TASK_OPS(give_up),
    .timer_arm_from_afar = timer_arm,
    .timers_have_no_order = true,
    .task_ask_from_afar = task_ask,
};

/* ---- threads, and an idle source for each that comes back, as GTask does it ---- */

struct pool {
    GMainContext *context;
    GThreadPool *threads;
};

struct job {
    struct pool *pool;
    bench_fn *run, *done;
    void *opaque;
};

static gboolean on_done(gpointer opaque)
{
    struct job *j = opaque;

    j->done(j->opaque);
    return G_SOURCE_REMOVE;
}

static void on_work(gpointer job, gpointer unused)
{
    struct job *j = job;
    GSource *source = g_idle_source_new();

    (void)unused;
    j->run(j->opaque);
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, on_done, j, NULL);
    g_source_attach(source, j->pool->context);
    g_source_unref(source);
}

static void *pool_open(const struct contender *who, int threads, const char **why)
{
    struct pool *p = malloc(sizeof(*p));

    must(p);
    p->context = open_loop(who, why);
    p->threads = g_thread_pool_new(on_work, NULL, threads, TRUE, NULL);
    must(p->threads);
    return p;
}

static void pool_close(void *pool)
{
    struct pool *p = pool;

    g_thread_pool_free(p->threads, FALSE, TRUE);
    close_loop(p->context);
    free(p);
}

static void pool_turn(void *pool)
{
    turn(((struct pool *)pool)->context, true);
}

static void *job_new(void *pool, bench_fn *run, bench_fn *done, void *opaque)
{
    struct job *j = malloc(sizeof(*j));

    must(j);
    *j = (struct job){pool, run, done, opaque};
    return j;
}

static void submit(void *pool, void *job)
{
    must(g_thread_pool_push(((struct pool *)pool)->threads, job, NULL));
}

static void job_free(void *pool, void *job)
{
    (void)pool;
    free(job);
}

static const struct pool_ops pool_ops = {pool_open, pool_close, pool_turn,
                                         job_new,   submit,     job_free};

const struct contender glib = {
    .name = "glib", .kind = PEER, .version = version, .loop = &ops, .pool = &pool_ops};
