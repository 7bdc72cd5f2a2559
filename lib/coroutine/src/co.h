/* SPDX-License-Identifier: MIT */
/*
 * co.h - the record of a coroutine, and what a thread knows.
 *
 * The record lies at the top of its own stack, so a shallow coroutine touches
 * one page and no allocator. It lives as long as the stack does: a dead
 * coroutine is a record that waits in a pool, with its stack suspended where
 * the next life begins.
 *
 * co->back tells the state:
 *   NULL        suspended, or new
 *   CO_POOLED   dead, or never born
 *   else        entered: the point of whoever entered it
 */
#ifndef AIOX_COROUTINE_SRC_CO_H_
#define AIOX_COROUTINE_SRC_CO_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aiox/atomic.h"
#include "aiox/coroutine.h"

#include "switch_sanitizer.h"

enum {
    STACK_SHIFT_MIN = 14,
    STACK_KINDS = 10, /* 16 kB to 8 MB: AIOX_CO_STACK_MIN_BYTES to _MAX_BYTES */
};

#define CO_POOLED ((void *)1)

struct aiox_co {
    /* A switch touches this line and no other ... */
    void *point; /* where it goes on */
    void *back;
    aiox_atomic_ptr mark;           /* const char *: who will enter it */
    struct aiox_executor *executor; /* the one it was last entered in */
    struct aiox_queue woken;        /* run when it yields or ends; same executor */
    struct aiox_co *outer;          /* the coroutine that entered it, or NULL */
    bool in_turn;                   /* entered by run_woken(), which looks at woken itself */
    uint8_t kind;                   /* log2 of the usable stack, from STACK_SHIFT_MIN */
    uint8_t slot;                   /* in its slab */
    uint32_t locks_held;            /* of aiox/co_sync.h; none at its end */
    /* ... the beginning of a life this one too. */
    aiox_co_fn *fn; /* NULL from its start on */
    void *opaque;
    const struct aiox_co_class *class_;
    struct aiox_queue_node link;
    struct slab *slab;
    struct fiber fiber; /* what the sanitizers know about it */
} __attribute__((aligned(64)));

struct magazine;

/* One per thread; all zero at its start. */
struct co_thread {
    struct aiox_co *current;
    struct magazine *loaded[STACK_KINDS];
    struct magazine *spare[STACK_KINDS];
};

#define TLS_FAST __attribute__((tls_model("initial-exec")))

/* So short that it shows where in the lines of the cache it lies: it begins one. */
#define HOT AIOX_NOINLINE __attribute__((aligned(64)))

/* For functions that are never inlined, and look once, before they switch: see coroutine.c. */
extern __thread struct co_thread this_thread_ TLS_FAST;

/* The running coroutine, or NULL; what is told of this_thread_ holds for who asks, too. */
#if defined(AIOX_SCHEDULED) && AIOX_SCHEDULED

static inline struct aiox_co *self_(void)
{
    return aiox_co_self(); /* which a test may have replaced */
}

#else

static AIOX_ALWAYS_INLINE struct aiox_co *self_(void)
{
    return this_thread_.current;
}

#endif

#endif /* AIOX_COROUTINE_SRC_CO_H_ */
