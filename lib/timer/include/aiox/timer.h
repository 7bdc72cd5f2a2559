/* SPDX-License-Identifier: MIT */
/*
 * aiox/timer.h - run this function then.
 *
 * A timer belongs to a group for life; a group lives inside a loop, which asks
 * it how long it may sleep and runs what is due. Any thread may arm and cancel;
 * callbacks run one at a time on the thread that runs the group.
 *
 * A pass (aiox_timer_group_run) runs what was due when it began:
 *
 *  - never early; clock by clock in the order of the deadlines, those with
 *    equal deadlines in the order in which they were armed;
 *  - a timer that is armed during the pass, by its own callback or another,
 *    waits for the next pass, however long ago its deadline is;
 *  - a timer that is cancelled before its turn does not run; one that is armed
 *    anew before its turn waits for the next pass;
 *  - a callback may arm, cancel and finish any timer, its own included, and
 *    may run the group: such an inner pass is the next one, and runs what the
 *    outer has left, then what fell due since.
 *
 * Arming, cancelling and running allocate nothing. Memory for all timers of a
 * group is reserved by aiox_timer_init(), the only function that can fail.
 *
 * Cost: arming and cancelling are O(log n) in the number of armed timers of
 * that clock in that group, with a hidden lock that is held for no longer.
 */
#ifndef AIOX_TIMER_H_
#define AIOX_TIMER_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/atomic.h"
#include "aiox/attributes.h"
#include "aiox/list.h"
#include "aiox/timer_clock.h"

AIOX_BEGIN_DECLS

typedef void aiox_timer_fn(void *opaque);

/* Called when a group's next deadline may have come nearer. */
typedef void aiox_timer_changed_fn(void *opaque);

struct aiox_timer;
struct aiox_timer_group;
struct aiox_timer_entry_; /* a place in the heap */
struct aiox_timer_pass_;  /* a pass in progress */

struct aiox_timer_lock_ {
    aiox_atomic_u32 held_;
};

/* The timers of one group on one clock. */
struct aiox_timer_list_ {
    struct aiox_timer_lock_ lock_;
    uint32_t armed_;          /* timers in the heap */
    aiox_atomic_u64 next_ns_; /* a deadline; INT64_MIN: something is due; INT64_MAX: none */
    struct aiox_timer_entry_ *entries_;
    uint64_t arms_;           /* how often anything was armed */
    struct aiox_timer **due_; /* a row: those from due_first_ to due_end_, and holes */
    uint32_t due_first_;
    uint32_t due_end_;
    uint32_t due_fresh_; /* from here on: what the last pass to begin found due */
    struct aiox_timer_group *group_;
    struct aiox_timer_pass_ *pass_;
    aiox_atomic_u32 capacity_; /* timers for which there is memory */
    aiox_atomic_u32 timers_;   /* timers that were initialised */
    int64_t seen_ns_;          /* the latest time a pass saw; home */
    enum aiox_clock clock_;
};

/* Lives inside its owner, and stays in place while a timer of it exists. */
struct aiox_timer_group {
    struct aiox_timer_list_ lists_[AIOX_CLOCKS];
    aiox_timer_changed_fn *changed_;
    void *opaque_;
    struct aiox_list_node link_;
};

/* Lives inside its owner, and stays in place between init and fini. */
struct aiox_timer {
    struct aiox_timer_list_ *list_;
    aiox_atomic_u64 when_; /* deadline + 1; 0: not pending */
    uint64_t order_;       /* number of the arming */
    uint32_t place_;       /* where it is kept: in the heap, or among the due */
    uint32_t scale_;
    aiox_timer_fn *fn_;
    void *opaque_;
    uint32_t attributes_;
};

/*
 * Makes @group empty. @changed(@opaque) is called, without any lock, by the
 * thread that arms a timer earlier than all others of its clock, or enables or
 * moves a clock: the owner then asks aiox_timer_group_timeout_ns() again before
 * it sleeps, or ends its sleep. It must not call functions of groups or clocks;
 * NULL if nobody sleeps. [init]
 */
AIOX_API void aiox_timer_group_init(struct aiox_timer_group *group, aiox_timer_changed_fn *changed,
                                    void *opaque);

/*
 * Gives back what @group holds. All of its timers have been finished: one that
 * is left would later touch memory that is gone, so this aborts and says how
 * many there are and how many of them are armed. All zero is valid. [home]
 */
AIOX_API void aiox_timer_group_fini(struct aiox_timer_group *group);

/*
 * Runs one pass over the enabled clocks, as told above, and returns whether any
 * callback ran. Costs a few ns if no timer is armed. [home]
 */
AIOX_API bool aiox_timer_group_run(struct aiox_timer_group *group);

/*
 * The ns from now to the next deadline of an enabled clock that goes on: 0 if a
 * timer is due, -1 if there is nothing to wait for. Not rounded.
 *
 * Another thread may arm an earlier timer at any time: what this returned is
 * safe to sleep on if the owner's notification, rung by @changed, defeats a
 * sleep that was announced before this was called. [home]
 */
