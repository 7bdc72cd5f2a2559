/* SPDX-License-Identifier: MIT */
/* socket.c - a channel over a stream socket. */
#define _GNU_SOURCE
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aiox/assert.h"
#include "aiox/channel_socket.h"

#include "trace.h"

static struct socket_channel *self_of(struct aiox_channel *ch)
{
    return AIOX_CONTAINER_OF(ch, struct socket_channel, base);
}

/* ---- operations ---- */

static size_t room_in(const struct aiox_channel_io *io)
{
    size_t bytes = 0;

    for (int i = 0; i < io->count; i++) {
        bytes += io->iov[i].iov_len;
    }
    return bytes;
}

static ssize_t read_once(struct aiox_channel *ch, struct aiox_channel_io *io)
{
    struct descriptor *d = &self_of(ch)->d;
    ssize_t n;

    if (io->peek) {
        return socket_receive_(d->fd, io);
    }
    if (descriptor_expects_nothing_(d)) {
        return -EAGAIN;
    }
    n = socket_receive_(d->fd, io);
    descriptor_has_read_(d, n, n > 0 && (size_t)n < room_in(io));
    return n;
}

static ssize_t write_once(struct aiox_channel *ch, struct aiox_channel_io *io)
{
    return socket_send_(self_of(ch)->d.fd, io);
}

static int wait_for(struct aiox_channel *ch, uint32_t events, int64_t deadline_ns)
{
    return descriptor_wait_(&self_of(ch)->d, ch->follows_, events, deadline_ns);
}

static bool wake(struct aiox_channel *ch, uint32_t event)
{
    return descriptor_wake_(&self_of(ch)->d, event);
}

static void end_waits(struct aiox_channel *ch)
{
    descriptor_end_waits_(&self_of(ch)->d);
}

static int shut(struct aiox_channel *ch, enum aiox_channel_direction what)
{
    static const int how[] = {
        [AIOX_CHANNEL_READING] = SHUT_RD,
        [AIOX_CHANNEL_WRITING] = SHUT_WR,
        [AIOX_CHANNEL_BOTH] = SHUT_RDWR,
    };

    return shutdown(self_of(ch)->d.fd, how[what]) < 0 ? -errno : 0;
}

/* Removes the file of a listener, unless somebody has put another in its place. */
static void remove_file(const struct socket_channel *s)
{
    struct stat now;

    if (s->unlinks && lstat(s->at_path, &now) == 0 && now.st_ino == s->made.st_ino &&
        now.st_dev == s->made.st_dev) {
        (void)unlink(s->at_path);
    }
}

static int close_socket(struct aiox_channel *ch)
{
    remove_file(self_of(ch));
    return descriptor_close_(&self_of(ch)->d);
}

static void free_socket(struct aiox_channel *ch)
{
    descriptor_fini_(&self_of(ch)->d);
    free(self_of(ch));
}

static int set(struct aiox_channel *ch, int level, int name, int value)
{
    const struct socket_channel *s = self_of(ch);

    if (s->family != AF_INET && s->family != AF_INET6) {
        return -EOPNOTSUPP;
    }
    return setsockopt(s->d.fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int set_cork(struct aiox_channel *ch, bool on)
{
    return set(ch, IPPROTO_TCP, TCP_CORK, on);
}

static int set_delay(struct aiox_channel *ch, bool on)
{
    return set(ch, IPPROTO_TCP, TCP_NODELAY, !on);
}

static int set_keepalive(struct aiox_channel *ch, bool on)
{
    return set(ch, SOL_SOCKET, SO_KEEPALIVE, on);
}

static const struct aiox_channel_ops ops = {
    .kind = "socket",
    .read = read_once,
    .write = write_once,
    .wait = wait_for,
    .wake = wake,
    .end_waits = end_waits,
    .shutdown = shut,
    .close = close_socket,
    .free = free_socket,
    .set_cork = set_cork,
    .set_delay = set_delay,
    .set_keepalive = set_keepalive,
};

/* ---- life ---- */

int socket_channel_new_(struct socket_channel **out, int fd, int family)
{
    struct socket_channel *s = calloc(1, sizeof(*s));
    uint32_t passes = family == AF_UNIX ? AIOX_CHANNEL_FD_PASS : 0u;

    if (!s) {
        return -ENOMEM;
    }
    aiox_channel_init(&s->base, &ops, AIOX_CHANNEL_SHUTDOWN | AIOX_CHANNEL_PEEK | passes);
    descriptor_init_(&s->d, fd);
    s->family = family;
    *out = s;
    return 0;
}

struct socket_channel *socket_channel_of_(struct aiox_channel *ch)
{
    aiox_assert(ch->ops_ == &ops);
    return self_of(ch);
}

static int option(int fd, int name, int *out)
{
    socklen_t bytes = sizeof(*out);

    return getsockopt(fd, SOL_SOCKET, name, out, &bytes) < 0 ? -errno : 0;
}

/* accept(2) has no flag for the call. */
static int prepare_listener(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

int aiox_channel_socket_new(struct aiox_channel **out, int fd)
{
    int type = 0, family = 0, listens = 0;
    struct socket_channel *s;
    int err;

    if ((err = option(fd, SO_TYPE, &type)) < 0 || (err = option(fd, SO_DOMAIN, &family)) < 0 ||
        (err = option(fd, SO_ACCEPTCONN, &listens)) < 0) {
        return err;
    }
    if (type != SOCK_STREAM) {
        return -EPROTOTYPE;
    }
    err = listens ? prepare_listener(fd) : 0;
    if (err == 0) {
        err = socket_channel_new_(&s, fd, family);
    }
    if (err < 0) {
        return err;
    }
    if (listens) {
        s->base.features_ = AIOX_CHANNEL_LISTEN;
    }
    *out = &s->base;
    AIOX_TRACE(channel, adopt, fd, (uintptr_t)(listens ? "listener" : "socket"));
    return 0;
}

int aiox_channel_socket_pair(struct aiox_channel *out[2])
{
    struct socket_channel *a, *b;
    int fd[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd) < 0) {
        return -errno;
    }
    if (socket_channel_new_(&a, fd[0], AF_UNIX) < 0) {
        goto fail_fds;
    }
    if (socket_channel_new_(&b, fd[1], AF_UNIX) < 0) {
        goto fail_a;
    }
    out[0] = &a->base;
    out[1] = &b->base;
    return 0;
fail_a:
    free_socket(&a->base);
fail_fds:
    close(fd[0]);
    close(fd[1]);
    return -ENOMEM;
}

/* ---- who is there ---- */

static int address(struct aiox_channel *ch, struct aiox_socket_address *out,
                   int (*get)(int fd, struct sockaddr *sa, socklen_t *bytes))
{
    struct sockaddr_storage sa = {0};
    socklen_t bytes = sizeof(sa);

    if (get(socket_channel_of_(ch)->d.fd, (struct sockaddr *)&sa, &bytes) < 0) {
        return -errno;
    }
    return aiox_socket_address_from_sockaddr(out, (struct sockaddr *)&sa, bytes);
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
    int err;

    if (!aiox_channel_enter(ch)) {
        return -EBADF;
    }
    err = address(ch, out, local_name);
    aiox_channel_leave(ch);
    return err;
}

int aiox_channel_peer_address(struct aiox_channel *ch, struct aiox_socket_address *out)
{
    int err;

    if (!aiox_channel_enter(ch)) {
        return -EBADF;
    }
    err = address(ch, out, peer_name);
    aiox_channel_leave(ch);
    return err;
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
