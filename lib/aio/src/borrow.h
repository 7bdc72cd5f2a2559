/* SPDX-License-Identifier: MIT */
/* borrow.h - whose turn it is to be the home of a lent loop. */
#ifndef AIOX_AIO_SRC_BORROW_H_
#define AIOX_AIO_SRC_BORROW_H_

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "aiox/atomic.h"
#include "aiox/attributes.h"

#include "home.h"

/* One that waits; on its stack. */
struct borrower {
    struct borrower *next;
    uint64_t thread;         /* its number */
    aiox_atomic_u32 granted; /* it is the home now */
};

/* A loop is lent, and then its home changes, or plain, and then it has one. */
struct borrow {
    pthread_mutex_t lock; /* of whoever changes the paragraph, and the home of a lent loop */
    struct borrower *first;
    struct borrower *last;
    aiox_atomic_u32 wanted; /* how many wait; looked at without the lock */
    bool lent;              /* changed by the home, which reads it without the lock */
    bool claimed;           /* plain, but its home got it by acquiring it */

    uint64_t latest; /* [home] the home that asked last whether it is new */
    unsigned depth;  /* [home] how often it has acquired the loop */
    unsigned turns;  /* [home] under way */
};

void borrow_init_(struct borrow *b);
void borrow_fini_(struct borrow *b);

/* True if some thread waits. What it did before it rang is seen by who has heard that. [any] */
static inline bool borrow_is_wanted_(const struct borrow *b)
{
    return aiox_u32_load_relaxed(&b->wanted) != 0;
}

/* [any] */
bool borrow_is_lent_(struct borrow *b);

/*
 * True if a thread that is not the home may wait to become it: the loop is lent, or
 * whoever acquired it while it was nobody's yet has not come to lend it. [any]
 */
bool borrow_is_for_all_(struct borrow *b);

/* Makes the loop a lent one; its home is @me. [home] */
void borrow_lend_(struct borrow *b, uint64_t me);

/*
 * Makes the thread @me the home, if the loop is lent and at nobody's or plain and
 * nobody's yet. Else lines up @w, false; then the loop must be rung, and
 * borrow_wait_() waits. [any] but home
 */
AIOX_NODISCARD bool borrow_enter_(struct borrow *b, struct home *home, struct borrower *w,
                                  uint64_t me);

/* Waits until @w is the home. */
void borrow_wait_(struct borrower *w);

/*
 * True if another thread than @me, the home, was the home before: then the loop must be rung, for
 * that one may have heard what was meant for @me. Once. [home]
 */
AIOX_NODISCARD bool borrow_is_new_(struct borrow *b, uint64_t me);

/* Makes whoever has waited longest the home of a lent loop, or nobody. [home] */
void borrow_give_(struct borrow *b, struct home *home);

/* The thread @me becomes the home of a plain loop. False: it is not lent. Nobody holds it or waits.
 */
bool borrow_end_(struct borrow *b, struct home *home, uint64_t me);

#endif /* AIOX_AIO_SRC_BORROW_H_ */
