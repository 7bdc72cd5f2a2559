/* SPDX-License-Identifier: MIT */
/*
 * trace.h - the trace points of aiox-aio.
 *
 *   aio poll_enter     a = the context, b = 1 if it may sleep; a turn begins
 *   aio poll_leave     a = the context, b = 1 if there was progress; the turn is over
 *   aio sleep          a = the context, b = for how many ns, -1 for ever; before the wait
 *   aio collected      a = the context, b = how many events, or -errno; after the wait
 *   aio fd             a = the descriptor, b = the handler's generation; before its callback
 *   aio completion     a = the request, b = its result; before its callback
 *   aio notify         a = the context, b = 1 if its bell is set; somebody rings
 *   aio busy_spin      a = for how many ns, b = instead of how many ns of sleep; before looking
 *   aio busy_learn     a = after how many ns an event came, b = the source's time in ns; learned
 *   aio busy_grow      a = the source's time, b = that time in ns from now on; grown
 *   aio busy_shrink    a = the source's time, b = that time in ns from now on; shrunk
 *   aio busy_rest      a = what is learnt, b = how many waits go by; looks were in vain
 *   aio backend        a = the context, b = the backend's name; it is in use from now on
 */
#ifndef AIOX_AIO_SRC_TRACE_H_
#define AIOX_AIO_SRC_TRACE_H_

#include "aiox/trace.h"

#endif /* AIOX_AIO_SRC_TRACE_H_ */
