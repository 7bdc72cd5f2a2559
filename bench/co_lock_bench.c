/* SPDX-License-Identifier: MIT */
/*
 * co_lock_bench.c - what the locks of coroutines cost while nobody waits for them.
 *
 *   bazel run --config=release //bench:co_lock_bench [-- ROUNDS]
 *
 * All contenders take turns within each round. A figure is the median over the
 * rounds of the CPU time per pair (lock and unlock, wait and next), beside the
 * two atomic exchanges that a lock between threads cannot do without, and beside
 * a bare entering and yielding.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "aiox/assert.h"
#include "aiox/atomic.h"
#include "aiox/co_sync.h"

enum { PAIRS = 200000, MOST_ROUNDS = 99, CONTENDERS = 6 };

static aiox_atomic_u32 word;
static struct aiox_co_mutex mutex;
static struct aiox_co_rwlock rwlock;
static struct aiox_co_queue queue;
static struct aiox_co *sleeper;

static void two_swaps(void)
{
    for (int i = 0; i < PAIRS; i++) {
        aiox_u32_swap_acquire(&word, 1);
        aiox_u32_swap_release(&word, 0);
    }
}

static void mutex_pairs(void) coroutine_fn
{
    for (int i = 0; i < PAIRS; i++) {
        aiox_co_mutex_lock(&mutex);
        aiox_co_mutex_unlock(&mutex);
    }
}

static void reader_pairs(void) coroutine_fn
{
    for (int i = 0; i < PAIRS; i++) {
        aiox_co_rwlock_rdlock(&rwlock);
        aiox_co_rwlock_unlock(&rwlock);
    }
}

static void writer_pairs(void) coroutine_fn
{
    for (int i = 0; i < PAIRS; i++) {
        aiox_co_rwlock_wrlock(&rwlock);
        aiox_co_rwlock_unlock(&rwlock);
    }
}

static void enters(void)
{
    for (int i = 0; i < PAIRS; i++) {
        aiox_co_enter(sleeper);
    }
}

static void nexts(void)
{
    for (int i = 0; i < PAIRS; i++) {
        aiox_assert(aiox_co_queue_next(&queue));
    }
}

static const struct {
    const char *name;
    void (*run)(void);
    bool in_coroutine;
} contenders[CONTENDERS] = {
    {"two exchanges", two_swaps, false},
    {"mutex: lock, unlock", mutex_pairs, true},
    {"rwlock: rdlock, unlock", reader_pairs, true},
    {"rwlock: wrlock, unlock", writer_pairs, true},
    {"enter, yield", enters, false},
    {"queue: wait, next", nexts, false},
};

static void sleep_on(void *opaque) coroutine_fn
{
    for (;;) {
        aiox_co_yield();
    }
}

static void wait_on(void *opaque) coroutine_fn
{
    for (;;) {
        aiox_co_queue_wait(&queue, NULL);
    }
}

static void run_one(void *opaque)
{
    (*(void (**)(void))opaque)();
}

static struct aiox_co *make(aiox_co_fn *fn, void *opaque)
{
    struct aiox_co *co;

    aiox_assert(aiox_co_create(&co, NULL, fn, opaque) == 0);
    return co;
}

static double measure(int which)
{
    void (*run)(void) = contenders[which].run;
    struct timespec from, to;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    if (contenders[which].in_coroutine) {
        aiox_co_enter(make(run_one, &run));
    } else {
        run();
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    return ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / PAIRS;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static double ns[CONTENDERS][MOST_ROUNDS];
    int rounds = argc > 1 ? atoi(argv[1]) : 31;

    aiox_assert(rounds > 0 && rounds <= MOST_ROUNDS);
    sleeper = make(sleep_on, NULL);
    aiox_co_enter(make(wait_on, NULL));
    for (int r = 0; r < rounds; r++) {
        for (int c = 0; c < CONTENDERS; c++) {
            ns[c][r] = measure(c);
        }
    }
    for (int c = 0; c < CONTENDERS; c++) {
        qsort(ns[c], (size_t)rounds, sizeof(double), by_size);
        printf("%-24s %6.1f ns\n", contenders[c].name, ns[c][rounds / 2]);
    }
    return 0;
}
