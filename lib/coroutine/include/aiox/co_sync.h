/* SPDX-License-Identifier: MIT */
/*
 * aiox/co_sync.h - coroutines that wait for each other.
 *
 * A mutex, a queue (what others call a condition variable), a lock for readers
 * and writers, a resource to be shared, and a call that ends at a deadline. Who
 * waits has yielded: its thread goes on with others. It is let in by
 * aiox_co_wake(), so it goes on in its own executor, whoever lets it in from
 * wherever.
 *
 *   static void add(void *opaque)
 *   {
 *       AIOX_CO_MUTEX_GUARD(&lock);        until the end of the block
 *       while (is_full()) { aiox_co_queue_wait(&not_full, &lock); }
 *       ...
 *   }
 *
 * Deadlines are points in ns on AIOX_CLOCK_MONOTONIC, -1 is for ever; one that
 * has passed ends a wait at the executor's next look at its clock. They need an
 * executor that has a clock, such as a context of aiox/aio_co.h; in another one,
 * any but -1 ends the program. Functions named _until return 0, or
 *
 *   -ETIMEDOUT  the deadline came first; the caller has not got what it waited for
 *   -ENOMEM     no memory for a timer; the same
 *
 * What is handed over at the very moment of a deadline goes to one side: either
 * the waiter has it and gets 0, or it has left, and the next gets it.
 *
 * Mistakes end the program and name the coroutine: to end with a lock held, to
 * give back what one does not hold, to lock twice, to be entered by somebody
 * else while waiting.
 *
 * All zero is free, or empty. All of them stay in place while they are used.
 * What was done before a lock was given back is seen by whoever gets it next.
 */
#ifndef AIOX_CO_SYNC_H_
#define AIOX_CO_SYNC_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aiox/atomic.h"
#include "aiox/attributes.h"
#include "aiox/coroutine.h"
#include "aiox/list.h"
#include "aiox/thread_annotations.h"

AIOX_BEGIN_DECLS

/* ---- mutex ---- */

/* One at a time, from any number of executors. Lives inside its owner. */
struct aiox_co_mutex {
    aiox_atomic_ptr word_;     /* free, held, or who has come lately */
    aiox_atomic_ptr duty_;     /* who hands it over, and what there is to do */
    struct aiox_list waiting_; /* on duty */
    aiox_atomic_ptr holder_;
    aiox_atomic_ptr executor_; /* of the holder */
};

/* Makes @m free. [init] */
AIOX_API void aiox_co_mutex_init(struct aiox_co_mutex *m);

/* Ends @m, which must be free. The memory may also go without. [any], once nobody else uses it */
AIOX_API void aiox_co_mutex_fini(struct aiox_co_mutex *m);

/*
 * Locks @m. Who has to wait gets it in the order of arrival; who finds it free
 * takes it, though others may be about to wait. Before it waits, it spins for
 * a moment if the holder is in another executor and nobody waits. [coroutine]
 */
AIOX_API void aiox_co_mutex_lock(struct aiox_co_mutex *m) coroutine_fn;
AIOX_API AIOX_NODISCARD int aiox_co_mutex_lock_until(struct aiox_co_mutex *m,
                                                     int64_t deadline_ns) coroutine_fn;

/* Locks @m if it is free; returns whether it was. [coroutine] */
AIOX_API AIOX_NODISCARD bool aiox_co_mutex_try_lock(struct aiox_co_mutex *m) coroutine_fn;

/*
 * Gives @m back. If there are waiters the first of them holds it when this
 * returns (but for a moment if another waiter is just leaving, whose thread then
 * does it), and goes on when it is its turn in its executor: in the same one,
 * when the caller yields or ends. Does not yield. Whoever gets @m may free it.
 * [coroutine]
 */
AIOX_API void aiox_co_mutex_unlock(struct aiox_co_mutex *m) coroutine_fn;

/* True if somebody holds @m; may be old at once. [any] */
AIOX_API bool aiox_co_mutex_is_locked(const struct aiox_co_mutex *m);

static inline struct aiox_co_mutex *aiox_co_mutex_guard_(struct aiox_co_mutex *m) coroutine_fn
{
    aiox_co_mutex_lock(m);
    return m;
}

static inline void aiox_co_mutex_unguard_(struct aiox_co_mutex **m) coroutine_fn
{
    aiox_co_mutex_unlock(*m);
}

/* Holds @m from here to the end of the block, however that is left. One in a block. [coroutine] */
#define AIOX_CO_MUTEX_GUARD(m)                                                                     \
    AIOX_UNUSED                                                                                    \
    __attribute__((cleanup(aiox_co_mutex_unguard_))) struct aiox_co_mutex *aiox_co_guard_ =        \
        aiox_co_mutex_guard_(m)

