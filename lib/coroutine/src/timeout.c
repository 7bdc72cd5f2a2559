/* SPDX-License-Identifier: MIT */
/*
 * timeout.c - a call whose end is not waited for longer than that.
 *
 * Caller and callee share a record. If the callee ends while the caller waits,
 * it wakes it, and the record is the caller's. Else the caller has begun to
 * leave; then both swap their last word into the record, and who comes second
 * frees it.
 *
 *   [COCALL-last]  the first swap (release) -> the second (acquire): what that
 *                  side did with the record, and before.
 */
#include <errno.h>
#include <stdlib.h>

#include "waiter.h"

enum last_word { NONE, ENDED, ABANDONED };

struct call {
    struct aiox_co_waiter_ caller;
    aiox_atomic_u32 last_word;
    aiox_co_fn *fn;
    aiox_co_fn *late;
    void *opaque;
};

static uint32_t say(struct call *call, enum last_word word)
{
    return aiox_u32_swap_acq_rel(&call->last_word, word); /* [COCALL-last] */
}

static void live(void *opaque)
{
    struct call *call = opaque;

    call->fn(call->opaque);
    if (waiter_choose_(&call->caller)) {
        aiox_co_wake(call->caller.co);
    } else if (say(call, ENDED) == ABANDONED) { /* [COCALL-last] */
        if (call->late) {
            call->late(call->opaque);
        }
        free(call);
    }
}

/* Returns 0 if the callee has ended. Frees @call, or leaves it to the callee. */
static int wait_for_end(struct call *call, int64_t deadline_ns) coroutine_fn
{
    int err = waiter_sleep_(&call->caller, deadline_ns, waiter_wake_to_leave_);

    if (err < 0 && say(call, ABANDONED) == NONE) { /* [COCALL-last] */
        return -ETIMEDOUT;
    }
    free(call);
    return 0;
}

AIOX_NOINLINE int aiox_co_run_until(aiox_co_fn *fn, void *opaque, aiox_co_fn *late,
                                    int64_t deadline_ns)
{
    struct aiox_co *self = self_for_("aiox_co_run_until");
    struct call *call = malloc(sizeof(*call));
    struct aiox_co *callee;

    if (!call) {
        return -ENOMEM;
    }
    if (aiox_co_create(&callee, self->class_, live, call) < 0) {
        free(call);
        return -ENOMEM;
    }
    *call = (struct call){.fn = fn, .late = late, .opaque = opaque};
    waiter_init_(&call->caller, self, deadline_ns);
    aiox_co_wake_on(self->executor, callee); /* it runs as soon as this one has yielded */
    return wait_for_end(call, deadline_ns);
}
