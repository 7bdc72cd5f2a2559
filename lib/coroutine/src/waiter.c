/* SPDX-License-Identifier: MIT */
/* waiter.c - yields, with an eye on the clock. */
#include "waiter.h"

#include <errno.h>

#include "aiox/assert.h"

int waiter_sleep_until_(struct aiox_co_waiter_ *w, int64_t deadline_ns, void (*too_late)(void *))
{
    struct aiox_executor *ex = w->co->executor;
    int err;

    if (!ex || !ex->yield_until) {
        aiox_panic("%s (%p) waits with a deadline, but its executor has no clock",
                   aiox_co_name(w->co), (void *)w->co);
    }
    err = ex->yield_until(ex, deadline_ns, too_late, w);
    if (err < 0) {
        too_late(w);
        aiox_co_yield();
    }
    switch (aiox_u32_load_relaxed(&w->state)) {
    case CHOSEN:
        return 0;
    case LEAVING:
        return err < 0 ? err : -ETIMEDOUT;
    default:
        refuse_to_end_wait_(w->co);
    }
}

void waiter_wake_to_leave_(void *opaque)
{
    struct aiox_co_waiter_ *w = opaque;

    if (waiter_leave_(w)) {
        aiox_co_wake(w->co);
    }
}

void waiters_wake_(struct aiox_list *list)
{
    struct aiox_list_node *node;

    while ((node = aiox_list_pop_front(list)) != NULL) {
        aiox_co_wake(waiter_of_(node)->co);
    }
}
