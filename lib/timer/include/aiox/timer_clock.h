/* SPDX-License-Identifier: MIT */
/*
 * aiox/timer_clock.h - the clocks that a timer can follow.
 *
 * All of them count nanoseconds and belong to the process. They differ in
 * what stops or moves them:
 *
 *   AIOX_CLOCK_MONOTONIC   nothing. Never goes back. What a time-out wants.
 *   AIOX_CLOCK_VIRTUAL     the program: it stops, starts, steps and warps it.
 *                          Never goes back. Reads as the monotonic clock until
 *                          the first such call. Stopped and stepped by hand,
 *                          it is the clock of deterministic tests.
 *   AIOX_CLOCK_HOST        whoever sets the time of day. Since 1970; may jump
 *                          both ways, and watchers hear of it.
 *   AIOX_CLOCK_VIRTUAL_RT  nothing: real time for what belongs to the virtual
 *                          world. See below.
 *
 * AIOX_CLOCK_VIRTUAL_RT goes on with real time while the virtual clock is
 * stopped, stepped or warped. Both read the same until the program first
 * touches the virtual one; from then on VIRTUAL_RT - VIRTUAL is how far virtual
 * time lags behind (negative: leads), which is what somebody needs who warps
 * virtual time after real time. Its reading is that of the monotonic clock; it
 * is a clock of its own because it is switched off on its own: a machine that
 * pauses disables VIRTUAL and VIRTUAL_RT and leaves MONOTONIC alone. (QEMU's
 * clock of that name also stands still while the machine is paused. This one
 * does not: while disabled its timers wait, but its time goes on.)
 */
#ifndef AIOX_TIMER_CLOCK_H_
#define AIOX_TIMER_CLOCK_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/attributes.h"
#include "aiox/list.h"

AIOX_BEGIN_DECLS

enum aiox_clock {
    AIOX_CLOCK_MONOTONIC = 0,
    AIOX_CLOCK_VIRTUAL = 1,
    AIOX_CLOCK_VIRTUAL_RT = 2,
    AIOX_CLOCK_HOST = 3,
};

enum { AIOX_CLOCKS = 4 }; /* how many there are */

/*
 * What @clock reads, in ns. Reading AIOX_CLOCK_HOST also looks for a jump, and
 * calls the watchers if there was one. [any]
 */
AIOX_API int64_t aiox_timer_clock_ns(enum aiox_clock clock);

/* "monotonic", "virtual", "host", "virtual-rt"; static. [any] signal-safe */
AIOX_API const char *aiox_timer_clock_name(enum aiox_clock clock);

/*
 * Lets the timers of @clock fire, or keeps all of them from firing. The clock
 * itself goes on; what falls due meanwhile fires once it is enabled again.
 * All clocks are enabled at first.
 *
 * Enabling tells every group that its next deadline may have changed; what was
 * done before is visible to the callbacks.
 * Disabling waits until no callback of a timer of @clock is running in any
 * thread, and none starts after that. Called from inside a timer's callback
 * (of any clock), it does not wait, since two that did could wait for each
 * other: then callbacks that other threads have begun may still be running.
 * The caller must hold nothing that such a callback waits for.
 *
 * Returns whether it was enabled before. [any]
 */
AIOX_API bool aiox_timer_clock_enable(enum aiox_clock clock, bool enabled);

/* A look that may be old at once. [any] signal-safe */
AIOX_API bool aiox_timer_clock_is_enabled(enum aiox_clock clock);

/*
 * The earliest deadline of all timers of @clock in all groups, those with any
 * attribute of @ignore left out; -1 if there is none. Whether the clock is
 * enabled does not matter. With @ignore 0 it costs a few ns per group, else a
 * walk over all of the clock's timers. [any]
 */
AIOX_API int64_t aiox_timer_clock_next_ns(enum aiox_clock clock, uint32_t ignore);

/*
 * Stops virtual time: it reads the same until it is started, stepped or
 * warped. Timers that are due fire; for those that are not, nobody waits.
 * Nothing happens if it is stopped already. [any]
 */
AIOX_API void aiox_virtual_clock_stop(void);

/* Lets virtual time go on, from where it stands, with real time. [any] */
AIOX_API void aiox_virtual_clock_start(void);

/* A look that may be old at once. True until the first stop. [any] signal-safe */
AIOX_API bool aiox_virtual_clock_is_running(void);

/*
 * Moves virtual time forward by @ns, which is not negative, stopped or running,
 * and tells every group. Nothing fires in here: timers fire in their groups'
 * next pass. Virtual time ends at INT64_MAX. [any]
 */
AIOX_API void aiox_virtual_clock_step_ns(int64_t ns);

/*
 * Moves virtual time forward to the earliest deadline of its timers, and tells
 * every group. A deadline of INT64_MAX is none.
 *
 * Returns by how many ns it moved: 0 if a timer is due already; or -1 if no
 * timer is armed, and then nothing moves. [any]
 */
AIOX_API int64_t aiox_virtual_clock_warp(void);

/*
 * @jump_ns is how much further (negative: less far) the wall clock went than
 * the monotonic clock since the last look.
 */
typedef void aiox_host_clock_fn(void *opaque, int64_t jump_ns);

/* One who wants to hear of jumps. Lives inside its owner; all zero is valid to unwatch. */
struct aiox_host_clock_watcher {
    struct aiox_list_node link_;
    aiox_host_clock_fn *fn_;
    void *opaque_;
};

/*
 * Calls @fn(@opaque) after each jump of the wall clock: a change of more than
 * 100 ms, plus 0.1 % of the time since the last look, against the monotonic
 * clock. Slow corrections stay below that; a suspend of the machine is a jump.
 *
 * A jump is found by whoever next reads AIOX_CLOCK_HOST or runs a group that has
 * a timer on it, and in that thread @fn is called. A loop that sleeps is not
 * woken by the jump itself; it is once somebody has found it. @fn may read
 * clocks, arm timers, watch and unwatch. Jumps during @fn are found later.
 *
 * Ownership: @watcher is the caller's and stays in place until unwatched. [any]
 */
AIOX_API void aiox_host_clock_watch(struct aiox_host_clock_watcher *watcher, aiox_host_clock_fn *fn,
                                    void *opaque);

/*
 * Ends that. When this returns, the function is not running in another thread
 * and is not called again; so the caller must hold nothing that it waits for. It
 * may be called from the function itself, also for another watcher. [any]
 */
AIOX_API void aiox_host_clock_unwatch(struct aiox_host_clock_watcher *watcher);

AIOX_END_DECLS

#endif /* AIOX_TIMER_CLOCK_H_ */
