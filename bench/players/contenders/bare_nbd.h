/* SPDX-License-Identifier: MIT */
/* bare_nbd.h - how the bare servers greet: they have one export, and believe what they are told. */
#ifndef AIOX_BENCH_PLAYERS_CONTENDERS_BARE_NBD_H_
#define AIOX_BENCH_PLAYERS_CONTENDERS_BARE_NBD_H_

#include <stdbool.h>
#include <stddef.h>

#include "bench/players/bench.h"

bool bare_nbd_is_here(const struct contender *who, const char **why);

/* Opens the file; then a thread for each client calls @serve, and hangs up after it. */
void bare_nbd_serve(const char *path, int flags, void (*serve)(int fd, int file))
    __attribute__((noreturn));

#endif /* AIOX_BENCH_PLAYERS_CONTENDERS_BARE_NBD_H_ */
