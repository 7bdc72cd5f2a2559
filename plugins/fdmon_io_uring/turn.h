/* SPDX-License-Identifier: MIT */
/* turn.h - one turn of the ring. */
#ifndef AIOX_FDMON_IO_URING_TURN_H_
#define AIOX_FDMON_IO_URING_TURN_H_

#include "ring.h"

struct aiox_fdmon {
    const struct aiox_fdmon_host *host;
    struct ring_options options;
    struct ring ring;
    struct watches watches;
    struct requests requests;

    bool enabled;       /* [home] */
    int broken;         /* [home] a negative errno: no further turn */
    uint32_t turn;      /* [home] */
    uint32_t ring_file; /* [home] another after fork(2) */
};

/* Enables the ring for this thread, the first time; then learns what has changed. 0 or a negative
 * errno. [home] */
int turn_begin_(struct aiox_fdmon *mon);

/* As those of aiox_fdmon_ops. */
int turn_collect_(struct aiox_fdmon *mon, int64_t timeout_ns, struct aiox_fdmon_event *out,
                  int max);
int turn_flush_(struct aiox_fdmon *mon);
bool turn_is_pending_(struct aiox_fdmon *mon);

/* Ends all that is under way, and waits for that. [home] */
void turn_drain_(struct aiox_fdmon *mon);

#endif /* AIOX_FDMON_IO_URING_TURN_H_ */
