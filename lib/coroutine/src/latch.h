/* SPDX-License-Identifier: MIT */
/*
 * latch.h - what a thread does while a latch is held by another.
 *
 * A latch is held for a few steps that call nobody, so it is found taken for
 * long only if the holder lost its processor; then a nap is what lets it run,
 * whatever the priorities are. Under a schedule explorer the nap ends when the
 * latch is left: to look again and again would show nothing.
 */
#ifndef AIOX_COROUTINE_SRC_LATCH_H_
#define AIOX_COROUTINE_SRC_LATCH_H_

#include "aiox/atomic.h"
#include "aiox/attributes.h"

#if defined(AIOX_SCHEDULED) && AIOX_SCHEDULED

static inline void latch_wait_(aiox_atomic_u32 *latch)
{
    aiox_sched_futex_wait_(latch, 1);
}

static inline void latch_left_(aiox_atomic_u32 *latch)
{
    aiox_sched_futex_wake_(latch, 1 << 30);
}

#else

/* Looks until *@latch is 0 or it has looked long enough; then sleeps for 50 us. */
AIOX_COLD void latch_wait_(const aiox_atomic_u32 *latch);

static inline void latch_left_(aiox_atomic_u32 *latch AIOX_UNUSED)
{
}

#endif

#endif /* AIOX_COROUTINE_SRC_LATCH_H_ */
