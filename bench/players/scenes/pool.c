/* SPDX-License-Identifier: MIT */
/*
 * pool.c - empty jobs for four threads: FIRST are under way at a time. Whoever
 * is told of one submits the next; or, where SECOND is 1, all are told of
 * before the next are submitted.
 */
#include <stdlib.h>

#include "scenes.h"

enum { THREADS = 4 };

struct office {
    const struct pool_ops *ops;
    void *pool;
    struct desk *desks;
    long told, left;
    bool is_burst;
};

struct desk {
    struct office *office;
    void *job;
};

static bool has_pool(const struct contender *who)
{
    return who->pool;
}

static void nothing(void *opaque)
{
    (void)opaque;
}

static void done(void *opaque)
{
    struct desk *d = opaque;
    struct office *o = d->office;

    o->told++;
    if (o->left > 0 && !o->is_burst) {
        o->left--;
        o->ops->submit(o->pool, d->job);
    }
}

/* @total is a multiple of @depth, or there is no burst. */
static void work_off(struct office *o, long depth, long total)
{
    long first = depth < total ? depth : total, goal = o->told + total;

    while (o->told < goal) {
        o->left = o->is_burst ? 0 : total - first;
        for (long i = 0; i < first; i++) {
            o->ops->submit(o->pool, o->desks[i].job);
        }
        for (long end = o->told + first + o->left; o->told < end;) {
            o->ops->turn(o->pool);
        }
    }
}

static void play_pool(struct stage *stage)
{
    long depth = stage_example(stage)->first;
    const char *why = "it did not say why";
    struct office o = {
        .ops = stage_contender(stage)->pool,
        .desks = calloc((size_t)depth, sizeof(*o.desks)),
        .is_burst = stage_example(stage)->second,
    };

    must(o.desks);
    o.pool = o.ops->open(stage_contender(stage), THREADS, &why);
    if (!o.pool) {
        stage_unusable(stage, why);
    }
    for (long i = 0; i < depth; i++) {
        o.desks[i].office = &o;
        o.desks[i].job = o.ops->job_new(o.pool, nothing, done, &o.desks[i]);
    }
    work_off(&o, depth, depth);
    if (o.is_burst) {
        stage_set_batch(stage, depth);
    }
    stage_begin(stage);
    work_off(&o, depth, stage_operations(stage));
    stage_end(stage);
    for (long i = 0; i < depth; i++) {
        o.ops->job_free(o.pool, o.desks[i].job);
    }
    o.ops->close(o.pool);
    free(o.desks);
}

static const struct example depths[] = {
    {"1", 1, 0}, {"64", 64, 0}, {"burst of 10000", 10000, 1}, {NULL, 0, 0}};

const struct scene pool_scene = {
    .name = "pool",
    .title = "empty jobs for four threads beside the loop: so many under way",
    .unit = "job",
    .metric = "wall_ns",
    .examples = depths,
    .can = has_pool,
    .play = play_pool,
};
