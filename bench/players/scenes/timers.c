/* SPDX-License-Identifier: MIT */
/* timers.c - FIRST timers armed at random times within ten minutes, or now. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "scenes.h"
#include "scratch.h"

#define TEN_MINUTES_NS INT64_C(600000000000)
#define AN_HOUR_NS INT64_C(3600000000000)

struct clockwork {
    const struct loop_ops *ops;
    void *loop;
    void **timers;
    long count;
    long fired;
    uint64_t seed;
};

static bool has_timers(const struct contender *who)
{
    return who->loop && who->loop->timer_new;
}

static void fire(void *opaque)
{
    struct clockwork *c = opaque;

    c->fired++;
}

static int64_t some_time_ns(struct clockwork *c)
{
    return AN_HOUR_NS + (int64_t)(scratch_number(&c->seed) % TEN_MINUTES_NS);
}

static struct clockwork set_up(struct stage *stage)
{
    struct clockwork c = {
        .ops = stage_contender(stage)->loop,
        .count = stage_example(stage)->first,
        .seed = SCRATCH_SEED,
    };

    c.loop = stage_open_loop(stage);
    c.timers = calloc((size_t)c.count, sizeof(*c.timers));
    must(c.timers);
    return c;
}

static void make_timers(struct clockwork *c)
{
    for (long i = 0; i < c->count; i++) {
        c->timers[i] = c->ops->timer_new(c->loop, fire, c);
    }
}

static void arm_all(struct clockwork *c)
{
    for (long i = 0; i < c->count; i++) {
        c->ops->timer_arm(c->loop, c->timers[i], some_time_ns(c));
    }
}

static void cancel_all(struct clockwork *c)
{
    for (long i = 0; i < c->count; i++) {
        c->ops->timer_cancel(c->loop, c->timers[i]);
    }
}

static void tear_down(struct clockwork *c)
{
    for (long i = 0; i < c->count; i++) {
        c->ops->timer_free(c->loop, c->timers[i]);
    }
    c->ops->close(c->loop);
    free(c->timers);
}

static void play_insert(struct stage *stage)
{
    struct clockwork c = set_up(stage);

    make_timers(&c);
    arm_all(&c);
    cancel_all(&c);
    c.ops->turn(c.loop, false);
    stage_begin(stage);
    arm_all(&c);
    stage_end(stage);
    stage_set_operations(stage, c.count);
    tear_down(&c);
}

static void play_rearm(struct stage *stage)
{
    struct clockwork c = set_up(stage);

    make_timers(&c);
    arm_all(&c);
    c.ops->turn(c.loop, false);
    stage_begin(stage);
    for (long i = 0; i < stage_operations(stage); i++) {
        void *timer = c.timers[scratch_number(&c.seed) % (uint64_t)c.count];
        c.ops->timer_arm(c.loop, timer, some_time_ns(&c));
    }
    stage_end(stage);
    tear_down(&c);
}

static void play_cancel(struct stage *stage)
{
    struct clockwork c = set_up(stage);

    make_timers(&c);
    arm_all(&c);
    c.ops->turn(c.loop, false);
    stage_begin(stage);
    cancel_all(&c);
    stage_end(stage);
    stage_set_operations(stage, c.count);
    tear_down(&c);
}

struct runner {
    long *runs;
    long place; /* 0: not yet */
};

static void finish(void *opaque)
{
    struct runner *r = opaque;

    r->place = ++*r->runs;
}

static void wait_busily(int64_t ns)
{
    for (int64_t end_ns = wall_ns() + ns; wall_ns() < end_ns;) {
    }
}

/* Whether of two that are due the one with the earlier deadline runs first, though armed last. */
static bool runs_in_order(struct clockwork *c)
{
    long runs = 0;
    struct runner late = {&runs, 0}, early = {&runs, 0};
    void *timers[2] = {c->ops->timer_new(c->loop, finish, &late),
                       c->ops->timer_new(c->loop, finish, &early)};

    c->ops->timer_arm(c->loop, timers[0], 2000000);
    c->ops->timer_arm(c->loop, timers[1], 1000000);
    wait_busily(5000000);
    while (runs < 2) {
        c->ops->turn(c->loop, false);
    }
    for (int i = 0; i < 2; i++) {
        c->ops->timer_free(c->loop, timers[i]);
    }
    return early.place < late.place;
}

static const char *expire_caveat(const struct contender *who)
{
    return who->loop->timers_have_no_order ? "not in the order of deadlines" : NULL;
}

/* All due within a millisecond, in random order; the wait for that is not counted as work. */
static void play_expire(struct stage *stage)
{
    struct clockwork c = set_up(stage);

    stage_say(stage, "in_order", runs_in_order(&c));
    make_timers(&c);
    for (long i = 0; i < c.count; i++) {
        c.ops->timer_arm(c.loop, c.timers[i], (int64_t)(scratch_number(&c.seed) % 1000000));
    }
    wait_busily(2500000);
    stage_begin(stage);
    while (c.fired < c.count) {
        c.ops->turn(c.loop, false);
    }
    stage_end(stage);
    stage_set_operations(stage, c.count);
    tear_down(&c);
}

/* ---- armed by another thread than the loop's, which sleeps ---- */

struct far_loop {
    struct stage *stage;
    struct clockwork clockwork;
    void *alarm;
    pthread_barrier_t is_ready;
    atomic_bool is_over;
};

