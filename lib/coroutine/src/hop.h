/* SPDX-License-Identifier: MIT */
/*
 * hop.h - a jump between a coroutine and whoever entered it.
 *
 *   in    suspend the enterer, run the coroutine
 *   out   suspend the coroutine, run the enterer; "for good" at its end
 *   ask   the same, and let the enterer first call fn(co)
 *
 * Plain, a hop is the switch and nothing after it, so that the compiler makes
 * it a tail call and the machine comes back straight to the user's code.
 * co->back is then the enterer's point. Where a tool must be told, co->back is
 * a record in the enterer's frame.
 */
#ifndef AIOX_COROUTINE_SRC_HOP_H_
#define AIOX_COROUTINE_SRC_HOP_H_

#include "co.h"
#include "switch.h"

#if FIBER_TOLD

struct hop {
    void *point;
    switch_fn *wish;
    void *arg;
    struct fiber_outer outer;
};

static inline void hop_in_(struct aiox_co *co)
{
    struct hop hop;

    hop.wish = NULL;
    co->back = &hop;
    fiber_enter_(&co->fiber, &hop.outer);
    switch_jump_(&hop.point, co->point);
    fiber_back_(&hop.outer);
    if (hop.wish) {
        hop.wish(hop.arg);
    }
}

static inline void hop_out_(struct aiox_co *co, void *back, bool for_good)
{
    struct hop *hop = back;

    fiber_leave_(&co->fiber, &hop->outer, for_good);
    switch_jump_(&co->point, hop->point);
    fiber_arrive_(&co->fiber);
}

static inline void hop_ask_(struct aiox_co *co, void *back, bool for_good, switch_fn *fn)
{
    struct hop *hop = back;

    hop->wish = fn;
    hop->arg = co;
    hop_out_(co, back, for_good);
}

#else

static inline void hop_in_(struct aiox_co *co)
{
    switch_jump_(&co->back, co->point);
}

static inline void hop_out_(struct aiox_co *co, void *back, bool for_good)
{
    switch_jump_(&co->point, back);
}

static inline void hop_ask_(struct aiox_co *co, void *back, bool for_good, switch_fn *fn)
{
    switch_finish_(&co->point, back, fn, co);
}

#endif

#endif /* AIOX_COROUTINE_SRC_HOP_H_ */
