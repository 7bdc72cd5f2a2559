/* SPDX-License-Identifier: MIT */
/*
 * graph_lock.c - a gate with a door for each context.
 *
 * A context keeps its doors in a list that only grows while it lives; a door is
 * known to be a lock's by the lock's number, which no other lock has had. When a
 * lock ends, its doors are nobody's and may be given to another lock.
 *
 *   [GRAPH-door]  give (release) -> find (acquire): the door is in the gate.
 */
#include "aiox/graph_lock.h"

#include <errno.h>
#include <stdlib.h>

#include "aiox/aio_co.h"
#include "aiox/assert.h"
#include "aiox/atomic.h"
#include "aiox/coroutine.h"

#include "gate.h"

struct aiox_graph_lock {
    struct gate gate;
    struct aiox_context *main_ctx;
    uint64_t number;
    unsigned main_readers; /* [home] of main_ctx, as what follows */
    bool waits;
    bool writes;
};

/* A context's place in one lock. */
struct AIOX_CACHE_ALIGNED seat {
    struct door door;
    aiox_atomic_u64 number; /* of the lock; 0: nobody's */
    struct aiox_graph_lock *lock;
    struct seat *older;
};

/* What a context keeps. */
struct seats {
    aiox_atomic_ptr newest; /* struct seat */
};

static pthread_mutex_t making =
    PTHREAD_MUTEX_INITIALIZER; /* of whoever gives seats or takes them */
static aiox_atomic_u64 locks;  /* that have a number */

/* ---- seats ---- */

/* The context ends: so does nobody's reading in it. */
static void fini_part(struct aiox_context *ctx, void *data)
{
    struct seats *seats = data;
    struct seat *s = aiox_ptr_load_relaxed(&seats->newest);

    (void)ctx;
    pthread_mutex_lock(&making);
    while (s) {
        struct seat *older = s->older;

        if (s->lock) {
            gate_remove_(&s->lock->gate, &s->door);
        }
        free(s);
        s = older;
    }
    pthread_mutex_unlock(&making);
}

static const struct aiox_context_part kind = {
    .name = "graph locks",
    .bytes = sizeof(struct seats),
    .fini = fini_part,
};

static struct seat *find(struct seats *seats, uint64_t number)
{
    struct seat *s = aiox_ptr_load_acquire(&seats->newest); /* [GRAPH-door] */

    while (s && aiox_u64_load_acquire(&s->number) != number) { /* [GRAPH-door] */
        s = s->older;
    }
    return s;
}

static void give(struct aiox_graph_lock *lock, struct seat *s)
{
    s->lock = lock;
    gate_add_(&lock->gate, &s->door);
    aiox_u64_store_release(&s->number, lock->number); /* [GRAPH-door] */
}

static struct seat *add(struct seats *seats)
{
    struct seat *s = aligned_alloc(AIOX_CACHE_LINE, sizeof(*s));

    if (s) {
        *s = (struct seat){.older = aiox_ptr_load_relaxed(&seats->newest)};
        aiox_ptr_store_release(&seats->newest, s); /* [GRAPH-door] */
    }
    return s;
}

/* Under the lock of all seats: one that @lock has, or that was another lock's, or a new one. */
static struct seat *make(struct aiox_graph_lock *lock, struct seats *seats)
{
    struct seat *s = find(seats, lock->number);

    if (s) {
        return s;
    }
    s = find(seats, 0);
    s = s ? s : add(seats);
    if (s) {
        give(lock, s);
    }
    return s;
}

/* NULL: no memory. */
static struct seat *seat_in(struct aiox_graph_lock *lock, struct aiox_context *ctx)
{
    void *seats;
    struct seat *s;

    if (AIOX_UNLIKELY(aiox_context_part_get(ctx, &kind, &seats) < 0)) {
        return NULL;
    }
    s = find(seats, lock->number);
    if (AIOX_UNLIKELY(!s)) {
        pthread_mutex_lock(&making);
        s = make(lock, seats);
        pthread_mutex_unlock(&making);
    }
    return s;
}

static struct door *door_in(struct aiox_graph_lock *lock, struct aiox_context *ctx)
{
    struct seat *s = seat_in(lock, ctx);

    if (AIOX_UNLIKELY(!s)) {
        aiox_panic(
            "no memory for the readers of a context; aiox_graph_lock_attach() tells in time");
    }
    return &s->door;
}

/* ---- the lock ---- */

static void kick(void *opaque)
{
    struct aiox_graph_lock *lock = opaque;

    aiox_notify(lock->main_ctx);
}

int aiox_graph_lock_new(struct aiox_graph_lock **out, struct aiox_context *main_ctx)
{
    struct aiox_graph_lock *lock = calloc(1, sizeof(*lock));

    if (!lock) {
        return -ENOMEM;
    }
    lock->main_ctx = aiox_context_ref(main_ctx);
    lock->number = aiox_u64_add_relaxed(&locks, 1) + 1;
    gate_init_(&lock->gate, kick, lock);
    *out = lock;
    return 0;
}

