/* SPDX-License-Identifier: MIT */
/*
 * notify.c - tells an asker whether the loop must be rung.
 *
 * One word, changed only by read-modify-writes, so all changes stand in one
 * order and whoever comes second sees the other:
 *
 *   RUNG    there may be work that the loop has not looked at. Set by askers
 *           after they have published their work. Cleared by the loop before
 *           it looks.
 *   SLEEPY  the loop will wait, or waits. Set by the loop when it has found no
 *           work; cleared when it is awake again.
 *
 * An asker that finds SLEEPY and is the first to ring sets the bell, a
 * descriptor that the loop watches. Further askers need not: the bell is set
 * already, or will be by the first. That is safe because arming counts RUNG
 * as work: a loop never goes to sleep over a ring whose bell it has used up.
 *
 * Going to sleep needs no order: all that counts is which of the two changes of
 * the word came first. What the asker has published is carried by its ring.
 *
 *   [NOTIFY-ring]  ring (release) -> accept (acquire): what was published before
 *                  a ring is seen after it was accepted.
 */
#include "notify.h"

enum {
    RUNG = 1u << 0,
    SLEEPY = 1u << 1,
};

bool notify_ring_(struct notify *n)
{
    return aiox_u32_or_release(&n->word, RUNG) == SLEEPY; /* [NOTIFY-ring] */
}

bool notify_arm_(struct notify *n)
{
    return (aiox_u32_or_relaxed(&n->word, SLEEPY) & RUNG) != 0;
}

void notify_accept_(struct notify *n)
{
    /* Zero: nobody rang, and if somebody does now, the ring stays for the next turn. */
    if (!notify_is_quiet_(n)) {
        aiox_u32_swap_acquire(&n->word, 0); /* [NOTIFY-ring] */
    }
}

bool notify_wake_(struct notify *n)
{
    return (aiox_u32_and_relaxed(&n->word, ~(uint32_t)SLEEPY) & RUNG) != 0;
}

bool notify_is_armed_(const struct notify *n)
{
    return (aiox_u32_load_relaxed(&n->word) & SLEEPY) != 0;
}

bool notify_is_rung_(const struct notify *n)
{
    return (aiox_u32_load_relaxed(&n->word) & RUNG) != 0;
}
