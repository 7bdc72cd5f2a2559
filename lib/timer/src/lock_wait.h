/* SPDX-License-Identifier: MIT */
/*
 * lock_wait.h - what a waiter does while a lock is held.
 *
 * Under a schedule explorer a nap is a sleep that ends when the lock is left:
 * to look again and again would be an endless schedule that shows nothing.
 */
#ifndef AIOX_LIB_TIMER_SRC_LOCK_WAIT_H_
#define AIOX_LIB_TIMER_SRC_LOCK_WAIT_H_

#include "aiox/atomic.h"
#include "aiox/attributes.h"

#if defined(AIOX_SCHEDULED) && AIOX_SCHEDULED

static inline void lock_wait_(aiox_atomic_u32 *held)
{
    aiox_sched_futex_wait_(held, 1);
}

static inline void lock_left_(aiox_atomic_u32 *held)
{
    aiox_sched_futex_wake_(held, 1 << 30);
}

#else

/* Looks until *@held is 0 or it has looked long enough; then sleeps for 50 us. */
AIOX_COLD void lock_wait_(const aiox_atomic_u32 *held);

static inline void lock_left_(aiox_atomic_u32 *held AIOX_UNUSED)
{
}

#endif

#endif /* AIOX_LIB_TIMER_SRC_LOCK_WAIT_H_ */
