/* SPDX-License-Identifier: MIT */
/* bare.h - who watches what, for loops that are no more than their system call. */
#ifndef AIOX_BENCH_PLAYERS_CONTENDERS_BARE_H_
#define AIOX_BENCH_PLAYERS_CONTENDERS_BARE_H_

#include "bench/players/bench.h"

struct bare_watch {
    int fd;
    int place; /* in a table, where there is one */
    bench_fn *fn;
    void *opaque;
};

/* Messages there and back, with a wait for each unless @epoll_fd is -1. */
void bare_converse(const int fd[2], int epoll_fd, long messages, size_t bytes);

#endif /* AIOX_BENCH_PLAYERS_CONTENDERS_BARE_H_ */
