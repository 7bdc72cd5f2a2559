/* SPDX-License-Identifier: MIT */
/*
 * waiter.h - a coroutine that waits in a line, and how the wait ends.
 *
 * Two want to end it: whoever chooses it, and its deadline. The state decides,
 * and each side changes it once, from WAITING. Without a deadline it is PATIENT
 * instead: there is one side only.
 *
 *   CHOSEN   it has what it waits for. Who has chosen it must wake it, and until
 *            then its frame stays where it is.
 *   LEAVING  it gets nothing. It is woken for that by somebody (which differs),
 *            and sees to it that no line names it any more before it returns.
 *
 * The state carries nothing: what belongs to it travels with the wake.
 */
#ifndef AIOX_COROUTINE_SRC_WAITER_H_
#define AIOX_COROUTINE_SRC_WAITER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aiox/atomic.h"
#include "aiox/co_sync.h"
#include "aiox/list.h"

#include "co.h"
#include "refuse.h"

enum waiter_state { WAITING, PATIENT, CHOSEN, LEAVING };

/* @deadline_ns: as for waiter_sleep_(). */
static inline void waiter_init_(struct aiox_co_waiter_ *w, struct aiox_co *co, int64_t deadline_ns)
{
    *w = (struct aiox_co_waiter_){
        .co = co,
        .state = AIOX_ATOMIC_INIT(deadline_ns < 0 ? PATIENT : WAITING),
    };
}

/* Returns whether it gets what it waits for; then the caller must wake it. */
static inline bool waiter_choose_(struct aiox_co_waiter_ *w)
{
    uint32_t was = aiox_u32_load_relaxed(&w->state);

    if (was == PATIENT) {
        aiox_u32_store_relaxed(&w->state, CHOSEN);
        return true;
    }
    return was == WAITING && aiox_u32_cas_relaxed(&w->state, &was, CHOSEN);
}

/* Returns whether it leaves without. */
static inline bool waiter_leave_(struct aiox_co_waiter_ *w)
{
    uint32_t was = WAITING;

    return aiox_u32_cas_relaxed(&w->state, &was, LEAVING);
}

static inline bool waiter_has_left_(const struct aiox_co_waiter_ *w)
{
    return aiox_u32_load_relaxed(&w->state) == LEAVING;
}

static inline struct aiox_co_waiter_ *waiter_of_(struct aiox_list_node *link)
{
    return AIOX_CONTAINER_OF(link, struct aiox_co_waiter_, link);
}

/* An all-zero list is empty, too. */
static inline struct aiox_list *ring_of_(struct aiox_list *list)
{
    if (!list->head_.next_) {
        aiox_list_init(list);
    }
    return list;
}

/* After a wait without a deadline: who has woken it had chosen it. */
static AIOX_ALWAYS_INLINE void waiter_check_chosen_(const struct aiox_co_waiter_ *w)
{
    if (AIOX_UNLIKELY(aiox_u32_load_relaxed(&w->state) != CHOSEN)) {
        refuse_to_end_wait_(w->co);
    }
}

/*
 * Yields until it is woken, or until @deadline_ns, when @too_late(@w) is called
 * in its thread: that makes it leave, and wakes it or sees to it. Returns 0 if
 * it was chosen, -ETIMEDOUT, or -ENOMEM, which is a deadline that comes at once.
 */
int waiter_sleep_until_(struct aiox_co_waiter_ *w, int64_t deadline_ns,
                        void (*too_late)(void *w)) coroutine_fn;

/* The same; without a deadline no more than a yield and a look. */
static AIOX_ALWAYS_INLINE int waiter_sleep_(struct aiox_co_waiter_ *w, int64_t deadline_ns,
                                            void (*too_late)(void *w)) coroutine_fn
{
    if (deadline_ns >= 0) {
        return waiter_sleep_until_(w, deadline_ns, too_late);
    }
    aiox_co_yield();
    waiter_check_chosen_(w);
    return 0;
}

/* A too_late for lines that the waiter leaves by itself, once it is awake. */
void waiter_wake_to_leave_(void *w);

/* Wakes all of @list in order. A woken one takes its link away with it. */
void waiters_wake_(struct aiox_list *list);

/* The running coroutine; without one, @what ends the program. As for self_(). */
static AIOX_ALWAYS_INLINE struct aiox_co *self_for_(const char *what)
{
    struct aiox_co *self = self_();

    if (AIOX_UNLIKELY(!self)) {
        refuse_outside_(what);
    }
    return self;
}

#endif /* AIOX_COROUTINE_SRC_WAITER_H_ */
