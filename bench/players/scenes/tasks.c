/* SPDX-License-Identifier: MIT */
/* tasks.c - "run this soon": what it costs to ask, in the loop's thread. */

#include "scenes.h"

enum { MOST_TASKS = 1000 };

static void count(void *opaque)
{
    ++*(long *)opaque;
}

static bool has_tasks(const struct contender *who)
{
    return who->loop && who->loop->task_new;
}

/* Ours, from any thread and from signal handlers. */
static const char *task_caveat(const struct contender *who)
{
    return who->loop->asks_at_home_only ? "not thread-safe" : NULL;
}

/* ---- FIRST tasks are asked for, then the loop turns until all have run ---- */

static void ask_for_all(struct stage *stage, void *loop, void **tasks, long *ran)
{
    const struct loop_ops *ops = stage_contender(stage)->loop;
    long batch = stage_example(stage)->first, goal = *ran + batch;

    for (long i = 0; i < batch; i++) {
        ops->task_ask(loop, tasks[i]);
    }
    while (*ran < goal) {
        ops->turn(loop, false);
    }
}

static void play_tasks(struct stage *stage)
{
    const struct loop_ops *ops = stage_contender(stage)->loop;
    long batch = stage_example(stage)->first, ran = 0;
    void *loop = stage_open_loop(stage);
    void *tasks[MOST_TASKS];

    must(batch <= MOST_TASKS);
    for (long i = 0; i < batch; i++) {
        tasks[i] = ops->task_new(loop, count, &ran);
    }
    stage_set_batch(stage, batch);
    ask_for_all(stage, loop, tasks, &ran);
    stage_begin(stage);
    for (long done = 0; done < stage_operations(stage); done += batch) {
        ask_for_all(stage, loop, tasks, &ran);
    }
    stage_end(stage);
    for (long i = 0; i < batch; i++) {
        ops->task_free(loop, tasks[i]);
    }
    ops->close(loop);
}

static const struct example batch_examples[] = {{"1000", 1000, 0}, {NULL, 0, 0}};
static const struct example one_example[] = {{"1", 1, 0}, {NULL, 0, 0}};

const struct scene task_scene = {
    .name = "tasks",
    .title = "functions asked for in the loop's own thread, so many before each turn",
    .unit = "task",
    .examples = batch_examples,
    .can = has_tasks,
    .caveat = task_caveat,
    .play = play_tasks,
};

const struct scene ask_and_turn_scene = {
    .name = "ask-and-turn",
    .title = "one function asked for, one turn",
    .unit = "task",
    .examples = one_example,
    .can = has_tasks,
    .caveat = task_caveat,
    .play = play_tasks,
};

/* ---- the same, but it is a task that asks: the last of FIRST for all of them anew ---- */

/* Ours look at descriptors before they run what tasks have asked for. */
static const char *within_caveat(const struct contender *who)
{
    if (!who->loop->runs_asks_at_once) {
        return task_caveat(who);
    }
    return who->loop->asks_at_home_only ? "not thread-safe, starves descriptors"
                                        : "starves descriptors";
}

struct chain {
    const struct loop_ops *ops;
    void *loop;
    void *tasks[MOST_TASKS];
    long batch, left_of_batch;
    long batches; /* still to be asked for */
};

static void ask_anew(struct chain *c)
{
    c->left_of_batch = c->batch;
    for (long i = 0; i < c->batch; i++) {
        c->ops->task_ask(c->loop, c->tasks[i]);
    }
}

static void run_and_ask(void *opaque)
{
    struct chain *c = opaque;

    if (--c->left_of_batch == 0 && c->batches > 0) {
        c->batches--;
        ask_anew(c);
    }
}

static void run_chain(struct chain *c, long batches)
{
    c->batches = batches - 1;
    ask_anew(c);
    while (c->left_of_batch > 0) {
        c->ops->turn(c->loop, false);
    }
}

static void play_within(struct stage *stage)
{
    struct chain c = {
        .ops = stage_contender(stage)->loop,
        .loop = stage_open_loop(stage),
        .batch = stage_example(stage)->first,
    };

    must(c.batch <= MOST_TASKS);
    for (long i = 0; i < c.batch; i++) {
        c.tasks[i] = c.ops->task_new(c.loop, run_and_ask, &c);
    }
    stage_set_batch(stage, c.batch);
    run_chain(&c, 1);
    stage_begin(stage);
    run_chain(&c, stage_operations(stage) / c.batch);
    stage_end(stage);
    for (long i = 0; i < c.batch; i++) {
        c.ops->task_free(c.loop, c.tasks[i]);
    }
    c.ops->close(c.loop);
}

const struct scene task_within_scene = {
    .name = "tasks-within",
    .title = "functions asked for by one that the loop has called, so many at once",
    .unit = "task",
    .examples = batch_examples,
    .can = has_tasks,
    .caveat = within_caveat,
    .play = play_within,
};

const struct scene ask_and_turn_within_scene = {
    .name = "ask-and-turn-within",
    .title = "a function that asks for itself once more each time",
    .unit = "task",
    .examples = one_example,
    .can = has_tasks,
    .caveat = within_caveat,
    .play = play_within,
};
