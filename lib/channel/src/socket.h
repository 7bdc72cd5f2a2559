/* SPDX-License-Identifier: MIT */
/* socket.h - a channel that is a socket. */
#ifndef AIOX_CHANNEL_SRC_SOCKET_H_
#define AIOX_CHANNEL_SRC_SOCKET_H_

#include <errno.h>
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

/* For a stream socket of @family; @fd then belongs to it; -1: blank. 0 or -ENOMEM. */
int socket_channel_new_(struct socket_channel **out, int fd, int family);

/*
 * Between these two a blank one may get a socket and lose it again, and others
 * may end the waits for that. -EBADF, -EISCONN, -EALREADY.
 */
int socket_begin_opening_(struct socket_channel *s);
void socket_end_opening_(struct socket_channel *s);

/* A new socket of @family. 0 or what socket(2) said. */
int socket_open_(struct socket_channel *s, int family);

/* @fd, a stream socket; on error it stays the caller's. As aiox_channel_socket_new(). */
int socket_take_(struct socket_channel *s, int fd);

/* A duplicate of @given_fd. */
int socket_take_duplicate_(struct socket_channel *s, int given_fd);

/* Closes what it got, and removes the file that was made for it. */
void socket_make_blank_(struct socket_channel *s);

/* What a system call for @d said, or that @d has no descriptor yet. */
static inline ssize_t socket_or_blank_(const struct descriptor *d, ssize_t result)
{
    return AIOX_UNLIKELY(result == -EBADF && d->fd < 0) ? -ENOTCONN : result;
}

/* The channel as what it is; ends the program if it is of another kind. */
struct socket_channel *socket_channel_of_(struct aiox_channel *ch);

/* One attempt, with descriptors; they are closed if it fails. -EAGAIN: nothing there, no room. */
ssize_t socket_receive_(int fd, struct aiox_channel_io *io);
ssize_t socket_send_(int fd, struct aiox_channel_io *io);

#endif /* AIOX_CHANNEL_SRC_SOCKET_H_ */
