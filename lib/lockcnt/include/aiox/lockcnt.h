/* SPDX-License-Identifier: MIT */
/*
 * aiox/lockcnt.h - many visitors, one owner.
 *
 * A counter and a lock in one 32-bit word. Visitors count themselves in and
 * walk a structure without the lock; whoever changes the structure holds the
 * lock. Two rules make it safe to free what was taken out of the structure:
 *
 *   nothing is freed unless the count is 0 and the lock is held;
 *   no visit begins while the count is 0 and the lock is held.
 *
 * While somebody visits, visits begin and end whatever the lock does, so a
 * visitor never waits for an owner that waits for it.
 *
 *   walk:    aiox_lockcnt_inc(&lc);
 *            for each node: if (!node->deleted) { use(node); }
 *            if (aiox_lockcnt_dec_and_lock(&lc)) {
 *                free every deleted node;
 *                aiox_lockcnt_unlock(&lc);
 *            }
 *
 *   delete:  aiox_lockcnt_lock(&lc);
 *            if (aiox_lockcnt_count(&lc) == 0) { unlink and free node; }
 *            else { node->deleted = true; }  // atomic: the last visitor frees
 *            aiox_lockcnt_unlock(&lc);
 *
 * The count nests within a thread; the lock does not. What happened before a
 * visit ended, or before an unlock, is visible to whoever then gets the lock,
 * or begins a visit from 0.
 */
#ifndef AIOX_LOCKCNT_H_
#define AIOX_LOCKCNT_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/assert.h"
#include "aiox/atomic.h"
#include "aiox/attributes.h"
#include "aiox/thread_annotations.h"

AIOX_BEGIN_DECLS

/* All zero: nobody visits, the lock is free. Not for memory shared between processes. */
struct AIOX_CAPABILITY("lockcnt") aiox_lockcnt {
    aiox_atomic_u32 word_;
};

enum {
    AIOX_LOCKCNT_VISIT_ = 4,           /* one visit in word_; below it: the lock */
    AIOX_LOCKCNT_MAX_VISITS = 1 << 29, /* one more at a time ends the program */
};

/* Not for callers: the parts of the functions below that may wait. */
AIOX_API void aiox_lockcnt_inc_slow_(struct aiox_lockcnt *lc);

/* [init] */
static inline void aiox_lockcnt_init(struct aiox_lockcnt *lc)
{
    const struct aiox_lockcnt unused = {AIOX_ATOMIC_INIT(0)};

    *lc = unused;
}

/* Ends @lc, which nobody visits and whose lock is free. [init] */
static inline void aiox_lockcnt_fini(struct aiox_lockcnt *lc)
{
    aiox_assert(aiox_u32_load_relaxed(&lc->word_) == 0);
}

/*
 * Begins a visit. Waits while the count is 0 and another thread holds the
 * lock; the thread that holds it calls aiox_lockcnt_inc_and_unlock(). [any]
 */
static inline void aiox_lockcnt_inc(struct aiox_lockcnt *lc)
{
    uint32_t word = aiox_u32_load_relaxed(&lc->word_);
    bool may_begin = word == 0 || word >= AIOX_LOCKCNT_VISIT_;

    if (AIOX_UNLIKELY(!may_begin || word / AIOX_LOCKCNT_VISIT_ >= AIOX_LOCKCNT_MAX_VISITS ||
                      /* [LOCKCNT-unlock] */
                      !aiox_u32_cas_acquire(&lc->word_, &word, word + AIOX_LOCKCNT_VISIT_))) {
        aiox_lockcnt_inc_slow_(lc);
    }
}

/* Ends a visit; the last one, too, without a look at the lock. Never waits. [any] */
static inline void aiox_lockcnt_dec(struct aiox_lockcnt *lc)
{
    /* [LOCKCNT-leave] */
    uint32_t word = aiox_u32_sub_release(&lc->word_, AIOX_LOCKCNT_VISIT_);

    aiox_assert(word >= AIOX_LOCKCNT_VISIT_);
}

/*
 * Ends a visit. If it is the last one, takes the lock in the same step and
 * returns true: the count is 0 and stays so until the unlock. Waits if it is
 * the last one and another thread holds the lock. [any]
 */
AIOX_API AIOX_NODISCARD bool aiox_lockcnt_dec_and_lock(struct aiox_lockcnt *lc)
    AIOX_TRY_ACQUIRES(true, lc);

/*
 * Does what aiox_lockcnt_dec_and_lock() does if this is the last visit.
 * If it is not, the visit goes on: nothing changes, and it returns false. [any]
 */
AIOX_API AIOX_NODISCARD bool aiox_lockcnt_dec_if_lock(struct aiox_lockcnt *lc)
    AIOX_TRY_ACQUIRES(true, lc);

/* Waits for the lock and takes it. Visits that are under way go on. [any] */
AIOX_API void aiox_lockcnt_lock(struct aiox_lockcnt *lc) AIOX_ACQUIRES(lc);

/* Gives the lock back. [any], by whoever took it */
AIOX_API void aiox_lockcnt_unlock(struct aiox_lockcnt *lc) AIOX_RELEASES(lc);

/* Begins a visit and gives the lock back, in one step. [any], by whoever took it */
AIOX_API void aiox_lockcnt_inc_and_unlock(struct aiox_lockcnt *lc) AIOX_RELEASES(lc);

/*
 * How many visits are under way. Exact news is possible only about 0: seen by
 * the one who holds the lock, it stays until the unlock, and all that the
 * visitors did is visible. [any]
 */
static inline unsigned aiox_lockcnt_count(const struct aiox_lockcnt *lc)
{
    return aiox_u32_load_acquire(&lc->word_) / AIOX_LOCKCNT_VISIT_; /* [LOCKCNT-leave] */
}

AIOX_END_DECLS

#endif /* AIOX_LOCKCNT_H_ */
