/* SPDX-License-Identifier: MIT */
/*
 * aiox/qemu/coroutine.h - the original names of aiox/coroutine.h. Those that
 * need a loop stand in aiox/qemu/aio_co.h.
 */
#ifndef AIOX_QEMU_COROUTINE_H_
#define AIOX_QEMU_COROUTINE_H_

#include "aiox/assert.h"
#include "aiox/attributes.h"
#include "aiox/coroutine.h"
#include "aiox/qemu/api.h"

AIOX_BEGIN_DECLS

typedef struct aiox_co Coroutine;
typedef aiox_co_fn CoroutineEntry;

#if AIOX_QEMU_API >= 2016

/* Aborts if there is no memory. */
static inline Coroutine *qemu_coroutine_create(CoroutineEntry *entry, void *opaque)
{
    Coroutine *co = NULL;
    int err = aiox_co_create(&co, NULL, entry, opaque);

    aiox_assert(err == 0);
    return co;
}

static inline void qemu_coroutine_enter(Coroutine *co)
{
    aiox_co_enter(co);
}

static inline void qemu_coroutine_enter_if_inactive(Coroutine *co)
{
    if (!aiox_co_is_entered(co)) {
        aiox_co_enter(co);
    }
}

#else

/* Aborts if there is no memory. */
static inline Coroutine *qemu_coroutine_create(CoroutineEntry *entry)
{
    Coroutine *co = NULL;
    int err = aiox_co_create(&co, NULL, entry, NULL);

    aiox_assert(err == 0);
    return co;
}

/* @opaque is for the entry function, so the first call counts. */
static inline void qemu_coroutine_enter(Coroutine *co, void *opaque)
{
    aiox_co_set_opaque(co, opaque);
    aiox_co_enter(co);
}

#endif

static inline void coroutine_fn qemu_coroutine_yield(void)
{
    aiox_co_yield();
}

/* Outside of coroutines NULL, where the original has a pseudo coroutine. */
static inline Coroutine *qemu_coroutine_self(void)
{
    return aiox_co_self();
}

static inline bool qemu_in_coroutine(void)
{
    return aiox_in_coroutine();
}

static inline bool qemu_coroutine_entered(Coroutine *co)
{
    return aiox_co_is_entered(co);
}

/* The pool here is bounded by memory, not by what programs announce. */
static inline void qemu_coroutine_inc_pool_size(unsigned int additional)
{
    (void)additional;
}

static inline void qemu_coroutine_dec_pool_size(unsigned int removing)
{
    (void)removing;
}

AIOX_END_DECLS

#endif /* AIOX_QEMU_COROUTINE_H_ */
