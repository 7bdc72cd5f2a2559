/* SPDX-License-Identifier: MIT */
/*
 * bare_heap.c - a heap of four children a node, in one thread and without a
 * lock: what armed timers that any thread may arm cannot be faster than.
 * It has nothing to wait for.
 */
#include <stdlib.h>

#include "bench/players/bench.h"

enum { CHILDREN = 4, NOWHERE = -1 };

struct timer {
    struct callee callee;
    long place; /* in the heap */
};

/* The children of a node are one cache line, or two. */
struct entry {
    int64_t due_ns;
    struct timer *timer;
};

struct heap {
    struct entry *at;
    long count, room;
    int64_t now_ns; /* when the last turn began */
};

static const char *version(void)
{
    return "4-ary";
}

static void *open_loop(const struct contender *who, const char **why)
{
    struct heap *h = calloc(1, sizeof(*h));

    (void)who;
    (void)why;
    must(h);
    h->now_ns = wall_ns();
    return h;
}

static void close_loop(void *loop)
{
    free(((struct heap *)loop)->at);
    free(loop);
}

static void put(struct heap *h, long place, struct entry entry)
{
    h->at[place] = entry;
    entry.timer->place = place;
}

static void sift_up(struct heap *h, long place, struct entry entry)
{
    while (place > 0) {
        long parent = (place - 1) / CHILDREN;

        if (h->at[parent].due_ns <= entry.due_ns) {
            break;
        }
        put(h, place, h->at[parent]);
        place = parent;
    }
    put(h, place, entry);
}

static long earliest_child(const struct heap *h, long place)
{
    long first = place * CHILDREN + 1, best = first;

    for (long i = first + 1; i < first + CHILDREN && i < h->count; i++) {
        best = h->at[i].due_ns < h->at[best].due_ns ? i : best;
    }
    return best;
}

static void sift_down(struct heap *h, long place, struct entry entry)
{
    while (place * CHILDREN + 1 < h->count) {
        long child = earliest_child(h, place);

        if (h->at[child].due_ns >= entry.due_ns) {
            break;
        }
        put(h, place, h->at[child]);
        place = child;
    }
    put(h, place, entry);
}

/* To where it belongs, from @place on, which is free. */
static void settle(struct heap *h, long place, struct entry entry)
{
    if (place > 0 && h->at[(place - 1) / CHILDREN].due_ns > entry.due_ns) {
        sift_up(h, place, entry);
    } else {
        sift_down(h, place, entry);
    }
}

static void take_out(struct heap *h, struct timer *t)
{
    long place = t->place;
    struct entry last = h->at[--h->count];

    t->place = NOWHERE;
    if (place < h->count) {
        settle(h, place, last);
    }
}

static void turn(void *loop, bool may_block)
{
    struct heap *h = loop;

    must(!may_block);
    h->now_ns = wall_ns();
    while (h->count > 0 && h->at[0].due_ns <= h->now_ns) {
        struct timer *t = h->at[0].timer;

        take_out(h, t);
        callee_call(&t->callee);
    }
}

static void *timer_new(void *loop, bench_fn *fn, void *opaque)
{
    struct timer *t = callee_new(sizeof(*t), fn, opaque);

    (void)loop;
    t->place = NOWHERE;
    return t;
}

static void timer_arm(void *loop, void *timer, int64_t timeout_ns)
{
    struct heap *h = loop;
    struct timer *t = timer;
    struct entry entry = {h->now_ns + timeout_ns, t};

    if (t->place != NOWHERE) {
        settle(h, t->place, entry);
        return;
    }
    if (h->count == h->room) {
        h->room = h->room ? 2 * h->room : 1024;
        h->at = realloc(h->at, (size_t)h->room * sizeof(*h->at));
        must(h->at);
    }
    sift_up(h, h->count++, entry);
}

static void timer_cancel(void *loop, void *timer)
{
    struct timer *t = timer;

    if (t->place != NOWHERE) {
        take_out(loop, t);
    }
}

static void timer_free(void *loop, void *timer)
{
    timer_cancel(loop, timer);
    free(timer);
}

static const struct loop_ops ops = {LOOP_OPS, TIMER_OPS(timer_free)};

const struct contender bare_heap = {
    .name = "bare heap", .kind = LIMIT, .version = version, .loop = &ops};
