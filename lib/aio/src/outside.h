/* SPDX-License-Identifier: MIT */
/* outside.h - one descriptor for all that a loop waits for, for somebody else to watch. */
#ifndef AIOX_AIO_SRC_OUTSIDE_H_
#define AIOX_AIO_SRC_OUTSIDE_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/attributes.h"
#include "aiox/event_notifier.h"

/* All zero is closed. All of it [home]. */
struct outside {
    bool is_open;
    bool is_prepared; /* somebody else may go to sleep, or sleeps */
    bool is_alarmed;
    int set;                          /* an epoll(7) set of the bell, the alarm and ... */
    int watched;                      /* ... the backend's descriptor, -1 for none */
    uint32_t file;                    /* which of the files of that number */
    struct aiox_event_notifier alarm; /* what prepare() said does not hold any more */
    int64_t idle_due_ns;              /* when idle bottom halves have waited enough; 0: none wait */
};

/* Opens it with @bell in it. 0 or a negative errno. */
AIOX_NODISCARD int outside_open_(struct outside *o, int bell);
void outside_close_(struct outside *o);

/* Makes @fd, in its @file, the backend's descriptor. 0 or a negative errno. */
AIOX_NODISCARD int outside_watch_(struct outside *o, int fd, uint32_t file);
/* The backend goes; its descriptor may stay open for a while. */
void outside_forget_(struct outside *o);

/* Makes the descriptor readable until outside_calm_(). */
void outside_alarm_(struct outside *o);
/* Whether it was alarmed. */
bool outside_calm_(struct outside *o);

void outside_end_turn_(struct outside *o);

/* A turn has ended that nobody outside knows of, or the one that they asked for. */
static inline void outside_turned_(struct outside *o)
{
    if (AIOX_UNLIKELY(o->is_open)) {
        outside_end_turn_(o);
    }
}

#endif /* AIOX_AIO_SRC_OUTSIDE_H_ */
