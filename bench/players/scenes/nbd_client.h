/* SPDX-License-Identifier: MIT */
/*
 * nbd_client.h - as much of a client of the NBD protocol as makes a load: reads,
 * many under way on each connection, one thread for all.
 */
#ifndef AIOX_BENCH_PLAYERS_SCENES_NBD_CLIENT_H_
#define AIOX_BENCH_PLAYERS_SCENES_NBD_CLIENT_H_

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct nbd_client;

/* Connects and asks for an export; NULL if the server is not there, or refuses. */
struct nbd_client *nbd_client_open(const struct sockaddr_un *address, socklen_t size,
                                   const char *export_name);
void nbd_client_close(struct nbd_client *client);

/* Of the export. */
uint64_t nbd_client_bytes(const struct nbd_client *client);

struct nbd_load {
    struct nbd_client **clients;
    int count;
    long depth;     /* under way on each */
    uint32_t bytes; /* of each read */
    bool in_order;  /* one after the other; else anywhere */
    uint64_t seed;
};

/* So many reads, done when all are answered. False: the server failed. */
bool nbd_client_read(struct nbd_load *load, long reads);

#endif /* AIOX_BENCH_PLAYERS_SCENES_NBD_CLIENT_H_ */
