/* SPDX-License-Identifier: MIT */
/*
 * descriptor.h - a file descriptor that coroutines of any context wait for.
 *
 * Each direction has the slot of the context where it was last waited for;
 * both have the same if that is one context.
 */
#ifndef AIOX_CHANNEL_SRC_DESCRIPTOR_H_
#define AIOX_CHANNEL_SRC_DESCRIPTOR_H_

#include <pthread.h>

#include "aiox/channel_ops.h"

#include "slot.h"

struct sleeper;

/* Threads that wait, and the bell of one that did; -1: none. */
struct sleepers {
    struct sleeper *first;
    int spare_bell;
};

struct descriptor {
    int fd;               /* -1: none yet */
    pthread_mutex_t lock; /* guards what follows */
    struct slot *slot[2]; /* changed by who waits in that direction, who may look without it */
    struct sleepers sleepers;
    bool is_external;
    bool is_opening;           /* its one user looks for the descriptor that it will have */
    aiox_atomic_u32 has_ended; /* waits; set with the lock held */
    /* The reader's; see descriptor_expects_nothing_(). */
    bool has_read;    /* the last try took something */
    bool emptied;     /* less than it had room for */
    unsigned vain[2]; /* tries after a read that filled its room, or emptied, that found nothing */
};

/* @fd becomes its own; -1: there is none yet. */
void descriptor_init_(struct descriptor *d, int fd);

/*
 * Between these two, another descriptor may be taken and let go, and waited for,
 * and any wake ends such a wait. -EISCONN: it has one; -EALREADY: another is at it.
 */
int descriptor_begin_opening_(struct descriptor *d);
void descriptor_end_opening_(struct descriptor *d);

/* @fd is its own from now on. */
void descriptor_take_(struct descriptor *d, int fd);

/* It has none any more, and nothing is watched; returns the one that it had. Nobody waits. */
int descriptor_let_go_(struct descriptor *d);

/* Waits are those of an external handler (aiox_context_disable_external()). Nobody waits. */
void descriptor_set_external_(struct descriptor *d, bool external);

/* Closes it, if it is open. Nobody waits. 0 or what close(2) said. */
int descriptor_close_(struct descriptor *d);

void descriptor_fini_(struct descriptor *d);

/*
 * aiox_channel_wait(). @follows: in the context of the coroutine. @events may
 * be 0: until the deadline, or a wake of the reader.
 */
int descriptor_wait_(struct descriptor *d, bool follows, uint32_t events, int64_t deadline_ns);

/* Who waits for its time alone does so as a reader. */
static inline uint32_t descriptor_directions_(uint32_t events)
{
    return events ? events : (uint32_t)AIOX_FD_READ;
}

/* ---- sleeper.c: threads ---- */

/* descriptor_wait_() of a thread. */
int descriptor_sleep_(struct descriptor *d, uint32_t events, int64_t deadline_ns);

/* With the lock held: ends the sleep of one who waits to read (0), to write (1). False: none. */
bool sleepers_ring_(struct sleepers *all, int direction);

/* Nobody sleeps. */
void sleepers_close_(struct sleepers *all);

/* ---- others ---- */

/* Ends a wait for @event with -ECANCELED; false: there is none. */
bool descriptor_wake_(struct descriptor *d, uint32_t event);

/* Ends all waits, begun or to come. */
void descriptor_end_waits_(struct descriptor *d);

/*
 * After a read that emptied it, or after each read if messages have the size of
 * the room for them, the next try to read is likely in vain: true if
 * it has been so lately and a watch stands, in a coroutine. Then it is cheaper
 * to wait at once: what is there is reported. Now and then it is tried all the
 * same, to see whether that still holds.
 */
bool descriptor_expects_nothing_(struct descriptor *d);

/* Tells it how an attempt to read ended: @emptied if it took less than it had room for. */
void descriptor_has_read_(struct descriptor *d, ssize_t result, bool emptied);

#endif /* AIOX_CHANNEL_SRC_DESCRIPTOR_H_ */
