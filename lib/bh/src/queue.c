/* SPDX-License-Identifier: MIT */
/* queue.c - the home's side: what is taken, when it runs, how long the home may sleep. */
#include <stddef.h>
#include <stdlib.h>

#include "aiox/assert.h"
#include "aiox/clock.h"
#include "aiox/log.h"

#include "inside.h"
#include "trace.h"

#define IDLE_NS (10 * AIOX_NS_PER_MS)

/*
 * A list of the home has links of both kinds, and a BH may be on it by both. Memory begins at a
 * multiple of two pointers, and the links are its first two: so an address tells which it is.
 */
static bool is_own(const struct aiox_queue_node *node)
{
    return ((uintptr_t)node & sizeof(*node)) != 0;
}

static struct aiox_bh *bh_of(struct aiox_queue_node *node)
{
    return (struct aiox_bh *)(void *)(node - is_own(node));
}

_Static_assert(offsetof(struct aiox_bh, link) == 0, "link is the first");
_Static_assert(offsetof(struct aiox_bh, own_link) == sizeof(struct aiox_queue_node),
               "own_link is the second");
_Static_assert(_Alignof(max_align_t) >= 2 * sizeof(struct aiox_queue_node),
               "malloc() tells the links apart");

/* ---- the turn ---- */

#if !defined(AIOX_SCHEDULED) || !AIOX_SCHEDULED
__thread void *turn_ __attribute__((tls_model("initial-exec")));
#endif

/* Returns what it was. */
static AIOX_ALWAYS_INLINE struct aiox_bh_queue *set_turn(struct aiox_bh_queue *q)
{
    struct aiox_bh_queue *outer;

    HANDLERS_SEE_ORDER_();
    outer = turn_;
    turn_ = q;
    HANDLERS_SEE_ORDER_();
    return outer;
}

AIOX_NOINLINE struct aiox_bh_queue *aiox_bh_queue_begin(struct aiox_bh_queue *q)
{
    queue_open_(q);
    return set_turn(q);
}

AIOX_NOINLINE void aiox_bh_queue_end(struct aiox_bh_queue *outer)
{
    (void)set_turn(outer);
}

/* ---- taking ---- */

void queue_take_(struct aiox_bh_queue *q)
{
    aiox_queue_append_reversed(&q->arrived_,
                               aiox_ptr_swap_acquire(&q->asked_, AWAKE(q))); /* [BH-publish] */
}

static void take_if_any(struct aiox_bh_queue *q)
{
    if (aiox_ptr_load_relaxed(&q->asked_) != AWAKE(q)) {
        queue_take_(q);
    }
}

/* From now on askers wake the home; false if something came since it was taken. */
static bool nod_off(struct aiox_bh_queue *q)
{
    void *head = AWAKE(q);

    return aiox_ptr_cas_relaxed(&q->asked_, &head, NULL);
}

/* ---- the end of a BH ---- */

/* Brings all_ up to date. */
static void meet_newborn(struct aiox_bh_queue *q)
{
    struct aiox_list_node *node, *next;

    if (!aiox_list_is_linked(&q->all_.head_)) {
        aiox_list_init(&q->all_);
    }
    if (!aiox_ptr_load_relaxed(&q->born_)) {
        return;
    }
    for (node = aiox_ptr_swap_acquire(&q->born_, NULL); node; node = next) { /* [BH-born] */
        AIOX_PLAIN_READ(node);
        next = node->next_;
        aiox_list_push_front(&q->all_, node);
    }
}

static void give_back(struct aiox_bh_queue *q, struct aiox_bh *bh, uint64_t state)
{
    AIOX_TRACE(bh, gone, (uintptr_t)bh, (uintptr_t)bh->name);
    if (!(state & ONESHOT)) {
        meet_newborn(q);
        aiox_list_remove(&bh->in_all);
    }
    free(bh);
}

/* ---- running ---- */

/* All that @bh is asked for; nothing once it is freed. */
static uint64_t asks_of(const struct aiox_bh *bh)
{
    uint64_t state = aiox_u64_load_relaxed(&bh->state);

    if (state & DOOMED) {
        return 0;
    }
    return (state & ASKS) | own_asks_(aiox_u64_load_relaxed(&bh->own), state);
}

/* True if @bh, on due_ by @node before, has to wait for another of its guard, which will make it
 * due. */
