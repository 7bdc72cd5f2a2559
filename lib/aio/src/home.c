/* SPDX-License-Identifier: MIT */
/*
 * home.c - which thread turns a loop, and which loop a thread turns.
 *
 * A thread is known by the address of a variable of its own. The functions
 * that touch such variables stay out of line: a coroutine may go on in another
 * thread, and must not use an address that was computed in the first.
 *
 *   [HOME-claim]  claim (acq_rel) -> is_here (relaxed): a thread compares with
 *                 itself, so it needs to see its own claims only.
 */
#include "home.h"

#include "aiox/aio.h"

static __thread struct aiox_context *turning;
static __thread struct aiox_context *own;

static AIOX_NOINLINE void *this_thread(void)
{
    void *id = &turning;

    __asm__ volatile("" : "+r"(id));
    return id;
}

bool home_claim_(struct home *home)
{
    void *nobody = NULL;

    if (AIOX_LIKELY(home_is_here_(home))) {
        return true;
    }
    return aiox_ptr_cas_acq_rel(&home->thread, &nobody, this_thread()); /* [HOME-claim] */
}

void home_take_(struct home *home)
{
    aiox_ptr_store_release(&home->thread, this_thread());
}

bool home_is_here_(const struct home *home)
{
    return aiox_ptr_load_relaxed(&home->thread) == this_thread(); /* [HOME-claim] */
}

AIOX_NOINLINE struct aiox_context *home_begin_turn_(struct aiox_context *ctx)
{
    struct aiox_context *outer = turning;

    turning = ctx;
    __asm__ volatile("" ::: "memory");
    return outer;
}

AIOX_NOINLINE void home_end_turn_(struct aiox_context *outer)
{
    turning = outer;
    __asm__ volatile("" ::: "memory");
}

AIOX_NOINLINE struct aiox_context *aiox_context_current(void)
{
    __asm__ volatile("" ::: "memory");
    return turning ? turning : own;
}

AIOX_NOINLINE void home_set_own_(struct aiox_context *ctx)
{
    own = ctx;
    __asm__ volatile("" ::: "memory");
}
