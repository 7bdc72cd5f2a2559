/* SPDX-License-Identifier: MIT */
/*
 * aiox/clock.h - now, in nanoseconds.
 *
 * Two clocks of the system: monotonic (CLOCK_MONOTONIC, see clock_gettime(2):
 * never goes back, stands still in suspend) and wall (CLOCK_REALTIME, since
 * 1970, may jump). A test replaces both with clocks that move when told.
 */
#ifndef AIOX_CLOCK_H_
#define AIOX_CLOCK_H_

#include <stdint.h>

#include "aiox/attributes.h"

AIOX_BEGIN_DECLS

#define AIOX_NS_PER_US INT64_C(1000)
#define AIOX_NS_PER_MS INT64_C(1000000)
#define AIOX_NS_PER_S INT64_C(1000000000)

/* The monotonic clock, or what the source says. [any] signal-safe */
AIOX_API int64_t aiox_clock_now_ns(void);

/* The wall clock, or what the source says. [any] signal-safe */
AIOX_API int64_t aiox_clock_wall_ns(void);

struct aiox_clock_source {
    int64_t (*now_ns)(void *opaque);
    int64_t (*wall_ns)(void *opaque);
    void *opaque;
};

/*
 * Takes the time from @source, which stays the caller's and must live until it
 * is replaced; NULL goes back to the system's clocks. For tests: waits in the
 * kernel still take real time. [init]
 */
AIOX_API void aiox_clock_set_source(const struct aiox_clock_source *source);

AIOX_END_DECLS

#endif /* AIOX_CLOCK_H_ */
