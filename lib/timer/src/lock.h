/* SPDX-License-Identifier: MIT */
/*
 * lock.h - the lock of a timer list: one atomic swap to take, a plain store to leave.
 *
 * The home thread takes this lock for every arming, mostly alone, so the price
 * of the free case decides. A lock that puts its waiters to sleep must learn on
 * leaving whether there are any, which takes a second atomic read-modify-write;
 * it would double the price. So nobody wakes a waiter here: it looks for a while,
 * then naps and looks again. The lock is held for O(log n) steps that call
 * nobody, so a waiter naps only if the holder lost its processor, and then a nap
 * is also what lets the holder run, whatever the priorities are.
 *
 * [TIMER-list]  leave (release) -> take (acquire): all that a list guards, and
 *               what was written before arming, for the callback.
 */
#ifndef AIOX_LIB_TIMER_SRC_LOCK_H_
#define AIOX_LIB_TIMER_SRC_LOCK_H_

#include "aiox/atomic.h"
#include "aiox/attributes.h"
#include "aiox/timer.h"

#include "lock_wait.h"

static inline void lock_take_(struct aiox_timer_lock_ *lock)
{
    while (AIOX_UNLIKELY(aiox_u32_swap_acquire(&lock->held_, 1))) { /* [TIMER-list] */
        lock_wait_(&lock->held_);
    }
}

static inline void lock_leave_(struct aiox_timer_lock_ *lock)
{
    aiox_u32_store_release(&lock->held_, 0); /* [TIMER-list] */
    lock_left_(&lock->held_);
}

#endif /* AIOX_LIB_TIMER_SRC_LOCK_H_ */
