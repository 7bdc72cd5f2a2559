/* SPDX-License-Identifier: MIT */
/*
 * bh.c - a lock-free list with many askers and one runner, and a short way for
 * the home itself. This is the askers' side; queue.c is the home's.
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
 * The short way. In a turn, which is a thread's own notion (turn_), the home
 * asks without a read-modify-write: it writes own, a word that it alone
 * writes, and puts own_link, a second link, on arrived_ itself. It takes
 * asked_ first if anybody is on it, so what one thread asks for stays in order
 * whichever way it goes. Nobody needs to be woken: the home is up, and looks
 * at arrived_ before it sleeps. A BH may be on the lists by both links; the
 * first that a run meets settles all asks, the second finds nothing.
 *
 * A handler that interrupts the home asks as anybody does while closed_ is
 * set. It is while the home changes arrived_ or own, and from when the home
 * looks whether it may sleep until it runs something. Else the handler is the
 * home, between two of its instructions.
 *
 * Both words end in one: state counts how many own asks were run or taken
 * back, own how many there were. Both kinds of ask are settled, by the runner
 * or by who cancels, in one change of state, so each goes to one of the two.
 * A count never comes round, so who cancels with an old own cannot settle a
 * later ask.
 *
 * bh->state
 *   QUEUED  link is on one of the lists above. Set by the asker that pushes,
 *           cleared by the runner that has it off. While set, link belongs to
 *           the list.
 *   WANTED  the function shall run. Illegal without QUEUED. An asker that adds
 *           it to a BH that is QUEUED already wakes the home, which may have
 *           gone to sleep on seeing it IDLE or cancelled.
 *   IDLE    the function shall run if the loop is up anyway; rules of WANTED.
 *   DOOMED  the runner that meets link frees it instead. Never cleared.
 *   ONESHOT the runner frees it, then calls its function. Set at birth. Nobody
 *           can take it back or ask again, so there is nothing to settle.
 *   count   of own asks that were settled.
 *
 * bh->own   written at home in a turn and by the runner
 *   LISTED  own_link is on a list of the home.
 *   WANTED, IDLE   the newest own ask; void if state has settled the count.
 *   LAST    it is DOOMED and link is off: the runner that meets own_link frees it.
 *   count   of own asks that there were.
 *
 * Orders
 *   [BH-publish]  push (release) -> take (acquire): the BH's fields and link.
 *   [BH-ask]      or of an ask (release) -> settle, cancel (acquire): what the
 *                 asker wrote before it asked.
 *   [BH-rearm]    settle (release) -> or of an ask (acquire): link is the
 *                 asker's again; one that still finds the ask knows that the
 *                 function has not started.
 *   [BH-own]      an own ask (release) -> cancel (acquire): what the home wrote
 *                 before it asked, for who has taken that back.
 *   [BH-settle]   cancel (release) -> settle (acquire): what was done before an
 *                 ask was taken back.
 *   [BH-born]     birth (release) -> meet (acquire): in_all.
 */
#include "aiox/bh.h"

#include <errno.h>
#include <stdlib.h>

#include "aiox/assert.h"

#include "inside.h"

/* ---- asking from anywhere ---- */

static void wake(struct aiox_bh_queue *q)
{
    if (q->wake_) {
        q->wake_(q->wake_opaque_);
    }
}

static AIOX_ALWAYS_INLINE void push(struct aiox_bh_queue *q, struct aiox_bh *bh)
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
 * The BH may be gone once it is on the list, so @q comes from before.
 */
static void ask_from_anywhere(struct aiox_bh_queue *q, struct aiox_bh *bh, uint64_t bits,
                              uint64_t enough)
{
    uint64_t old = aiox_u64_or_acq_rel(&bh->state, bits | QUEUED); /* [BH-ask] [BH-rearm] */

    if (!(old & QUEUED)) {
        push(q, bh);
    } else if (!(old & enough)) {
        wake(q);
    }
}

/* ---- asking at home ---- */

