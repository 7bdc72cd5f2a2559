/* SPDX-License-Identifier: MIT */
/* trace.h - the trace points of aiox-aio-pool; a is the crew of a pool. */
#ifndef AIOX_AIO_POOL_SRC_TRACE_H_
#define AIOX_AIO_POOL_SRC_TRACE_H_

#include "aiox/log.h"

/* A thread has come; b: how many there are. */
#define TRACE_COME(crew, threads) AIOX_TRACE(aio_pool, come, (uintptr_t)(crew), threads)

/* A thread leaves; b: how many remain. */
#define TRACE_LEAVE(crew, threads) AIOX_TRACE(aio_pool, leave, (uintptr_t)(crew), threads)

/* A thread could not be started; b: the errno. */
#define TRACE_START_FAILED(crew, err) AIOX_TRACE(aio_pool, start_failed, (uintptr_t)(crew), err)

/* b, a job, begins. */
#define TRACE_RUN(crew, job) AIOX_TRACE(aio_pool, run, (uintptr_t)(crew), (uintptr_t)(job))

#endif /* AIOX_AIO_POOL_SRC_TRACE_H_ */
