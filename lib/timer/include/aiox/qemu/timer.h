/* SPDX-License-Identifier: MIT */
/*
 * aiox/qemu/timer.h - the original names of aiox/timer.h and aiox/timer_clock.h.
 * aio_timer_new() and its kin stand in aiox/qemu/aio.h, those of the main loop
 * (timer_new_ns) in aiox/qemu/main_loop.h.
 *
 * Two differences are on purpose: a timer that its own callback arms in the
 * past runs in the next pass, not again in this one; and QEMU_CLOCK_VIRTUAL_RT
 * goes on while it is disabled, its timers wait.
 *
 * What the original does by aborting when there is no memory, aborts here.
 */
#ifndef AIOX_QEMU_TIMER_H_
#define AIOX_QEMU_TIMER_H_

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "aiox/assert.h"
#include "aiox/attributes.h"
#include "aiox/clock.h"
#include "aiox/timer.h"

AIOX_BEGIN_DECLS

enum {
    SCALE_NS = AIOX_SCALE_NS,
    SCALE_US = AIOX_SCALE_US,
    SCALE_MS = AIOX_SCALE_MS,
    NANOSECONDS_PER_SECOND = AIOX_SCALE_S,
};

typedef enum {
    QEMU_CLOCK_REALTIME = AIOX_CLOCK_MONOTONIC,
    QEMU_CLOCK_VIRTUAL = AIOX_CLOCK_VIRTUAL,
    QEMU_CLOCK_HOST = AIOX_CLOCK_HOST,
    QEMU_CLOCK_VIRTUAL_RT = AIOX_CLOCK_VIRTUAL_RT,
    QEMU_CLOCK_MAX = AIOX_CLOCKS,
} QEMUClockType;

enum { QEMU_TIMER_ATTR_EXTERNAL = AIOX_TIMER_EXTERNAL };

typedef struct aiox_timer QEMUTimer;
typedef struct aiox_timer_group QEMUTimerListGroup;
typedef aiox_timer_fn QEMUTimerCB;

/* ---- clocks ---- */

static inline int64_t qemu_clock_get_ns(QEMUClockType type)
{
    return aiox_timer_clock_ns((enum aiox_clock)type);
}

static inline int64_t qemu_clock_get_us(QEMUClockType type)
{
    return qemu_clock_get_ns(type) / SCALE_US;
}

static inline int64_t qemu_clock_get_ms(QEMUClockType type)
{
    return qemu_clock_get_ns(type) / SCALE_MS;
}

static inline int64_t get_clock(void)
{
    return aiox_clock_now_ns();
}

static inline int64_t get_clock_realtime(void)
{
    return aiox_clock_wall_ns();
}

static inline void qemu_clock_enable(QEMUClockType type, bool enabled)
{
    aiox_timer_clock_enable((enum aiox_clock)type, enabled);
}

/* The ns until the first timer of the clock in any group, at least 0; -1: there is none. */
static inline int64_t qemu_clock_deadline_ns_all(QEMUClockType type, int attr_mask)
{
    int64_t next_ns = aiox_timer_clock_next_ns((enum aiox_clock)type, ~(uint32_t)attr_mask);
    int64_t now_ns = qemu_clock_get_ns(type);

    return next_ns < 0 ? -1 : next_ns > now_ns ? next_ns - now_ns : 0;
}

/* The sooner of two time-outs of which -1 is for ever. */
static inline int64_t qemu_soonest_timeout(int64_t one, int64_t other)
{
    return (int64_t)((uint64_t)one < (uint64_t)other ? one : other);
}

/* Rounded up, so that nobody wakes too early; -1 stays -1. */
static inline int qemu_timeout_ns_to_ms(int64_t ns)
{
    int64_t ms = ns < 0 ? -1 : ns / SCALE_MS + (ns % SCALE_MS != 0);

    return ms > INT32_MAX ? INT32_MAX : (int)ms;
}

/* ---- groups ---- */

static inline bool timerlistgroup_run_timers(QEMUTimerListGroup *group)
{
    return aiox_timer_group_run(group);
}

static inline int64_t timerlistgroup_deadline_ns(QEMUTimerListGroup *group)
{
    return aiox_timer_group_timeout_ns(group);
}

/* ---- timers ---- */

/*
 * @group is not NULL here; a timer of the main loop: aiox/qemu/main_loop.h.
 * limits: the original's parameters
 */
static inline void timer_init_full(QEMUTimer *ts, QEMUTimerListGroup *group, QEMUClockType type,
                                   int scale, int attributes, QEMUTimerCB *cb, void *opaque)
{
    const struct aiox_timer_options options = {
        (enum aiox_clock)type,
        (uint32_t)scale,
        (uint32_t)attributes,
    };
    int err = aiox_timer_init(ts, group, &options, cb, opaque);

    aiox_assert(err == 0);
}

static inline QEMUTimer *timer_new_full(QEMUTimerListGroup *group, QEMUClockType type, int scale,
                                        int attributes, QEMUTimerCB *cb, void *opaque)
{
    QEMUTimer *ts = (QEMUTimer *)malloc(sizeof(*ts));

    aiox_assert(ts);
    timer_init_full(ts, group, type, scale, attributes, cb, opaque);
    return ts;
}

/* Takes @ts out of its group; for one that was initialised in place. */
static inline void timer_deinit(QEMUTimer *ts)
{
    aiox_timer_fini(ts);
}

/* For one that timer_new...() or aio_timer_new() made; NULL is allowed. */
static inline void timer_free(QEMUTimer *ts)
{
    if (ts) {
        aiox_timer_fini(ts);
        free(ts);
    }
}

static inline void timer_mod_ns(QEMUTimer *ts, int64_t expire_time)
{
    aiox_timer_mod_ns(ts, expire_time);
}

static inline void timer_mod_anticipate_ns(QEMUTimer *ts, int64_t expire_time)
{
    aiox_timer_mod_earlier_ns(ts, expire_time);
}

/* In units of the timer's scale. */
static inline void timer_mod(QEMUTimer *ts, int64_t expire_time)
{
    aiox_timer_mod(ts, expire_time);
}

static inline void timer_mod_anticipate(QEMUTimer *ts, int64_t expire_time)
{
    aiox_timer_mod_earlier_ns(ts, expire_time * (int64_t)ts->scale_);
}

static inline void timer_del(QEMUTimer *ts)
{
    aiox_timer_cancel(ts);
}

static inline bool timer_pending(QEMUTimer *ts)
{
    return aiox_timer_is_pending(ts);
}

/* @current_time in units of the timer's scale. */
static inline bool timer_expired(QEMUTimer *ts, int64_t current_time)
{
    return aiox_timer_is_expired(ts, current_time * (int64_t)ts->scale_);
}

/* In ns; all ones if it is not pending. */
static inline uint64_t timer_expire_time_ns(QEMUTimer *ts)
{
    return (uint64_t)aiox_timer_expire_time_ns(ts);
}

AIOX_END_DECLS

#endif /* AIOX_QEMU_TIMER_H_ */