/* Puts @bh, which has @own now, on arrived_ unless it is on a list of the home. Closed. */
static AIOX_ALWAYS_INLINE void note(struct aiox_bh_queue *q, struct aiox_bh *bh, uint64_t own)
{
    aiox_u64_store_release(&bh->own, own | LISTED); /* [BH-own] */
    if (!(own & LISTED)) {
        AIOX_PLAIN_WRITE(&bh->own_link);
        aiox_queue_push_back(&q->arrived_, &bh->own_link);
    }
}

/* Asks for what is not asked for, or only for less than @enough. Closed; opens. */
static AIOX_ALWAYS_INLINE void ask_here(struct aiox_bh_queue *q, struct aiox_bh *bh, uint64_t what,
                                        uint64_t enough)
{
    uint64_t own = aiox_u64_load_relaxed(&bh->own);

    if (!(own_asks_(own, aiox_u64_load_relaxed(&bh->state)) & enough)) {
        note(q, bh, ((own & ~(uint64_t)ASKS) | what) + ONE_OWN);
    }
    queue_open_(q);
}

/* The same while others are on asked_. */
static AIOX_NOINLINE void ask_behind_others(struct aiox_bh_queue *q, struct aiox_bh *bh,
                                            uint64_t what, uint64_t enough)
{
    queue_take_(q);
    ask_here(q, bh, what, enough);
}

static AIOX_ALWAYS_INLINE void ask(struct aiox_bh *bh, uint64_t what, uint64_t enough)
{
    struct aiox_bh_queue *q = bh->queue;

    if (!queue_enter_(q)) {
        ask_from_anywhere(q, bh, what, enough);
    } else if (AIOX_UNLIKELY(queue_has_asked_(q))) {
        ask_behind_others(q, bh, what, enough);
    } else {
        ask_here(q, bh, what, enough);
    }
}

/* ---- birth ---- */

static struct aiox_bh *make(struct aiox_bh_queue *q, const char *name, aiox_bh_fn *fn, void *opaque,
                            uint64_t state)
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

AIOX_NOINLINE int aiox_bh_queue_oneshot(struct aiox_bh_queue *q, const char *name, aiox_bh_fn *fn,
                                        void *opaque)
{
    struct aiox_bh *bh = make(q, name, fn, opaque, QUEUED | WANTED | ONESHOT);

    if (!bh) {
        return -ENOMEM;
    }
    if (queue_enter_(q)) {
        if (queue_has_asked_(q)) {
            queue_take_(q);
        }
        note(q, bh, WANTED);
        queue_open_(q);
    } else {
        push(q, bh);
    }
    return 0;
}

/* ---- the user's face ---- */

AIOX_NOINLINE void aiox_bh_schedule(struct aiox_bh *bh)
{
    ask(bh, WANTED, WANTED);
}

AIOX_NOINLINE void aiox_bh_schedule_idle(struct aiox_bh *bh)
{
    ask(bh, IDLE, ASKS);
}

bool aiox_bh_cancel(struct aiox_bh *bh)
{
    uint64_t state = aiox_u64_load_relaxed(&bh->state);
    uint64_t own, own_asks, settled;

    do {
        own = aiox_u64_load_acquire(&bh->own); /* [BH-own] */
        own_asks = own_asks_(own, state);
        settled = own_asks ? own : state;
        settled = (settled & ~(uint64_t)BITS) | (state & (BITS & ~ASKS));
    } while (!aiox_u64_cas_acq_rel(&bh->state, &state, settled)); /* [BH-ask] [BH-settle] */
    return own_asks || state & ASKS;
}

void aiox_bh_free(struct aiox_bh *bh)
{
    if (bh) {
        ask_from_anywhere(bh->queue, bh, DOOMED, BITS);
    }
}

const char *aiox_bh_name(const struct aiox_bh *bh)
{
    return bh->name;
}

void aiox_bh_set_guard(struct aiox_bh *bh, struct aiox_bh_guard *guard)
{
    aiox_assert(!(aiox_u64_load_relaxed(&bh->state) & QUEUED) &&
                !(aiox_u64_load_relaxed(&bh->own) & LISTED));
    bh->guard = guard;
}
