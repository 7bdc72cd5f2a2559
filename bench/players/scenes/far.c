/* SPDX-License-Identifier: MIT */
/* far.c - "run this soon", asked for by other threads: many, and one that waits for it. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "scenes.h"

enum { MOST_PRODUCERS = 4, FAR_TASKS = 1000, PATIENT_LOOKS = 100000 };

/* Longer than any loop looks for work before it sleeps. */
#define SOUND_ASLEEP_NS INT64_C(200000)

static bool has_far_tasks(const struct contender *who)
{
    return who->loop && who->loop->task_new && who->loop->task_ask_from_afar;
}

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

/* ---- a loop in a thread of its own, and another thread that asks and waits for the run ---- */

static const struct example one_example[] = {{"1", 1, 0}, {NULL, 0, 0}};

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
    if (ops->have_thread) {
        ops->have_thread(s->loop);
    }
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

static void ask_once(struct sleeper *s)
{
    long before = atomic_load_explicit(&s->ran, memory_order_relaxed);

    stage_contender(s->stage)->loop->task_ask_from_afar(s->loop, s->task);
    for (long looks = 0; atomic_load_explicit(&s->ran, memory_order_acquire) == before; looks++) {
        if (looks >= PATIENT_LOOKS) {
            sched_yield(); /* the sleeper may need this processor */
        }
    }
}

static void open_sleeper(struct sleeper *s, pthread_t *thread)
{
    must(pthread_barrier_init(&s->is_ready, NULL, 2) == 0);
    must(pthread_create(thread, NULL, sleep_and_run, s) == 0);
    pthread_barrier_wait(&s->is_ready);
    ask_once(s);
}

static void close_sleeper(struct sleeper *s, pthread_t thread)
{
    atomic_store_explicit(&s->is_over, true, memory_order_release);
    ask_once(s);
    pthread_barrier_wait(&s->is_ready);
    must(pthread_join(thread, NULL) == 0);
    must(pthread_barrier_destroy(&s->is_ready) == 0);
}

static void play_hand_over(struct stage *stage)
{
    struct sleeper s = {.stage = stage};
    pthread_t thread;

    open_sleeper(&s, &thread);
    stage_begin(stage);
    for (long i = 0; i < stage_operations(stage); i++) {
        ask_once(&s);
    }
    stage_end(stage);
    close_sleeper(&s, thread);
}

const struct scene hand_over_scene = {
    .name = "hand-over",
    .title = "another thread asks, waits for the run, and asks again at once",
    .unit = "task",
    .metric = "wall_ns",
    .examples = one_example,
    .can = has_far_tasks,
    .play = play_hand_over,
};

/* ---- the same, but the loop is left alone until it sleeps ---- */

static int64_t processor_ns(clockid_t clock)
{
    struct timespec t;

    must(clock_gettime(clock, &t) == 0);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void pause_ns(int64_t ns)
{
    int64_t until_ns = wall_ns() + ns;

    while (wall_ns() < until_ns) {
    }
}

/* It sleeps when it uses no processor any more. */
static void let_it_sleep(clockid_t clock)
{
    int64_t before_ns;

    do {
        before_ns = processor_ns(clock);
        pause_ns(SOUND_ASLEEP_NS);
    } while (processor_ns(clock) != before_ns);
}

static void play_wake(struct stage *stage)
{
    struct sleeper s = {.stage = stage};
    long n = stage_operations(stage);
    double *took_us = calloc((size_t)n, sizeof(*took_us));
    pthread_t thread;
    clockid_t clock;

    must(took_us);
    open_sleeper(&s, &thread);
    must(pthread_getcpuclockid(thread, &clock) == 0);
    stage_begin(stage);
    for (long i = 0; i < n; i++) {
        int64_t asked_ns;

        let_it_sleep(clock);
        asked_ns = wall_ns();
        ask_once(&s);
        took_us[i] = (double)(wall_ns() - asked_ns) / 1000;
    }
    stage_end(stage);
    close_sleeper(&s, thread);
    sort_figures(took_us, n);
    stage_say(stage, "woken_us", took_us[n / 2]);
    free(took_us);
}

const struct scene wake_scene = {
    .name = "wake",
    .title = "a loop that sleeps is woken by another thread: until the run",
    .unit = "wake",
    .metric = "woken_us",
    .examples = one_example,
    .can = has_far_tasks,
    .play = play_wake,
};
