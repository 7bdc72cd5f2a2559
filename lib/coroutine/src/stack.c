/* SPDX-License-Identifier: MIT */
/*
 * stack.c - memory for stacks.
 *
 * A slab is one mapping with up to 64 slots. A slot, from low to high: guard,
 * stack, record. Neighbouring slabs have equal flags, so the kernel makes one
 * mapping of them: 100,000 stacks need a few mappings and not 65,530. That
 * holds while guards need no mapping of their own (MADV_GUARD_INSTALL, Linux
 * 6.13). Else each guard is an mprotect() and splits the slab in two.
 *
 * A stack is not unmapped alone, which would split mappings again: its memory
 * goes by MADV_DONTNEED, and a slab goes when all its slots are free.
 *
 * Records of slots begin at different distances from a page's end. At the same
 * distance they would compete for one 64th of each cache.
 *
 * Memory of stacks is never given as huge pages: one touched page would cost 512.
 */
#define _GNU_SOURCE
#include "stack.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "aiox/assert.h"
#include "aiox/list.h"

#include "guard.h"

enum {
    SLOTS_MAX = 64,
    SLAB_BYTES = 16 << 20, /* aimed at; a slab has at least one slot */
    GUARD_BYTES = 16 << 10,
    COLOURS = 8,
    COLOUR_BYTES = 128,
    PAGES_AT_ONCE = 256,
};

/* Under the lock of its kind. */
struct slab {
    struct aiox_list_node node; /* in partial or full */
    char *base;
    unsigned slots;
    unsigned taken;
    uint64_t free;    /* a bit per slot */
    uint64_t guarded; /* its guard stands */
};

struct kind {
    pthread_mutex_t lock;
    struct aiox_list partial; /* slabs with a free slot; all zero: none yet */
    struct aiox_list full;
    size_t high_water; /* of stacks that have become cold */
} AIOX_CACHE_ALIGNED;

static struct kind kinds[STACK_KINDS];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static size_t page_bytes;

static aiox_atomic_u64 stacks_taken;
static aiox_atomic_u64 bytes_reserved;

/* ---- where things are ---- */

static size_t usable_bytes(unsigned kind)
{
    size_t bytes = (size_t)1 << (STACK_SHIFT_MIN + kind);

    return bytes < page_bytes ? page_bytes : bytes;
}

static size_t guard_bytes(void)
{
    return page_bytes > GUARD_BYTES ? page_bytes : GUARD_BYTES;
}

static size_t slot_bytes(unsigned kind)
{
    return guard_bytes() + usable_bytes(kind);
}

static unsigned slots_per_slab(unsigned kind)
{
    size_t slots = SLAB_BYTES / slot_bytes(kind);

    return slots < 1 ? 1 : slots > SLOTS_MAX ? SLOTS_MAX : (unsigned)slots;
}

static char *slot_low(const struct slab *slab, unsigned kind, unsigned slot)
{
    return slab->base + slot * slot_bytes(kind) + guard_bytes();
}

static char *slot_high(const struct slab *slab, unsigned kind, unsigned slot)
{
    return slab->base + (slot + 1) * slot_bytes(kind);
}

static struct aiox_co *slot_record(const struct slab *slab, unsigned kind, unsigned slot)
{
    char *high = slot_high(slab, kind, slot) - (slot % COLOURS) * COLOUR_BYTES;

    return (struct aiox_co *)(void *)(high - sizeof(struct aiox_co));
}

/* ---- what the sanitizer must know when the program ends ---- */

static void tell_roots_of(struct aiox_list *slabs, unsigned kind)
{
    AIOX_LIST_FOREACH(slab, slabs, struct slab, node)
    {
        for (unsigned slot = 0; slot < slab->slots; slot++) {
            struct aiox_co *co = slot_record(slab, kind, slot);

            if ((slab->free >> slot & 1) || co->back == CO_POOLED) {
                continue;
            }
            fiber_root_(&co->fiber, co->back ? slot_low(slab, kind, slot) : co->point, co + 1);
        }
    }
}