/* ---- queue ---- */

/*
 * Coroutines that wait until somebody says so. It has no lock: either all its
 * users are in one executor, or one mutex is held in each call.
 */
struct aiox_co_queue {
    struct aiox_list waiting_;
};

/* Makes @q empty. [init] */
AIOX_API void aiox_co_queue_init(struct aiox_co_queue *q);

/* A wait, in the frame of who waits. */
struct aiox_co_waiter_ {
    struct aiox_list_node link; /* guarded by what guards the line; all zero: in none */
    struct aiox_co *co;
    aiox_atomic_u32 state;
};

/*
 * The parts of what stands inline below. It does, because the processor foresees
 * no return of a function in which a coroutine was changed: that costs more than
 * the change.
 */
AIOX_API void aiox_co_queue_join_(struct aiox_co_queue *q, struct aiox_co_mutex *m, bool at_head,
                                  struct aiox_co_waiter_ *w) coroutine_fn;
AIOX_API void aiox_co_queue_part_(const struct aiox_co_waiter_ *w,
                                  struct aiox_co_mutex *m) coroutine_fn;
AIOX_API struct aiox_co *aiox_co_queue_choose_(struct aiox_co_queue *q);

/*
 * Waits in @q for aiox_co_queue_next() or _restart_all(). @m, if not NULL, is
 * given back while it waits, and locked again before this returns, also after
 * the deadline. That lock is waited for without a deadline. @q is not touched
 * once it was woken. [coroutine]
 */
static inline void aiox_co_queue_wait(struct aiox_co_queue *q, struct aiox_co_mutex *m) coroutine_fn
{
    struct aiox_co_waiter_ w;

    aiox_co_queue_join_(q, m, false, &w);
    aiox_co_yield();
    aiox_co_queue_part_(&w, m);
}

AIOX_API AIOX_NODISCARD int aiox_co_queue_wait_until(struct aiox_co_queue *q,
                                                     struct aiox_co_mutex *m,
                                                     int64_t deadline_ns) coroutine_fn;

/* The same at the head of @q: it is the next to be woken. [coroutine] */
static inline void aiox_co_queue_wait_head(struct aiox_co_queue *q,
                                           struct aiox_co_mutex *m) coroutine_fn
{
    struct aiox_co_waiter_ w;

    aiox_co_queue_join_(q, m, true, &w);
    aiox_co_yield();
    aiox_co_queue_part_(&w, m);
}

AIOX_API AIOX_NODISCARD int aiox_co_queue_wait_head_until(struct aiox_co_queue *q,
                                                          struct aiox_co_mutex *m,
                                                          int64_t deadline_ns) coroutine_fn;

/*
 * Wakes the first that waits. Returns false if nobody does. Outside of
 * coroutines, in the waiter's own thread, it may go on before this returns. @q
 * may be freed at once if nobody is left in it. [any], see struct aiox_co_queue
 */
static inline bool aiox_co_queue_next(struct aiox_co_queue *q)
{
    struct aiox_co *co = aiox_co_queue_choose_(q);

    if (co) {
        aiox_co_wake(co);
    }
    return co != NULL;
}

/*
 * Wakes all that wait now, in their order. @q may be freed as soon as this
 * returns, or by the first of them that goes on. [any], see struct aiox_co_queue
 */
AIOX_API void aiox_co_queue_restart_all(struct aiox_co_queue *q);

/* True if nobody waits. [any], see struct aiox_co_queue */
AIOX_API bool aiox_co_queue_is_empty(const struct aiox_co_queue *q);

/* ---- readers and writers ---- */

/* Who waits, and the latch around that. */
struct aiox_co_line_ {
    aiox_atomic_u32 latch_;
    struct aiox_list tickets_;
};

/* Many readers, or one writer. Strictly in the order of arrival. */
struct aiox_co_rwlock {
    struct aiox_co_line_ line_;
    int32_t owners_; /* readers; -1: a writer */
    struct aiox_co *writer_;
};

/* Makes @l free. [init] */
AIOX_API void aiox_co_rwlock_init(struct aiox_co_rwlock *l);

/* Ends @l, which must be free. The memory may also go without. [any], once nobody else uses it */
AIOX_API void aiox_co_rwlock_fini(struct aiox_co_rwlock *l);

/*
 * Locks @l for reading: at once if there is no writer and nobody waits, else
 * when all that came before have had their turn. So a reader must not read
 * again before it has given back: a writer between the two waits for it, and it
 * for the writer. [coroutine]
 */
