/* SPDX-License-Identifier: MIT */
/* bare_lock.c - two atomic instructions: what a lock between threads cannot do without. */
#include <stdatomic.h>

#include "bench/players/bench.h"

static atomic_uint word;

static const char *version(void)
{
    return "C11";
}

static void exclusive(long times)
{
    for (long i = 0; i < times; i++) {
        atomic_exchange_explicit(&word, 1, memory_order_acquire);
        atomic_exchange_explicit(&word, 0, memory_order_release);
    }
}

static void shared(long times)
{
    for (long i = 0; i < times; i++) {
        atomic_fetch_add_explicit(&word, 1, memory_order_acquire);
        atomic_fetch_sub_explicit(&word, 1, memory_order_release);
    }
}

static const struct lock_ops ops = {.mutex = exclusive, .reader = shared, .writer = exclusive};

const struct contender bare_lock = {
    .name = "bare atomics", .kind = LIMIT, .version = version, .locks = &ops};
