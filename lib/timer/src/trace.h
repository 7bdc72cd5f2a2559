/* SPDX-License-Identifier: MIT */
/*
 * trace.h - the trace points of aiox-timer.
 *
 *   timer arm          a = the timer, b = its deadline in ns; before it is armed
 *   timer cancel       a = the timer, b = 1 if it was armed; under the list's lock
 *   timer fire         a = the timer, b = its deadline in ns; before its callback
 *
 * The list's lock may be held: a hook calls nothing of this library.
 */
#ifndef AIOX_TIMER_SRC_TRACE_H_
#define AIOX_TIMER_SRC_TRACE_H_

#include "aiox/trace.h"

#endif /* AIOX_TIMER_SRC_TRACE_H_ */
