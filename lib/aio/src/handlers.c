/* SPDX-License-Identifier: MIT */
/*
 * handlers.c - who watches which descriptor.
 *
 * A record is never edited: to replace it is to make a new one and retire the
 * old. Records live in slots that never move; a token is the slot's index and
 * a generation that counts how often the slot was given away, so a report for
 * a record that has gone finds nobody.
 *
 * The home thread looks at records without the lock, inside a visit. A record
 * that is retired during a visit is freed by the visit that ends last.
 *
 * Orders
 *   [HANDLER-publish]  set (release) -> is_live (acquire): the record's fields.
 *   [HANDLER-slab]     new slab (release) -> slot (acquire): its memory.
 */
#include "handlers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aiox/assert.h"

enum { FIRST_SLAB = 64 };

/* Slab k holds the indexes from 64 * (2^k - 1) on. */
static struct handler *slot(struct handlers *hs, uint32_t index)
{
    unsigned slab = 31u - (unsigned)__builtin_clz(index / FIRST_SLAB + 1);
    struct handler *first;

    if (slab >= HANDLER_SLABS) {
        return NULL;
    }
    first = aiox_ptr_load_acquire(&hs->slabs[slab]); /* [HANDLER-slab] */
    return first ? &first[index - FIRST_SLAB * ((1u << slab) - 1)] : NULL;
}

static uint64_t token_of(const struct handler *h)
{
    return (uint64_t)h->generation << 32 | h->index;
}

static int add_slab(struct handlers *hs)
{
    unsigned slab = 31u - (unsigned)__builtin_clz(hs->slots_made / FIRST_SLAB + 1);
    uint32_t count = (uint32_t)FIRST_SLAB << slab;
    struct handler *first;

    if (slab >= HANDLER_SLABS) {
        return -ENOSPC;
    }
    first = calloc(count, sizeof(*first));
    if (!first) {
        return -ENOMEM;
    }
    for (uint32_t i = count; i-- > 0;) {
        first[i].index = hs->slots_made + i;
        first[i].generation = 1;
        first[i].next = hs->free;
        hs->free = &first[i];
    }
    hs->slots_made += count;
    aiox_ptr_store_release(&hs->slabs[slab], first); /* [HANDLER-slab] */
    return 0;
}

/* Makes room in by_fd for @fd. */
static int reserve_fd(struct handlers *hs, int fd)
{
    int size = hs->by_fd_size ? hs->by_fd_size : FIRST_SLAB;
    struct handler **grown;

    while (size <= fd) {
        size *= 2;
    }
    if (size == hs->by_fd_size) {
        return 0;
    }
    grown = realloc(hs->by_fd, (size_t)size * sizeof(struct handler *));
    if (!grown) {
        return -ENOMEM;
    }
    memset(grown + hs->by_fd_size, 0, (size_t)(size - hs->by_fd_size) * sizeof(struct handler *));
    hs->by_fd = grown;
    hs->by_fd_size = size;
    return 0;
}

static struct handler *at_fd(struct handlers *hs, int fd)
{
    return fd >= 0 && fd < hs->by_fd_size ? hs->by_fd[fd] : NULL;
}

static uint32_t events_asked(const struct aiox_fd_handler *call)
{
    return (call->read || call->poll_ready ? AIOX_FD_READ : 0u) |
           (call->write ? AIOX_FD_WRITE : 0u) | (call->urgent ? AIOX_FD_PRI : 0u) |
           (call->flags & AIOX_FD_HANDLER_DRAINS ? AIOX_FDMON_DRAINS : 0u);
}

/* A slot off the free list, filled but not live. NULL: no memory. */
static struct handler *make(struct handlers *hs, int fd, const struct aiox_fd_handler *call,
                            void *opaque)
{
    struct handler *h;

    if (!hs->free && add_slab(hs) < 0) {
        return NULL;
    }
    h = hs->free;
    hs->free = h->next;
    h->call = *call;
    h->opaque = opaque;
    h->fd = fd;
    h->asked = events_asked(call);
    h->always_ready = false;
    h->ready_events = 0;
    h->poll_said_ready = false;
    h->busy = (struct busy_time){0};
    return h;
}

/* Nobody looks at @h any more: its slot may be given to another. */
static void release(struct handlers *hs, struct handler *h)
{
    if (aiox_list_is_linked(&h->polled_link)) {
        aiox_list_remove(&h->polled_link);
    }
    h->generation += h->generation == UINT32_MAX ? 2 : 1; /* never 0: that is the bell's */
    h->next = hs->free;
    hs->free = h;
}

/* Takes @h out of use; its memory is kept while somebody may look at it. */
static void retire(struct handlers *hs, struct handler *h)
{
    aiox_u32_store_release(&h->live, 0);
    if (h->always_ready) {
        aiox_u32_sub_relaxed(&hs->always_ready, 1);
    }
    if (aiox_lockcnt_count(&hs->visitors) == 0) {
        release(hs, h);
    } else {
        h->next = aiox_ptr_load_relaxed(&hs->retired);
        aiox_ptr_store_relaxed(&hs->retired, h);
    }
}

/* Tells the backend. A file it cannot watch becomes one that is always ready. */
static int tell(struct backend *b, struct handler *h, uint32_t old_asked)
{
    int err = b->ops.interest(b->mon, h->fd, old_asked, h->asked, token_of(h));

    h->always_ready = err == -EPERM;
    return h->always_ready ? 0 : err;
}

