/* SPDX-License-Identifier: MIT */
/* peer.c - who is at the two ends of a socket. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>

#include "aiox/channel_socket.h"

#include "socket.h"

static int address(struct aiox_channel *ch, struct aiox_socket_address *out,
                   int (*get)(int fd, struct sockaddr *sa, socklen_t *bytes))
{
    struct sockaddr_storage sa = {0};
    socklen_t bytes = sizeof(sa);
    const struct descriptor *d = &socket_channel_of_(ch)->d;
    int err;

    if (!aiox_channel_enter(ch)) {
        return -EBADF;
    }
    if (get(d->fd, (struct sockaddr *)&sa, &bytes) < 0) {
        err = (int)socket_or_blank_(d, -errno);
    } else {
        err = aiox_socket_address_from_sockaddr(out, (struct sockaddr *)&sa, bytes);
    }
    aiox_channel_leave(ch);
    return err;
}

static int local_name(int fd, struct sockaddr *sa, socklen_t *bytes)
{
    return getsockname(fd, sa, bytes);
}

static int peer_name(int fd, struct sockaddr *sa, socklen_t *bytes)
{
    return getpeername(fd, sa, bytes);
}

int aiox_channel_local_address(struct aiox_channel *ch, struct aiox_socket_address *out)
{
    return address(ch, out, local_name);
}

int aiox_channel_peer_address(struct aiox_channel *ch, struct aiox_socket_address *out)
{
    return address(ch, out, peer_name);
}

int aiox_channel_peer_credentials(struct aiox_channel *ch, struct aiox_peer_credentials *out)
{
    const struct socket_channel *s = socket_channel_of_(ch);
    struct ucred who;
    socklen_t bytes = sizeof(who);
    int err = 0;

    if (!aiox_channel_enter(ch)) {
        return -EBADF;
    }
    if (s->family != AF_UNIX) {
        err = -EOPNOTSUPP;
    } else if (getsockopt(s->d.fd, SOL_SOCKET, SO_PEERCRED, &who, &bytes) < 0) {
        err = -errno;
    } else {
        *out = (struct aiox_peer_credentials){.pid = who.pid, .uid = who.uid, .gid = who.gid};
    }
    aiox_channel_leave(ch);
    return err;
}

int aiox_channel_socket_fd(struct aiox_channel *ch)
{
    return socket_channel_of_(ch)->d.fd;
}