AIOX_API int64_t aiox_timer_group_timeout_ns(const struct aiox_timer_group *group);

/*
 * The same two without the timers that have any attribute of @ignore: they stay
 * armed. The time-out costs a walk over all timers then. [home]
 */
AIOX_API bool aiox_timer_group_run_without(struct aiox_timer_group *group, uint32_t ignore);
AIOX_API int64_t aiox_timer_group_timeout_without_ns(struct aiox_timer_group *group,
                                                     uint32_t ignore);

/* ns in one unit of aiox_timer_mod() */
enum {
    AIOX_SCALE_NS = 1,
    AIOX_SCALE_US = 1000,
    AIOX_SCALE_MS = 1000000,
    AIOX_SCALE_S = 1000000000
};

enum {
    AIOX_TIMER_EXTERNAL = 1 << 0, /* serves the world outside of what is simulated or recorded */
    /* Higher bits are the program's own, from bit 8 on. */
    AIOX_TIMER_USER = 1 << 8,
};

struct aiox_timer_options {
    enum aiox_clock clock;
    uint32_t scale;      /* AIOX_SCALE_*, or any other number of ns; not 0 */
    uint32_t attributes; /* AIOX_TIMER_* bits, for the functions named _without */
};

/*
 * Makes a timer of @group that calls @fn(@opaque), not armed. @options is copied.
 *
 * When there is no room in the group's heap, this gets memory for at least
 * twice as many timers; else it costs one atomic addition.
 *
 * Ownership: @timer is the caller's, until aiox_timer_fini(). @group outlives it.
 *
 * Returns 0, or -ENOMEM: @timer is then all zero. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_timer_init(struct aiox_timer *timer,
                                            struct aiox_timer_group *group,
                                            const struct aiox_timer_options *options,
                                            aiox_timer_fn *fn, void *opaque);

/* The same with AIOX_SCALE_NS and no attributes. [any] */
AIOX_API AIOX_NODISCARD int aiox_timer_init_ns(struct aiox_timer *timer,
                                               struct aiox_timer_group *group,
                                               enum aiox_clock clock, aiox_timer_fn *fn,
                                               void *opaque);

/*
 * Cancels @timer and takes it out of its group; it is all zero then. The memory
 * may be reused at once, also while the callback runs: a pass does not touch
 * a timer whose callback it has begun. The callback itself may still be running
 * if this is another thread; see aiox_timer_cancel_sync(). All zero is valid.
 * [any]
 */
AIOX_API void aiox_timer_fini(struct aiox_timer *timer);

/*
 * Arms @timer for @deadline_ns of its clock, whether it was armed or not. A
 * negative deadline is 0; a deadline in the past is due at once, in the next
 * pass; INT64_MAX never comes. What the caller wrote before is visible to the
 * callback. The group outlives the call, not only the timer. [any]
 */
AIOX_API void aiox_timer_mod_ns(struct aiox_timer *timer, int64_t deadline_ns);

/* The same in units of the timer's scale; what is too far for ns is INT64_MAX. [any] */
AIOX_API void aiox_timer_mod(struct aiox_timer *timer, int64_t deadline);

/*
 * Arms @timer unless it is armed for @deadline_ns or earlier. One that the pass
 * in progress is going to run still runs in that pass. [any]
 */
AIOX_API void aiox_timer_mod_earlier_ns(struct aiox_timer *timer, int64_t deadline_ns);

/*
 * Disarms @timer. Returns whether it was pending: if so, the callback is not
 * entered for that arming. If not, and this is not the home thread, the
 * callback may be about to run or running right now. All zero is valid. [any]
 */
AIOX_API bool aiox_timer_cancel(struct aiox_timer *timer);

/*
 * The same, and waits until the callback is not running. From the callback's
 * own thread, inside it or not, there is nothing to wait for. The caller must
 * hold nothing that the callback waits for. A callback that arms its own timer
 * is waited for and disarmed, too; what a third thread arms afterwards stays
 * armed. Returns whether any arming was taken back. [any]
 */
AIOX_API bool aiox_timer_cancel_sync(struct aiox_timer *timer);

/*
 * True from the arming until the callback begins or the timer is cancelled. In
 * another thread a look that may be old at once. [any]
 */
AIOX_API bool aiox_timer_is_pending(const struct aiox_timer *timer);

/* Whether @timer is pending and its deadline is not after @now_ns. [any] */
AIOX_API bool aiox_timer_is_expired(const struct aiox_timer *timer, int64_t now_ns);

/* The deadline for which @timer is armed, or -1 if it is not pending. [any] */
AIOX_API int64_t aiox_timer_expire_time_ns(const struct aiox_timer *timer);

AIOX_END_DECLS

#endif /* AIOX_TIMER_H_ */
