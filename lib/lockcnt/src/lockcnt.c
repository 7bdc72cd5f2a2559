/* SPDX-License-Identifier: MIT */
/*
 * lockcnt.c - the word, its bits and their laws.
 *
 * word_ = 4 * visits + lock
 *   FREE     nobody has the lock.
 *   HELD     somebody has it, nobody sleeps for it.
 *   WAITED   somebody has it, others may sleep for it. Set by each sleeper
 *            before it sleeps; legal without a sleeper; HELD is illegal while
 *            somebody sleeps.
 *   visits   goes from 0 to 1 only when the lock is FREE or in the unlock;
 *            otherwise up and down whatever the lock is.
 *
 * A sleeper sleeps on the whole word, so each change of the count defeats or
 * outdates its sleep; it looks at everything again. An unlock wakes one
 * sleeper and says FREE, so the one that was woken may be the only one who
 * knows of the others:
 *   if it takes the lock, it takes it as WAITED, never as HELD;
 *   if it leaves without the lock (its inc succeeded, its visit was not the
 *   last), it wakes one more. It takes four threads to lose a sleeper without
 *   this rule.
 *
 * Orders
 *   [LOCKCNT-leave]   end of a visit (release) -> taking the lock, or a count
 *                     of 0 (acquire): the visitor is done with what it saw.
 *   [LOCKCNT-unlock]  unlock (release) -> taking the lock, or a visit (acquire):
 *                     what the owner changed.
 */
#include "aiox/lockcnt.h"

#include "lockcnt_wait.h"
#include "trace.h"

enum {
    FREE = 0,
    HELD = 1,
    WAITED = 2,
    LOCK = 3, /* the bits of the lock */
    VISIT = AIOX_LOCKCNT_VISIT_,
};

/* What one thread knows while it tries. */
struct attempt {
    uint32_t word;
    bool has_slept;
};

static struct attempt begin(struct aiox_lockcnt *lc)
{
    return (struct attempt){.word = aiox_u32_load_relaxed(&lc->word_)};
}

/* The lock's bits for this thread if it gets it. */
static uint32_t held(const struct attempt *a)
{
    return a->has_slept ? WAITED : HELD;
}

static uint32_t visits(const struct attempt *a)
{
    return a->word / VISIT;
}

static bool change_to(struct aiox_lockcnt *lc, struct attempt *a, uint32_t word)
{
    /* [LOCKCNT-leave] [LOCKCNT-unlock] */
    return aiox_u32_cas_acq_rel(&lc->word_, &a->word, word);
}

/* Changes the word to @word if the lock is free, else does one step towards sleep. */
static bool change_to_or_wait(struct aiox_lockcnt *lc, struct attempt *a, uint32_t word)
{
    switch (a->word & LOCK) {
    case FREE:
        return change_to(lc, a, word);
    case HELD:
        if (!aiox_u32_cas_relaxed(&lc->word_, &a->word, a->word - HELD + WAITED)) {
            return false;
        }
        a->word += WAITED - HELD;
        return false;
    default:
        a->has_slept = true;
        AIOX_TRACE(lockcnt, wait, (uintptr_t)lc, a->word);
        lockcnt_wait_(&lc->word_, a->word);
        a->word = aiox_u32_load_relaxed(&lc->word_);
        return false;
    }
}

/* Without the lock: whoever has slept passes the wake on. */
static void leave(struct aiox_lockcnt *lc, const struct attempt *a)
{
    if (a->has_slept) {
        AIOX_TRACE(lockcnt, wake, (uintptr_t)lc, 0);
        lockcnt_wake_(&lc->word_);
    }
}

void aiox_lockcnt_inc_slow_(struct aiox_lockcnt *lc)
{
    struct attempt a = begin(lc);
    bool done;

    do {
        aiox_assert(visits(&a) < AIOX_LOCKCNT_MAX_VISITS);
        done =
            visits(&a) > 0 ? change_to(lc, &a, a.word + VISIT) : change_to_or_wait(lc, &a, VISIT);
    } while (!done);
    leave(lc, &a);
}

bool aiox_lockcnt_dec_and_lock(struct aiox_lockcnt *lc) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    struct attempt a = begin(lc);

    for (;;) {
        aiox_assert(visits(&a) > 0);
        if (visits(&a) > 1) {
            if (change_to(lc, &a, a.word - VISIT)) {
                leave(lc, &a);
                return false;
            }
        } else if (change_to_or_wait(lc, &a, held(&a))) {
            return true;
        }
    }
}

bool aiox_lockcnt_dec_if_lock(struct aiox_lockcnt *lc) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    struct attempt a = begin(lc);

    while (visits(&a) < 2) {
        aiox_assert(visits(&a) > 0);
        if (change_to_or_wait(lc, &a, held(&a))) {
            return true;
        }
    }
    leave(lc, &a);
    return false;
}

void aiox_lockcnt_lock(struct aiox_lockcnt *lc) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    struct attempt a = begin(lc);

    while (!change_to_or_wait(lc, &a, a.word + held(&a))) {
    }
}

/* @word was replaced by one whose lock is FREE. */
static void wake_if_waited(struct aiox_lockcnt *lc, uint32_t word)
{
    aiox_assert((word & LOCK) != FREE);
    if ((word & LOCK) == WAITED) {
        AIOX_TRACE(lockcnt, wake, (uintptr_t)lc, word);
        lockcnt_wake_(&lc->word_);
    }
}

void aiox_lockcnt_unlock(struct aiox_lockcnt *lc) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    /* [LOCKCNT-unlock] */
    wake_if_waited(lc, aiox_u32_and_release(&lc->word_, ~(uint32_t)LOCK));
}

void aiox_lockcnt_inc_and_unlock(struct aiox_lockcnt *lc) AIOX_NO_THREAD_SAFETY_ANALYSIS
{
    uint32_t word = aiox_u32_load_relaxed(&lc->word_);

    do {
        aiox_assert(word / VISIT < AIOX_LOCKCNT_MAX_VISITS);
        /* [LOCKCNT-unlock] */
    } while (!aiox_u32_cas_release(&lc->word_, &word, (word & ~(uint32_t)LOCK) + VISIT));
    wake_if_waited(lc, word);
}
