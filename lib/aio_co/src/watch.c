/* SPDX-License-Identifier: MIT */
/*
 * watch.c - one handler per descriptor, for those who wait for it.
 *
 * A watch that is kept stands while nobody waits. Should it fire then, it is
 * given up: descriptors are reported as long as they are ready.
 */
#include "watch.h"

#include <stdlib.h>
#include <string.h>

#include "aiox/assert.h"

enum { PER_BLOCK = 64, BLOCKS_AT_FIRST = 16 };

void watches_init_(struct watches *all, struct aiox_context *ctx)
{
    *all = (struct watches){.ctx = ctx};
}

void watches_fini_(struct watches *all)
{
    for (size_t i = 0; i < all->count; i++) {
        free(all->blocks[i]);
    }
    free(all->blocks);
}

static bool grow(struct watches *all, size_t least)
{
    size_t count = all->count ? all->count : BLOCKS_AT_FIRST;
    struct watch **blocks;

    while (count < least) {
        count *= 2;
    }
    blocks = realloc(all->blocks, count * sizeof(*blocks));
    if (!blocks) {
        return false;
    }
    memset(blocks + all->count, 0, (count - all->count) * sizeof(*blocks));
    all->blocks = blocks;
    all->count = count;
    return true;
}

static struct watch *block_new(struct aiox_context *ctx, int first_fd)
{
    struct watch *block = calloc(PER_BLOCK, sizeof(*block));

    for (int i = 0; block && i < PER_BLOCK; i++) {
        block[i].ctx = ctx;
        block[i].fd = first_fd + i;
    }
    return block;
}

struct watch *watch_get_(struct watches *all, int fd)
{
    size_t at = (size_t)fd / PER_BLOCK;

    if (fd < 0 || (at >= all->count && !grow(all, at + 1))) {
        return NULL;
    }
    if (!all->blocks[at]) {
        all->blocks[at] = block_new(all->ctx, (int)at * PER_BLOCK);
    }
    return all->blocks[at] ? &all->blocks[at][fd % PER_BLOCK] : NULL;
}

/* ---- what happens ---- */

static uint32_t wanted(const struct watch *w)
{
    uint32_t events = 0;

    for (int i = 0; i < WATCH_DIRECTIONS; i++) {
        events |= w->waiting[i] ? 1u << i : 0;
    }
    return events;
}

static int arm(struct watch *w, uint32_t events);

static void report(struct watch *w, int direction)
{
    struct waiter *waiter = w->waiting[direction];

    if (!waiter) {
        (void)arm(w, wanted(w));
        return;
    }
    waiter->seen |= 1u << direction;
    waiter->wake(waiter);
}

static void readable(void *opaque)
{
    report(opaque, 0);
}

static void writable(void *opaque)
{
    report(opaque, 1);
}

static void urgent(void *opaque)
{
    report(opaque, 2);
}

/* On failure the former handler stays: it may report more than is wanted, which does no harm. */
static int arm(struct watch *w, uint32_t events)
{
    struct aiox_fd_handler handler = {
        .read = events & AIOX_FD_READ ? readable : NULL,
        .write = events & AIOX_FD_WRITE ? writable : NULL,
        .urgent = events & AIOX_FD_PRI ? urgent : NULL,
    };
    int err = 0;

    if (!events) {
        aiox_clear_fd_handler(w->ctx, w->fd);
    } else {
        err = aiox_set_fd_handler(w->ctx, w->fd, &handler, w);
    }
    if (err == 0) {
        w->armed = events;
    }
    return err;
}

/* ---- who waits ---- */

static void put(struct watch *w, uint32_t events, struct waiter *from, struct waiter *to)
{
    for (int i = 0; i < WATCH_DIRECTIONS; i++) {
        if (!(events >> i & 1)) {
            continue;
        }
        if (AIOX_UNLIKELY(w->waiting[i] != from)) {
            aiox_panic("%s waits for descriptor %d, for which %s already waits",
                       aiox_co_name(to->co), w->fd, aiox_co_name(w->waiting[i]->co));
        }
        w->waiting[i] = to;
    }
}

/* What a kept watch goes on watching: readiness to write is the rule and would fire at once. */
static uint32_t kept(const struct watch *w)
{
    return w->is_kept ? w->armed & ~(uint32_t)AIOX_FD_WRITE : 0;
}

int watch_begin_(struct watch *w, struct waiter *waiter)
{
    uint32_t events;
    int err = 0;

    put(w, waiter->events, NULL, waiter);
    events = wanted(w) | kept(w);
    if (events != w->armed) {
        err = arm(w, events);
    }
    if (err < 0) {
        put(w, waiter->events, waiter, NULL);
    }
    return err;
}

static void disarm(struct watch *w)
{
    uint32_t events = wanted(w) | kept(w);

    if (events != w->armed) {
        (void)arm(w, events);
    }
}

void watch_end_(struct watch *w, struct waiter *waiter)
{
    put(w, waiter->events, waiter, NULL);
    disarm(w);
}

void watch_release_(struct watch *w)
{
    w->is_kept = false;
    disarm(w);
}
