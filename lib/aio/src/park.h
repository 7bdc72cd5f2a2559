/* SPDX-License-Identifier: MIT */
/*
 * park.h - a thread sleeps on a word of its own until another sets it.
 *
 * A wake may come when the word's owner has gone on and the word is no more:
 * the kernel wakes by address and touches nothing.
 */
#ifndef AIOX_AIO_SRC_PARK_H_
#define AIOX_AIO_SRC_PARK_H_

#include "aiox/atomic.h"

#if defined(AIOX_SCHEDULED) && AIOX_SCHEDULED

static inline void park_sleep_(aiox_atomic_u32 *word)
{
    aiox_sched_futex_wait_(word, 0);
}

static inline void park_wake_(aiox_atomic_u32 *word)
{
    aiox_sched_futex_wake_(word, 1);
}

#else

/* Sleeps while *@word is 0. May return for no reason. */
void park_sleep_(aiox_atomic_u32 *word);

/* Wakes who sleeps on @word. */
void park_wake_(aiox_atomic_u32 *word);

#endif

#endif /* AIOX_AIO_SRC_PARK_H_ */
