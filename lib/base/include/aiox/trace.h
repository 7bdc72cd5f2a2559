/* SPDX-License-Identifier: MIT */
/*
 * aiox/trace.h - named points in the libraries that can be watched.
 *
 * The points of a room stand in its src/trace.h, those of all rooms in
 * docs/tracing.md. A point has a room, an event and two numbers. It can be
 * seen in two ways:
 *
 *   a hook of the program   aiox_trace_set_hook(); aiox_new() sets one that
 *                           prints if AIOX_TRACE asks for it
 *   a probe from outside    USDT, provider aiox_<room>: perf, bpftrace, gdb or
 *                           tools/aiox_trace. Where <sys/sdt.h> was at hand
 *                           when the library was built, AIOX_NO_USDT not given
 */
#ifndef AIOX_TRACE_H_
#define AIOX_TRACE_H_

#include <stdint.h>

#include "aiox/atomic.h"
#include "aiox/attributes.h"

#if !defined(__cplusplus) && !defined(AIOX_NO_USDT) && defined(__has_include)
#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
#define AIOX_TRACE_PROBE_(room, event, a, b) DTRACE_PROBE2(aiox_##room, event, a, b)
#endif
#endif
#ifndef AIOX_TRACE_PROBE_
#define AIOX_TRACE_PROBE_(room, event, a, b) ((void)0)
#endif

AIOX_BEGIN_DECLS

/*
 * Hears of every point, in the thread that passes it, perhaps in several at
 * once and with locks of the room held: calls nothing of the libraries. @room
 * and @event are static names.
 */
typedef void aiox_trace_fn(void *opaque, const char *room, const char *event, uint64_t a,
                           uint64_t b);

/* Sends every trace point to @fn(@opaque); NULL stops that. [init] */
AIOX_API void aiox_trace_set_hook(aiox_trace_fn *fn, void *opaque);

/* Not for callers: the hook that AIOX_TRACE looks at, and the way to it. */
AIOX_API extern aiox_atomic_ptr aiox_trace_hook_;
AIOX_API AIOX_COLD void aiox_trace_(const char *room, const char *event, uint64_t a, uint64_t b);

/*
 * Passes a point: a no-operation for the probe and one predictable branch
 * while nobody listens. @a and @b are evaluated twice. [any] signal-safe if
 * the hook is
 */
#define AIOX_TRACE(room, event, a, b)                                                              \
    do {                                                                                           \
        AIOX_TRACE_PROBE_(room, event, (uint64_t)(a), (uint64_t)(b));                              \
        if (AIOX_UNLIKELY(__atomic_load_n(&aiox_trace_hook_.v_, __ATOMIC_RELAXED) != 0)) {         \
            aiox_trace_(#room, #event, (uint64_t)(a), (uint64_t)(b));                              \
        }                                                                                          \
    } while (0)

AIOX_END_DECLS

#endif /* AIOX_TRACE_H_ */
