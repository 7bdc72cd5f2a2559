/* SPDX-License-Identifier: MIT */
/*
 * gate.c - many go in by doors of their own, one keeper closes all doors at once.
 *
 * A door is one word:
 *   VISIT   one for each that is inside by this door.
 *   CLOSED  set by the keeper: who adds a VISIT after that is not inside, but
 *           takes it back. While the gate is closed only.
 *   WANTED  set by the keeper: who takes a VISIT away kicks it.
 *
 * Both sides change the word by a read-modify-write, so whoever comes second
 * sees the other: a keeper that finds no VISIT when it sets CLOSED has the door
 * for itself. All doors closed and no VISIT on any: it has the gate.
 *
 * A keeper that finds somebody inside opens the doors again before it waits.
 * Who is inside may need others, or itself a second time, to come in before it
 * can go out; so nobody waits outside for longer than the keeper's work takes.
 *
 * Waiting outside is under the lock, and so is opening: who waits is let in by
 * the opening, in its name, before it is woken.
 *
 *   [GATE-open]   open (release) -> enter (acquire): what the keeper did.
 *   [GATE-leave]  leave (release) -> close (acquire): who was inside is done.
 */
#include "gate.h"

#include "aiox/assert.h"

enum {
    CLOSED = 1,
    WANTED = 2,
    VISIT = 4,
};

void gate_init_(struct gate *g, void (*kick)(void *opaque), void *opaque)
{
    *g = (struct gate){.kick = kick, .opaque = opaque};
    pthread_mutex_init(&g->lock, NULL);
    aiox_list_init(&g->doors);
    aiox_list_init(&g->outside);
}

void gate_fini_(struct gate *g)
{
    aiox_assert(!g->closed && !g->wanted && aiox_list_is_empty(&g->outside));
    AIOX_LIST_FOREACH(d, &g->doors, struct door, link)
    {
        aiox_assert(aiox_u32_load_relaxed(&d->word) < VISIT);
    }
    pthread_mutex_destroy(&g->lock);
}

void gate_add_(struct gate *g, struct door *d)
{
    pthread_mutex_lock(&g->lock);
    aiox_u32_store_relaxed(&d->word, (g->closed ? CLOSED : 0u) | (g->wanted ? WANTED : 0u));
    aiox_list_push_back(&g->doors, &d->link);
    pthread_mutex_unlock(&g->lock);
}

void gate_remove_(struct gate *g, struct door *d)
{
    pthread_mutex_lock(&g->lock);
    aiox_assert(aiox_u32_load_relaxed(&d->word) < VISIT);
    aiox_list_remove(&d->link);
    pthread_mutex_unlock(&g->lock);
}

/* Under the lock: outside, with @v in line if there is one; or inside, if it was opened meanwhile.
 */
static bool enter_late(struct gate *g, struct door *d, struct visitor *v)
{
    if (!g->closed) {
        return true;
    }
    if (v) {
        *v = (struct visitor){.door = d};
        aiox_list_push_back(&g->outside, &v->link);
    }
    gate_leave_(g, d);
    return false;
}

bool gate_enter_(struct gate *g, struct door *d, struct visitor *v)
{
    bool inside;

    /* [GATE-open] */
    if (AIOX_LIKELY(!(aiox_u32_add_acquire(&d->word, VISIT) & CLOSED))) {
        return true;
    }
    pthread_mutex_lock(&g->lock);
    inside = enter_late(g, d, v);
    pthread_mutex_unlock(&g->lock);
    return inside;
}

void gate_leave_(struct gate *g, struct door *d)
{
    uint32_t word = aiox_u32_sub_release(&d->word, VISIT); /* [GATE-leave] */

    aiox_assert(word >= VISIT);
    if (AIOX_UNLIKELY(word & WANTED)) {
        g->kick(g->opaque);
    }
}

void gate_want_(struct gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->wanted = true;
    AIOX_LIST_FOREACH(d, &g->doors, struct door, link)
    {
        aiox_u32_or_relaxed(&d->word, WANTED);
    }
    pthread_mutex_unlock(&g->lock);
}

bool gate_is_empty_(struct gate *g)
{
    bool empty = true;

    pthread_mutex_lock(&g->lock);
    AIOX_LIST_FOREACH(d, &g->doors, struct door, link)
    {
        empty = empty && aiox_u32_load_relaxed(&d->word) < VISIT;
    }
    pthread_mutex_unlock(&g->lock);
    return empty;
}

bool gate_close_(struct gate *g)
{
    bool empty = true;

    pthread_mutex_lock(&g->lock);
    g->closed = true;
    AIOX_LIST_FOREACH(d, &g->doors, struct door, link)
    {
        empty &= aiox_u32_or_acquire(&d->word, CLOSED) < VISIT; /* [GATE-leave] */
    }
    pthread_mutex_unlock(&g->lock);
    return empty;
}

void gate_open_(struct gate *g, bool done, struct aiox_list *granted)
{
    pthread_mutex_lock(&g->lock);
    g->closed = false;
    g->wanted = !done;
    AIOX_LIST_FOREACH(v, &g->outside, struct visitor, link)
    {
        aiox_u32_add_relaxed(&v->door->word, VISIT);
    }
    AIOX_LIST_FOREACH(d, &g->doors, struct door, link)
    {
        aiox_u32_and_release(&d->word, ~(CLOSED | (done ? WANTED : 0u))); /* [GATE-open] */
    }
    aiox_list_splice_back(granted, &g->outside);
    pthread_mutex_unlock(&g->lock);
}
