/* SPDX-License-Identifier: MIT */
/*
 * heap.h - timers in the order of their deadlines: a heap with four children a node.
 *
 * An entry keeps the deadline beside the timer, so that finding a place reads
 * the array and not the timers; only equal deadlines are told apart by the
 * number of the arming, which stands in the timer. The root has index 3: so
 * the four children of a node are one cache line (the array is aligned), and
 * index 0 can mean "not in the heap".
 *
 * Chosen by measuring (random deadlines, 1,000 to 1,000,000 armed): an insertion
 * or a re-arming moves less than one entry on average, since 3 of 4 nodes are
 * leaves and most deadlines are later than their parent's. A wheel is quicker
 * to re-arm, but cannot tell the next deadline without a walk or early wake-ups;
 * a pairing heap needs no array, but waits for memory once per step when it
 * expires. The places in an array of their own, by a small number per timer,
 * take fewer cache lines, but make a re-arming wait for one more: two fifths
 * slower from 100,000 on, while cancelling in the order of arming gains a fifth.
 *
 * No function allocates: the caller has seen to the array's size.
 */
#ifndef AIOX_LIB_TIMER_SRC_HEAP_H_
#define AIOX_LIB_TIMER_SRC_HEAP_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/atomic.h"
#include "aiox/attributes.h"
#include "aiox/timer.h"

struct aiox_timer_entry_ {
    int64_t deadline_ns;
    struct aiox_timer *timer;
};

enum {
    HEAP_ROOT = 3,
    HEAP_CHILDREN = 4,
    HEAP_NEAR = 256,     /* entries that are in the cache closest to the processor */
    TIMERS_NEAR = 50000, /* timers that fit into one of its caches */
};

static inline uint32_t heap_parent_(uint32_t at)
{
    return at / HEAP_CHILDREN + 2;
}

static inline uint32_t heap_first_child_(uint32_t at)
{
    return (at - 2) * HEAP_CHILDREN;
}

static inline bool heap_before_(const struct aiox_timer_entry_ *a,
                                const struct aiox_timer_entry_ *b)
{
    if (AIOX_UNLIKELY(a->deadline_ns == b->deadline_ns)) {
        return a->timer->order_ < b->timer->order_;
    }
    return a->deadline_ns < b->deadline_ns;
}

static inline void heap_put_(struct aiox_timer_entry_ *heap, uint32_t at,
                             struct aiox_timer_entry_ entry)
{
    AIOX_PLAIN_WRITE(&heap[at]);
    heap[at] = entry;
    entry.timer->place_ = at;
}

/* Moves the hole at @at towards the root until @entry fits. */
static inline void heap_up_(struct aiox_timer_entry_ *heap, uint32_t at,
                            struct aiox_timer_entry_ entry)
{
    while (at > HEAP_ROOT && heap_before_(&entry, &heap[heap_parent_(at)])) {
        heap_put_(heap, at, heap[heap_parent_(at)]);
        at = heap_parent_(at);
    }
    heap_put_(heap, at, entry);
}

/* The earliest of the children that begin at @child; the heap ends before @end. */
static inline uint32_t heap_earliest_(const struct aiox_timer_entry_ *heap, uint32_t child,
                                      uint32_t end)
{
    uint32_t last = child + HEAP_CHILDREN < end ? child + HEAP_CHILDREN : end;
    uint32_t best = child;

    for (child++; child < last; child++) {
        if (heap_before_(&heap[child], &heap[best])) {
            best = child;
        }
    }
    return best;
}

/*
 * Of a large heap, each step towards the leaves would wait for memory. So what
 * may be the next but one is fetched while the next is looked at: the children
 * of all the children that begin at @child.
 *
 * GCC takes a call for superfluous that does nothing but fetch, unless it is inlined.
 */
static AIOX_ALWAYS_INLINE void heap_fetch_children_(const struct aiox_timer_entry_ *heap,
                                                    uint32_t child, uint32_t end)
{
    uint32_t first = heap_first_child_(child);

    if (child >= HEAP_NEAR && first < end) {
        for (uint32_t i = 0; i < HEAP_CHILDREN; i++) {
            __builtin_prefetch(&heap[first + i * HEAP_CHILDREN], 1);
        }
    }
}

/* Moves the hole at @at towards the leaves until @entry fits. */
static inline void heap_down_(struct aiox_timer_entry_ *heap, uint32_t at, uint32_t end,
                              struct aiox_timer_entry_ entry)
{
    uint32_t child;

    while (heap_first_child_(at) < end) {
        child = heap_first_child_(at);
        heap_fetch_children_(heap, child, end);
        child = heap_earliest_(heap, child, end);
        if (!heap_before_(&heap[child], &entry)) {
            break;
        }
        heap_put_(heap, at, heap[child]);
        at = child;
    }
    heap_put_(heap, at, entry);
}

/* Puts @entry where the entry at @at was. @count: entries in the heap. */
static inline void heap_replace_(struct aiox_timer_entry_ *heap, uint32_t count, uint32_t at,
                                 struct aiox_timer_entry_ entry)
{
    if (at > HEAP_ROOT && heap_before_(&entry, &heap[heap_parent_(at)])) {
        heap_up_(heap, at, entry);
    } else {
        heap_down_(heap, at, HEAP_ROOT + count, entry);
    }
}

static inline void heap_insert_(struct aiox_timer_entry_ *heap, uint32_t *count,
                                struct aiox_timer_entry_ entry)
{
    heap_up_(heap, HEAP_ROOT + (*count)++, entry);
}

/*
 * The last entry takes the place of one that goes, which its timer is told. Of
 * very many, that timer is far; the next operation's lock would wait for it. So
 * that of a few operations later is fetched now.
 */
static AIOX_ALWAYS_INLINE void heap_fetch_last_(const struct aiox_timer_entry_ *heap,
                                                uint32_t count)
{
    if (AIOX_UNLIKELY(count > TIMERS_NEAR)) {
        __builtin_prefetch(&heap[HEAP_ROOT + count - 8].timer->place_, 1);
    }
}

/* Takes @timer out. */
static inline void heap_remove_(struct aiox_timer_entry_ *heap, uint32_t *count,
                                struct aiox_timer *timer)
{
    struct aiox_timer_entry_ last = heap[HEAP_ROOT + --*count];
    uint32_t at = timer->place_;

    heap_fetch_last_(heap, *count);
    timer->place_ = 0;
    if (at != HEAP_ROOT + *count) {
        heap_replace_(heap, *count, at, last);
    }
}

#endif /* AIOX_LIB_TIMER_SRC_HEAP_H_ */
