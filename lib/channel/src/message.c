/* SPDX-License-Identifier: MIT */
/*
 * message.c - one system call for bytes, with descriptors if there are any.
 *
 * Not inlined: after a wait the coroutine may be in another thread, whose errno
 * is elsewhere.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "socket.h"

union control {
    struct cmsghdr align;
    char room[CMSG_SPACE(AIOX_CHANNEL_MAX_FDS * sizeof(int))];
};

static size_t at_most_iov_max(int count)
{
    return count < IOV_MAX ? (size_t)count : IOV_MAX;
}

/* ---- receiving ---- */

static int fds_in(const struct cmsghdr *c)
{
    return c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS
               ? (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int))
               : 0;
}

static void collect(struct msghdr *msg, struct aiox_channel_fds *fds)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        int count = fds_in(c); /* the room is for no more than MAX_FDS in all */

        memcpy(fds->fd + fds->count, CMSG_DATA(c), (size_t)count * sizeof(int));
        fds->count += count;
    }
}

static ssize_t receive_with_fds(int fd, struct aiox_channel_io *io, int flags)
{
    union control control;
    struct msghdr msg = {
        .msg_iov = (struct iovec *)io->iov,
        .msg_iovlen = at_most_iov_max(io->count),
        .msg_control = control.room,
        .msg_controllen = sizeof(control.room),
    };
    ssize_t n = recvmsg(fd, &msg, flags | MSG_CMSG_CLOEXEC);

    if (n < 0) {
        return n;
    }
    collect(&msg, io->fds);
    if (msg.msg_flags & MSG_CTRUNC) {
        while (io->fds->count > 0) {
            close(io->fds->fd[--io->fds->count]);
        }
        errno = EMSGSIZE;
        return -1;
    }
    return n;
}

static ssize_t receive_bytes(int fd, const struct aiox_channel_io *io, int flags)
{
    struct msghdr msg = {
        .msg_iov = (struct iovec *)io->iov,
        .msg_iovlen = at_most_iov_max(io->count),
    };

    if (io->count == 1) {
        return recv(fd, io->iov->iov_base, io->iov->iov_len, flags);
    }
    return recvmsg(fd, &msg, flags);
}

AIOX_NOINLINE ssize_t socket_receive_(int fd, struct aiox_channel_io *io)
{
    int flags = MSG_DONTWAIT | (io->peek ? MSG_PEEK : 0);
    ssize_t n;

    do {
        n = io->fds ? receive_with_fds(fd, io, flags) : receive_bytes(fd, io, flags);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* ---- sending ---- */

static ssize_t send_with_fds(int fd, const struct aiox_channel_io *io, int flags)
{
    size_t bytes = (size_t)io->fds->count * sizeof(int);
    union control control;
    struct msghdr msg = {
        .msg_iov = (struct iovec *)io->iov,
        .msg_iovlen = at_most_iov_max(io->count),
        .msg_control = control.room,
        .msg_controllen = CMSG_SPACE(bytes),
    };
    struct cmsghdr *c;

    memset(&control, 0, sizeof(control));
    c = CMSG_FIRSTHDR(&msg);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(bytes);
    memcpy(CMSG_DATA(c), io->fds->fd, bytes);
    return sendmsg(fd, &msg, flags);
}

static ssize_t send_bytes(int fd, const struct aiox_channel_io *io, int flags)
{
    struct msghdr msg = {
        .msg_iov = (struct iovec *)io->iov,
        .msg_iovlen = at_most_iov_max(io->count),
    };

    if (io->count == 1) {
        return send(fd, io->iov->iov_base, io->iov->iov_len, flags);
    }
    return sendmsg(fd, &msg, flags);
}

AIOX_NOINLINE ssize_t socket_send_(int fd, struct aiox_channel_io *io)
{
    int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    ssize_t n;

    do {
        n = io->fds ? send_with_fds(fd, io, flags) : send_bytes(fd, io, flags);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}
