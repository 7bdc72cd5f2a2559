/* SPDX-License-Identifier: MIT */
/* latch.c - the slow path of a latch: looks, then naps. */
#include "latch.h"

#include <time.h>

#if !defined(AIOX_SCHEDULED) || !AIOX_SCHEDULED

enum { LOOKS = 100, NAP_NS = 50000 };

void latch_wait_(const aiox_atomic_u32 *latch)
{
    const struct timespec nap = {.tv_nsec = NAP_NS};

    for (int i = 0; i < LOOKS; i++) {
        if (!aiox_u32_load_relaxed(latch)) {
            return;
        }
        aiox_cpu_relax();
    }
    nanosleep(&nap, NULL);
}

#endif
