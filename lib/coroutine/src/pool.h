/* SPDX-License-Identifier: MIT */
/*
 * pool.h - stacks kept warm, per thread and shared.
 *
 * A warm stack is suspended at the beginning of its next life. A thread keeps
 * two magazines of them per kind and exchanges whole ones with the depot, so
 * that a lock is taken once in many lives and nothing is walked.
 */
#ifndef AIOX_COROUTINE_SRC_POOL_H_
#define AIOX_COROUTINE_SRC_POOL_H_

#include "co.h"

enum { MAGAZINE_MAX = 64 };

struct magazine {
    struct magazine *next; /* in the depot */
    unsigned count;
    unsigned limit;
    struct aiox_co *co[1 + MAGAZINE_MAX]; /* 1 to count; 0 is nobody, to be looked at ahead */
};

/* A warm stack of this thread, or NULL: ask pool_get_slow_(). */
static inline struct aiox_co *pool_get_(struct co_thread *t, unsigned kind)
{
    struct magazine *m = t->loaded[kind];
    struct aiox_co *co;

    if (AIOX_UNLIKELY(!m || !m->count)) {
        return NULL;
    }
    co = m->co[m->count--];
    __builtin_prefetch(m->co[m->count]); /* of ten thousand in turn, each is far away */
    return co;
}

/* Keeps the stack of a dead coroutine; false: pool_put_slow_(), when its stack is suspended. */
static inline bool pool_put_(struct co_thread *t, struct aiox_co *co)
{
    struct magazine *m = t->loaded[co->kind];

    if (AIOX_UNLIKELY(!m || m->count == m->limit)) {
        return false;
    }
    m->co[++m->count] = co;
    return true;
}

/* A stack from elsewhere; its point is NULL if it is fresh. NULL: no memory. */
struct aiox_co *pool_get_slow_(struct co_thread *t, unsigned kind);

void pool_put_slow_(struct co_thread *t, struct aiox_co *co);

/* Makes all stacks cold that are shared or of @t; returns how many. */
size_t pool_trim_(struct co_thread *t);

#endif /* AIOX_COROUTINE_SRC_POOL_H_ */
