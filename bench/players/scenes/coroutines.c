/* SPDX-License-Identifier: MIT */
/* coroutines.c - a life, a switch, and what it costs to have many that wait. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "scenes.h"

static const struct co_ops *ops;
static bool is_over;

static bool has_coroutines(const struct contender *who)
{
    return who->co;
}

static void end_at_once(void *opaque)
{
    ++*(long *)opaque;
}

static void yield_until_over(void *opaque)
{
    (void)opaque;
    while (!is_over) {
        ops->yield();
    }
}

/* Pages of this process that are in memory, in bytes. */
static double resident_bytes(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    must(f && fscanf(f, "%*d %ld", &pages) == 1);
    fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void **suspend(long count)
{
    void **all = calloc((size_t)count, sizeof(*all));

    must(all);
    is_over = false;
    for (long i = 0; i < count; i++) {
        all[i] = ops->create(yield_until_over, NULL);
        ops->enter(all[i]);
    }
    return all;
}

static void end_all(void **all, long count)
{
    is_over = true;
    for (long i = 0; i < count; i++) {
        ops->enter(all[i]);
    }
    free(all);
}

/* FIRST others are suspended meanwhile. */
static void play_life(struct stage *stage)
{
    long others = stage_example(stage)->first, ended = 0;

    ops = stage_contender(stage)->co;
    void **all = suspend(others);
    for (int i = 0; i < 1000; i++) {
        ops->enter(ops->create(end_at_once, &ended));
    }
    stage_begin(stage);
    for (long i = 0; i < stage_operations(stage); i++) {
        ops->enter(ops->create(end_at_once, &ended));
    }
    stage_end(stage);
    must(ended == stage_operations(stage) + 1000);
    end_all(all, others);
}

/* FIRST coroutines that are alive at once: all are made and run, then all end. */
static void play_many(struct stage *stage)
{
    long count = stage_example(stage)->first;

    ops = stage_contender(stage)->co;
    stage_set_batch(stage, count);
    end_all(suspend(count), count);
    stage_begin(stage);
    for (long done = 0; done < stage_operations(stage); done += count) {
        end_all(suspend(count), count);
    }
    stage_end(stage);
}

/* There and back is two. */
static void play_switch(struct stage *stage)
{
    ops = stage_contender(stage)->co;
    void **one = suspend(1);
    void *co = *one;

    stage_set_batch(stage, 2);
    stage_begin(stage);
    for (long i = 0; i < stage_operations(stage); i += 2) {
        ops->enter(co);
    }
    stage_end(stage);
    end_all(one, 1);
}

static void play_memory(struct stage *stage)
{
    long count = stage_example(stage)->first;
    double before = resident_bytes();

    ops = stage_contender(stage)->co;
    stage_begin(stage);
    void **all = suspend(count);
    stage_end(stage);
    stage_set_operations(stage, count);
    stage_say(stage, "bytes_each",
              (resident_bytes() - before - (double)count * sizeof(*all)) / (double)count);
    end_all(all, count);
}

static const struct example others[] = {{"0", 0, 0}, {NULL, 0, 0}};
static const struct example alive[] = {{"1000", 1000, 0}, {"10000", 10000, 0}, {NULL, 0, 0}};
static const struct example suspended[] = {{"1000", 1000, 0}, {"100000", 100000, 0}, {NULL, 0, 0}};

#define CO_SCENE(id, what, text, one, cases, player, compared)                                     \
    const struct scene id = {.name = what,                                                         \
                             .title = text,                                                        \
                             .unit = one,                                                          \
                             .metric = compared,                                                   \
                             .examples = cases,                                                    \
                             .can = has_coroutines,                                                \
                             .play = player}

CO_SCENE(co_life_scene, "co-life", "made, entered, ended: others suspended meanwhile", "life",
         others, play_life, NULL);
CO_SCENE(co_many_scene, "co-many", "so many made and entered, then all ended", "life", alive,
         play_many, NULL);
CO_SCENE(co_switch_scene, "co-switch", "enter and yield: two switches", "switch", others,
         play_switch, NULL);
CO_SCENE(co_memory_scene, "co-memory", "so many made and suspended", "coroutine", suspended,
         play_memory, "bytes_each");
