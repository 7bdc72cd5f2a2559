/* SPDX-License-Identifier: MIT */
/*
 * trace.h - the trace points of aiox-bh.
 *
 *   bh run             a = the bottom half, b = its name; before its function
 *   bh put_off         a = the bottom half, b = its name; another of its guard is running
 *   bh gone            a = the bottom half, b = its name; before the memory goes
 */
#ifndef AIOX_BH_SRC_TRACE_H_
#define AIOX_BH_SRC_TRACE_H_

#include "aiox/trace.h"

#endif /* AIOX_BH_SRC_TRACE_H_ */
