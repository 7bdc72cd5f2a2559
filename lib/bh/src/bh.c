/* SPDX-License-Identifier: MIT */
/*
 * bh.c - a lock-free list with many askers and one runner.
 *
 * Askers push at the head of asked_; the home takes the whole list in one
 * swap and turns it round. Nothing is ever unlinked from its middle, so there
 * is no ABA. From then on the BHs are on lists that only the home sees:
 *
 *   asked_  --take()-->  arrived_  --run-->  due_  --> function
 *   [any]                [home], found       [home], the rest of all runs that
 *                        before a sleep      are under way, outermost first
 *
 * A run empties due_, so a nested run empties it for the outer ones. A BH that
 * is freed stays where it is until a run meets it.
 *
 * asked_ empty is one of two values, and the asker whose push replaces it
 * knows which:
 *   NULL   the home may be asleep, or about to be: this asker wakes it. Those
 *          who push on top need not: the home will take the whole list.
 *   AWAKE  the home is up and will take the list before it sleeps.
 *
 * bh->state
 *   QUEUED  on one of the lists above. Set by the asker that pushes, cleared
 *           by the runner. While set, bh->link belongs to the list.
 *   WANTED  the function shall run. Illegal without QUEUED. An asker that adds
 *           it to a BH that is QUEUED already wakes the home, which may have
 *           gone to sleep on seeing it IDLE or cancelled.
 *   IDLE    the function shall run if the loop is up anyway; rules of WANTED.
 *   DOOMED  the runner frees it instead. Never cleared.
 *   ONESHOT the runner frees it, then calls its function. Set at birth.
 *
 * Orders
 *   [BH-publish]  push (release) -> take (acquire): the BH's fields and link.
 *   [BH-ask]      or of an ask (release) -> clear (acquire): what the asker
 *                 wrote before it asked.
 *   [BH-rearm]    clear (release) -> or of an ask (acquire): link is the
 *                 asker's again; one that still finds QUEUED knows that the
 *                 function has not started.
 *   [BH-born]     birth (release) -> meet (acquire): in_all.
 */
#include "aiox/bh.h"

#include <errno.h>
#include <stdlib.h>

#include "aiox/assert.h"
#include "aiox/clock.h"
#include "aiox/log.h"

#include "trace.h"

enum {
    QUEUED = 1,
    WANTED = 2,
    IDLE = 4,
    DOOMED = 8,
    ONESHOT = 16,
};

#define IDLE_NS (10 * AIOX_NS_PER_MS)

struct aiox_bh {
    struct aiox_queue_node link;
    aiox_atomic_u32 state;
    aiox_bh_fn *fn;
    void *opaque;
    struct aiox_bh_queue *queue;
    const char *name;
    struct aiox_bh_guard *guard;
    struct aiox_list_node in_all; /* a newborn's is on the queue's born_ */
};

/* Stands in asked_ for "empty, and the home is awake": no BH has this address. */
#define AWAKE(q) ((void *)&(q)->asked_)

static struct aiox_bh *of_link(struct aiox_queue_node *node)
{
    return AIOX_CONTAINER_OF(node, struct aiox_bh, link);
}

static void wake(struct aiox_bh_queue *q)
{
    if (q->wake_) {
        q->wake_(q->wake_opaque_);
    }
}

static void push(struct aiox_bh_queue *q, struct aiox_bh *bh)
{
    void *head = aiox_ptr_load_relaxed(&q->asked_);

    do {
        AIOX_PLAIN_WRITE(&bh->link);
        bh->link.next_ = head == AWAKE(q) ? NULL : head;
    } while (!aiox_ptr_cas_release(&q->asked_, &head, &bh->link)); /* [BH-publish] */
    if (!head) {
        wake(q);
    }
}

/*
 * Adds @bits; the first to find the BH off the lists puts it on. Whoever finds
 * it on a list, but without any of @enough, may face a home asleep all the same.
 */
static void ask(struct aiox_bh *bh, uint32_t bits, uint32_t enough)
{
    struct aiox_bh_queue *q = bh->queue; /* bh may be gone once it is queued */
    uint32_t old = aiox_u32_or_acq_rel(&bh->state, bits | QUEUED); /* [BH-ask] [BH-rearm] */

    if (!(old & QUEUED)) {
        push(q, bh);
    } else if (!(old & enough)) {
        wake(q);
    }
}

