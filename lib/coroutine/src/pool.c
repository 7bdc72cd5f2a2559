/* SPDX-License-Identifier: MIT */
/*
 * pool.c - the slow half of the pool: magazines, the depot, the end of a thread.
 *
 * The default limit of the depot, 16,384 stacks, is 64 MB of memory if each
 * has touched one page; a program that has more coroutines come and go raises it.
 */
#define _GNU_SOURCE
#include "pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "stack.h"

struct depot {
    pthread_mutex_t lock;
    struct magazine *full; /* at least one stack each */
} AIOX_CACHE_ALIGNED;

#define DEPOT_INIT                                                                                 \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER, NULL                                                            \
    }

static struct depot depots[STACK_KINDS] = {
    DEPOT_INIT, DEPOT_INIT, DEPOT_INIT, DEPOT_INIT, DEPOT_INIT,
    DEPOT_INIT, DEPOT_INIT, DEPOT_INIT, DEPOT_INIT, DEPOT_INIT,
};

static aiox_atomic_u64 shared_count;
static aiox_atomic_u64 shared_limit = AIOX_ATOMIC_INIT(16384);
static aiox_atomic_u32 magazine_limit = AIOX_ATOMIC_INIT(MAGAZINE_MAX);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_thread_end;
static bool has_key;

/* ---- the depot ---- */

static bool shared_reserve(unsigned count)
{
    uint64_t most = aiox_u64_load_relaxed(&shared_limit);
    uint64_t now = aiox_u64_load_relaxed(&shared_count);

    do {
        if (now + count > most) {
            return false;
        }
    } while (!aiox_u64_cas_relaxed(&shared_count, &now, now + count));
    return true;
}

static void make_cold(struct magazine *m)
{
    while (m->count) {
        stack_give_(m->co[m->count--]);
    }
}

/* Takes the magazine over, or leaves it with the caller, empty. */
static bool depot_put(unsigned kind, struct magazine *m)
{
    struct depot *d = &depots[kind];

    if (!shared_reserve(m->count)) {
        make_cold(m);
        return false;
    }
    pthread_mutex_lock(&d->lock);
    m->next = d->full;
    d->full = m;
    pthread_mutex_unlock(&d->lock);
    return true;
}

static struct magazine *depot_get(unsigned kind)
{
    struct depot *d = &depots[kind];
    struct magazine *m;

    pthread_mutex_lock(&d->lock);
    m = d->full;
    if (m) {
        d->full = m->next;
    }
    pthread_mutex_unlock(&d->lock);
    if (m) {
        aiox_u64_sub_relaxed(&shared_count, m->count);
    }
    return m;
}

/* ---- the end of a thread ---- */

static void unload(unsigned kind, struct magazine *m)
{
    if (m && (!m->count || !depot_put(kind, m))) {
        free(m);
    }
}

static void thread_ends(void *opaque)
{
    struct co_thread *t = opaque;

    for (unsigned kind = 0; kind < STACK_KINDS; kind++) {
        unload(kind, t->loaded[kind]);
        unload(kind, t->spare[kind]);
        t->loaded[kind] = NULL;
        t->spare[kind] = NULL;
    }
}

static void init_once(void)
{
    has_key = pthread_key_create(&at_thread_end, thread_ends) == 0;
}

/* False: this thread must not keep any, for nobody would take them when it ends. */
static bool may_keep(struct co_thread *t)
{
    pthread_once(&once, init_once);
    return has_key &&
           (pthread_getspecific(at_thread_end) || pthread_setspecific(at_thread_end, t) == 0);
}

/* ---- magazines ---- */

static struct magazine *magazine_new(void)
{
    struct magazine *m = malloc(sizeof(*m));

    if (m) {
        m->count = 0;
        m->limit = aiox_u32_load_relaxed(&magazine_limit);
        m->co[0] = NULL;
    }
    return m;
}

static void swap_magazines(struct co_thread *t, unsigned kind)
{
    struct magazine *m = t->loaded[kind];

    t->loaded[kind] = t->spare[kind];
    t->spare[kind] = m;
}

/* Puts a full one in place of the empty one. */
static bool reload(struct co_thread *t, unsigned kind)
{
    struct magazine *m = may_keep(t) ? depot_get(kind) : NULL;

    if (!m) {
        return false;
    }
    swap_magazines(t, kind); /* both are empty or missing */
    free(t->loaded[kind]);
    t->loaded[kind] = m;
    return true;
}

/* Puts an empty one in place of the full one. */
static bool make_room(struct co_thread *t, unsigned kind)
{
    struct magazine *m;

    if (!may_keep(t)) {
        return false;
    }
    swap_magazines(t, kind); /* both are full or missing */
    m = t->loaded[kind];
    if (!m || depot_put(kind, m)) {
        m = magazine_new();
    }
    t->loaded[kind] = m;
    return m != NULL;
}

struct aiox_co *pool_get_slow_(struct co_thread *t, unsigned kind)
{
    struct aiox_co *co;

    if (t->spare[kind] && t->spare[kind]->count) {
        swap_magazines(t, kind);
        return pool_get_(t, kind);
    }
    if (reload(t, kind)) {
        return pool_get_(t, kind);
    }
    co = stack_take_(kind);
    if (!co && pool_trim_(t)) {
        co = stack_take_(kind);
    }
    return co;
}

void pool_put_slow_(struct co_thread *t, struct aiox_co *co)
{
    unsigned kind = co->kind;

    if (t->spare[kind] && t->spare[kind]->count < t->spare[kind]->limit) {
        swap_magazines(t, kind);
    } else if (!make_room(t, kind)) {
        stack_give_(co);
        return;
    }
    pool_put_(t, co);
}

/* ---- limits ---- */

static size_t empty(struct magazine *m)
{
    size_t count = m ? m->count : 0;

    if (m) {
        make_cold(m);
    }
    return count;
}

size_t pool_trim_(struct co_thread *t)
{
    size_t count = 0;

    for (unsigned kind = 0; kind < STACK_KINDS; kind++) {
        struct magazine *m;

        count += empty(t->loaded[kind]) + empty(t->spare[kind]);
        while ((m = depot_get(kind)) != NULL) {
            count += empty(m);
            free(m);
        }
    }
    stack_trim_();
    return count;
}

AIOX_NOINLINE size_t aiox_co_pool_trim(void)
{
    return pool_trim_(&this_thread_);
}

void aiox_co_pool_set_limits(size_t per_thread, size_t shared)
{
    size_t limit = per_thread / 2;

    limit = limit < 1 ? 1 : limit > MAGAZINE_MAX ? MAGAZINE_MAX : limit;
    aiox_u32_store_relaxed(&magazine_limit, (uint32_t)limit);
    aiox_u64_store_relaxed(&shared_limit, shared);
}

AIOX_NOINLINE void aiox_co_pool_get_stats(struct aiox_co_pool_stats *out)
{
    const struct co_thread *t = &this_thread_;

    out->warm_here = 0;
    for (unsigned kind = 0; kind < STACK_KINDS; kind++) {
        out->warm_here += t->loaded[kind] ? t->loaded[kind]->count : 0;
        out->warm_here += t->spare[kind] ? t->spare[kind]->count : 0;
    }
    out->warm_shared = (size_t)aiox_u64_load_relaxed(&shared_count);
    stack_count_(&out->in_use, &out->reserved_bytes);
}
