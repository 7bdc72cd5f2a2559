/* SPDX-License-Identifier: MIT */
/*
 * slot.h - a place in a context where a descriptor is watched.
 *
 * The loop's handler belongs to the slot, and the slot to the context, so a
 * callback that is late finds its memory; what it may find there in the place
 * of its own is another's wait, which then ends for no reason and is begun
 * again. Whoever holds a slot holds its context.
 *
 * A watch stands when nobody waits any more. Should it fire then, it is given
 * up: descriptors are reported as long as they are ready.
 */
#ifndef AIOX_CHANNEL_SRC_SLOT_H_
#define AIOX_CHANNEL_SRC_SLOT_H_

#include <pthread.h>

#include "aiox/aio.h"
#include "aiox/atomic.h"
#include "aiox/coroutine.h"

/* A coroutine in a wait. Lives in its frame; belongs to whoever has taken it out of the slot. */
struct waiter {
    struct aiox_co *co;
    uint32_t events; /* it waits for; 0: for its time alone, as a reader */
    int result;      /* of the wait: events that were seen, or a negative errno */
};

struct slots;

struct slot {
    pthread_mutex_t lock; /* guards what follows */
    struct aiox_context *ctx;
    struct slots *slots;
    struct slot *next;
    int fd;
    uint32_t flags;            /* of its handler: enum aiox_fd_handler_flag */
    aiox_atomic_u32 armed;     /* what the loop watches; changed with the lock held */
    struct waiter *waiting[2]; /* to read, to write */
};

/* A slot for @fd in @ctx, which gets a reference; @flags of the handler. 0 or -ENOMEM. [any] */
int slot_get_(struct slot **out, struct aiox_context *ctx, int fd, uint32_t flags);

/* Gives it back; nothing is watched then. Nobody waits in it. [any] */
void slot_put_(struct slot *s);

/*
 * Puts @w in and marks its coroutine, which yields next. 0, or what
 * aiox_set_fd_handler() says, or -ECANCELED if waits @have_ended: then it is not
 * in. Who ends waits sets that first and then looks for waiters. [coroutine]
 */
int slot_enlist_(struct slot *s, struct waiter *w, const aiox_atomic_u32 *have_ended);

/* Whether the loop reports @event; a moment ago, if another changes that. [any] */
static inline bool slot_is_armed_(const struct slot *s, uint32_t event)
{
    return (aiox_u32_load_relaxed(&s->armed) & event) != 0;
}

/* Takes @w out, unmarked: it is the caller's to wake. False if another has. [any] */
bool slot_strike_(struct slot *s, const struct waiter *w);

/* Takes out who waits to read (0) or to write (1), unmarked. NULL: nobody. [any] */
struct waiter *slot_take_(struct slot *s, int direction);

/* Lets @w, which was taken out, go on. [any] */
void waiter_wake_(struct waiter *w, int result);

#endif /* AIOX_CHANNEL_SRC_SLOT_H_ */
