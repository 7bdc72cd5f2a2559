/* SPDX-License-Identifier: MIT */
/*
 * trace.h - the trace points of aiox-coroutine.
 *
 *   coroutine create   a = the coroutine, b = the name of its class or 0; it is made
 *   coroutine wake     a = the coroutine, b = its executor; before it is queued or entered
 *
 * A switch has none: the look whether somebody listens would make it a third dearer.
 */
#ifndef AIOX_COROUTINE_SRC_TRACE_H_
#define AIOX_COROUTINE_SRC_TRACE_H_

#include "aiox/trace.h"

#endif /* AIOX_COROUTINE_SRC_TRACE_H_ */