static bool has_far_timers(const struct contender *who)
{
    return has_timers(who) && who->loop->timer_arm_from_afar;
}

/* The loop lives in the thread that turns it. */
static void *sleep_until_over(void *opaque)
{
    struct far_loop *f = opaque;
    struct clockwork *c = &f->clockwork;

    *c = set_up(f->stage);
    make_timers(c);
    arm_all(c);
    f->alarm = c->ops->timer_new(c->loop, fire, c);
    pthread_barrier_wait(&f->is_ready);
    while (!atomic_load_explicit(&f->is_over, memory_order_acquire)) {
        c->ops->turn(c->loop, true);
    }
    pthread_barrier_wait(&f->is_ready);
    c->ops->timer_free(c->loop, f->alarm);
    tear_down(c);
    return NULL;
}

static void play_afar(struct stage *stage)
{
    struct far_loop f = {.stage = stage};
    struct clockwork *c = &f.clockwork;
    pthread_t thread;

    must(pthread_barrier_init(&f.is_ready, NULL, 2) == 0);
    must(pthread_create(&thread, NULL, sleep_until_over, &f) == 0);
    pthread_barrier_wait(&f.is_ready);
    stage_begin(stage);
    for (long i = 0; i < stage_operations(stage); i++) {
        void *timer = c->timers[scratch_number(&c->seed) % (uint64_t)c->count];
        c->ops->timer_arm_from_afar(c->loop, timer, some_time_ns(c));
    }
    stage_end(stage);
    atomic_store_explicit(&f.is_over, true, memory_order_release);
    c->ops->timer_arm_from_afar(c->loop, f.alarm, 0);
    pthread_barrier_wait(&f.is_ready);
    must(pthread_join(thread, NULL) == 0);
    must(pthread_barrier_destroy(&f.is_ready) == 0);
}

/* ---- how late ---- */

/* What watches nothing never waits. */
static bool can_sleep(const struct contender *who)
{
    return who->loop && (who->loop->sleep_once || (who->loop->timer_new && who->loop->watch));
}

static void sleep_through(struct clockwork *c, void *timer, int64_t sleep_ns)
{
    long before = c->fired;

    if (!timer) {
        c->ops->sleep_once(c->loop, sleep_ns);
        return;
    }
    c->ops->timer_arm(c->loop, timer, sleep_ns);
    while (c->fired == before) {
        c->ops->turn(c->loop, true);
    }
}

/* Sleeps of FIRST us: how late the function is called. */
static void play_late(struct stage *stage)
{
    struct clockwork c = {.ops = stage_contender(stage)->loop, .loop = stage_open_loop(stage)};
    int64_t sleep_ns = stage_example(stage)->first * 1000;
    double *late_us = calloc((size_t)stage_operations(stage), sizeof(*late_us));
    void *timer = c.ops->timer_new ? c.ops->timer_new(c.loop, fire, &c) : NULL;
    long n = stage_operations(stage);

    must(late_us);
    stage_begin(stage);
    for (long i = 0; i < n; i++) {
        int64_t due_ns = wall_ns() + sleep_ns;
        sleep_through(&c, timer, sleep_ns);
        late_us[i] = (double)(wall_ns() - due_ns) / 1000;
    }
    stage_end(stage);
    sort_figures(late_us, n);
    stage_say(stage, "late_us", late_us[n / 2]);
    stage_say(stage, "earliest_us", late_us[0]);
    free(late_us);
    if (timer) {
        c.ops->timer_free(c.loop, timer);
    }
    c.ops->close(c.loop);
}

static const struct example armed[] = {
    {"1000", 1000, 0},       {"10000", 10000, 0}, {"100000", 100000, 0},
    {"1000000", 1000000, 0}, {NULL, 0, 0},
};
static const struct example armed_afar[] = {{"1000", 1000, 0}, {"100000", 100000, 0}, {NULL, 0, 0}};
static const struct example sleeps[] = {{"100us", 100, 0}, {"1500us", 1500, 0}, {NULL, 0, 0}};

#define TIMER_SCENE(id, what, text, whom, player, cases, compared, lesser)                         \
    const struct scene id = {.name = what,                                                         \
                             .title = text,                                                        \
                             .unit = "timer",                                                      \
                             .metric = compared,                                                   \
                             .examples = cases,                                                    \
                             .can = whom,                                                          \
                             .caveat = lesser,                                                     \
                             .play = player}

TIMER_SCENE(timer_insert_scene, "timers", "arming one after the other, until so many are armed",
            has_timers, play_insert, armed, NULL, NULL);
TIMER_SCENE(timer_rearm_scene, "timers-rearm", "arming one anew while so many are armed",
            has_timers, play_rearm, armed, NULL, NULL);
TIMER_SCENE(timer_afar_scene, "timers-afar",
            "arming one anew from another thread while so many are armed and the loop sleeps",
            has_far_timers, play_afar, armed_afar, NULL, NULL);
TIMER_SCENE(timer_cancel_scene, "timers-cancel", "cancelling one after the other, of so many",
            has_timers, play_cancel, armed, NULL, NULL);
TIMER_SCENE(timer_expire_scene, "timers-expire", "so many are due and run", has_timers, play_expire,
            armed, NULL, expire_caveat);
TIMER_SCENE(timer_late_scene, "timers-late", "how late a loop wakes for its only timer", can_sleep,
            play_late, sleeps, "late_us", NULL);
