/* SPDX-License-Identifier: MIT */
/* notify.h - tells an asker whether the loop must be rung. */
#ifndef AIOX_AIO_SRC_NOTIFY_H_
#define AIOX_AIO_SRC_NOTIFY_H_

#include <stdbool.h>

#include "aiox/atomic.h"

/* All zero is awake and not rung. */
struct notify {
    aiox_atomic_u32 word;
};

/* Notes that there is something to do. True: the loop sleeps, so its bell must be set. [any]
 * signal-safe */
bool notify_ring_(struct notify *n);

/* Says "I am about to sleep". True: it was rung since it last looked, so it must not. [home] */
bool notify_arm_(struct notify *n);

/* Awake: takes note of every ring so far, before the work is looked at. [home] */
void notify_accept_(struct notify *n);

/* Awake, but the work is looked at later, if at all. True if it was rung. [home] */
bool notify_wake_(struct notify *n);

/*
 * True if the loop may sleep although its own thread is running: between the
 * phases of a loop that is a guest. Whoever asks there must ring, too. [home]
 */
bool notify_is_armed_(const struct notify *n);

/* True if it was rung since it was last accepted. [home] */
bool notify_is_rung_(const struct notify *n);

/* True if it is awake and was not rung: then there is nothing to accept. [home] */
static inline bool notify_is_quiet_(const struct notify *n)
{
    return aiox_u32_load_relaxed(&n->word) == 0;
}

#endif /* AIOX_AIO_SRC_NOTIFY_H_ */
