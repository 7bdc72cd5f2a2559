/* SPDX-License-Identifier: MIT */
/*
 * trace.h - the trace points of this library.
 *
 *   timer arm    a = the timer, b = its deadline in ns; before it is armed
 *   timer fire   a = the timer, b = its deadline in ns; before its callback
 *
 * The list's lock may be held: a hook calls nothing of this library.
 */
#ifndef AIOX_LIB_TIMER_SRC_TRACE_H_
#define AIOX_LIB_TIMER_SRC_TRACE_H_

#include "aiox/log.h"

#endif /* AIOX_LIB_TIMER_SRC_TRACE_H_ */
