/* SPDX-License-Identifier: MIT */
/*
 * handlers.c - who watches which descriptor.
 *
 * A record is never edited: to replace it is to make a new one and retire the
 * old. Records live in slots that never move; a token is the slot's index and
 * a generation that counts how often the slot was given away, so a report for
 * a record that has gone finds nobody.
 *
 * Only the home thread looks at records without the lock, inside a visit. So
 * visits are counted by it alone, in a plain number, and only it gives the slots
 * of retired records away again: when its outermost visit ends, or when it
 * changes handlers outside of one. What others retire while the loop does not
 * turn waits for the next turn.
 *
 * Orders
 *   [HANDLER-publish]  set (release) -> is_live, find (acquire): the record's fields.
 *   [HANDLER-slab]     new slab (release) -> slot (acquire): its memory.
 */
#include "handlers.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "aiox/assert.h"

#include "watching.h"

_Static_assert(offsetof(struct handler, call.read) + sizeof(aiox_fd_fn *) == LINE_BYTES,
               "what dispatch needs is in one line");
_Static_assert(sizeof(struct handler) % LINE_BYTES == 0, "so in every record of a slab");
_Static_assert((uint64_t)FIRST_SLAB << (HANDLER_SLABS - 1) == UINT64_C(1) << SLAB_BITS &&
                   (uint64_t)HANDLER_SLABS << SLAB_BITS <= UINT64_C(1) << 32,
               "an index says all");

static uint32_t slab_count(unsigned slab)
{
    return (uint32_t)FIRST_SLAB << slab;
}

/* Adds the records at @first, all zero, as the next slab. */
static void use_slab(struct handlers *hs, struct handler *first)
{
    unsigned slab = hs->slabs_made++;

    for (uint32_t i = slab_count(slab); i-- > 0;) {
        first[i].index = (uint32_t)slab << SLAB_BITS | i;
        first[i].generation = 1;
        first[i].next = hs->free;
        hs->free = &first[i];
    }
    aiox_ptr_store_release(&hs->slabs[slab], first); /* [HANDLER-slab] */
}

static int add_slab(struct handlers *hs)
{
    struct handler *first;
    size_t bytes;

    if (hs->slabs_made >= HANDLER_SLABS) {
        return -ENOSPC;
    }
    bytes = slab_count(hs->slabs_made) * sizeof(*first);
    first = aligned_alloc(LINE_BYTES, bytes);
    if (!first) {
        return -ENOMEM;
    }
    memset(first, 0, bytes);
    use_slab(hs, first);
    return 0;
}

/* Makes room in by_fd for @fd, which is open. */
static int reserve_fd(struct handlers *hs, int fd)
{
    bool is_first = hs->by_fd == hs->first_by_fd;
    size_t size = hs->by_fd_size;
    struct handler **grown;

    while (size <= (size_t)fd) {
        size *= 2;
    }
    if (size == hs->by_fd_size) {
        return 0;
    }
    grown = realloc(is_first ? NULL : hs->by_fd, size * sizeof(struct handler *));
    if (!grown) {
        return -ENOMEM;
    }
    if (is_first) {
        memcpy(grown, hs->first_by_fd, sizeof(hs->first_by_fd));
    }
    memset(grown + hs->by_fd_size, 0, (size - hs->by_fd_size) * sizeof(struct handler *));
    hs->by_fd = grown;
    hs->by_fd_size = size;
    return 0;
}

static struct handler *at_fd(struct handlers *hs, int fd)
{
    return fd >= 0 && (size_t)fd < hs->by_fd_size ? hs->by_fd[fd] : NULL;
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
    h->call.poll =
        call->poll_ready || call->read ? call->poll : NULL; /* else nobody could serve it */
    h->opaque = opaque;
    h->fd = fd;
    h->asked = events_asked(call);
    h->watched = NOT_FOUND;
    h->ready_events = 0;
    h->poll_said_ready = false;
    h->begun = false;
    aiox_u32_store_relaxed(&h->held, handlers_are_withheld_(hs, h));
    h->busy = (struct busy_time){0};
    return h;
}

static bool have_same_hooks(const struct aiox_fd_handler *a, const struct aiox_fd_handler *b)
{
    return a->poll == b->poll && a->poll_begin == b->poll_begin && a->poll_end == b->poll_end;
}

/* See handlers_hand_over_(). Under the lock, by [home]. */
static struct handler *hand_over(struct handlers *hs, struct handler *h)
{
    struct handler *heir = at_fd(hs, h->fd);
    bool inherits = heir && have_same_hooks(&heir->call, &h->call);

    if (inherits) {
        heir->busy = h->busy; /* what was learnt still holds */
        heir->begun |= h->begun && heir->opaque == h->opaque;
        if (!aiox_list_is_linked(&heir->polled_link)) {
            aiox_list_insert_before(&h->polled_link, &heir->polled_link);
        }
    }
    aiox_list_remove(&h->polled_link);
    return inherits ? heir : NULL;
}

struct handler *handlers_hand_over_(struct handlers *hs, struct handler *h)
{
    struct handler *heir;

    pthread_mutex_lock(&hs->lock);
    heir = hand_over(hs, h);
    pthread_mutex_unlock(&hs->lock);
    return heir;
}

