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
    return who->loop && who->loop->watch;
}

/* A loop that watches as many descriptors as the example says first. */
struct set {
    const struct loop_ops *ops;
    void *loop;
    struct pipe_end *ends;
    long count, room;
    long served;
};

/* With @more ends that are not watched. */
static void set_open(struct set *set, struct stage *stage, long more)
{
    set->ops = stage_contender(stage)->loop;
    set->count = stage_example(stage)->first;
    set->room = set->count + more;
    set->served = 0;
    set->ends = open_ends(set->room, &set->served);
    set->loop = stage_open_loop(stage);
    for (long i = 0; i < set->count; i++) {
        set->ends[i].watch = set->ops->watch(set->loop, set->ends[i].in, take, &set->ends[i]);
    }
    set->ops->turn(set->loop, false);
}

static void set_close(struct set *set)
{
    for (long i = 0; i < set->count; i++) {
        set->ops->unwatch(set->loop, set->ends[i].watch);
    }
    set->ops->close(set->loop);
    close_ends(set->ends, set->room);
}

/* ---- dispatch: FIRST watched, SECOND of them ready at a time ---- */

static void dispatch_one_batch(struct set *set, long batch)
{
    long goal = set->served + batch;
    static const eventfd_t one = 1;
    static long next;

    for (long i = 0; i < batch; i++) {
        next = (next + 7919) % set->count;
        must(write(set->ends[next].out, &one, sizeof(one)) == sizeof(one));
    }
    while (set->served < goal) {
        set->ops->turn(set->loop, true);
    }
}

static void play_dispatch(struct stage *stage)
{
    long batch = stage_example(stage)->second;
    struct set set;

    stage_set_batch(stage, batch);
    set_open(&set, stage, 0);
    dispatch_one_batch(&set, batch);
    stage_begin(stage);
    for (long done = 0; done < stage_operations(stage); done += batch) {
        dispatch_one_batch(&set, batch);
    }
    stage_end(stage);
    set_close(&set);
}

static const struct example dispatch_examples[] = {
    {"1/1", 1, 1},
    {"100/1", 100, 1},
    {"100/100", 100, 100},
    {"1000/1", 1000, 1},
    {"1000/1000", 1000, 1000},
    {"10000/1", 10000, 1},
    {"10000/10000", 10000, 10000},
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
    struct set set;

    set_open(&set, stage, 0);
    stage_begin(stage);
    for (long i = 0; i < stage_operations(stage); i++) {
        set.ops->turn(set.loop, false);
    }
    stage_end(stage);
    set_close(&set);
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
    struct pipe_end *last;
    struct set set;

    set_open(&set, stage, 1);
    last = &set.ends[set.count];
    stage_begin(stage);
    for (long i = 0; i < stage_operations(stage); i++) {
        last->watch = set.ops->watch(set.loop, last->in, take, last);
        set.ops->turn(set.loop, false);
        set.ops->unwatch(set.loop, last->watch);
        set.ops->turn(set.loop, false);
    }
    stage_end(stage);
    set_close(&set);
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

/* ---- the life of a loop, which watches, may be asked, and turns: some make nothing before ---- */

static bool can_be_asked(const struct contender *who)
{
    return who->loop->task_ask_from_afar != NULL;
}

/* Without that, what is bare is no limit. */
static bool can_live(const struct contender *who)
{
    return has_loop(who) && (who->kind == PEER || can_be_asked(who));
}

static const char *life_caveat(const struct contender *who)
{
    return can_be_asked(who) ? NULL : "no other thread can ask it";
}

static void live_once(struct stage *stage, struct pipe_end *end)
{
    const struct loop_ops *ops = stage_contender(stage)->loop;
    void *loop = stage_open_loop(stage);
    void *task = can_be_asked(stage_contender(stage)) ? ops->task_new(loop, take, end) : NULL;
    void *watch = ops->watch(loop, end->in, take, end);

    ops->turn(loop, false);
    ops->unwatch(loop, watch);
    if (task) {
        ops->task_free(loop, task);
    }
    ops->close(loop);
}

static void play_life(struct stage *stage)
{
    long served = 0;
    struct pipe_end *end = open_ends(1, &served);

    live_once(stage, end);
    stage_begin(stage);
    for (long i = 0; i < stage_operations(stage); i++) {
        live_once(stage, end);
    }
    stage_end(stage);
    close_ends(end, 1);
}

static const struct example life_examples[] = {{"1", 1, 0}, {NULL, 0, 0}};

const struct scene life_scene = {
    .name = "life",
    .title = "a loop is made, watches one descriptor, may be asked by other threads, turns, goes",
    .unit = "life",
    .examples = life_examples,
    .can = can_live,
    .caveat = life_caveat,
    .play = play_life,
};
