/* SPDX-License-Identifier: MIT */
/*
 * trace.h - the trace points of aiox-aio-co.
 *
 *   aio_co send        a = the coroutine, b = the context; before it is put into its inbox
 *   aio_co move        a = the coroutine, b = the context; it moves itself there
 */
#ifndef AIOX_AIO_CO_SRC_TRACE_H_
#define AIOX_AIO_CO_SRC_TRACE_H_

#include "aiox/trace.h"

#endif /* AIOX_AIO_CO_SRC_TRACE_H_ */
