/* SPDX-License-Identifier: MIT */
/*
 * trace.h - the trace points of aiox-aio-pool.
 *
 *   aio_pool come           a = the crew of a pool, b = how many there are; a thread has come
 *   aio_pool leave          a = the crew of a pool, b = how many remain; a thread leaves
 *   aio_pool start_failed   a = the crew of a pool, b = the errno; a thread cannot be started
 *   aio_pool run            a = the crew of a pool, b = the job; before its function
 */
#ifndef AIOX_AIO_POOL_SRC_TRACE_H_
#define AIOX_AIO_POOL_SRC_TRACE_H_

#include "aiox/trace.h"

/* A thread has come; b: how many there are. */
#define TRACE_COME(crew, threads) AIOX_TRACE(aio_pool, come, (uintptr_t)(crew), threads)

/* A thread leaves; b: how many remain. */
#define TRACE_LEAVE(crew, threads) AIOX_TRACE(aio_pool, leave, (uintptr_t)(crew), threads)

/* A thread could not be started; b: the errno. */
#define TRACE_START_FAILED(crew, err) AIOX_TRACE(aio_pool, start_failed, (uintptr_t)(crew), err)

/* b, a job, begins. */
#define TRACE_RUN(crew, job) AIOX_TRACE(aio_pool, run, (uintptr_t)(crew), (uintptr_t)(job))

#endif /* AIOX_AIO_POOL_SRC_TRACE_H_ */