static bool put_off(struct aiox_bh *bh, struct aiox_queue_node *node)
{
    struct aiox_bh_guard *guard = bh->guard;

    if (!guard->busy_ || !asks_of(bh)) {
        return false;
    }
    AIOX_TRACE(bh, put_off, (uintptr_t)bh, (uintptr_t)bh->name);
    if (!guard->warned_) {
        guard->warned_ = true;
        aiox_log(AIOX_LOG_WARN, "bottom half '%s' is put off: one of its guard is running",
                 bh->name);
    }
    aiox_queue_push_back(&guard->waiting_, node);
    return true;
}

/* Calls the function of @bh, which may be gone afterwards. */
static void call_guarded(struct aiox_bh_queue *q, struct aiox_bh *bh)
{
    struct aiox_bh_guard *guard = bh->guard;

    guard->busy_ = true;
    bh->fn(bh->opaque);
    guard->busy_ = false;
    queue_close_(q);
    aiox_queue_splice_front(&q->arrived_, &guard->waiting_);
    queue_open_(q);
}

/*
 * Settles all that @bh is asked for. Returns that and DOOMED if it is freed; what is @kept of
 * state stays. Closed.
 */
static AIOX_ALWAYS_INLINE uint64_t settle(struct aiox_bh *bh, uint64_t own, uint64_t kept)
{
    uint64_t state = aiox_u64_load_relaxed(&bh->state);

    while (!aiox_u64_cas_acq_rel(&bh->state, &state, (own & ~(uint64_t)BITS) | (state & kept))) {
        /* [BH-ask] [BH-rearm] [BH-settle] */
    }
    return (state & (ASKS | DOOMED)) | own_asks_(own, state);
}

/* The same for one whose own_link is on a list still: if it is freed, it goes when that is met. */
static AIOX_NOINLINE uint64_t settle_listed(struct aiox_bh *bh, uint64_t own)
{
    uint64_t asks = settle(bh, own, DOOMED);

    aiox_u64_store_relaxed(&bh->own, (own & ~(uint64_t)ASKS) | (asks & DOOMED ? LAST : 0));
    return asks;
}

/* Of one whose link is off the lists, and no own_link is on one: there is no own ask. */
static AIOX_ALWAYS_INLINE uint64_t settle_state(struct aiox_bh *bh)
{
    return aiox_u64_and_acq_rel(&bh->state, ~(uint64_t)(QUEUED | ASKS)); /* [BH-ask] [BH-rearm] */
}

/* Of one whose link is off the lists. LAST: if it is freed, it goes now. */
static AIOX_ALWAYS_INLINE uint64_t settle_link(struct aiox_bh_queue *q, struct aiox_bh *bh)
{
    uint64_t own, asks;

    queue_close_(q);
    own = aiox_u64_load_relaxed(&bh->own);
    asks = AIOX_UNLIKELY(own & LISTED) ? settle_listed(bh, own) : settle_state(bh) | LAST;
    queue_open_(q);
    return asks;
}

/* Of one whose own_link is off the lists. */
static AIOX_ALWAYS_INLINE uint64_t settle_own(struct aiox_bh_queue *q, struct aiox_bh *bh)
{
    uint64_t own, asks;

    queue_close_(q);
    own = aiox_u64_load_relaxed(&bh->own);
    asks = settle(bh, own, QUEUED | DOOMED) | (own & LAST);
    aiox_u64_store_relaxed(&bh->own, own & ~(uint64_t)BITS);
    queue_open_(q);
    return asks;
}

static AIOX_ALWAYS_INLINE uint64_t settle_either(struct aiox_bh_queue *q,
                                                 struct aiox_queue_node *node)
{
    struct aiox_bh *bh = bh_of(node);

    return is_own(node) ? settle_own(q, bh) : settle_link(q, bh);
}

/* Nobody else knows it by now. */
static bool run_oneshot(struct aiox_bh_queue *q, struct aiox_bh *bh)
{
    aiox_bh_fn *fn = bh->fn;
    void *opaque = bh->opaque;

    AIOX_TRACE(bh, run, (uintptr_t)bh, (uintptr_t)bh->name);
    give_back(q, bh, ONESHOT);
    fn(opaque);
    return true;
}

