/* SPDX-License-Identifier: MIT */
/* socket.h - a channel that is a socket. */
#ifndef AIOX_CHANNEL_SRC_SOCKET_H_
#define AIOX_CHANNEL_SRC_SOCKET_H_

#include <sys/stat.h>

#include "aiox/socket_address.h"

#include "descriptor.h"

struct socket_channel {
    struct aiox_channel base;
    struct descriptor d;
    int family;
    bool unlinks; /* at_path was made by bind(2) of a listener, and is the file `made` */
    struct stat made;
    char at_path[AIOX_SOCKET_PATH_MAX + 1];
};

/* For a stream socket of @family; @fd then belongs to it. 0 or -ENOMEM. */
int socket_channel_new_(struct socket_channel **out, int fd, int family);

/* The channel as what it is; ends the program if it is of another kind. */
struct socket_channel *socket_channel_of_(struct aiox_channel *ch);

/* One attempt, with descriptors; they are closed if it fails. -EAGAIN: nothing there, no room. */
ssize_t socket_receive_(int fd, struct aiox_channel_io *io);
ssize_t socket_send_(int fd, struct aiox_channel_io *io);

#endif /* AIOX_CHANNEL_SRC_SOCKET_H_ */
