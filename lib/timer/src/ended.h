/* SPDX-License-Identifier: MIT */
/*
 * ended.h - sleeps until a callback has ended: a condition variable.
 *
 * Under a schedule explorer, which knows no condition variables, the same by the
 * means that it knows: a number that each end raises, with the mutex held.
 */
#ifndef AIOX_LIB_TIMER_SRC_ENDED_H_
#define AIOX_LIB_TIMER_SRC_ENDED_H_

#include <pthread.h>

#include "aiox/atomic.h"

#if defined(AIOX_SCHEDULED) && AIOX_SCHEDULED

struct ended {
    aiox_atomic_u32 number;
};

#define ENDED_INITIALIZER                                                                          \
    {                                                                                              \
        AIOX_ATOMIC_INIT(0)                                                                        \
    }

static inline void ended_wait_(struct ended *ended, pthread_mutex_t *mutex)
{
    uint32_t number = aiox_u32_load_relaxed(&ended->number);

    pthread_mutex_unlock(mutex);
    aiox_sched_futex_wait_(&ended->number, number);
    pthread_mutex_lock(mutex);
}

static inline void ended_tell_all_(struct ended *ended)
{
    aiox_u32_add_relaxed(&ended->number, 1);
    aiox_sched_futex_wake_(&ended->number, 1 << 30);
}

#else

struct ended {
    pthread_cond_t condition;
};

#define ENDED_INITIALIZER                                                                          \
    {                                                                                              \
        PTHREAD_COND_INITIALIZER                                                                   \
    }

/* Leaves *@mutex, sleeps until told, takes it again. May return untold. */
static inline void ended_wait_(struct ended *ended, pthread_mutex_t *mutex)
{
    pthread_cond_wait(&ended->condition, mutex);
}

/* *@mutex is held. */
static inline void ended_tell_all_(struct ended *ended)
{
    pthread_cond_broadcast(&ended->condition);
}

#endif

#endif /* AIOX_LIB_TIMER_SRC_ENDED_H_ */
