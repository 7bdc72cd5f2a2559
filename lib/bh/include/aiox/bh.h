/* SPDX-License-Identifier: MIT */
/*
 * aiox/bh.h - run this function soon, over there.
 *
 * A bottom half (BH) is a function that any thread, or a signal handler, may
 * ask for and that runs once, soon, on the thread that drains its queue: the
 * queue's home. Asking again before it has run changes nothing. What the asker
 * wrote before it asked is visible to the function when it runs. What one
 * thread asks for runs in the order in which it asked.
 *
 * A queue that belongs to a loop is drained by the loop. Other owners do what
 * a loop does:
 *
 *   for (;;) {
 *       sleep_until_woken(aiox_bh_queue_timeout_ns(&queue));
 *       aiox_bh_queue_run(&queue);
 *   }
 */
#ifndef AIOX_BH_H_
#define AIOX_BH_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/atomic.h"
#include "aiox/attributes.h"
#include "aiox/list.h"

AIOX_BEGIN_DECLS

struct aiox_bh;
typedef void aiox_bh_fn(void *opaque);

/* Lives inside its owner; not to be copied or moved. All zero: a queue nobody wakes. */
struct aiox_bh_queue {
    aiox_atomic_ptr asked_;
    aiox_atomic_ptr born_;
    void (*wake_)(void *opaque);
    void *wake_opaque_;
    char askers_above_home_below_[AIOX_CACHE_LINE];
    struct aiox_queue arrived_;
    struct aiox_queue due_;
    struct aiox_list all_;
    int depth_;
    bool closed_;
};

/* ---- the owner's side ---- */

/*
 * Makes @q empty. @wake(@opaque) is called when a sleeping home must look
 * again; it may be NULL. It is called in the asker's thread, or in its signal
 * handler, and may be called when there is nothing to do.
 *
 * It is not called for everything that is asked, only by the asker that finds
 * the home possibly asleep. The home counts as awake from a run that had
 * something to do until aiox_bh_queue_timeout_ns() answers something other
 * than 0, so the home asks there before each sleep. A home that has been woken
 * must see what was written before the wake: an eventfd, a futex or an acq_rel
 * operation at both ends does that. [init]
 */
AIOX_API void aiox_bh_queue_init(struct aiox_bh_queue *q, void (*wake)(void *opaque), void *opaque);

/*
 * Ends @q. A BH that was not freed ends the program and is named. BHs that
 * were freed go; oneshots that have not run are dropped. No thread may be
 * using @q, nor may one of its functions be running. [home]
 */
AIOX_API void aiox_bh_queue_fini(struct aiox_bh_queue *q);

/*
 * Runs what was asked for before this call, first asked, first run. What is
 * asked for meanwhile waits for the next call, so a BH that asks for itself
 * runs once per call. May be called again from a function that runs: the inner
 * call then finishes the outer ones' rest, too.
 *
 * Returns whether a function ran that was asked for with aiox_bh_schedule() or
 * as a oneshot. Idle, cancelled and freed BHs are no progress. [home]
 */
AIOX_API bool aiox_bh_queue_run(struct aiox_bh_queue *q);

/*
 * For an owner that calls more than bottom halves in its turn: from the begin
 * to the end, this thread is the home of @q and runs callbacks. What it asks
 * for meanwhile costs less and wakes nobody, so the home looks with
 * aiox_bh_queue_timeout_ns() before it sleeps, inside of them, too. A run does
 * both by itself.
 *
 * May be nested, and other queues' be between. Returns what the end needs. [home]
 */
AIOX_API AIOX_NODISCARD struct aiox_bh_queue *aiox_bh_queue_begin(struct aiox_bh_queue *q);
AIOX_API void aiox_bh_queue_end(struct aiox_bh_queue *outer);

/*
 * How long the home may sleep: 0 if a function is due, 10 ms if only idle ones
 * are, -1 (for ever) if none. From an answer other than 0 on, askers call the
 * wake function. [home]
 */
AIOX_API int64_t aiox_bh_queue_timeout_ns(struct aiox_bh_queue *q);

/* ---- the user's side ---- */

/*
 * Makes a BH that runs @fn(@opaque) at the home of @q. @name is for people who
 * look for a fault; it is not copied.
 *
 * Ownership: the caller owns *@out until aiox_bh_free(). @q, @name and
 * whatever @opaque points to must outlive it.
 *
 * Returns 0, or -ENOMEM; *@out is written only on success. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_bh_new(struct aiox_bh **out, struct aiox_bh_queue *q,
                                        const char *name, aiox_bh_fn *fn, void *opaque);

/*
 * Runs @fn(@opaque) once, soon, at the home of @q. @name as above. Whether it
 * runs before aiox_bh_queue_fini() is up to the queue's owner.
 *
 * Returns 0, or -ENOMEM: then @fn is never called. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_bh_queue_oneshot(struct aiox_bh_queue *q, const char *name,
                                                  aiox_bh_fn *fn, void *opaque);

/*
 * Asks for @bh to run. Never blocks, never allocates, cannot fail. From the
 * function itself it asks for one more run. [any] signal-safe
 */
AIOX_API void aiox_bh_schedule(struct aiox_bh *bh);

/*
 * Asks for @bh to run when the loop is up for other reasons, at the latest
 * after 10 ms of sleep. It is no progress and keeps no loop awake. An ask with
 * aiox_bh_schedule() before or after it counts for more. [any] signal-safe
 */
AIOX_API void aiox_bh_schedule_idle(struct aiox_bh *bh);

/*
 * Takes back what was asked for; a later ask counts again. Returns true if
 * there was an ask and its run will not happen. False: nobody had asked, or
 * the function has been called for it; called elsewhere than at home, it may
 * be running right now. [any] signal-safe
 */
AIOX_API bool aiox_bh_cancel(struct aiox_bh *bh);

/*
 * Gives @bh up; NULL is allowed. Called at home, also by the function itself,
 * its function is not entered again; called elsewhere, it may be running right
 * now. The memory goes in the next aiox_bh_queue_run(), until when a second
 * call is harmless. [any] signal-safe
 */
AIOX_API void aiox_bh_free(struct aiox_bh *bh);

/* The name it was made with. [any] signal-safe */
AIOX_API const char *aiox_bh_name(const struct aiox_bh *bh);

/*
 * Shared by the BHs of one device that must not run inside one another. All
 * zero is ready for use; it must outlive the BHs that have it.
 */
struct aiox_bh_guard {
    struct aiox_queue waiting_;
    bool busy_;
    bool warned_;
};

/*
 * While a BH with @guard runs, no BH with the same guard, itself included, is
 * entered by a nested aiox_bh_queue_run(). It is put off: as soon as the
 * running one has returned it is due, ahead of what was asked for later. Until
 * then it keeps no nested loop awake, so a nested loop that waits for it waits
 * for ever. The first put-off of a guard is logged as a warning. Freed or
 * cancelled meanwhile, it does not run.
 *
 * All BHs of a guard belong to one queue. NULL takes the guard away. [home],
 * while @bh is not asked for
 */
AIOX_API void aiox_bh_set_guard(struct aiox_bh *bh, struct aiox_bh_guard *guard);

AIOX_END_DECLS

#endif /* AIOX_BH_H_ */