/* Turns the list that begins at @head round and appends it to @to. */
static void append_oldest_first(struct aiox_queue *to, struct aiox_queue_node *head)
{
    struct aiox_queue oldest_first = {0};
    struct aiox_queue_node *next;

    for (; head; head = next) {
        AIOX_PLAIN_READ(head);
        next = head->next_;
        aiox_queue_push_front(&oldest_first, head);
    }
    aiox_queue_splice_front(&oldest_first, to);
    *to = oldest_first;
}

/* Takes what was asked for to arrived_; the home is awake afterwards. */
static void take(struct aiox_bh_queue *q)
{
    struct aiox_queue_node *head = aiox_ptr_load_relaxed(&q->asked_);

    if (head != AWAKE(q)) {
        head = aiox_ptr_swap_acquire(&q->asked_, AWAKE(q)); /* [BH-publish] */
        append_oldest_first(&q->arrived_, head);
    }
}

/* From now on askers wake the home; false if something came since take(). */
static bool nod_off(struct aiox_bh_queue *q)
{
    void *head = AWAKE(q);

    return aiox_ptr_cas_relaxed(&q->asked_, &head, NULL);
}

/* All that the BHs of @list are asked for, up to the first that is WANTED. */
static uint32_t asks_on(const struct aiox_queue *list)
{
    struct aiox_queue_node *node = aiox_queue_first(list);
    uint32_t asks = 0;

    for (; node && !(asks & WANTED); node = node->next_) {
        uint32_t state = aiox_u32_load_relaxed(&of_link(node)->state);

        asks |= state & DOOMED ? 0 : state & (WANTED | IDLE);
    }
    return asks;
}

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

static void give_back(struct aiox_bh_queue *q, struct aiox_bh *bh, uint32_t state)
{
    AIOX_TRACE(bh, gone, (uintptr_t)bh, (uintptr_t)bh->name);
    if (!(state & ONESHOT)) {
        meet_newborn(q);
        aiox_list_remove(&bh->in_all);
    }
    free(bh);
}

/* True if @bh has to wait for another of its guard, which will make it due. */
static bool put_off(struct aiox_bh *bh)
{
    struct aiox_bh_guard *guard = bh->guard;
    uint32_t state = aiox_u32_load_relaxed(&bh->state);

    if (!guard->busy_ || state & DOOMED || !(state & (WANTED | IDLE))) {
        return false;
    }
    AIOX_TRACE(bh, put_off, (uintptr_t)bh, (uintptr_t)bh->name);
    if (!guard->warned_) {
        guard->warned_ = true;
        aiox_log(AIOX_LOG_WARN, "bottom half '%s' is put off: one of its guard is running",
                 bh->name);
    }
    aiox_queue_push_back(&guard->waiting_, &bh->link);
    return true;
}

/* Calls the function of @bh, which may be gone afterwards. */
static void call_guarded(struct aiox_bh_queue *q, struct aiox_bh *bh)
{
    struct aiox_bh_guard *guard = bh->guard;

    guard->busy_ = true;
    bh->fn(bh->opaque);
    guard->busy_ = false;
    aiox_queue_splice_front(&q->arrived_, &guard->waiting_);
}

/* Does what the BH at the head of due_ is asked for; true if that is progress. */
static bool run_one(struct aiox_bh_queue *q, struct aiox_bh *bh)
{
    aiox_bh_fn *fn = bh->fn;
    void *opaque = bh->opaque;
    uint32_t state;

    if (bh->guard && put_off(bh)) {
        return false;
    }
    state = aiox_u32_and_acq_rel(&bh->state, ~(uint32_t)(QUEUED | WANTED | IDLE));
    /* [BH-ask] [BH-rearm] */
    if (AIOX_UNLIKELY(state & DOOMED)) {
        give_back(q, bh, state);
        return false;
    }
    if (!(state & (WANTED | IDLE))) {
        return false;
    }
    AIOX_TRACE(bh, run, (uintptr_t)bh, (uintptr_t)bh->name);
    if (bh->guard) {
        call_guarded(q, bh);
        return state & WANTED;
    }
    if (state & ONESHOT) {
        give_back(q, bh, state);
    }
    fn(opaque);
    return state & WANTED;
}

void aiox_bh_queue_init(struct aiox_bh_queue *q, void (*wake_fn)(void *opaque), void *opaque)
{
    *q = (struct aiox_bh_queue){.wake_ = wake_fn, .wake_opaque_ = opaque};
}