static uint32_t told(const struct handler *h)
{
    return h && !h->always_ready ? h->asked : 0;
}

static int replace(struct handlers *hs, int fd, const struct aiox_fd_handler *call, void *opaque)
{
    struct handler *old = at_fd(hs, fd);
    struct handler *h;
    int err = reserve_fd(hs, fd);

    if (err < 0) {
        return err;
    }
    h = make(hs, fd, call, opaque);
    if (!h) {
        return -ENOMEM;
    }
    if (old && old->call.poll == call->poll && old->call.poll_begin == call->poll_begin) {
        h->busy = old->busy; /* the same source of events: what was learnt still holds */
    }
    err = tell(hs->backend, h, told(old));
    if (err < 0) {
        release(hs, h);
        return err;
    }
    if (h->always_ready) {
        aiox_u32_add_relaxed(&hs->always_ready, 1);
    }
    hs->by_fd[fd] = h;
    aiox_u32_store_release(&h->live, 1); /* [HANDLER-publish] */
    if (old) {
        retire(hs, old);
    }
    return 0;
}

static void stop(struct handlers *hs, int fd)
{
    struct handler *h = at_fd(hs, fd);

    if (!h) {
        return;
    }
    if (told(h)) {
        (void)hs->backend->ops.interest(hs->backend->mon, fd, h->asked, 0, token_of(h));
    }
    hs->by_fd[fd] = NULL;
    retire(hs, h);
}

int handlers_set_(struct handlers *hs, int fd, const struct aiox_fd_handler *call, void *opaque)
{
    int err = 0;

    aiox_lockcnt_lock(&hs->visitors);
    if (!call || !(call->read || call->write || call->urgent || call->poll_ready)) {
        stop(hs, fd);
    } else if (fd < 0) {
        err = -EBADF;
    } else {
        err = replace(hs, fd, call, opaque);
    }
    aiox_lockcnt_unlock(&hs->visitors);
    return err;
}

/* Moves one handler to @to; a file that @to cannot watch becomes one that is always ready. */
static int move(struct handlers *hs, struct handler *h, struct backend *to)
{
    int err = to->ops.interest(to->mon, h->fd, 0, h->asked, token_of(h));

    if (err == -EPERM) {
        (void)hs->backend->ops.interest(hs->backend->mon, h->fd, h->asked, 0, token_of(h));
        h->always_ready = true;
        aiox_u32_add_relaxed(&hs->always_ready, 1);
    }
    /* A descriptor that was closed meanwhile is no reason to stay: it is not reported again. */
    return err == -EPERM || err == -EBADF ? 0 : err;
}

int handlers_move_(struct handlers *hs, struct backend *to)
{
    int err = 0;

    aiox_lockcnt_lock(&hs->visitors);
    for (int fd = 0; fd < hs->by_fd_size && err == 0; fd++) {
        struct handler *h = hs->by_fd[fd];

        if (h && !h->always_ready) {
            err = move(hs, h, to);
        }
    }
    if (err == 0) {
        hs->backend = to;
    }
    aiox_lockcnt_unlock(&hs->visitors);
    return err;
}

bool handler_is_live_(const struct handler *h)
{
    return aiox_u32_load_acquire(&h->live) != 0; /* [HANDLER-publish] */
}

struct handler *handlers_find_(struct handlers *hs, uint64_t token)
{
    struct handler *h = slot(hs, (uint32_t)token);

    return h && handler_is_live_(h) && h->generation == token >> 32 ? h : NULL;
}

void handlers_add_always_ready_(struct handlers *hs, struct aiox_list *ready)
{
    if (AIOX_LIKELY(!handlers_have_always_ready_(hs))) {
        return;
    }
    aiox_lockcnt_lock(&hs->visitors);
    for (int fd = 0; fd < hs->by_fd_size; fd++) {
        struct handler *h = hs->by_fd[fd];

        if (h && h->always_ready) {
            h->ready_events = h->asked & (AIOX_FD_READ | AIOX_FD_WRITE);
            if (!aiox_list_is_linked(&h->ready_link)) {
                aiox_list_push_back(ready, &h->ready_link);
            }
        }
    }
    aiox_lockcnt_unlock(&hs->visitors);
}

void handlers_enter_(struct handlers *hs)
{
    aiox_lockcnt_inc(&hs->visitors);
}

static void release_retired(struct handlers *hs)
{
    struct handler *h = aiox_ptr_load_relaxed(&hs->retired);

    aiox_ptr_store_relaxed(&hs->retired, NULL);
    while (h) {
        struct handler *next = h->next;

        release(hs, h);
        h = next;
    }
}

void handlers_leave_(struct handlers *hs)
{
    /* Retired just now by another thread, and not seen: then the next visit frees it. */
    if (aiox_ptr_load_relaxed(&hs->retired) && aiox_lockcnt_dec_if_lock(&hs->visitors)) {
        release_retired(hs);
        aiox_lockcnt_unlock(&hs->visitors);
    } else {
        aiox_lockcnt_dec(&hs->visitors);
    }
}

void handlers_init_(struct handlers *hs)
{
    aiox_lockcnt_init(&hs->visitors);
    aiox_list_init(&hs->polled);
}

void handlers_fini_(struct handlers *hs)
{
    for (unsigned i = 0; i < HANDLER_SLABS; i++) {
        free(aiox_ptr_load_relaxed(&hs->slabs[i]));
    }
    free(hs->by_fd);
    aiox_lockcnt_fini(&hs->visitors);
}
