/* SPDX-License-Identifier: MIT */
/*
 * borrow.c - whose turn it is to be the home of a lent loop.
 *
 * Those who wait stand in a line. Whoever gives the loop back makes the first
 * of them the home, in its name and under the lock, so nobody can step in
 * between; then it wakes that one.
 *
 * Rings. A home that sleeps in its backend wakes up by a ring, and whoever lines
 * up rings. But a ring may be heard by another home than the one it was meant
 * for: that of a third in line by the first, that of somebody who set a flag and
 * notified the loop's thread by a borrower. So a thread that becomes the home
 * after another one rings for itself: its first wait ends at once, and what it
 * has not heard is looked at. No home is kept from sleeping after that: it may
 * turn the loop as often as it needs.
 *
 *   [BORROW-grant]  give (release) -> wait (acquire): what the former home did.
 *                   A loop that nobody waits for is handed over by the lock.
 */
#include "borrow.h"

#include <stddef.h>

#include "aiox/assert.h"

#include "park.h"

static void line_up(struct borrow *b, struct borrower *w, uint64_t me)
{
    *w = (struct borrower){.thread = me};
    *(b->first ? &b->last->next : &b->first) = w;
    b->last = w;
    aiox_u32_add_relaxed(&b->wanted, 1);
}

static struct borrower *first_off(struct borrow *b)
{
    struct borrower *w = b->first;

    if (w) {
        b->first = w->next;
        aiox_u32_sub_relaxed(&b->wanted, 1);
    }
    return w;
}

void borrow_init_(struct borrow *b)
{
    pthread_mutex_init(&b->lock, NULL);
}

void borrow_fini_(struct borrow *b)
{
    aiox_assert(!b->first);
    pthread_mutex_destroy(&b->lock);
}

bool borrow_is_lent_(struct borrow *b)
{
    bool lent;

    pthread_mutex_lock(&b->lock);
    lent = b->lent;
    pthread_mutex_unlock(&b->lock);
    return lent;
}

bool borrow_is_for_all_(struct borrow *b)
{
    bool for_all;

    pthread_mutex_lock(&b->lock);
    for_all = b->lent || b->claimed;
    pthread_mutex_unlock(&b->lock);
    return for_all;
}

void borrow_lend_(struct borrow *b, uint64_t me)
{
    pthread_mutex_lock(&b->lock);
    b->lent = true;
    b->claimed = false;
    pthread_mutex_unlock(&b->lock);
    b->latest = me;
}

bool borrow_enter_(struct borrow *b, struct home *home, struct borrower *w, uint64_t me)
{
    bool is_home;

    pthread_mutex_lock(&b->lock);
    is_home = home_change_(home, b->lent ? HOME_NOBODY : HOME_NONE_YET, me);
    if (is_home) {
        b->claimed = !b->lent;
    } else {
        line_up(b, w, me);
    }
    pthread_mutex_unlock(&b->lock);
    return is_home;
}

void borrow_wait_(struct borrower *w)
{
    while (!aiox_u32_load_acquire(&w->granted)) { /* [BORROW-grant] */
        park_sleep_(&w->granted);
    }
}

bool borrow_is_new_(struct borrow *b, uint64_t me)
{
    bool is_new = b->latest != me;

    b->latest = me;
    return is_new;
}

void borrow_give_(struct borrow *b, struct home *home)
{
    struct borrower *w;

    pthread_mutex_lock(&b->lock);
    w = first_off(b);
    home_set_(home, w ? w->thread : HOME_NOBODY);
    pthread_mutex_unlock(&b->lock);
    if (w) {
        aiox_u32_store_release(&w->granted, 1); /* [BORROW-grant] */
        park_wake_(&w->granted);                /* it may be gone */
    }
}

bool borrow_end_(struct borrow *b, struct home *home, uint64_t me)
{
    bool lent;

    pthread_mutex_lock(&b->lock);
    lent = b->lent;
    b->claimed = false;
    if (lent) {
        aiox_assert(!b->first && home_change_(home, HOME_NOBODY, me));
        b->lent = false;
    }
    pthread_mutex_unlock(&b->lock);
    return lent;
}