AIOX_API void aiox_co_rwlock_rdlock(struct aiox_co_rwlock *l) coroutine_fn;
AIOX_API AIOX_NODISCARD int aiox_co_rwlock_rdlock_until(struct aiox_co_rwlock *l,
                                                        int64_t deadline_ns) coroutine_fn;

/* Locks @l for writing, when all that came before have had their turn. [coroutine] */
AIOX_API void aiox_co_rwlock_wrlock(struct aiox_co_rwlock *l) coroutine_fn;
AIOX_API AIOX_NODISCARD int aiox_co_rwlock_wrlock_until(struct aiox_co_rwlock *l,
                                                        int64_t deadline_ns) coroutine_fn;

/* Lock @l if that needs no wait; return whether they did. [coroutine] */
AIOX_API AIOX_NODISCARD bool aiox_co_rwlock_try_rdlock(struct aiox_co_rwlock *l) coroutine_fn;
AIOX_API AIOX_NODISCARD bool aiox_co_rwlock_try_wrlock(struct aiox_co_rwlock *l) coroutine_fn;

/* Gives @l back, and lets in who may. What is told of aiox_co_mutex_unlock() holds. [coroutine] */
AIOX_API void aiox_co_rwlock_unlock(struct aiox_co_rwlock *l) coroutine_fn;

/*
 * Makes a writer of a reader. Returns true if no other writer came between:
 * what was read is still true. That is so if it is the only reader and nobody
 * waits; else it gives its share back and waits behind all that came before.
 * [coroutine]
 */
AIOX_API bool aiox_co_rwlock_upgrade(struct aiox_co_rwlock *l) coroutine_fn;

/* The same; 1 stands for true. After an error the caller holds nothing. [coroutine] */
AIOX_API AIOX_NODISCARD int aiox_co_rwlock_upgrade_until(struct aiox_co_rwlock *l,
                                                         int64_t deadline_ns) coroutine_fn;

/* Makes a writer of a reader if that needs no wait, else leaves it one. [coroutine] */
AIOX_API AIOX_NODISCARD bool aiox_co_rwlock_try_upgrade(struct aiox_co_rwlock *l) coroutine_fn;

/* Makes a reader of the writer, and lets in the readers that are the next in line. [coroutine] */
AIOX_API void aiox_co_rwlock_downgrade(struct aiox_co_rwlock *l) coroutine_fn;

/* ---- a shared resource ---- */

/* So and so much of something: bytes in flight, places. Strictly in the order of arrival. */
struct aiox_co_shared_resource {
    struct aiox_co_line_ line_;
    uint64_t total_;
    uint64_t free_;
};

/* Makes @r, all @total of it free. [init] */
AIOX_API void aiox_co_shared_resource_init(struct aiox_co_shared_resource *r, uint64_t total);

/* Ends @r; all of it must have been put back. [any], once nobody else uses it */
AIOX_API void aiox_co_shared_resource_fini(struct aiox_co_shared_resource *r);

/*
 * Takes @n, when there is so much and all that came before have been served: a
 * large wish is not overtaken by small ones. @n must not be more than there is
 * in all. [coroutine]
 */
AIOX_API void aiox_co_shared_resource_get(struct aiox_co_shared_resource *r,
                                          uint64_t n) coroutine_fn;
AIOX_API AIOX_NODISCARD int aiox_co_shared_resource_get_until(struct aiox_co_shared_resource *r,
                                                              uint64_t n,
                                                              int64_t deadline_ns) coroutine_fn;

/* Takes @n if that needs no wait; returns whether it did. [any] */
AIOX_API AIOX_NODISCARD bool aiox_co_shared_resource_try_get(struct aiox_co_shared_resource *r,
                                                             uint64_t n);

/* Puts @n back, whoever has taken it; wakes those who can be served now. [any] */
AIOX_API void aiox_co_shared_resource_put(struct aiox_co_shared_resource *r, uint64_t n);

/* ---- a call with an end ---- */

/*
 * Runs @fn(@opaque) in a coroutine of its own, which has the class and the
 * executor of the caller, and returns when it has ended, or at @deadline_ns. In
 * the latter case it goes on, and when it ends @late(@opaque) is called in it,
 * unless NULL: that is the place to free what @opaque points to. @late is not
 * called otherwise.
 *
 * Returns 0 if @fn has ended, or
 *   -ETIMEDOUT  it goes on; also at once, if there is no memory for a timer
 *   -ENOMEM     no memory for the coroutine: neither is called
 *
 * [coroutine]
 */
AIOX_API AIOX_NODISCARD int aiox_co_run_until(aiox_co_fn *fn, void *opaque, aiox_co_fn *late,
                                              int64_t deadline_ns) coroutine_fn;

AIOX_END_DECLS

#endif /* AIOX_CO_SYNC_H_ */
