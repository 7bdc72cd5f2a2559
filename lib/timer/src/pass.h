/* SPDX-License-Identifier: MIT */
/*
 * pass.h - a pass over what is due, and who runs which callback right now.
 *
 * A struct aiox_timer_pass_ stands on the stack of each pass while it calls back, the
 * innermost first. Guarded by the list's lock. A timer is only named here,
 * never touched: its callback may have freed it.
 */
#ifndef AIOX_LIB_TIMER_SRC_PASS_H_
#define AIOX_LIB_TIMER_SRC_PASS_H_

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "aiox/timer.h"

struct aiox_timer_pass_ {
    struct aiox_timer_pass_ *outer;
    const struct aiox_timer *running; /* NULL between two callbacks */
    pthread_t thread;
    bool watched; /* somebody waits for the end of this callback */
};

/*
 * Moves what is due to the list of due timers; true if that holds any. Those with
 * an attribute of @ignore stay in the heap. [home]
 */
bool pass_collect_(struct aiox_timer_list_ *list, uint32_t ignore);

/* Calls the due timers, but not those with an attribute of @ignore; true if any. [home] */
bool pass_run_(struct aiox_timer_list_ *list, uint32_t ignore);

/*
 * Whether a callback of @list (of @timer, unless that is NULL) is running in
 * another thread; if so, its end will wake those in registry_await_(). The
 * caller holds the list's lock.
 */
bool pass_watch_(struct aiox_timer_list_ *list, const struct aiox_timer *timer);

/* Whether the calling thread is inside a callback of @list, whose lock it holds. */
bool pass_is_mine_(struct aiox_timer_list_ *list);

#endif /* AIOX_LIB_TIMER_SRC_PASS_H_ */
