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

struct descriptor {
    int fd;
    pthread_mutex_t lock; /* guards what follows */
    struct slot *slot[2];
    bool has_ended;
    /* The reader's; see descriptor_expects_nothing_(). */
    bool emptied;  /* the last read took less than it had room for */
    unsigned vain; /* tries after such a read that found nothing, in a row */
};

/* @fd becomes its own; -1: there is none yet. */
void descriptor_init_(struct descriptor *d, int fd);

/* Closes it, if it is open. Nobody waits. 0 or what close(2) said. */
int descriptor_close_(struct descriptor *d);

void descriptor_fini_(struct descriptor *d);

/*
 * aiox_channel_wait(). @follows: in the context of the coroutine. @events may
 * be 0: until the deadline, or a wake of the reader.
 */
int descriptor_wait_(struct descriptor *d, bool follows, uint32_t events, int64_t deadline_ns);

bool descriptor_wake_(struct descriptor *d, uint32_t event);
void descriptor_end_waits_(struct descriptor *d);

/*
 * After a read that emptied it, the next try to read is likely in vain: true if
 * it has been so lately and a watch stands, in a coroutine. Then it is cheaper
 * to wait at once: what is there is reported. Now and then it is tried all the
 * same, to see whether that still holds.
 */
bool descriptor_expects_nothing_(struct descriptor *d);

/* Tells it how an attempt to read ended: @emptied if it took less than it had room for. */
void descriptor_has_read_(struct descriptor *d, ssize_t result, bool emptied);

#endif /* AIOX_CHANNEL_SRC_DESCRIPTOR_H_ */
