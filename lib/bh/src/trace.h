/* SPDX-License-Identifier: MIT */
/* trace.h - the trace points of aiox-bh; a is the BH, b its name. */
#ifndef AIOX_BH_SRC_TRACE_H_
#define AIOX_BH_SRC_TRACE_H_

#include "aiox/log.h"

/* The function is called now. */
#define TRACE_RUN(bh, name) AIOX_TRACE(bh, run, (uintptr_t)(bh), (uintptr_t)(name))

/* Not called: another of its guard is running. */
#define TRACE_PUT_OFF(bh, name) AIOX_TRACE(bh, put_off, (uintptr_t)(bh), (uintptr_t)(name))

/* The memory goes. */
#define TRACE_GONE(bh, name) AIOX_TRACE(bh, gone, (uintptr_t)(bh), (uintptr_t)(name))

#endif /* AIOX_BH_SRC_TRACE_H_ */
