/* SPDX-License-Identifier: MIT */
/*
 * aiox/qemu/graph_lock.h - the original names of aiox/graph_lock.h, which tells what they do.
 *
 * The original has one lock in a process, and so has this: a program makes it
 * after its main context, and ends it before.
 */
#ifndef AIOX_QEMU_GRAPH_LOCK_H_
#define AIOX_QEMU_GRAPH_LOCK_H_

#include "aiox/assert.h"
#include "aiox/attributes.h"
#include "aiox/graph_lock.h"
#include "aiox/qemu/aio.h"

AIOX_BEGIN_DECLS

__attribute__((weak)) struct aiox_graph_lock *aiox_qemu_graph_lock_;

/* Not an original name: makes the lock, which the home of @main_ctx writes. 0 or -ENOMEM. */
static inline int aiox_qemu_init_graph_lock(AioContext *main_ctx)
{
    aiox_assert(!aiox_qemu_graph_lock_);
    return aiox_graph_lock_new(&aiox_qemu_graph_lock_, main_ctx);
}

/* Not an original name: for programs that end cleanly. */
static inline void aiox_qemu_fini_graph_lock(void)
{
    aiox_graph_lock_free(aiox_qemu_graph_lock_);
    aiox_qemu_graph_lock_ = NULL;
}

static inline struct aiox_graph_lock *aiox_qemu_graph_lock(void)
{
    aiox_assert(aiox_qemu_graph_lock_);
    return aiox_qemu_graph_lock_;
}

/* Aborts without memory. */
static inline void register_aiocontext(AioContext *ctx)
{
    aiox_assert(aiox_graph_lock_attach(aiox_qemu_graph_lock(), ctx) == 0);
}

/* Nothing is to be done: the end of @ctx does it. */
static inline void unregister_aiocontext(AioContext *ctx)
{
    (void)ctx;
}

static inline void coroutine_fn bdrv_graph_co_rdlock(void)
{
    aiox_graph_rdlock(aiox_qemu_graph_lock());
}

static inline void coroutine_fn bdrv_graph_co_rdunlock(void)
{
    aiox_graph_rdunlock(aiox_qemu_graph_lock());
}

static inline void bdrv_graph_rdlock_main_loop(void)
{
    aiox_graph_rdlock_main(aiox_qemu_graph_lock());
}

static inline void bdrv_graph_rdunlock_main_loop(void)
{
    aiox_graph_rdunlock_main(aiox_qemu_graph_lock());
}

static inline void bdrv_graph_wrlock(void) blocking_fn
{
    aiox_graph_wrlock(aiox_qemu_graph_lock());
}

static inline void bdrv_graph_wrunlock(void)
{
    aiox_graph_wrunlock(aiox_qemu_graph_lock());
}

static inline void assert_bdrv_graph_writable(void)
{
    aiox_graph_assert_writable(aiox_qemu_graph_lock());
}

AIOX_END_DECLS

#endif /* AIOX_QEMU_GRAPH_LOCK_H_ */
