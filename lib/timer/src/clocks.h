/* SPDX-License-Identifier: MIT */
/*
 * clocks.h - what the clocks tell the rest of the library.
 *
 * Whether a clock is enabled is looked at under a list's lock where it matters
 * (before each callback). Who disables it stores first, and takes each list's
 * lock afterwards; so a callback either is seen running then, or sees the store.
 *
 * [TIMER-enable]  enable (release) -> who may run a callback again (acquire): what
 *                 was done while the clock was off.
 */
#ifndef AIOX_LIB_TIMER_SRC_CLOCKS_H_
#define AIOX_LIB_TIMER_SRC_CLOCKS_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/atomic.h"
#include "aiox/timer_clock.h"

/* A bit per clock. */
extern aiox_atomic_u32 clocks_disabled_;

static inline bool clock_is_enabled_(enum aiox_clock clock)
{
    return !(aiox_u32_load_acquire(&clocks_disabled_) & 1u << clock); /* [TIMER-enable] */
}

/* The virtual clock, as it is now. */
int64_t virtual_clock_ns_(void);

/* The time of day; calls the watchers if it has jumped. */
int64_t host_clock_ns_(void);

#endif /* AIOX_LIB_TIMER_SRC_CLOCKS_H_ */
