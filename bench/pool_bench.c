/* SPDX-License-Identifier: MIT */
/*
 * pool_bench.c - what a job of the pool costs, beside a bare queue with futexes.
 *
 *   bazel run --config=release //bench:pool_bench [-- ROUNDS]
 *
 * The bare one is what a program without a library would write: a list under a
 * lock, a futex word that idle threads sleep on, an eventfd and epoll for the
 * way back. Both have the same number of threads and run the same empty jobs.
 *
 *   depth 1     one job at a time: submit, sleep, be told
 *   depth 64    64 under way; whoever is told submits the next
 *   burst       10,000 at once, then all are told
 *
 * Both take turns within each round. A figure is the median over the rounds of
 * the time per job: wall, and CPU of the whole process.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "aiox/aio_pool.h"
#include "aiox/aiox.h"
#include "aiox/assert.h"

enum { THREADS = 4, BURST = 10000, JOBS = 20000, MOST_ROUNDS = 99, SCENES = 3 };

static int64_t clock_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* ---- a bare queue ---- */

struct bare_job {
    struct bare_job *next;
};

struct bare {
    pthread_mutex_t lock;
    struct bare_job *first, *last;
    unsigned word; /* changes with every job that somebody may sleep through */
    int idle;
    bool stop;
    pthread_mutex_t done_lock;
    struct bare_job *done;
    int event_fd, epoll_fd;
    pthread_t threads[THREADS];
};

