/* SPDX-License-Identifier: MIT */
/*
 * seam.c - the seam of aiox/atomic.h with the real thing behind it, and a count.
 *
 * One thread runs, so the strongest order is as good as any.
 */
#include <stdlib.h>

#include "aiox/atomic.h"

#include "bench/counts/counts.h"

#ifdef AIOX_SCHEDULED

static unsigned long count;

#define OF_SIZE(size, expression)                                                                  \
    ((size) == 4 ? (uint64_t)expression(uint32_t) : (uint64_t)expression(uint64_t))

uint64_t aiox_sched_load_(const void *where, unsigned size, int order)
{
    (void)order;
#define LOAD(type) __atomic_load_n((const type *)where, __ATOMIC_SEQ_CST)
    return OF_SIZE(size, LOAD);
}

void aiox_sched_store_(void *where, unsigned size, uint64_t value, int order)
{
    (void)order;
    if (size == 4) {
        __atomic_store_n((uint32_t *)where, (uint32_t)value, __ATOMIC_SEQ_CST);
    } else {
        __atomic_store_n((uint64_t *)where, value, __ATOMIC_SEQ_CST);
    }
}

uint64_t aiox_sched_rmw_(void *where, unsigned size, enum aiox_sched_op_ op, uint64_t value,
                         int order)
{
    (void)order;
    count++;
#define SWAP(type) __atomic_exchange_n((type *)where, (type)value, __ATOMIC_SEQ_CST)
#define OR(type) __atomic_fetch_or((type *)where, (type)value, __ATOMIC_SEQ_CST)
#define AND(type) __atomic_fetch_and((type *)where, (type)value, __ATOMIC_SEQ_CST)
#define ADD(type) __atomic_fetch_add((type *)where, (type)value, __ATOMIC_SEQ_CST)
    switch (op) {
    case AIOX_SCHED_SWAP_:
        return OF_SIZE(size, SWAP);
    case AIOX_SCHED_OR_:
        return OF_SIZE(size, OR);
    case AIOX_SCHED_AND_:
        return OF_SIZE(size, AND);
    default:
        return OF_SIZE(size, ADD);
    }
}

bool aiox_sched_cas_(void *where, unsigned size, uint64_t *expected, uint64_t desired, int order)
{
    uint64_t was = aiox_sched_load_(where, size, order);
    bool is_equal = was == *expected;

    count++;
    *expected = was;
    if (is_equal) {
        aiox_sched_store_(where, size, desired, order);
    }
    return is_equal;
}

void aiox_sched_plain_(const void *where, bool write, const char *what)
{
    (void)where;
    (void)write;
    (void)what;
}

/* One thread has nobody to wait for, and nobody to wake. */
void aiox_sched_futex_wait_(aiox_atomic_u32 *where, uint32_t value)
{
    (void)where;
    (void)value;
    abort();
}

void aiox_sched_futex_wake_(aiox_atomic_u32 *where, int how_many)
{
    (void)where;
    (void)how_many;
}

void aiox_sched_relax_(void)
{
}

void **aiox_sched_own_(void)
{
    static void *own;

    return &own;
}

unsigned long seam_read_modify_writes(void)
{
    return count;
}

#else

unsigned long seam_read_modify_writes(void)
{
    return 0;
}

#endif
