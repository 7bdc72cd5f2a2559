/* SPDX-License-Identifier: MIT */
/* lock_wait.c - the slow path of lock.h: looks, then naps. */
#include "lock_wait.h"

#include <time.h>

#if !defined(AIOX_SCHEDULED) || !AIOX_SCHEDULED

enum { LOOKS = 100, NAP_NS = 50000 };

void lock_wait_(const aiox_atomic_u32 *held)
{
    const struct timespec nap = {.tv_nsec = NAP_NS};

    for (int i = 0; i < LOOKS; i++) {
        if (!aiox_u32_load_relaxed(held)) {
            return;
        }
        aiox_cpu_relax();
    }
    nanosleep(&nap, NULL);
}

#endif
