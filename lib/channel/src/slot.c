/* SPDX-License-Identifier: MIT */
/* slot.c - who waits in a context, and what its loop is asked to watch. */
#include "slot.h"

#include <errno.h>
#include <stdlib.h>

#include "aiox/assert.h"

#include "trace.h"

static const char waiting[] = "aiox_channel_wait";

enum { PER_BLOCK = 32, DIRECTIONS = 2 };

struct block {
    struct block *next;
    struct slot slot[PER_BLOCK];
};

/* The slots of a context. */
struct slots {
    pthread_mutex_t lock; /* guards what follows */
    struct slot *free;
    struct block *blocks;
};

/* ---- the part of a context ---- */

static int init_part(struct aiox_context *ctx, void *data)
{
    struct slots *all = data;

    (void)ctx;
    return -pthread_mutex_init(&all->lock, NULL);
}

static void fini_part(struct aiox_context *ctx, void *data)
{
    struct slots *all = data;

    (void)ctx;
    while (all->blocks) {
        struct block *block = all->blocks;

        all->blocks = block->next;
        for (int i = 0; i < PER_BLOCK; i++) {
            pthread_mutex_destroy(&block->slot[i].lock);
        }
        free(block);
    }
    pthread_mutex_destroy(&all->lock);
}

static const struct aiox_context_part kind = {
    .name = "channels",
    .bytes = sizeof(struct slots),
    .init = init_part,
    .fini = fini_part,
};

static void grow(struct slots *all)
{
    struct block *block = calloc(1, sizeof(*block));

    if (!block) {
        return;
    }
    for (int i = 0; i < PER_BLOCK; i++) {
        pthread_mutex_init(&block->slot[i].lock, NULL);
        block->slot[i].slots = all;
        block->slot[i].next = all->free;
        all->free = &block->slot[i];
    }
    block->next = all->blocks;
    all->blocks = block;
}

static struct slot *pop(struct slots *all)
{
    struct slot *s;

    pthread_mutex_lock(&all->lock);
    if (!all->free) {
        grow(all);
    }
    s = all->free;
    if (s) {
        all->free = s->next;
    }
    pthread_mutex_unlock(&all->lock);
    return s;
}

int slot_get_(struct slot **out, struct aiox_context *ctx, int fd, uint32_t flags)
{
    void *part = NULL;
    struct slot *s;
    int err = aiox_context_part_get(ctx, &kind, &part);

    if (err < 0) {
        return err;
    }
    s = pop(part);
    if (!s) {
        return -ENOMEM;
    }
    pthread_mutex_lock(&s->lock);
    s->ctx = aiox_context_ref(ctx);
    s->fd = fd;
    s->flags = flags;
    pthread_mutex_unlock(&s->lock);
    *out = s;
    return 0;
}

/* ---- what happens; all with the lock of the slot held ---- */

static uint32_t armed(const struct slot *s)
{
    return aiox_u32_load_relaxed(&s->armed);
}

static uint32_t wanted(const struct slot *s)
{
    return (s->waiting[0] ? s->waiting[0]->events : 0) |
           (s->waiting[1] ? s->waiting[1]->events : 0);
}

static void take_out(struct slot *s, const struct waiter *w)
{
    for (int i = 0; i < DIRECTIONS; i++) {
        if (s->waiting[i] == w) {
            s->waiting[i] = NULL;
        }
    }
    aiox_assert(aiox_co_unmark(w->co, waiting));
}

static void readable(void *opaque);
static void writable(void *opaque); /* arm and these two know each other */

/* On failure the former handler stays: it may report more than is wanted, which does no harm. */
static int arm(struct slot *s, uint32_t events)
{
    struct aiox_fd_handler handler = {
        .read = events & AIOX_FD_READ ? readable : NULL,
        .write = events & AIOX_FD_WRITE ? writable : NULL,
        .flags = s->flags,
    };
    int err = 0;

    AIOX_TRACE(channel, watch, s->fd, events);
    if (!events) {
        aiox_clear_fd_handler(s->ctx, s->fd);
    } else {
        err = aiox_set_fd_handler(s->ctx, s->fd, &handler, s);
    }
    if (err == 0) {
        aiox_u32_store_relaxed(&s->armed, events);
    }
    return err;
}

/* ---- back to the free ones; without the lock ---- */

void slot_put_(struct slot *s)
{
    struct aiox_context *ctx = s->ctx;
    struct slots *all = s->slots;

    pthread_mutex_lock(&s->lock);
    aiox_assert(!s->waiting[0] && !s->waiting[1]);
    if (armed(s)) {
        (void)arm(s, 0);
    }
    pthread_mutex_unlock(&s->lock);
    pthread_mutex_lock(&all->lock);
    s->next = all->free;
    all->free = s;
    pthread_mutex_unlock(&all->lock);
    aiox_context_unref(ctx);
}

/* ---- the loop reports; without the lock ---- */

static void report(struct slot *s, int direction)
{
    uint32_t event = 1u << direction;
    struct waiter *w;

    pthread_mutex_lock(&s->lock);
    w = s->waiting[direction];
    if (w && (w->events & event)) {
        take_out(s, w);
    } else {
        w = NULL;
        if (armed(s) & event) { /* else this report is late */
            (void)arm(s, (armed(s) & ~event) | wanted(s));
        }
    }
    pthread_mutex_unlock(&s->lock);
    if (w) {
        waiter_wake_(w, (int)event);
    }
}

static void readable(void *opaque)
{
    report(opaque, 0);
}

static void writable(void *opaque)
{
    report(opaque, 1);
}

void waiter_wake_(struct waiter *w, int result)
{
    w->result = result;
    aiox_co_wake(w->co);
}

/* ---- who waits ---- */

static void enter(struct slot *s, struct waiter *w)
{
    uint32_t directions = w->events ? w->events : (uint32_t)AIOX_FD_READ;

    for (int i = 0; i < DIRECTIONS; i++) {
        if (!(directions >> i & 1)) {
            continue;
        }
        if (AIOX_UNLIKELY(s->waiting[i])) {
            aiox_panic("%s waits in a channel (descriptor %d) where %s already does",
                       aiox_co_name(w->co), s->fd, aiox_co_name(s->waiting[i]->co));
        }
        s->waiting[i] = w;
    }
    aiox_co_mark(w->co, waiting);
}

/* With the lock held. */
static int enlist(struct slot *s, struct waiter *w)
{
    uint32_t events;
    int err = 0;

    enter(s, w);
    events = wanted(s) | armed(s);
    if (events != armed(s)) {
        err = arm(s, events);
    }
    if (err < 0) {
        take_out(s, w);
    }
    return err;
}

int slot_enlist_(struct slot *s, struct waiter *w, const aiox_atomic_u32 *have_ended)
{
    int err = -ECANCELED;

    pthread_mutex_lock(&s->lock);
    if (!aiox_u32_load_relaxed(have_ended)) {
        err = enlist(s, w);
    }
    pthread_mutex_unlock(&s->lock);
    return err;
}

bool slot_strike_(struct slot *s, const struct waiter *w)
{
    bool is_in;

    pthread_mutex_lock(&s->lock);
    is_in = s->waiting[0] == w || s->waiting[1] == w;
    if (is_in) {
        take_out(s, w);
    }
    pthread_mutex_unlock(&s->lock);
    return is_in;
}

struct waiter *slot_take_(struct slot *s, int direction)
{
    struct waiter *w;

    pthread_mutex_lock(&s->lock);
    w = s->waiting[direction];
    if (w) {
        take_out(s, w);
    }
    pthread_mutex_unlock(&s->lock);
    return w;
}