void aiox_graph_lock_free(struct aiox_graph_lock *lock)
{
    if (!lock) {
        return;
    }
    aiox_assert(!lock->waits && !lock->writes && lock->main_readers == 0);
    pthread_mutex_lock(&making);
    gate_fini_(&lock->gate);
    AIOX_LIST_FOREACH_SAFE(d, &lock->gate.doors, struct door, link)
    {
        struct seat *s = AIOX_CONTAINER_OF(d, struct seat, door);

        aiox_list_remove(&d->link);
        s->lock = NULL;
        aiox_u64_store_release(&s->number, 0); /* [GRAPH-door] */
    }
    pthread_mutex_unlock(&making);
    aiox_context_unref(lock->main_ctx);
    free(lock);
}

int aiox_graph_lock_attach(struct aiox_graph_lock *lock, struct aiox_context *ctx)
{
    return seat_in(lock, ctx) ? 0 : -ENOMEM;
}

/* ---- readers ---- */

static const char waiting[] = "aiox_graph_rdlock";

struct reader {
    struct visitor visitor;
    struct aiox_co *co;
};

static struct door *door_here(struct aiox_graph_lock *lock)
{
    struct aiox_co *self = aiox_co_self();
    struct aiox_context *ctx = self ? aiox_co_context(self) : NULL;

    if (!ctx) {
        aiox_panic("a graph is read by a coroutine of a context, or by aiox_graph_try_rdlock()");
    }
    return door_in(lock, ctx);
}

/* Out of line: the frame is for those who wait. */
static coroutine_fn AIOX_NOINLINE void wait_outside(struct aiox_graph_lock *lock, struct door *door)
{
    struct reader r = {.co = aiox_co_self()};

    aiox_co_mark(r.co, waiting);
    if (gate_enter_(&lock->gate, door, &r.visitor)) {
        aiox_assert(aiox_co_unmark(r.co, waiting));
    } else {
        aiox_co_yield(); /* inside when it goes on */
    }
}

void aiox_graph_rdlock(struct aiox_graph_lock *lock)
{
    struct door *door = door_here(lock);

    if (AIOX_UNLIKELY(!gate_enter_(&lock->gate, door, NULL))) {
        wait_outside(lock, door);
    }
}

void aiox_graph_rdunlock(struct aiox_graph_lock *lock)
{
    gate_leave_(&lock->gate, door_here(lock));
}

bool aiox_graph_try_rdlock(struct aiox_graph_lock *lock, struct aiox_context *ctx)
{
    aiox_assert(aiox_context_is_home(ctx));
    return gate_enter_(&lock->gate, door_in(lock, ctx), NULL);
}

void aiox_graph_rdunlock_in(struct aiox_graph_lock *lock, struct aiox_context *ctx)
{
    aiox_assert(aiox_context_is_home(ctx));
    gate_leave_(&lock->gate, door_in(lock, ctx));
}

static void assert_main(const struct aiox_graph_lock *lock)
{
    aiox_assert(aiox_context_is_home(lock->main_ctx) && !aiox_in_coroutine());
}

void aiox_graph_rdlock_main(struct aiox_graph_lock *lock)
{
    assert_main(lock);
    aiox_assert(!lock->writes);
    lock->main_readers++;
}

void aiox_graph_rdunlock_main(struct aiox_graph_lock *lock)
{
    assert_main(lock);
    aiox_assert(lock->main_readers > 0);
    lock->main_readers--;
}

/* ---- the writer ---- */

static void open_gate(struct aiox_graph_lock *lock, bool done)
{
    struct aiox_list granted;
    struct aiox_list_node *node;

    aiox_list_init(&granted);
    gate_open_(&lock->gate, done, &granted);
    while ((node = aiox_list_pop_front(&granted)) != NULL) {
        struct reader *r = AIOX_CONTAINER_OF(node, struct reader, visitor.link);
        struct aiox_co *co = r->co;

        aiox_assert(aiox_co_unmark(co, waiting));
        aiox_co_wake(co);
    }
}

static bool close_gate(struct aiox_graph_lock *lock)
{
    if (!gate_is_empty_(&lock->gate)) {
        return false;
    }
    if (gate_close_(&lock->gate)) {
        return true;
    }
    open_gate(lock, false);
    return false;
}

void aiox_graph_wrlock(struct aiox_graph_lock *lock)
{
    assert_main(lock);
    aiox_assert(!lock->writes && !lock->waits && lock->main_readers == 0);
    lock->waits = true;
    gate_want_(&lock->gate);
    while (!close_gate(lock)) {
        aiox_poll(lock->main_ctx, true);
    }
    lock->waits = false;
    lock->writes = true;
}

void aiox_graph_wrunlock(struct aiox_graph_lock *lock)
{
    assert_main(lock);
    aiox_assert(lock->writes);
    lock->writes = false;
    open_gate(lock, true);
}

void aiox_graph_assert_writable(const struct aiox_graph_lock *lock)
{
    aiox_assert(aiox_context_is_home(lock->main_ctx) && lock->writes);
}
