/* SPDX-License-Identifier: MIT */
/* fds.c - what it costs to hear of a readable descriptor, to look, to register. */
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "scenes.h"

struct pipe_end {
    int in, out;
    long *served;
    void *watch;
};

static void take(void *opaque)
{
    struct pipe_end *end = opaque;
    eventfd_t value;

    must(read(end->in, &value, sizeof(value)) == sizeof(value));
    ++*end->served;
}

static struct pipe_end *open_ends(long count, long *served)
{
    struct rlimit limit = {(rlim_t)count + 100, (rlim_t)count + 100};
    struct pipe_end *ends = calloc((size_t)count, sizeof(*ends));

    must(ends);
    if (count > 500) {
        must(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    }
    for (long i = 0; i < count; i++) {
        ends[i].in = ends[i].out = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        ends[i].served = served;
        must(ends[i].in >= 0);
    }
    return ends;
}

static void close_ends(struct pipe_end *ends, long count)
{
    for (long i = 0; i < count; i++) {
        close(ends[i].in);
    }
    free(ends);
}

static bool has_loop(const struct contender *who)
{
    return who->loop;
}

/* ---- dispatch: FIRST watched, SECOND of them ready at a time ---- */

static void dispatch_one_batch(struct stage *stage, void *loop, struct pipe_end *ends, long *served)
{
    const struct example *e = stage_example(stage);
    const struct loop_ops *ops = stage_contender(stage)->loop;
    long goal = *served + e->second;
    static const eventfd_t one = 1;
    static long next;

    for (long i = 0; i < e->second; i++) {
        next = next + 7919 < e->first ? next + 7919 : (next + 7919) % e->first;
        must(write(ends[next].out, &one, sizeof(one)) == sizeof(one));
    }
    while (*served < goal) {
        ops->turn(loop, true);
    }
}

static void play_dispatch(struct stage *stage)
{
    const struct example *e = stage_example(stage);
    const struct loop_ops *ops = stage_contender(stage)->loop;
    long served = 0;
    struct pipe_end *ends = open_ends(e->first, &served);
    void *loop = stage_open_loop(stage);

    for (long i = 0; i < e->first; i++) {
        ends[i].watch = ops->watch(loop, ends[i].in, take, &ends[i]);
    }
    dispatch_one_batch(stage, loop, ends, &served);
    stage_begin(stage);
    for (long done = 0; done < stage_operations(stage); done += e->second) {
        dispatch_one_batch(stage, loop, ends, &served);
    }
    stage_end(stage);
    for (long i = 0; i < e->first; i++) {
        ops->unwatch(loop, ends[i].watch);
    }
    ops->close(loop);
    close_ends(ends, e->first);
}

static const struct example dispatch_examples[] = {
    {"1/1", 1, 1},       {"100/1", 100, 1},         {"100/100", 100, 100},
    {"1000/1", 1000, 1}, {"1000/1000", 1000, 1000}, {"10000/1", 10000, 1},
    {NULL, 0, 0},
};

const struct scene dispatch_scene = {
    .name = "fds",
    .title = "hearing of a readable descriptor: watched/ready (write and read included)",
    .unit = "event",
    .examples = dispatch_examples,
    .can = has_loop,
    .play = play_dispatch,
};

/* ---- idle: a look, FIRST watched, none ready ---- */

static void play_idle(struct stage *stage)
{
    const struct example *e = stage_example(stage);
    const struct loop_ops *ops = stage_contender(stage)->loop;
    long served = 0;
    struct pipe_end *ends = open_ends(e->first, &served);
    void *loop = stage_open_loop(stage);

    for (long i = 0; i < e->first; i++) {
        ends[i].watch = ops->watch(loop, ends[i].in, take, &ends[i]);
    }
    ops->turn(loop, false);
    stage_begin(stage);
    for (long i = 0; i < stage_operations(stage); i++) {
        ops->turn(loop, false);
    }
    stage_end(stage);
    for (long i = 0; i < e->first; i++) {
        ops->unwatch(loop, ends[i].watch);
    }
    ops->close(loop);
    close_ends(ends, e->first);
}

static const struct example idle_examples[] = {{"1", 1, 0}, {"100", 100, 0}, {NULL, 0, 0}};

const struct scene idle_scene = {
    .name = "idle",
    .title = "a turn with nothing to do: watched",
    .unit = "turn",
    .examples = idle_examples,
    .can = has_loop,
    .play = play_idle,
};

/* ---- registering: one more and away again, FIRST watched ---- */

static void play_register(struct stage *stage)
{
    const struct example *e = stage_example(stage);
    const struct loop_ops *ops = stage_contender(stage)->loop;
    long served = 0;
    struct pipe_end *ends = open_ends(e->first + 1, &served);
    struct pipe_end *last = &ends[e->first];
    void *loop = stage_open_loop(stage);

    for (long i = 0; i < e->first; i++) {
        ends[i].watch = ops->watch(loop, ends[i].in, take, &ends[i]);
    }
    ops->turn(loop, false);
    stage_begin(stage);
    for (long i = 0; i < stage_operations(stage); i++) {
        last->watch = ops->watch(loop, last->in, take, last);
        ops->turn(loop, false);
        ops->unwatch(loop, last->watch);
        ops->turn(loop, false);
    }
    stage_end(stage);
    for (long i = 0; i < e->first; i++) {
        ops->unwatch(loop, ends[i].watch);
    }
    ops->close(loop);
    close_ends(ends, e->first + 1);
}

static const struct example register_examples[] = {
    {"1", 1, 0}, {"1000", 1000, 0}, {"10000", 10000, 0}, {NULL, 0, 0}};

const struct scene register_scene = {
    .name = "register",
    .title = "watch, a turn, unwatch, a turn: others watched",
    .unit = "pair",
    .examples = register_examples,
    .can = has_loop,
    .play = play_register,
};

/* ---- the life of a loop ---- */

static void play_life(struct stage *stage)
{
    const struct loop_ops *ops = stage_contender(stage)->loop;

    ops->close(stage_open_loop(stage));
    stage_begin(stage);
    for (long i = 0; i < stage_operations(stage); i++) {
        ops->close(stage_open_loop(stage));
    }
    stage_end(stage);
}

static const struct example life_examples[] = {{"1", 1, 0}, {NULL, 0, 0}};

const struct scene life_scene = {
    .name = "life",
    .title = "a loop is made and goes",
    .unit = "life",
    .examples = life_examples,
    .can = has_loop,
    .play = play_life,
};
