/* SPDX-License-Identifier: MIT */
/*
 * registry.h - all groups of the process, for what concerns all of them.
 *
 * One mutex. It is taken before a list's lock and never while one is held, and
 * not on any path that a turn of a loop takes.
 */
#ifndef AIOX_LIB_TIMER_SRC_REGISTRY_H_
#define AIOX_LIB_TIMER_SRC_REGISTRY_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/timer.h"

void registry_add_(struct aiox_timer_group *group);
void registry_remove_(struct aiox_timer_group *group);

/* Calls each group's changed_. */
void registry_notify_(void);

/* The earliest deadline on @clock without those that have an attribute of @ignore; or INT64_MAX. */
int64_t registry_next_ns_(enum aiox_clock clock, uint32_t ignore);

/*
 * Blocks until @is_over(@opaque), which is called with the registry's mutex held
 * and marks what it still waits for (pass_watch_).
 */
void registry_await_(bool (*is_over)(void *opaque), void *opaque);

/* A callback that was marked has ended: all who wait look again. */
void registry_wake_(void);

/*
 * Blocks until no callback of @clock runs in another thread; at once if the
 * caller is inside a callback of any clock.
 */
void registry_await_clock_(enum aiox_clock clock);

#endif /* AIOX_LIB_TIMER_SRC_REGISTRY_H_ */