/* Pointers below the point of a suspended stack are stale: they would hide leaks. */
static void tell_roots(void)
{
    for (unsigned kind = 0; kind < STACK_KINDS; kind++) {
        pthread_mutex_lock(&kinds[kind].lock);
        tell_roots_of(&kinds[kind].partial, kind);
        tell_roots_of(&kinds[kind].full, kind);
        pthread_mutex_unlock(&kinds[kind].lock);
    }
}

static void init_once(void)
{
    page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    for (unsigned i = 0; i < STACK_KINDS; i++) {
        pthread_mutex_init(&kinds[i].lock, NULL);
        aiox_list_init(&kinds[i].partial);
        aiox_list_init(&kinds[i].full);
    }
    fiber_at_exit_(tell_roots);
}

static struct kind *lock_kind(unsigned kind)
{
    pthread_once(&once, init_once);
    pthread_mutex_lock(&kinds[kind].lock);
    return &kinds[kind];
}

static void unlock_kind(struct kind *k)
{
    pthread_mutex_unlock(&k->lock);
}

/* ---- slabs ---- */

static struct slab *slab_new(struct kind *k, unsigned kind, unsigned slots)
{
    size_t bytes = slots * slot_bytes(kind);
    struct slab *slab = malloc(sizeof(*slab));
    void *base;

    if (!slab) {
        return NULL;
    }
    base = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (base == MAP_FAILED) {
        free(slab);
        return NULL;
    }
    (void)madvise(base, bytes, MADV_NOHUGEPAGE); /* refused where there are none */
    slab->base = base;
    slab->slots = slots;
    slab->taken = 0;
    slab->free = slots == SLOTS_MAX ? ~UINT64_C(0) : (UINT64_C(1) << slots) - 1;
    slab->guarded = 0;
    aiox_list_push_front(&k->partial, &slab->node);
    aiox_u64_add_relaxed(&bytes_reserved, bytes);
    return slab;
}

static void slab_free(struct slab *slab, unsigned kind)
{
    size_t bytes = slab->slots * slot_bytes(kind);

    aiox_assert(munmap(slab->base, bytes) == 0);
    aiox_u64_sub_relaxed(&bytes_reserved, bytes);
    aiox_list_remove(&slab->node);
    free(slab);
}

/* A slab with a free slot; where a whole one does not fit, one of a single slot. */
static struct slab *slab_with_room(struct kind *k, unsigned kind)
{
    struct aiox_list_node *node = aiox_list_first(&k->partial);
    struct slab *slab;

    if (node) {
        return AIOX_CONTAINER_OF(node, struct slab, node);
    }
    slab = slab_new(k, kind, slots_per_slab(kind));
    return slab ? slab : slab_new(k, kind, 1);
}

static bool stand_guard(struct slab *slab, unsigned kind, unsigned slot)
{
    uint64_t bit = UINT64_C(1) << slot;

    if (!(slab->guarded & bit) &&
        guard_install_(slab->base + slot * slot_bytes(kind), guard_bytes())) {
        slab->guarded |= bit;
    }
    return slab->guarded & bit;
}

static struct aiox_co *slot_take(struct kind *k, unsigned kind)
{
    struct slab *slab = slab_with_room(k, kind);
    unsigned slot;

    if (!slab) {
        return NULL;
    }
    slot = (unsigned)__builtin_ctzll(slab->free);
    if (!stand_guard(slab, kind, slot)) {
        return NULL;
    }
    slab->free &= slab->free - 1;
    slab->taken++;
    if (!slab->free) {
        aiox_list_remove(&slab->node);
        aiox_list_push_front(&k->full, &slab->node);
    }
    struct aiox_co *co = slot_record(slab, kind, slot);
    co->back = CO_POOLED;
    co->point = NULL;
    co->slab = slab;
    co->slot = (uint8_t)slot;
    co->kind = (uint8_t)kind;
    return co;
}

