/* SPDX-License-Identifier: MIT */
/* handlers.h - who watches which descriptor, and how a record leaves while others look. */
#ifndef AIOX_AIO_SRC_HANDLERS_H_
#define AIOX_AIO_SRC_HANDLERS_H_

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "aiox/aio.h"
#include "aiox/atomic.h"
#include "aiox/attributes.h"
#include "aiox/list.h"

#include "backend.h"

/* How long looking pays for one source of events. [home] */
struct busy_time {
    int64_t ns;           /* spin so long for it */
    int64_t last_paid_ns; /* when looking last found something */
};

/* What the backend does for a handler. */
enum watched {
    WATCHED,
    ALWAYS_READY, /* nothing: it cannot watch this kind of file */
    NOT_FOUND,    /* nothing: the descriptor was closed too early */
    WITHHELD,     /* nothing: it is external, and those are off */
};

/*
 * One set of callbacks for one descriptor. Made and retired under the lock; what
 * is marked as [home] is that thread's, inside a visit, and of the rest nothing
 * changes while the record is live but what says so.
 *
 * Where many are watched each event finds a cold record: all that most of them
 * need is in its first 64 bytes (handlers.c asserts it), one line of a cache. (The few
 * that a context brings along lie where its memory happens to.)
 */
struct handler {
    struct aiox_list_node ready_link; /* [home] */
    void *opaque;
    uint32_t generation;   /* of its slot: the upper half of the token, never 0 */
    aiox_atomic_u32 live;  /* the generation at the end of making, 0 to retire */
    aiox_atomic_u32 held;  /* not to be called: external, and those are off */
    uint32_t ready_events; /* [home] what the backend reported and nobody served */
    bool poll_said_ready;  /* [home] */
    bool is_served;        /* [home] what its poll callback saw is being dealt with: do not look */
    bool begun;            /* [home] poll_begin was called and poll_end was not */
    int fd;
    uint32_t index; /* of its slot: the lower half of the token */
    uint32_t asked; /* of the backend */
    struct aiox_fd_handler call;

    struct handler *next;              /* free or retired */
    enum watched watched;              /* under the lock */
    enum watched watched_next;         /* by the backend that is to take over */
    struct busy_time busy;             /* [home] */
    struct aiox_list_node polled_link; /* [home] */
    char unused_[24];                  /* makes it whole lines */
};

/*
 * Slab k holds FIRST_SLAB << k records, and its records have the indices from k << SLAB_BITS on.
 */
enum {
    FIRST_NUMBERS = 64,
    FIRST_SLAB = 8,
    SLAB_BITS = 27,
    HANDLER_SLABS = 25, /* the last one has as many records as SLAB_BITS can count */
    LINE_BYTES = 64,
};

struct handlers {
    pthread_mutex_t lock;                 /* of whoever changes handlers */
    unsigned visits;                      /* [home] under way */
    struct backend *backend;              /* changed by [home] under the lock */
    aiox_atomic_ptr slabs[HANDLER_SLABS]; /* never move, so that home needs no lock to look */
    unsigned slabs_made;
    struct handler *free;
    struct handler **by_fd; /* under the lock */
    size_t by_fd_size;
    struct handler *first_by_fd[FIRST_NUMBERS]; /* where they begin, so that a small context */
    struct handler first_slab[FIRST_SLAB];      /* has no memory but its own */
    aiox_atomic_ptr retired;                    /* changed under the lock, looked at without */
    aiox_atomic_u32 always_ready;               /* how many are called for it */
    uint32_t external_off;                      /* how often; under the lock */
    aiox_atomic_u32 look_again; /* poll callbacks that were not looked at may have news */
    struct aiox_list polled;    /* [home] */
};

void handlers_init_(struct handlers *hs);

/* Forgets all handlers. Nobody looks any more. */
void handlers_fini_(struct handlers *hs);

/* See aiox_set_fd_handler(). [any] */
int handlers_set_(struct handlers *hs, int fd, const struct aiox_fd_handler *call, void *opaque);

/*
 * Tells @to about every handler and makes it the one to tell from now on. On
 * error nothing changed but what @to has been told. [home]
 */
int handlers_move_(struct handlers *hs, struct backend *to);

