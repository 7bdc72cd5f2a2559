/* SPDX-License-Identifier: MIT */
/*
 * trace.h - the trace points of aiox-aio-file.
 *
 *   aio_file engine  a = the request, b = 1 ring, 2 native AIO, 3 inline, 4 pool; it serves a step
 *   aio_file refuse  a = the request, b = -errno; that engine does not take it, another is asked
 *   aio_file retry   a = the request, b = -errno; the engine could not, the pool does it again
 *   aio_file miss    a = the request, b = how many bytes, or -errno; inline is not enough
 *   aio_file cancel  a = the request, b = the engine; it is asked for an early end
 *   aio_file end     a = the request, b = its result; before it is told
 *   aio_file batch   a = the engine of native AIO, b = how many, or -errno; handed to the kernel
 */
#ifndef AIOX_AIO_FILE_SRC_TRACE_H_
#define AIOX_AIO_FILE_SRC_TRACE_H_

#include "aiox/trace.h"

#endif /* AIOX_AIO_FILE_SRC_TRACE_H_ */
