/* SPDX-License-Identifier: MIT */
/* nbd_server.h - the contender's NBD server, at a socket that only this run knows. */
#ifndef AIOX_BENCH_PLAYERS_SCENES_NBD_SERVER_H_
#define AIOX_BENCH_PLAYERS_SCENES_NBD_SERVER_H_

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <time.h>

#include "bench/players/bench.h"

struct nbd_server {
    pid_t pid;
    clockid_t clock;
    struct sockaddr_un address;
    socklen_t address_size;
};

/* In a process of its own; serves a file of so many bytes. Ends the program if it cannot. */
struct nbd_server nbd_server_start(struct stage *stage, size_t bytes, bool is_direct);
void nbd_server_stop(const struct nbd_server *server);

/* Of all its threads, also of those that have ended. */
double nbd_server_cpu_us(const struct nbd_server *server);

double nbd_server_resident_bytes(const struct nbd_server *server);

#endif /* AIOX_BENCH_PLAYERS_SCENES_NBD_SERVER_H_ */