static bool run_asks(struct aiox_bh_queue *q, struct aiox_bh *bh, uint64_t asks)
{
    if (AIOX_UNLIKELY(asks & DOOMED)) {
        if (asks & LAST) {
            give_back(q, bh, DOOMED);
        }
        return false;
    }
    if (!(asks & ASKS)) {
        return false;
    }
    AIOX_TRACE(bh, run, (uintptr_t)bh, (uintptr_t)bh->name);
    if (bh->guard) {
        call_guarded(q, bh);
    } else {
        bh->fn(bh->opaque);
    }
    return (asks & WANTED) != 0;
}

/* Does what the BH of @node, which is off due_, is asked for; true if that is progress. */
static bool run_one(struct aiox_bh_queue *q, struct aiox_queue_node *node)
{
    struct aiox_bh *bh = bh_of(node);

    if (aiox_u64_load_relaxed(&bh->state) & ONESHOT) {
        return run_oneshot(q, bh);
    }
    if (bh->guard && put_off(bh, node)) {
        return false;
    }
    return run_asks(q, bh, settle_either(q, node));
}

static bool run_due(struct aiox_bh_queue *q)
{
    struct aiox_queue_node *node;
    bool progress = false;

    q->depth_++;
    while ((node = aiox_queue_pop(&q->due_))) {
        AIOX_PLAIN_READ(node);
        progress |= run_one(q, node);
    }
    q->depth_--;
    return progress;
}

AIOX_NOINLINE bool aiox_bh_queue_run(struct aiox_bh_queue *q)
{
    struct aiox_bh_queue *outer;
    bool progress;

    if (!aiox_ptr_load_relaxed(&q->asked_) && aiox_queue_is_empty(&q->arrived_) &&
        aiox_queue_is_empty(&q->due_)) {
        return false; /* the home does not wake up for nothing */
    }
    queue_close_(q);
    take_if_any(q);
    aiox_queue_splice_front(&q->arrived_, &q->due_);
    q->due_ = q->arrived_;
    AIOX_PLAIN_WRITE(&q->arrived_);
    aiox_queue_init(&q->arrived_);
    queue_open_(q);
    outer = set_turn(q);
    progress = run_due(q);
    (void)set_turn(outer);
    return progress;
}

/* ---- sleeping ---- */

/* All that the BHs of @list are asked for, up to the first that is WANTED. */
static uint64_t asks_on(const struct aiox_queue *list)
{
    struct aiox_queue_node *node = aiox_queue_first(list);
    uint64_t asks = 0;

    for (; node && !(asks & WANTED); node = node->next_) {
        asks |= asks_of(bh_of(node));
    }
    return asks;
}

/* Closed before the last look, so that a handler's ask goes where nod_off() sees it. */
int64_t aiox_bh_queue_timeout_ns(struct aiox_bh_queue *q)
{
    bool was_closed = q->closed_;
    uint64_t asks;

    queue_close_(q);
    do {
        if (aiox_ptr_load_relaxed(&q->asked_)) {
            take_if_any(q);
        }
        asks = asks_on(&q->due_) | asks_on(&q->arrived_);
        if (asks & WANTED) {
            if (!was_closed) {
                queue_open_(q);
            }
            return 0;
        }
    } while (aiox_ptr_load_relaxed(&q->asked_) && !nod_off(q));
    return asks & IDLE ? IDLE_NS : -1;
}

/* ---- birth and end ---- */

void aiox_bh_queue_init(struct aiox_bh_queue *q, void (*wake_fn)(void *opaque), void *opaque)
{
    *q = (struct aiox_bh_queue){.wake_ = wake_fn, .wake_opaque_ = opaque};
}

static void drop(struct aiox_bh_queue *q, struct aiox_queue_node *node)
{
    struct aiox_bh *bh = bh_of(node);

    if (aiox_u64_load_relaxed(&bh->state) & ONESHOT) {
        give_back(q, bh, ONESHOT);
    } else if ((settle_either(q, node) & (DOOMED | LAST)) == (DOOMED | LAST)) {
        give_back(q, bh, DOOMED);
    }
}

void aiox_bh_queue_fini(struct aiox_bh_queue *q)
{
    struct aiox_list_node *alive;
    struct aiox_queue_node *node;

    aiox_assert(q->depth_ == 0);
    take_if_any(q);
    while ((node = aiox_queue_pop(&q->arrived_))) {
        drop(q, node);
    }
    meet_newborn(q);
    if ((alive = aiox_list_first(&q->all_))) {
        aiox_panic("the bottom half '%s' was not freed before its queue",
                   AIOX_CONTAINER_OF(alive, struct aiox_bh, in_all)->name);
    }
}