void aiox_bh_queue_fini(struct aiox_bh_queue *q)
{
    struct aiox_list_node *alive;
    struct aiox_queue_node *node;

    aiox_assert(q->depth_ == 0);
    take(q);
    while ((node = aiox_queue_pop(&q->arrived_))) {
        uint32_t state = aiox_u32_load_relaxed(&of_link(node)->state);

        if (state & (DOOMED | ONESHOT)) {
            give_back(q, of_link(node), state);
        }
    }
    meet_newborn(q);
    if ((alive = aiox_list_first(&q->all_))) {
        aiox_panic("the bottom half '%s' was not freed before its queue",
                   AIOX_CONTAINER_OF(alive, struct aiox_bh, in_all)->name);
    }
}

bool aiox_bh_queue_run(struct aiox_bh_queue *q)
{
    struct aiox_queue_node *node;
    bool progress = false;

    if (!aiox_ptr_load_relaxed(&q->asked_) && aiox_queue_is_empty(&q->arrived_) &&
        aiox_queue_is_empty(&q->due_)) {
        return false; /* the home does not wake up for nothing */
    }
    take(q);
    aiox_queue_splice_front(&q->arrived_, &q->due_);
    q->due_ = q->arrived_;
    aiox_queue_init(&q->arrived_);
    q->depth_++;
    while ((node = aiox_queue_pop(&q->due_))) {
        AIOX_PLAIN_READ(node);
        progress |= run_one(q, of_link(node));
    }
    q->depth_--;
    return progress;
}

int64_t aiox_bh_queue_timeout_ns(struct aiox_bh_queue *q)
{
    uint32_t asks;

    do {
        if (aiox_ptr_load_relaxed(&q->asked_)) {
            take(q);
        }
        asks = asks_on(&q->due_) | asks_on(&q->arrived_);
        if (asks & WANTED) {
            return 0;
        }
    } while (aiox_ptr_load_relaxed(&q->asked_) && !nod_off(q));
    return asks & IDLE ? IDLE_NS : -1;
}

static struct aiox_bh *make(struct aiox_bh_queue *q, const char *name, aiox_bh_fn *fn, void *opaque,
                            uint32_t state)
{
    struct aiox_bh *bh;

    aiox_assert(name && fn);
    bh = malloc(sizeof(*bh));
    if (bh) {
        *bh = (struct aiox_bh){
            .state = AIOX_ATOMIC_INIT(state),
            .fn = fn,
            .opaque = opaque,
            .queue = q,
            .name = name,
        };
    }
    return bh;
}

int aiox_bh_new(struct aiox_bh **out, struct aiox_bh_queue *q, const char *name, aiox_bh_fn *fn,
                void *opaque)
{
    struct aiox_bh *bh = make(q, name, fn, opaque, 0);
    void *head;

    if (!bh) {
        return -ENOMEM;
    }
    head = aiox_ptr_load_relaxed(&q->born_);
    do {
        AIOX_PLAIN_WRITE(&bh->in_all);
        bh->in_all.next_ = head;
    } while (!aiox_ptr_cas_release(&q->born_, &head, &bh->in_all)); /* [BH-born] */
    *out = bh;
    return 0;
}

int aiox_bh_queue_oneshot(struct aiox_bh_queue *q, const char *name, aiox_bh_fn *fn, void *opaque)
{
    struct aiox_bh *bh = make(q, name, fn, opaque, QUEUED | WANTED | ONESHOT);

    if (!bh) {
        return -ENOMEM;
    }
    push(q, bh);
    return 0;
}

void aiox_bh_schedule(struct aiox_bh *bh)
{
    ask(bh, WANTED, WANTED);
}

void aiox_bh_schedule_idle(struct aiox_bh *bh)
{
    ask(bh, IDLE, WANTED | IDLE);
}

bool aiox_bh_cancel(struct aiox_bh *bh)
{
    return aiox_u32_and_acq_rel(&bh->state, ~(uint32_t)(WANTED | IDLE)) & (WANTED | IDLE);
}

void aiox_bh_free(struct aiox_bh *bh)
{
    if (bh) {
        ask(bh, DOOMED, ~(uint32_t)0);
    }
}

const char *aiox_bh_name(const struct aiox_bh *bh)
{
    return bh->name;
}

void aiox_bh_set_guard(struct aiox_bh *bh, struct aiox_bh_guard *guard)
{
    aiox_assert(!(aiox_u32_load_relaxed(&bh->state) & QUEUED));
    bh->guard = guard;
}
