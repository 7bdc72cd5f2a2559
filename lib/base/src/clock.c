/* SPDX-License-Identifier: MIT */
/*
 * clock.c - the system's clocks, or a test's.
 *
 * [CLOCK-source]  set (release) -> now (acquire): the source's fields.
 */
#define _GNU_SOURCE
#include "aiox/clock.h"

#include <time.h>

#include "aiox/atomic.h"

static aiox_atomic_ptr clock_source;

static int64_t read_clock(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * AIOX_NS_PER_S + now.tv_nsec;
}

int64_t aiox_clock_now_ns(void)
{
    const struct aiox_clock_source *source =
        aiox_ptr_load_acquire(&clock_source); /* [CLOCK-source] */

    return AIOX_UNLIKELY(source != NULL) ? source->now_ns(source->opaque)
                                         : read_clock(CLOCK_MONOTONIC);
}

int64_t aiox_clock_wall_ns(void)
{
    const struct aiox_clock_source *source =
        aiox_ptr_load_acquire(&clock_source); /* [CLOCK-source] */

    return AIOX_UNLIKELY(source != NULL) ? source->wall_ns(source->opaque)
                                         : read_clock(CLOCK_REALTIME);
}

void aiox_clock_set_source(const struct aiox_clock_source *source)
{
    aiox_ptr_store_release(&clock_source, (void *)(uintptr_t)source); /* [CLOCK-source] */
}
