/* SPDX-License-Identifier: MIT */
/*
 * trace.h - the trace points of aiox-base.
 *
 *   base panic         a = the words, b = the line in the source; before the abort
 */
#ifndef AIOX_BASE_SRC_TRACE_H_
#define AIOX_BASE_SRC_TRACE_H_

#include "aiox/trace.h"

#endif /* AIOX_BASE_SRC_TRACE_H_ */
