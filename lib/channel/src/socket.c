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
        return socket_or_blank_(d, socket_receive_(d->fd, io));
    }
    if (descriptor_expects_nothing_(d)) {
        return -EAGAIN;
    }
    n = socket_receive_(d->fd, io);
    descriptor_has_read_(d, n, n > 0 && (size_t)n < room_in(io));
    return socket_or_blank_(d, n);
}

static ssize_t write_once(struct aiox_channel *ch, struct aiox_channel_io *io)
{
    const struct descriptor *d = &self_of(ch)->d;

    return socket_or_blank_(d, socket_send_(d->fd, io));
}

static int wait_for(struct aiox_channel *ch, uint32_t events, int64_t deadline_ns)
{
    struct descriptor *d = &self_of(ch)->d;

    return d->fd < 0 ? -ENOTCONN : descriptor_wait_(d, ch->follows_, events, deadline_ns);
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
    const struct descriptor *d = &self_of(ch)->d;

    return shutdown(d->fd, how[what]) < 0 ? (int)socket_or_blank_(d, -errno) : 0;
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

static void set_external(struct aiox_channel *ch, bool external)
{
    descriptor_set_external_(&self_of(ch)->d, external);
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
    .set_external = set_external,
};

/* ---- life ---- */

/* What a socket of @family, or one that listens, can do. */
static void set_kind(struct socket_channel *s, int family, bool listens)
{
    uint32_t passes = family == AF_UNIX ? AIOX_CHANNEL_FD_PASS : 0u;

    s->family = family;
    s->base.features_ =
        listens ? AIOX_CHANNEL_LISTEN : AIOX_CHANNEL_SHUTDOWN | AIOX_CHANNEL_PEEK | passes;
}

int socket_channel_new_(struct socket_channel **out, int fd, int family)
{
    struct socket_channel *s = calloc(1, sizeof(*s));

    if (!s) {
        return -ENOMEM;
    }
    aiox_channel_init(&s->base, &ops, 0);
    descriptor_init_(&s->d, fd);
    set_kind(s, family, false);
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

int socket_take_(struct socket_channel *s, int fd)
{
    int type = 0, family = 0, listens = 0;
    int err;

    if ((err = option(fd, SO_TYPE, &type)) < 0 || (err = option(fd, SO_DOMAIN, &family)) < 0 ||
        (err = option(fd, SO_ACCEPTCONN, &listens)) < 0) {
        return err;
    }
    if (type != SOCK_STREAM) {
        return -EPROTOTYPE;
    }
    err = listens ? prepare_listener(fd) : 0;
    if (err < 0) {
        return err;
    }
    set_kind(s, family, listens);
    descriptor_take_(&s->d, fd);
    AIOX_TRACE(channel, adopt, fd, (uintptr_t)(listens ? "listener" : "socket"));
    return 0;
}

int aiox_channel_socket_new(struct aiox_channel **out, int fd)
{
    struct socket_channel *s;
    int err = socket_channel_new_(&s, -1, AF_UNSPEC);

    if (err < 0) {
        return err;
    }
    err = socket_take_(s, fd);
    if (err < 0) {
        aiox_channel_unref(&s->base);
        return err;
    }
    *out = &s->base;
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

/* ---- from nowhere to somewhere ---- */

int aiox_channel_socket_blank(struct aiox_channel **out)
{
    struct socket_channel *s;
    int err = socket_channel_new_(&s, -1, AF_UNSPEC);

    if (err == 0) {
        *out = &s->base;
    }
    return err;
}

int socket_begin_opening_(struct socket_channel *s)
{
    int err;

    if (!aiox_channel_enter(&s->base)) {
        return -EBADF;
    }
    err = descriptor_begin_opening_(&s->d);
    if (err < 0) {
        aiox_channel_leave(&s->base);
    }
    return err;
}

void socket_end_opening_(struct socket_channel *s)
{
    descriptor_end_opening_(&s->d);
    aiox_channel_leave(&s->base);
}

int socket_open_(struct socket_channel *s, int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -errno;
    }
    set_kind(s, family, false);
    descriptor_take_(&s->d, fd);
    return 0;
}

int socket_take_duplicate_(struct socket_channel *s, int given_fd)
{
    int fd = fcntl(given_fd, F_DUPFD_CLOEXEC, 0);
    int err;

    if (fd < 0) {
        return -errno;
    }
    err = socket_take_(s, fd);
    if (err < 0) {
        close(fd);
    }
    return err;
}

void socket_make_blank_(struct socket_channel *s)
{
    remove_file(s);
    s->unlinks = false;
    close(descriptor_let_go_(&s->d));
    set_kind(s, AF_UNSPEC, false);
}
