/* SPDX-License-Identifier: MIT */
/* nbd_client.h - as much of a client of the NBD protocol as it takes to come, to read and to go. */
#ifndef AIOX_BENCH_PLAYERS_SCENES_NBD_CLIENT_H_
#define AIOX_BENCH_PLAYERS_SCENES_NBD_CLIENT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct nbd_client {
    int fd;
    uint64_t bytes; /* of the export */
};

/* Connects and asks for an export. False: the server is not there, or refuses. */
bool nbd_client_open(struct nbd_client *client, const struct sockaddr_un *address, socklen_t size,
                     const char *export_name);

/* Hangs up. */
void nbd_client_close(struct nbd_client *client);

/* Says goodbye and waits until the server has hung up. */
void nbd_client_leave(struct nbd_client *client);

bool nbd_client_send(const struct nbd_client *client, const void *data, size_t bytes);

#endif /* AIOX_BENCH_PLAYERS_SCENES_NBD_CLIENT_H_ */
