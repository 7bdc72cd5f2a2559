/* SPDX-License-Identifier: MIT */
/*
 * watch.h - one wish: this descriptor, these events, this token.
 *
 * interest() makes one, under the lock, in any thread (watch.c); only [home]
 * talks to the kernel (ring_fd.c). A wish that changes is a new watch, and the
 * old one is retired: whether the number still means the same file nobody can
 * know. A watch goes back to the unused ones when the last completion of its
 * poll request has come, so the address in a completion always means what it
 * meant.
 */
#ifndef AIOX_FDMON_IO_URING_WATCH_H_
#define AIOX_FDMON_IO_URING_WATCH_H_

#include "ring.h"

enum {
    SLAB_WATCHES = 42, /* a slab is about 3 kB */
};

enum queue_name {
    ON_NONE = 0,
    ON_ARM,
    ON_CANCEL,
};

struct watch {
    struct watch *next_change; /* under the lock; unused ones, too */
    struct watch *next;        /* [home] to_arm, to_cancel, ended */

    /* interest() writes these as long as [home] has not seen the watch; then they stay. */
    uint64_t token;
    uint32_t events; /* as asked */
    int fd;

    /* Under the lock. */
    bool wanted; /* interest() has asked for it and not taken that back */
    bool listed; /* on the list of changes: [home] has not seen the last one */
    bool taken;  /* [home] has seen it */

    /* [home] */
    uint8_t on;       /* the queue on which it waits for a place in the submission queue; what */
                      /* shall become of it is decided when it leaves that */
    bool armed;       /* the kernel has a request for it that will complete */
    bool cancelled;   /* and has been asked to complete it early */
    bool insist;      /* and has refused to */
    bool dead;        /* retired: reported never again */
    bool half_closed; /* completes with nothing to report */
    uint32_t turn;    /* in which it was last reported, */
    int place;        /* and where */
};

struct slab {
    struct slab *next;
    struct watch watches[SLAB_WATCHES];
};

/* Where @w stands among the reports of turn @turn; @place if it has not got one yet. [home] */
static inline int watch_place_(struct watch *w, uint32_t turn, int place)
{
    if (w->turn != turn) {
        w->turn = turn;
        w->place = place;
    }
    return w->place;
}

/* Makes @w one of the unused ones; under the lock. */
void watch_unused_(struct watches *ws, struct watch *w);

#endif /* AIOX_FDMON_IO_URING_WATCH_H_ */