/* Under the lock. An empty slab waits for the next: emptied and filled again is the usual way. */
static void slot_give(struct kind *k, struct slab *slab, unsigned slot, unsigned kind)
{
    struct aiox_list_node *first = aiox_list_first(&k->partial);

    aiox_list_remove(&slab->node);
    aiox_list_push_front(&k->partial, &slab->node);
    slab->free |= UINT64_C(1) << slot;
    slab->taken--;
    if (first && first != &slab->node && !slab->taken) {
        slab_free(slab, kind);
    }
}

/* ---- stacks ---- */

struct aiox_co *stack_take_(unsigned kind)
{
    struct kind *k;
    struct aiox_co *co = NULL;

    if (aiox_u64_add_relaxed(&stacks_taken, 1) < FIBERS_MAX) {
        k = lock_kind(kind);
        co = slot_take(k, kind);
        unlock_kind(k);
    }
    if (!co) {
        aiox_u64_sub_relaxed(&stacks_taken, 1);
        return NULL;
    }
    if (!fiber_make_(&co->fiber, stack_low_(co), (size_t)((char *)co - stack_low_(co)))) {
        stack_give_(co);
        return NULL;
    }
    return co;
}

void stack_give_(struct aiox_co *co)
{
    unsigned kind = co->kind;
    unsigned slot = co->slot;
    struct slab *slab = co->slab;
    size_t used = stack_used_bytes_(co);
    struct kind *k;

    fiber_unmake_(&co->fiber);
    aiox_assert(madvise(stack_low_(co), usable_bytes(kind), MADV_DONTNEED) == 0);

    k = lock_kind(kind);
    if (used > k->high_water) {
        k->high_water = used;
    }
    slot_give(k, slab, slot, kind);
    unlock_kind(k);
    aiox_u64_sub_relaxed(&stacks_taken, 1);
}

void stack_trim_(void)
{
    for (unsigned kind = 0; kind < STACK_KINDS; kind++) {
        struct kind *k = lock_kind(kind);

        AIOX_LIST_FOREACH_SAFE(slab, &k->partial, struct slab, node)
        {
            if (!slab->taken) {
                slab_free(slab, kind);
            }
        }
        unlock_kind(k);
    }
}

char *stack_low_(const struct aiox_co *co)
{
    return slot_low(co->slab, co->kind, co->slot);
}

/* ---- how much of it was used ---- */

static size_t used_bytes(char *low, const char *high)
{
    unsigned char resident[PAGES_AT_ONCE];

    while (low < high) {
        size_t pages = (size_t)(high - low) / page_bytes;

        if (pages > PAGES_AT_ONCE) {
            pages = PAGES_AT_ONCE;
        }
        if (mincore(low, pages * page_bytes, resident)) {
            return 0;
        }
        for (size_t i = 0; i < pages; i++, low += page_bytes) {
            if (resident[i] & 1) {
                return (size_t)(high - low);
            }
        }
    }
    return 0;
}

size_t stack_used_bytes_(const struct aiox_co *co)
{
    char *low = stack_low_(co);

    return used_bytes(low, low + usable_bytes(co->kind));
}

static size_t most_used(struct aiox_list *slabs, unsigned kind)
{
    size_t most = 0;

    AIOX_LIST_FOREACH(slab, slabs, struct slab, node)
    {
        for (unsigned slot = 0; slot < slab->slots; slot++) {
            size_t used = slab->free >> slot & 1
                              ? 0
                              : used_bytes(slot_low(slab, kind, slot), slot_high(slab, kind, slot));

            most = used > most ? used : most;
        }
    }
    return most;
}

size_t stack_high_water_bytes_(unsigned kind)
{
    struct kind *k = lock_kind(kind);
    size_t partial = most_used(&k->partial, kind);
    size_t full = most_used(&k->full, kind);
    size_t most = partial > full ? partial : full;

    most = k->high_water > most ? k->high_water : most;
    unlock_kind(k);
    return most;
}

void stack_count_(size_t *stacks, size_t *reserved_bytes)
{
    *stacks = (size_t)aiox_u64_load_relaxed(&stacks_taken);
    *reserved_bytes = (size_t)aiox_u64_load_relaxed(&bytes_reserved);
}
