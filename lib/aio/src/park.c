/* SPDX-License-Identifier: MIT */
/* park.c - the kernel's half of park.h. */
#define _GNU_SOURCE
#include "park.h"

#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#if !defined(AIOX_SCHEDULED) || !AIOX_SCHEDULED

void park_sleep_(aiox_atomic_u32 *word)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

void park_wake_(aiox_atomic_u32 *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

#endif
