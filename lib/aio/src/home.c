/* SPDX-License-Identifier: MIT */
/*
 * home.c - which thread turns a loop, and which loop a thread turns.
 *
 * A thread is known by a number that no other thread has had: an address, or
 * the system's number, may be that of a home that has ended. The functions that
 * touch a thread's own variables stay out of line: a coroutine may go on in
 * another thread, and must not use an address that was computed in the first.
 *
 *   [HOME-claim]  claim (acq_rel) -> is_here (relaxed): a thread compares with
 *                 itself, so it needs to see its own claims only.
 */
#include "home.h"

#include "aiox/aio.h"

static aiox_atomic_u64 threads;  /* that have a number */
static __thread uint64_t number; /* 0: none yet */
static __thread struct aiox_context *turning;
static __thread struct aiox_context *own;

/* This thread's number, 0 if it was never at home anywhere. */
static AIOX_NOINLINE uint64_t this_thread(void)
{
    __asm__ volatile("" ::: "memory");
    return number;
}

AIOX_NOINLINE uint64_t home_number_(void)
{
    __asm__ volatile("" ::: "memory");
    if (number == 0) {
        number = aiox_u64_add_relaxed(&threads, 1) + 1;
    }
    return number;
}

bool home_change_(struct home *home, uint64_t from, uint64_t to)
{
    return aiox_u64_cas_acq_rel(&home->thread, &from, to); /* [HOME-claim] */
}

void home_set_(struct home *home, uint64_t to)
{
    aiox_u64_store_release(&home->thread, to);
}

bool home_claim_(struct home *home)
{
    return AIOX_LIKELY(home_is_here_(home)) || home_change_(home, HOME_NONE_YET, home_number_());
}

void home_take_(struct home *home)
{
    home_set_(home, home_number_());
}

bool home_is_here_(const struct home *home)
{
    uint64_t here = this_thread();

    return here != 0 && aiox_u64_load_relaxed(&home->thread) == here; /* [HOME-claim] */
}

AIOX_NOINLINE bool home_begin_turn_(struct home *home, struct aiox_context *ctx,
                                    struct aiox_context **outer)
{
    __asm__ volatile("" ::: "memory");
    /* [HOME-claim] */
    if (AIOX_UNLIKELY(number == 0 || aiox_u64_load_relaxed(&home->thread) != number) &&
        !home_change_(home, HOME_NONE_YET, home_number_())) {
        return false;
    }
    *outer = turning;
    turning = ctx;
    __asm__ volatile("" ::: "memory");
    return true;
}

AIOX_NOINLINE void home_end_turn_(struct aiox_context *outer)
{
    turning = outer;
    __asm__ volatile("" ::: "memory");
}

AIOX_NOINLINE bool home_is_turning_(const struct aiox_context *ctx)
{
    __asm__ volatile("" ::: "memory");
    return turning == ctx;
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
