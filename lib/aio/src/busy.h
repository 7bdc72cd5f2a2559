/* SPDX-License-Identifier: MIT */
/* busy.h - looks before the loop sleeps, for as long as looking pays. */
#ifndef AIOX_AIO_SRC_BUSY_H_
#define AIOX_AIO_SRC_BUSY_H_

#include <stdbool.h>
#include <stdint.h>

#include "backend.h"
#include "handlers.h"
#include "notify.h"

struct busy {
    int64_t max_ns; /* 0: off */
    uint32_t grow;
    uint32_t shrink;
    bool started;             /* those that are looked at need not ring */
    struct busy_time rung;    /* for the loop's own bell */
    struct busy_time monitor; /* for what the backend sees */
    unsigned in_vain;         /* looks in a row that found nothing in their time */
    uint32_t rest;            /* so many waits go by without a look */
    uint32_t next_rest;       /* 0: the shortest */
    unsigned waits;           /* counted for what is done now and then */
    bool is_timed;            /* the innermost turn is one that may wait, and measures */
    int64_t turn_began_ns;    /* when it began to */
};

/*
 * Sets the parameters; every source starts from nothing. If looking had been
 * started, the next busy_stop_() ends it. [home] in a visit, or [init]
 */
void busy_configure_(struct busy *b, struct handlers *hs, int64_t max_ns, uint32_t grow,
                     uint32_t shrink);

/* Not for callers: the parts of the functions below for loops that look. */
bool busy_look_for_(struct busy *b, struct handlers *hs, const struct notify *bell,
                    int64_t timeout_ns, struct aiox_list *ready, struct backend_events *events);
bool busy_stop_looking_(struct busy *b, struct handlers *hs, struct aiox_list *ready);
void busy_learn_from_(struct busy *b, struct handlers *hs, bool rung, bool seen,
                      struct aiox_list *ready);

/* False: the functions below do nothing. [home] */
static inline bool busy_may_look_(const struct busy *b)
{
    return b->max_ns != 0 || b->started;
}

/*
 * Looks for something to do, at most @timeout_ns (-1: no limit). True if there
 * is something: handlers that said so are on @ready, and if the backend had to
 * be asked, @events->count is not 0. [home] in a visit
 */
static inline bool busy_look_(struct busy *b, struct handlers *hs, const struct notify *bell,
                              int64_t timeout_ns, struct aiox_list *ready,
                              struct backend_events *events)
{
    return busy_may_look_(b) && busy_look_for_(b, hs, bell, timeout_ns, ready, events);
}

/*
 * Tells the other sides that the loop will sleep, and looks a last time for
 * what came before they knew. True: do not sleep. [home] in a visit
 */
static inline bool busy_stop_(struct busy *b, struct handlers *hs, struct aiox_list *ready)
{
    return b->started && busy_stop_looking_(b, hs, ready);
}

/*
 * The same for a wait that somebody else does: nobody is called now, the next
 * turn looks again. True: let it come soon. [home] in a visit
 */
bool busy_pause_(struct busy *b, struct handlers *hs);

/* Learns from the turn that just woke: @rung, by its bell; @seen, by a descriptor. [home] in a
 * visit */
static inline void busy_learn_(struct busy *b, struct handlers *hs, bool rung, bool seen,
                               struct aiox_list *ready)
{
    if (b->max_ns != 0) {
        busy_learn_from_(b, hs, rung, seen, ready);
    }
}

#endif /* AIOX_AIO_SRC_BUSY_H_ */