/* False as soon as somebody has retired it. [home] in a visit */
static inline bool handler_is_live_(const struct handler *h)
{
    return aiox_u32_load_acquire(&h->live) != 0; /* [HANDLER-publish] */
}

/* The record of @index, or NULL: that was never made. */
static inline struct handler *handlers_slot_(const struct handlers *hs, uint32_t index)
{
    unsigned slab = index >> SLAB_BITS;
    uint32_t place = index & ((UINT32_C(1) << SLAB_BITS) - 1);
    struct handler *first;

    if (AIOX_UNLIKELY(slab >= HANDLER_SLABS || place >= (uint32_t)FIRST_SLAB << slab)) {
        return NULL;
    }
    first = aiox_ptr_load_acquire(&hs->slabs[slab]); /* [HANDLER-slab] */
    return AIOX_LIKELY(first) ? &first[place] : NULL;
}

/* True if there were never more at once than a backend looks at in no time. [any] */
static inline bool handlers_are_few_(const struct handlers *hs)
{
    return aiox_ptr_load_relaxed(&hs->slabs[1]) == NULL;
}

/* The live record of @token, or NULL if that is history. [home] in a visit */
static inline struct handler *handlers_find_(const struct handlers *hs, uint64_t token)
{
    struct handler *h = handlers_slot_(hs, (uint32_t)token);

    /* [HANDLER-publish] */
    return h && aiox_u32_load_acquire(&h->live) == token >> 32 ? h : NULL;
}

/* True if it is live and not to be left alone. [home] in a visit */
static inline bool handler_may_be_called_(const struct handler *h)
{
    return handler_is_live_(h) && aiox_u32_load_relaxed(&h->held) == 0;
}

/* True if @h, which may be NULL, is external, and those are off. Under the lock. */
static inline bool handlers_are_withheld_(const struct handlers *hs, const struct handler *h)
{
    return hs->external_off > 0 && h && (h->call.flags & AIOX_FD_HANDLER_EXTERNAL);
}

/* See aiox_context_disable_external(). [any] */
void handlers_disable_external_(struct handlers *hs);

/* See aiox_context_enable_external(). [any] */
AIOX_NODISCARD int handlers_enable_external_(struct handlers *hs);

/* True if some handler is to be called in each turn. [home] */
static inline bool handlers_have_always_ready_(const struct handlers *hs)
{
    return aiox_u32_load_relaxed(&hs->always_ready) != 0;
}

/*
 * @h, which is polled and has been retired, leaves its place to the handler that
 * replaced it and has the same hooks. Returns that, or NULL. [home] in a visit
 */
struct handler *handlers_hand_over_(struct handlers *hs, struct handler *h);

/* Puts @h at the end of @ready, also if it is on it already. [home] in a visit */
static inline void handler_add_(struct handler *h, struct aiox_list *ready)
{
    if (AIOX_UNLIKELY(aiox_list_is_linked(&h->ready_link))) {
        aiox_list_remove(&h->ready_link);
    }
    aiox_list_push_back(ready, &h->ready_link);
}

/* The part of handlers_add_always_ready_() that few loops need. */
AIOX_COLD void handlers_add_each_always_ready_(struct handlers *hs, struct aiox_list *ready);

/* Puts every handler of a file that is always ready on @ready. [home] in a visit */
static inline void handlers_add_always_ready_(struct handlers *hs, struct aiox_list *ready)
{
    if (AIOX_UNLIKELY(handlers_have_always_ready_(hs))) {
        handlers_add_each_always_ready_(hs, ready);
    }
}

/* The part of handlers_tidy_() that few turns need. */
AIOX_COLD void handlers_release_retired_(struct handlers *hs);

/* Gives the slots of retired records away again, outside of a visit. [home] */
static inline void handlers_tidy_(struct handlers *hs)
{
    /* Retired just now by another thread, and not seen: then the next visit frees it. */
    if (hs->visits == 0 && AIOX_UNLIKELY(aiox_ptr_load_relaxed(&hs->retired))) {
        handlers_release_retired_(hs);
    }
}

/* Between these two, records stay in memory. Nest. [home] */
static inline void handlers_enter_(struct handlers *hs)
{
    hs->visits++;
}

static inline void handlers_leave_(struct handlers *hs)
{
    hs->visits--;
    handlers_tidy_(hs);
}

#endif /* AIOX_AIO_SRC_HANDLERS_H_ */
