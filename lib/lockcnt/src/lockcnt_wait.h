/* SPDX-License-Identifier: MIT */
/*
 * lockcnt_wait.h - sleep on a word.
 *
 * lockcnt_wait_(word, value)  sleeps until a wake, unless *word is not @value.
 *                             May return for no reason at all.
 * lockcnt_wake_(word)         wakes at least one of those who sleep on @word.
 *
 * One of three forms: calls into a schedule test, the kernel's futex, or, where
 * there is none or AIOX_LOCKCNT_MUTEX=1 says so, lockcnt_mutex.c.
 */
#ifndef AIOX_LOCKCNT_SRC_LOCKCNT_WAIT_H_
#define AIOX_LOCKCNT_SRC_LOCKCNT_WAIT_H_

#include <stdint.h>

#include "aiox/atomic.h"

#if defined(AIOX_SCHEDULED) && AIOX_SCHEDULED

static inline void lockcnt_wait_(aiox_atomic_u32 *word, uint32_t value)
{
    aiox_sched_futex_wait_(word, value);
}

static inline void lockcnt_wake_(aiox_atomic_u32 *word)
{
    aiox_sched_futex_wake_(word, 1);
}

#elif defined(__linux__) && !defined(AIOX_LOCKCNT_MUTEX)

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "aiox/assert.h"
#include "aiox/error.h"

static inline void lockcnt_futex_(aiox_atomic_u32 *word, int op, uint32_t value)
{
    if (syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0) < 0 &&
        errno != EAGAIN && errno != EINTR) {
        aiox_panic("the kernel refuses futex(): %s", aiox_error_text(errno));
    }
}

static inline void lockcnt_wait_(aiox_atomic_u32 *word, uint32_t value)
{
    lockcnt_futex_(word, FUTEX_WAIT, value);
}

static inline void lockcnt_wake_(aiox_atomic_u32 *word)
{
    lockcnt_futex_(word, FUTEX_WAKE, 1);
}

#else

void lockcnt_wait_(aiox_atomic_u32 *word, uint32_t value);
void lockcnt_wake_(aiox_atomic_u32 *word);

#endif

#endif /* AIOX_LOCKCNT_SRC_LOCKCNT_WAIT_H_ */