/* Nobody looks at @h any more: its slot may be given to another. */
static void release(struct handlers *hs, struct handler *h)
{
    if (aiox_list_is_linked(&h->polled_link)) {
        (void)hand_over(hs, h);
    }
    h->generation += h->generation == UINT32_MAX ? 2 : 1; /* never 0: that is the bell's */
    h->next = hs->free;
    hs->free = h;
}

/* Takes @h out of use; its memory is kept, since [home] may look at it. */
static void retire(struct handlers *hs, struct handler *h)
{
    aiox_u32_store_release(&h->live, 0);
    watching_set_(hs, h, NOT_FOUND);
    h->next = aiox_ptr_load_relaxed(&hs->retired);
    aiox_ptr_store_relaxed(&hs->retired, h);
}

/* Watches for @h in the place of @old. On error, the backend does what it did before. */
static int watch(struct handlers *hs, struct handler *h, const struct handler *old)
{
    enum watched watched;
    int err = watching_ask_(hs->backend, h, watching_told_(old), &watched);

    if (err < 0) {
        return err;
    }
    watching_set_(hs, h, watched);
    err = reserve_fd(hs, h->fd); /* not before: the number may be of any size if it is not open */
    if (err < 0) {
        watching_stop_(hs, h);
        watching_set_(hs, h, NOT_FOUND);
    } else if (AIOX_UNLIKELY(handlers_are_withheld_(hs, h))) {
        watching_withhold_(hs, h);
    }
    return err;
}

static int replace(struct handlers *hs, int fd, const struct aiox_fd_handler *call, void *opaque)
{
    struct handler *old = at_fd(hs, fd);
    struct handler *h = make(hs, fd, call, opaque);
    int err;

    if (!h) {
        return -ENOMEM;
    }
    /* Before the backend is told: it may report at once, and never again. */
    aiox_u32_store_release(&h->live, h->generation); /* [HANDLER-publish] */
    err = watch(hs, h, old);
    if (err < 0) {
        retire(hs, h);
        return err;
    }
    hs->by_fd[fd] = h;
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
    watching_stop_(hs, h);
    hs->by_fd[fd] = NULL;
    retire(hs, h);
}

int handlers_set_(struct handlers *hs, int fd, const struct aiox_fd_handler *call, void *opaque)
{
    int err = 0;

    pthread_mutex_lock(&hs->lock);
    if (!call || !(call->read || call->write || call->urgent || call->poll_ready)) {
        stop(hs, fd);
    } else if (fd < 0) {
        err = -EBADF;
    } else {
        err = replace(hs, fd, call, opaque);
    }
    pthread_mutex_unlock(&hs->lock);
    return err;
}

/* Asks @to for all. A descriptor that was closed is no reason to stay: nobody reports it. */
static int ask_all(struct handlers *hs, struct backend *to)
{
    int err = 0;

    for (size_t fd = 0; fd < hs->by_fd_size && err == 0; fd++) {
        struct handler *h = hs->by_fd[fd];

        if (handlers_are_withheld_(hs, h)) {
            h->watched_next = WITHHELD;
        } else if (h) {
            err = watching_ask_(to, h, 0, &h->watched_next);
            err = err == -EBADF ? 0 : err;
        }
    }
    return err;
}

int handlers_move_(struct handlers *hs, struct backend *to)
{
    int err;

    pthread_mutex_lock(&hs->lock);
    err = ask_all(hs, to);
    if (err == 0) {
        for (size_t fd = 0; fd < hs->by_fd_size; fd++) {
            if (hs->by_fd[fd]) {
                watching_set_(hs, hs->by_fd[fd], hs->by_fd[fd]->watched_next);
            }
        }
        hs->backend = to;
    }
    pthread_mutex_unlock(&hs->lock);
    return err;
}

void handlers_add_each_always_ready_(struct handlers *hs, struct aiox_list *ready)
{
    pthread_mutex_lock(&hs->lock);
    for (size_t fd = 0; fd < hs->by_fd_size; fd++) {
        struct handler *h = hs->by_fd[fd];

        if (h && h->watched == ALWAYS_READY && watching_always_ready_for_(h)) {
            h->ready_events = watching_always_ready_for_(h);
            handler_add_(h, ready);
        }
    }
    pthread_mutex_unlock(&hs->lock);
}

void handlers_release_retired_(struct handlers *hs)
{
    struct handler *h, *next;

    pthread_mutex_lock(&hs->lock);
    h = aiox_ptr_load_relaxed(&hs->retired);
    aiox_ptr_store_relaxed(&hs->retired, NULL);
    for (; h; h = next) {
        next = h->next;
        release(hs, h);
    }
    pthread_mutex_unlock(&hs->lock);
}

void handlers_init_(struct handlers *hs)
{
    pthread_mutex_init(&hs->lock, NULL);
    aiox_list_init(&hs->polled);
    hs->by_fd = hs->first_by_fd;
    hs->by_fd_size = FIRST_NUMBERS;
    use_slab(hs, hs->first_slab);
}

void handlers_fini_(struct handlers *hs)
{
    for (unsigned i = 1; i < hs->slabs_made; i++) {
        free(aiox_ptr_load_relaxed(&hs->slabs[i]));
    }
    if (hs->by_fd != hs->first_by_fd) {
        free(hs->by_fd);
    }
    pthread_mutex_destroy(&hs->lock);
}
