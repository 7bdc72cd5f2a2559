/* SPDX-License-Identifier: MIT */
/*
 * watch.c - what interest() does: writes a wish down for [home] to see.
 *
 * A wish that [home] has not seen yet is written over, so any number of
 * changes between two turns takes one watch.
 *
 * Orders
 *   [RING-change]  list() stores the head of the list (release) -> a look at it
 *                  by [home] (acquire). Only a hint to look under the lock,
 *                  which orders all else.
 */
#define _GNU_SOURCE

#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum {
    FIRST_LENGTH = 64,
};

void watches_init_(struct watches *ws, const struct aiox_fdmon_host *host)
{
    ws->host = host;
    pthread_mutex_init(&ws->lock, NULL);
}

void watches_fini_(struct watches *ws)
{
    struct slab *next;

    for (struct slab *slab = ws->slabs; slab; slab = next) {
        next = slab->next;
        ws->host->free(ws->host, slab);
    }
    ws->host->free(ws->host, ws->by_fd);
    pthread_mutex_destroy(&ws->lock);
}

/* Makes room for @fd in the table; nothing changed on -ENOMEM. */
static int reserve(struct watches *ws, int fd)
{
    size_t length = ws->length ? (size_t)ws->length * 2 : FIRST_LENGTH;
    struct watch **by_fd;

    if (fd < ws->length) {
        return 0;
    }
    length = length > (size_t)fd ? length : (size_t)fd + 1;
    by_fd = ws->host->alloc(ws->host, length * sizeof(struct watch *));
    if (!by_fd) {
        return -ENOMEM;
    }
    if (ws->length) {
        memcpy(by_fd, ws->by_fd, (size_t)ws->length * sizeof(struct watch *));
    }
    ws->host->free(ws->host, ws->by_fd);
    ws->by_fd = by_fd;
    ws->length = (int)length;
    return 0;
}

static void add_slab(struct watches *ws)
{
    struct slab *slab = ws->host->alloc(ws->host, sizeof(*slab));

    if (!slab) {
        return;
    }
    slab->next = ws->slabs;
    ws->slabs = slab;
    for (int i = 0; i < SLAB_WATCHES; i++) {
        slab->watches[i].next_change = ws->unused;
        ws->unused = &slab->watches[i];
    }
}

/* A watch that nobody else knows, or NULL. */
static struct watch *watch_new(struct watches *ws)
{
    struct watch *w;

    if (!ws->unused) {
        add_slab(ws);
    }
    w = ws->unused;
    if (w) {
        ws->unused = w->next_change;
        memset(w, 0, sizeof(*w));
    }
    return w;
}

void watch_unused_(struct watches *ws, struct watch *w)
{
    memset(w, 0, sizeof(*w));
    w->next_change = ws->unused;
    ws->unused = w;
}

static void list(struct watches *ws, struct watch *w)
{
    if (!w->listed) {
        w->listed = true;
        w->next_change = ws->changes;
        __atomic_store_n(&ws->changes, w, __ATOMIC_RELEASE); /* [RING-change] */
    }
}

/* Takes a wish back. One that [home] has not seen stays in the table, to be written over. */
static void retire(struct watches *ws, struct watch *w)
{
    w->wanted = false;
    if (w->taken) {
        ws->by_fd[w->fd] = NULL;
        list(ws, w);
    }
}

static int start(struct watches *ws, int fd, uint32_t events, uint64_t token)
{
    struct watch *old = ws->by_fd[fd];
    struct watch *w = old && !old->taken ? old : watch_new(ws);

    if (!w) {
        return -ENOMEM;
    }
    if (old && old != w) {
        retire(ws, old);
    }
    w->fd = fd;
    w->events = events;
    w->token = token;
    w->wanted = true;
    ws->by_fd[fd] = w;
    list(ws, w);
    return 0;
}

int watches_interest_(struct watches *ws, int fd, uint32_t events, uint64_t token)
{
    int err = 0;

    if (events && fcntl(fd, F_GETFD) < 0) {
        return -EBADF;
    }
    pthread_mutex_lock(&ws->lock);
    if (events) {
        err = reserve(ws, fd);
        err = err ? err : start(ws, fd, events, token);
    } else if (fd >= 0 && fd < ws->length && ws->by_fd[fd]) {
        retire(ws, ws->by_fd[fd]);
    }
    pthread_mutex_unlock(&ws->lock);
    return err;
}
