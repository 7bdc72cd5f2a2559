/* SPDX-License-Identifier: MIT */
/*
 * inside.h - a bottom half from inside, and what its askers and its home share.
 * bh.c says what the fields and the bits mean; only bh.c and queue.c include it.
 */
#ifndef AIOX_BH_SRC_INSIDE_H_
#define AIOX_BH_SRC_INSIDE_H_

#include "aiox/bh.h"

/* Of bh->state and bh->own; above them stands a count of own asks. */
enum {
    QUEUED = 1 << 0,
    WANTED = 1 << 1,
    IDLE = 1 << 2,
    DOOMED = 1 << 3,
    ONESHOT = 1 << 4,
    LISTED = 1 << 5,
    LAST = 1 << 6,
    ASKS = WANTED | IDLE,
    BITS = 0xff,
    ONE_OWN = BITS + 1,
};

struct aiox_bh {
    struct aiox_queue_node link; /* on asked_, then on a list of the home */
    struct aiox_queue_node own_link;
    aiox_atomic_u64 state;
    aiox_atomic_u64 own;
    aiox_bh_fn *fn;
    void *opaque;
    struct aiox_bh_queue *queue;
    const char *name;
    struct aiox_bh_guard *guard;
    struct aiox_list_node in_all; /* a newborn's is on the queue's born_ */
};

/* Stands in asked_ for "empty, and the home is awake": no BH has this address. */
#define AWAKE(q) ((void *)&(q)->asked_)

/* What @own asks for and @state has not settled. */
static inline uint64_t own_asks_(uint64_t own, uint64_t state)
{
    return (own | BITS) > (state | BITS) ? own & ASKS : 0;
}

/* ---- what is the home's alone ---- */

/*
 * The queue in a turn of which this thread is. Every ask reads it, so its place is fixed when the
 * program begins (initial-exec). A test's threads keep theirs elsewhere.
 */
#if defined(AIOX_SCHEDULED) && AIOX_SCHEDULED
#define turn_ (*aiox_sched_own_())
#else
extern __thread void *turn_ __attribute__((tls_model("initial-exec")));
#endif

/* To a signal handler, what stands before has happened, and what stands behind has not. */
#define HANDLERS_SEE_ORDER_() __asm__ volatile("" ::: "memory")

/* From here to the opening, handlers that interrupt this thread ask as other threads do. [home] */
static inline void queue_close_(struct aiox_bh_queue *q)
{
    q->closed_ = true;
    HANDLERS_SEE_ORDER_();
}

static inline void queue_open_(struct aiox_bh_queue *q)
{
    HANDLERS_SEE_ORDER_();
    q->closed_ = false;
    HANDLERS_SEE_ORDER_();
}

/* Takes all of asked_ to arrived_. The home is awake then. Between the two. */
void queue_take_(struct aiox_bh_queue *q);

/* Others asked, also this thread before. [home] */
static inline bool queue_has_asked_(const struct aiox_bh_queue *q)
{
    void *asked = aiox_ptr_load_relaxed(&q->asked_);

    return asked && asked != AWAKE(q);
}

/*
 * True if this thread is in a turn of @q, and the home's side was open; it is closed then. [any]
 * signal-safe
 *
 * Not for functions that may be inlined into a coroutine: it may go on in another thread.
 */
static AIOX_ALWAYS_INLINE bool queue_enter_(struct aiox_bh_queue *q)
{
    HANDLERS_SEE_ORDER_();
    if (turn_ != q || q->closed_) {
        return false;
    }
    queue_close_(q);
    return true;
}

#endif /* AIOX_BH_SRC_INSIDE_H_ */
