/* SPDX-License-Identifier: MIT */
/*
 * table.h - what is in the set, by descriptor number.
 *
 * Written under a lock, read without one. Each change gives an entry a new
 * generation; a reader comes with the generation that the kernel told it and
 * gets what was written for that, or nothing. A table that has become too
 * short is kept until the end: somebody may be reading it. The first one lies in
 * the monitor.
 *
 * Four entries are a line of a cache: with many descriptors each report finds
 * its entry cold.
 *
 * Orders
 *   [EPOLL-ended]  write: generation last (release) -> read: generation first
 *                  (acquire): the words are not older.
 *   [EPOLL-begun]  write: no generation first, the words (release) -> read: the
 *                  words (acquire), generation last: the words are not younger.
 *   [EPOLL-table]  grow: the longer table is filled, then published (release)
 *                  -> read (acquire).
 */
#ifndef AIOX_FDMON_EPOLL_TABLE_H_
#define AIOX_FDMON_EPOLL_TABLE_H_

#include <stdbool.h>

#include "aiox/fdmon.h"

/* What a report is made of. */
struct watched {
    uint64_t token;
    uint32_t events; /* as asked, 0: not watched */
};

struct watch {
    uint64_t token;
    uint32_t events;     /* as asked, 0: not watched; or WATCH_KEPT */
    uint32_t generation; /* 0: somebody writes, or nobody ever has */
};

/* Not watched, but in the set under the generation before. For whoever holds the lock. */
#define WATCH_KEPT (UINT32_C(1) << 31)

struct watch_table {
    struct watch_table *older;
    int length;
    struct watch watches[];
};

/* Makes room for @fd: 0; -ENOMEM; -EBADF if so much room was for one that is not open. [locked] */
int epoll_table_reserve_(struct watch_table **table, const struct aiox_fdmon_host *host, int fd);
/* Frees all but the first, which lies in the memory of somebody else. */
void epoll_table_free_(struct watch_table *table, const struct aiox_fdmon_host *host);
/* Memory of this size, all zero, is a first table once its length is set. */
static inline size_t epoll_table_bytes_(int length)
{
    return sizeof(struct watch_table) + (size_t)length * sizeof(struct watch);
}

/* The entry of @fd, for whoever holds the lock; NULL if there is no room for it. */
static inline struct watch *epoll_table_at_(struct watch_table *table, int fd)
{
    return fd < table->length ? &table->watches[fd] : NULL;
}

/* Generations are counted without 0. */
static inline uint32_t epoll_table_next_(const struct watch *w)
{
    return w->generation == UINT32_MAX ? 1 : w->generation + 1;
}

/* In which generation the kernel has @w in the set; 0: it has not. [locked] */
static inline uint32_t epoll_table_in_set_(const struct watch *w)
{
    if (w->events == WATCH_KEPT) {
        return w->generation == 1 ? UINT32_MAX : w->generation - 1;
    }
    return w->events ? w->generation : 0;
}

/* @w becomes the next generation. [locked] */
static inline void epoll_table_write_(struct watch *w, uint32_t events, uint64_t token)
{
    uint32_t generation = epoll_table_next_(w);

    __atomic_store_n(&w->generation, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&w->token, token, __ATOMIC_RELEASE); /* [EPOLL-begun] */
    __atomic_store_n(&w->events, events, __ATOMIC_RELEASE);
    __atomic_store_n(&w->generation, generation, __ATOMIC_RELEASE); /* [EPOLL-ended] */
}

/* What was written for @fd as @generation, not 0; events == 0: nothing, or it is over. [any] */
static inline struct watched epoll_table_read_(struct watch_table *const *table, int fd,
                                               uint32_t generation)
{
    struct watch *w =
        epoll_table_at_(__atomic_load_n(table, __ATOMIC_ACQUIRE), fd); /* [EPOLL-table] */
    struct watched none = {0, 0};
    struct watched seen;

    if (!w || __atomic_load_n(&w->generation, __ATOMIC_ACQUIRE) != generation) { /* [EPOLL-ended] */
        return none;
    }
    seen.token = __atomic_load_n(&w->token, __ATOMIC_ACQUIRE); /* [EPOLL-begun] */
    seen.events = __atomic_load_n(&w->events, __ATOMIC_ACQUIRE);
    return __atomic_load_n(&w->generation, __ATOMIC_RELAXED) == generation ? seen : none;
}

#endif /* AIOX_FDMON_EPOLL_TABLE_H_ */
