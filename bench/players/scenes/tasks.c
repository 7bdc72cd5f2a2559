/* SPDX-License-Identifier: MIT */
/* tasks.c - "run this soon": what it costs to ask, from here and from other threads. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "scenes.h"

enum { MOST_TASKS = 1000, MOST_PRODUCERS = 4, FAR_TASKS = 1000, PATIENT_LOOKS = 100000 };

static void count(void *opaque)
{
    ++*(long *)opaque;
}

static bool has_tasks(const struct contender *who)
{
    return who->loop && who->loop->task_new;
}

static bool has_far_tasks(const struct contender *who)
{
    return has_tasks(who) && who->loop->task_ask_from_afar;
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

/* ---- FIRST other threads ask, each for tasks of its own in turn ---- */

struct far_task {
    struct producer *owner;
    void *task;
    atomic_bool is_asked;
};

struct producer {
    struct stage *stage;
    void *loop;
    long goal;
    struct far_task tasks[FAR_TASKS];
    atomic_long ran;
};

static void run_far(void *opaque)
{
    struct far_task *t = opaque;
    long ran = atomic_load_explicit(&t->owner->ran, memory_order_relaxed);

    atomic_store_explicit(&t->is_asked, false, memory_order_release);
    atomic_store_explicit(&t->owner->ran, ran + 1, memory_order_relaxed);
}

/* No task is asked for again before it has run. */
static void *produce(void *opaque)
{
    struct producer *p = opaque;
    const struct loop_ops *ops = stage_contender(p->stage)->loop;

    for (long i = 0; i < p->goal; i++) {
        struct far_task *t = &p->tasks[i % FAR_TASKS];
        while (atomic_load_explicit(&t->is_asked, memory_order_acquire)) {
            sched_yield();
        }
        atomic_store_explicit(&t->is_asked, true, memory_order_relaxed);
        ops->task_ask_from_afar(p->loop, t->task);
    }
    return NULL;
}

static bool all_have_run(const struct producer *producers, long count)
{
    for (long i = 0; i < count; i++) {
        if (atomic_load_explicit(&producers[i].ran, memory_order_relaxed) < producers[i].goal) {
            return false;
        }
    }
    return true;
}

static void make_far_tasks(struct producer *p)
{
    for (int i = 0; i < FAR_TASKS; i++) {
        p->tasks[i].owner = p;
        p->tasks[i].task =
            stage_contender(p->stage)->loop->task_new(p->loop, run_far, &p->tasks[i]);
    }
}

static void free_far_tasks(struct producer *p)
{
    for (int i = 0; i < FAR_TASKS; i++) {
        stage_contender(p->stage)->loop->task_free(p->loop, p->tasks[i].task);
    }
}

static void play_far(struct stage *stage)
{
    const struct loop_ops *ops = stage_contender(stage)->loop;
    long threads = stage_example(stage)->first;
    static struct producer producers[MOST_PRODUCERS];
    pthread_t ids[MOST_PRODUCERS];
    void *loop = stage_open_loop(stage);

    must(threads <= MOST_PRODUCERS);
    stage_set_batch(stage, threads);
    for (long i = 0; i < threads; i++) {
        producers[i].stage = stage;
        producers[i].loop = loop;
        producers[i].goal = stage_operations(stage) / threads;
        make_far_tasks(&producers[i]);
    }
    stage_begin(stage);
    for (long i = 0; i < threads; i++) {
        must(pthread_create(&ids[i], NULL, produce, &producers[i]) == 0);
    }
    while (!all_have_run(producers, threads)) {
        ops->turn(loop, true);
    }
    for (long i = 0; i < threads; i++) {
        must(pthread_join(ids[i], NULL) == 0);
    }
    stage_end(stage);
    for (long i = 0; i < threads; i++) {
        free_far_tasks(&producers[i]);
    }
    ops->close(loop);
}

static const struct example far_examples[] = {{"1", 1, 0}, {"4", 4, 0}, {NULL, 0, 0}};

const struct scene far_scene = {
    .name = "far-tasks",
    .title = "functions asked for by so many other threads as fast as they can",
    .unit = "task",
    .metric = "wall_ns",
    .examples = far_examples,
    .can = has_far_tasks,
    .play = play_far,
};

/* ---- another thread wakes a loop that sleeps, and waits until it has run ---- */

struct sleeper {
    struct stage *stage;
    pthread_barrier_t is_ready;
    atomic_bool is_over;
    atomic_long ran;
    void *loop, *task;
};

static void note(void *opaque)
{
    struct sleeper *s = opaque;

    atomic_fetch_add_explicit(&s->ran, 1, memory_order_release);
}

/* The loop lives in the thread that turns it. */
static void *sleep_and_run(void *opaque)
{
    struct sleeper *s = opaque;
    const struct loop_ops *ops = stage_contender(s->stage)->loop;

    s->loop = stage_open_loop(s->stage);
    s->task = ops->task_new(s->loop, note, s);
    pthread_barrier_wait(&s->is_ready);
    while (!atomic_load_explicit(&s->is_over, memory_order_acquire)) {
        ops->turn(s->loop, true);
    }
    pthread_barrier_wait(&s->is_ready);
    ops->task_free(s->loop, s->task);
    ops->close(s->loop);
    return NULL;
}

static void wake_once(struct sleeper *s)
{
    long before = atomic_load_explicit(&s->ran, memory_order_relaxed);

    stage_contender(s->stage)->loop->task_ask_from_afar(s->loop, s->task);
    for (long looks = 0; atomic_load_explicit(&s->ran, memory_order_acquire) == before; looks++) {
        if (looks >= PATIENT_LOOKS) {
            sched_yield(); /* the sleeper may need this processor */
        }
    }
}

static void play_wake(struct stage *stage)
{
    struct sleeper s = {.stage = stage};
    pthread_t thread;

    must(pthread_barrier_init(&s.is_ready, NULL, 2) == 0);
    must(pthread_create(&thread, NULL, sleep_and_run, &s) == 0);
    pthread_barrier_wait(&s.is_ready);
    wake_once(&s);
    stage_begin(stage);
    for (long i = 0; i < stage_operations(stage); i++) {
        wake_once(&s);
    }
    stage_end(stage);
    atomic_store_explicit(&s.is_over, true, memory_order_release);
    wake_once(&s);
    pthread_barrier_wait(&s.is_ready);
    must(pthread_join(thread, NULL) == 0);
    must(pthread_barrier_destroy(&s.is_ready) == 0);
}

const struct scene wake_scene = {
    .name = "wake",
    .title = "a sleeping loop is woken by another thread, which waits for the run",
    .unit = "wake",
    .metric = "wall_ns",
    .examples = one_example,
    .can = has_far_tasks,
    .play = play_wake,
};
