/* SPDX-License-Identifier: MIT */
/* refuse.c - last words: what the caller did wrong, and to whom. */
#include "refuse.h"

#include "aiox/assert.h"

#include "co.h"

static const char *mark_of(const struct aiox_co *co)
{
    return aiox_ptr_load_relaxed(&co->mark);
}

void refuse_to_enter_(const struct aiox_co *co)
{
    const struct aiox_co *self = aiox_co_self();
    const char *who = self ? aiox_co_name(self) : "the thread";

    if (co->back == CO_POOLED) {
        aiox_panic("%s enters a coroutine that has ended (%p)", who, (const void *)co);
    }
    if (co->back) {
        aiox_panic("%s (%p) enters %s (%p), which has already been entered by %s", who,
                   (const void *)self, aiox_co_name(co), (const void *)co,
                   co->outer ? aiox_co_name(co->outer) : "a thread");
    }
    aiox_panic("%s enters %s (%p), which is scheduled by %s", who, aiox_co_name(co),
               (const void *)co, mark_of(co));
}

void refuse_to_end_(const struct aiox_co *co)
{
    if (co->locks_held) {
        aiox_panic("%s (%p) ends and holds %u locks", aiox_co_name(co), (const void *)co,
                   co->locks_held);
    }
    aiox_panic("%s (%p) ends while it is scheduled by %s", aiox_co_name(co), (const void *)co,
               mark_of(co));
}

void refuse_to_free_(const struct aiox_co *co)
{
    aiox_panic("%s (%p) is freed, but it has been entered or is scheduled", aiox_co_name(co),
               (const void *)co);
}

void refuse_to_unwind_(struct aiox_co **co)
{
    aiox_panic("%s (%p) is left by an exception, by pthread_exit() or by cancellation",
               aiox_co_name(*co), (const void *)*co);
}

void refuse_outside_(const char *what)
{
    aiox_panic("%s() outside of a coroutine", what);
}

void refuse_to_end_wait_(const struct aiox_co *co)
{
    aiox_panic("%s (%p) was entered by somebody else while it waits for a lock or in a queue",
               aiox_co_name(co), (const void *)co);
}

void refuse_to_lock_twice_(const struct aiox_co *co)
{
    aiox_panic("%s (%p) waits for a mutex that it holds", aiox_co_name(co), (const void *)co);
}

void refuse_to_unlock_(const struct aiox_co *co, const char *what)
{
    aiox_panic("%s (%p) unlocks %s that it does not hold", aiox_co_name(co), (const void *)co,
               what);
}
