/* SPDX-License-Identifier: MIT */
/*
 * trace.h - the trace points of aiox-lockcnt.
 *
 *   lockcnt wait       a = the lockcnt, b = its word; before a sleep
 *   lockcnt wake       a = the lockcnt, b = its word, 0 if passed on; before a sleeper is woken
 */
#ifndef AIOX_LOCKCNT_SRC_TRACE_H_
#define AIOX_LOCKCNT_SRC_TRACE_H_

#include "aiox/trace.h"

#endif /* AIOX_LOCKCNT_SRC_TRACE_H_ */
