/* SPDX-License-Identifier: MIT */
/* aiox/qemu/co_sync.h - the original names of aiox/co_sync.h, which tells what they do. */
#ifndef AIOX_QEMU_CO_SYNC_H_
#define AIOX_QEMU_CO_SYNC_H_

#include <stdlib.h>

#include "aiox/assert.h"
#include "aiox/attributes.h"
#include "aiox/clock.h"
#include "aiox/co_sync.h"
#include "aiox/qemu/api.h"
#include "aiox/qemu/coroutine.h"

AIOX_BEGIN_DECLS

/* ---- mutex ---- */

typedef struct aiox_co_mutex CoMutex;

static inline void qemu_co_mutex_init(CoMutex *mutex)
{
    aiox_co_mutex_init(mutex);
}

static inline void coroutine_fn qemu_co_mutex_lock(CoMutex *mutex)
{
    aiox_co_mutex_lock(mutex);
}

static inline void coroutine_fn qemu_co_mutex_unlock(CoMutex *mutex)
{
    aiox_co_mutex_unlock(mutex);
}

static inline void qemu_co_mutex_assert_locked(CoMutex *mutex)
{
    aiox_assert(aiox_co_mutex_is_locked(mutex));
}

/* ---- queue ---- */

typedef struct aiox_co_queue CoQueue;

static inline void qemu_co_queue_init(CoQueue *queue)
{
    aiox_co_queue_init(queue);
}

#if AIOX_QEMU_API >= 2017

typedef enum {
    CO_QUEUE_WAIT_FRONT = 1,
} CoQueueWaitFlags;

/* @lock is a CoMutex, or NULL; no other kind of lock. */
static inline void coroutine_fn qemu_co_queue_wait_flags(CoQueue *queue, CoMutex *lock,
                                                         CoQueueWaitFlags flags)
{
    if (flags & CO_QUEUE_WAIT_FRONT) {
        aiox_co_queue_wait_head(queue, lock);
    } else {
        aiox_co_queue_wait(queue, lock);
    }
}

static inline void coroutine_fn qemu_co_queue_wait(CoQueue *queue, CoMutex *lock)
{
    aiox_co_queue_wait(queue, lock);
}

#else

static inline void coroutine_fn qemu_co_queue_wait(CoQueue *queue)
{
    aiox_co_queue_wait(queue, NULL);
}

#endif

/* False if nobody waits. */
static inline bool qemu_co_queue_next(CoQueue *queue)
{
    return aiox_co_queue_next(queue);
}

static inline void qemu_co_queue_restart_all(CoQueue *queue)
{
    aiox_co_queue_restart_all(queue);
}

/*
 * From outside of coroutines. @lock is NULL here: a queue that such callers use is
 * guarded by the thread that all its users run in.
 */
#if AIOX_QEMU_API >= 2018
static inline bool qemu_co_enter_next(CoQueue *queue, const void *lock)
{
    aiox_assert(!lock);
    return aiox_co_queue_next(queue);
}

static inline void qemu_co_enter_all(CoQueue *queue, const void *lock)
{
    while (qemu_co_enter_next(queue, lock)) {
    }
}
#else
static inline bool qemu_co_enter_next(CoQueue *queue)
{
    return aiox_co_queue_next(queue);
}
#endif

static inline bool qemu_co_queue_empty(CoQueue *queue)
{
    return aiox_co_queue_is_empty(queue);
}

/* ---- readers and writers ---- */

typedef struct aiox_co_rwlock CoRwlock;

static inline void qemu_co_rwlock_init(CoRwlock *lock)
{
    aiox_co_rwlock_init(lock);
}

static inline void coroutine_fn qemu_co_rwlock_rdlock(CoRwlock *lock)
{
    aiox_co_rwlock_rdlock(lock);
}

static inline void coroutine_fn qemu_co_rwlock_wrlock(CoRwlock *lock)
{
    aiox_co_rwlock_wrlock(lock);
}

static inline void coroutine_fn qemu_co_rwlock_unlock(CoRwlock *lock)
{
    aiox_co_rwlock_unlock(lock);
}

/* Others may have written meanwhile. */
static inline void coroutine_fn qemu_co_rwlock_upgrade(CoRwlock *lock)
{
    aiox_co_rwlock_upgrade(lock);
}

static inline void coroutine_fn qemu_co_rwlock_downgrade(CoRwlock *lock)
{
    aiox_co_rwlock_downgrade(lock);
}

/* ---- a resource in units ---- */

typedef struct aiox_co_shared_resource SharedResource;

/* Aborts if there is no memory. */
static inline SharedResource *shres_create(uint64_t total)
{
    SharedResource *s = (SharedResource *)malloc(sizeof(*s));

    aiox_assert(s);
    aiox_co_shared_resource_init(s, total);
    return s;
}

static inline void shres_destroy(SharedResource *s)
{
    aiox_co_shared_resource_fini(s);
    free(s);
}

static inline bool co_try_get_from_shres(SharedResource *s, uint64_t n)
{
    return aiox_co_shared_resource_try_get(s, n);
}

static inline void coroutine_fn co_get_from_shres(SharedResource *s, uint64_t n)
{
    aiox_co_shared_resource_get(s, n);
}

static inline void co_put_to_shres(SharedResource *s, uint64_t n)
{
    aiox_co_shared_resource_put(s, n);
}

/* ---- a time-out around a coroutine ---- */

/*
 * Runs @entry(@opaque); -ETIMEDOUT if that takes longer than @timeout_ns (0:
 * it may), then it goes on and @clean(@opaque) is called at its end.
 */
static inline int coroutine_fn qemu_co_timeout(CoroutineEntry *entry, void *opaque,
                                               uint64_t timeout_ns, void (*clean)(void *opaque))
{
    return aiox_co_run_until(entry, opaque, clean,
                             timeout_ns ? aiox_clock_now_ns() + (int64_t)timeout_ns : -1);
}

AIOX_END_DECLS

#endif /* AIOX_QEMU_CO_SYNC_H_ */