static void futex(unsigned *word, int op, unsigned value)
{
    syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void bare_submit(struct bare *b, struct bare_job *job)
{
    bool wake;

    job->next = NULL;
    pthread_mutex_lock(&b->lock);
    if (b->first) {
        b->last->next = job;
    } else {
        b->first = job;
    }
    b->last = job;
    wake = b->idle > 0;
    __atomic_add_fetch(&b->word, 1, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&b->lock);
    if (wake) {
        futex(&b->word, FUTEX_WAKE, 1);
    }
}

static struct bare_job *bare_take(struct bare *b)
{
    struct bare_job *job;

    pthread_mutex_lock(&b->lock);
    while (!b->first && !b->stop) {
        unsigned seen = b->word;

        b->idle++;
        pthread_mutex_unlock(&b->lock);
        futex(&b->word, FUTEX_WAIT, seen);
        pthread_mutex_lock(&b->lock);
        b->idle--;
    }
    job = b->first;
    if (job) {
        b->first = job->next;
    }
    pthread_mutex_unlock(&b->lock);
    return job;
}

static void *bare_work(void *opaque)
{
    struct bare *b = opaque;
    struct bare_job *job;

    while ((job = bare_take(b)) != NULL) {
        bool first;

        pthread_mutex_lock(&b->done_lock);
        first = !b->done;
        job->next = b->done;
        b->done = job;
        pthread_mutex_unlock(&b->done_lock);
        if (first) {
            eventfd_write(b->event_fd, 1);
        }
    }
    return NULL;
}

/* Sleeps until something has ended. Returns a list of what has. */
static struct bare_job *bare_turn(struct bare *b)
{
    struct epoll_event event;
    struct bare_job *done;
    eventfd_t value;

    if (epoll_wait(b->epoll_fd, &event, 1, -1) == 1) {
        eventfd_read(b->event_fd, &value);
    }
    pthread_mutex_lock(&b->done_lock);
    done = b->done;
    b->done = NULL;
    pthread_mutex_unlock(&b->done_lock);
    return done;
}

static void bare_open(struct bare *b)
{
    struct epoll_event event = {.events = EPOLLIN};

    *b = (struct bare){.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    b->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    aiox_assert(epoll_ctl(b->epoll_fd, EPOLL_CTL_ADD, b->event_fd, &event) == 0);
    pthread_mutex_init(&b->lock, NULL);
    pthread_mutex_init(&b->done_lock, NULL);
    for (int i = 0; i < THREADS; i++) {
        aiox_assert(pthread_create(&b->threads[i], NULL, bare_work, b) == 0);
    }
}

static void bare_close(struct bare *b)
{
    pthread_mutex_lock(&b->lock);
    b->stop = true;
    __atomic_add_fetch(&b->word, 1, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&b->lock);
    futex(&b->word, FUTEX_WAKE, INT_MAX);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(b->threads[i], NULL);
    }
    close(b->event_fd);
    close(b->epoll_fd);
}

/* Keeps @depth under way until @total have ended. */
static void bare_scene(struct bare *b, int depth, int total)
{
    static struct bare_job jobs[BURST];
    int submitted = depth;
    int told = 0;

    for (int i = 0; i < depth; i++) {
        bare_submit(b, &jobs[i]);
    }
    while (told < total) {
        struct bare_job *job = bare_turn(b);

        while (job) {
            struct bare_job *next = job->next;

            told++;
            if (submitted < total) {
                submitted++;
                bare_submit(b, job);
            }
            job = next;
        }
    }
}

/* ---- ours ---- */

struct ours {
    struct aiox_context *ctx;
    struct aiox_pool *pool;
    int submitted, told, total;
};

struct our_job {
    struct aiox_pool_job job;
    struct ours *of;
};

static int nothing(void *opaque)
{
    (void)opaque;
    return 0;
}

static void told(void *opaque, int result)
{
    struct our_job *job = opaque;
    struct ours *o = job->of;

    (void)result;
    o->told++;
    if (o->submitted < o->total) {
        o->submitted++;
        aiox_pool_submit(o->pool, &job->job);
    }
}

static void our_scene(struct ours *o, int depth, int total)
{
    static struct our_job jobs[BURST];

    o->submitted = depth;
    o->told = 0;
    o->total = total;
    for (int i = 0; i < depth; i++) {
        jobs[i].of = o;
        jobs[i].job = (struct aiox_pool_job){.run = nothing, .done = told, .opaque = &jobs[i]};
        aiox_pool_submit(o->pool, &jobs[i].job);
    }
    while (o->told < total) {
        aiox_poll(o->ctx, true);
    }
}

static void our_open(struct ours *o)
{
    struct aiox_error err;

    if (aiox_new(&o->ctx, &err) < 0) {
        fprintf(stderr, "pool_bench: %s\n", err.message);
        exit(1);
    }
    aiox_assert(aiox_pool_get(&o->pool, o->ctx) == 0);
    aiox_assert(aiox_pool_set_threads(o->pool, THREADS, THREADS) == 0);
}

/* ---- figures ---- */

struct figures {
    int64_t wall[MOST_ROUNDS];
    int64_t cpu[MOST_ROUNDS];
};

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static double median(int64_t *values, int count)
{
    qsort(values, (size_t)count, sizeof(*values), by_size);
    return (double)values[count / 2];
}

static const struct scene {
    const char *name;
    int depth, total;
} scenes[SCENES] = {{"depth 1", 1, JOBS / 4}, {"depth 64", 64, JOBS}, {"burst", BURST, BURST}};

static void measure(struct bare *b, struct ours *o, const struct scene *s, struct figures *f, int i)
{
    int64_t wall = clock_ns(CLOCK_MONOTONIC);
    int64_t cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);

    if (b) {
        bare_scene(b, s->depth, s->total);
    } else {
        our_scene(o, s->depth, s->total);
    }
    f->wall[i] = (clock_ns(CLOCK_MONOTONIC) - wall) / s->total;
    f->cpu[i] = (clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / s->total;
}

int main(int argc, char **argv)
{
    static struct figures bare_figures[SCENES], our_figures[SCENES];
    int rounds = argc > 1 ? atoi(argv[1]) : 9;
    struct bare b;
    struct ours o = {0};

    rounds = rounds < 1 ? 1 : rounds > MOST_ROUNDS ? MOST_ROUNDS : rounds;
    bare_open(&b);
    our_open(&o);
    for (int i = 0; i < rounds; i++) {
        for (int s = 0; s < SCENES; s++) {
            measure(&b, NULL, &scenes[s], &bare_figures[s], i);
            measure(NULL, &o, &scenes[s], &our_figures[s], i);
        }
    }
    printf("%-10s %22s %22s\n", "ns per job", "wall: bare ours ratio", "CPU: bare ours ratio");
    for (int s = 0; s < SCENES; s++) {
        double bw = median(bare_figures[s].wall, rounds), ow = median(our_figures[s].wall, rounds);
        double bc = median(bare_figures[s].cpu, rounds), oc = median(our_figures[s].cpu, rounds);

        printf("%-10s %8.0f %7.0f %5.2f %8.0f %7.0f %5.2f\n", scenes[s].name, bw, ow, ow / bw, bc,
               oc, oc / bc);
    }
    bare_close(&b);
    aiox_context_unref(o.ctx);
    return 0;
}
