/* SPDX-License-Identifier: MIT */
/*
 * crew_wait.h - sleep on a word.
 *
 * crew_wait_(word, value, timeout_ns)  sleeps until a wake, for at most @timeout_ns
 *                                      (-1: for ever), unless *word is not @value.
 *                                      May return for no reason at all.
 * crew_wake_(word)                     wakes who sleeps on @word. Looks at the address
 *                                      alone: the memory may be gone.
 */
#ifndef AIOX_AIO_POOL_SRC_CREW_WAIT_H_
#define AIOX_AIO_POOL_SRC_CREW_WAIT_H_

#include <stdint.h>

#include "aiox/atomic.h"

#if defined(AIOX_SCHEDULED) && AIOX_SCHEDULED

static inline void crew_wait_(aiox_atomic_u32 *word, uint32_t value, int64_t timeout_ns)
{
    (void)timeout_ns;
    aiox_sched_futex_wait_(word, value);
}

static inline void crew_wake_(aiox_atomic_u32 *word)
{
    aiox_sched_futex_wake_(word, 1);
}

#else

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "aiox/assert.h"
#include "aiox/clock.h"
#include "aiox/error.h"

static inline void crew_futex_(aiox_atomic_u32 *word, int op, uint32_t value,
                               const struct timespec *timeout)
{
    if (syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, timeout, NULL, 0) < 0 &&
        errno != EAGAIN && errno != EINTR && errno != ETIMEDOUT && errno != EFAULT) {
        aiox_panic("the kernel refuses futex(): %s", aiox_error_text(errno));
    }
}

static inline void crew_wait_(aiox_atomic_u32 *word, uint32_t value, int64_t timeout_ns)
{
    struct timespec timeout = {
        .tv_sec = (time_t)(timeout_ns / AIOX_NS_PER_S),
        .tv_nsec = (long)(timeout_ns % AIOX_NS_PER_S),
    };

    crew_futex_(word, FUTEX_WAIT, value, timeout_ns < 0 ? NULL : &timeout);
}

static inline void crew_wake_(aiox_atomic_u32 *word)
{
    crew_futex_(word, FUTEX_WAKE, 1, NULL);
}

#endif

#endif /* AIOX_AIO_POOL_SRC_CREW_WAIT_H_ */
