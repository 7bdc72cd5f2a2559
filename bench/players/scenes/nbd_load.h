/* SPDX-License-Identifier: MIT */
/* nbd_load.h - reads, many under way on each of some connections, one thread for all. */
#ifndef AIOX_BENCH_PLAYERS_SCENES_NBD_LOAD_H_
#define AIOX_BENCH_PLAYERS_SCENES_NBD_LOAD_H_

#include "nbd_client.h"

struct nbd_load {
    const struct nbd_client *clients;
    int count;
    long depth;     /* under way on each, at most */
    uint32_t bytes; /* of each read */
    bool in_order;  /* one after the other; else anywhere */
    /*
     * 0: the next is asked for when one is answered. Else one is due every so
     * often, whatever has been answered, and on each connection in turn.
     */
    int64_t interval_ns;
    double *late_us; /* NULL, or for each read: from when it was due until it was answered */
};

/* So many reads, done when all are answered. False: the server failed. */
bool nbd_load_run(const struct nbd_load *load, long reads);

#endif /* AIOX_BENCH_PLAYERS_SCENES_NBD_LOAD_H_ */
