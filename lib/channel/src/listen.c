/* SPDX-License-Identifier: MIT */
/* listen.c - a channel that other channels come from. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "aiox/channel_socket.h"
#include "aiox/clock.h"

#include "resolve.h"
#include "socket.h"
#include "trace.h"

/* ---- a place to listen ---- */

static int set_flag(int fd, int level, int name, bool on)
{
    int value = on;

    return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int set_options(int fd, int family, const struct aiox_listen_options *o)
{
    int err = 0;

    if (family == AF_INET6) {
        err = set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, o->v6_only);
    }
    if (err == 0 && family != AF_UNIX) {
        err = set_flag(fd, SOL_SOCKET, SO_REUSEADDR, true);
    }
    if (err == 0 && o->reuse_port) {
        err = set_flag(fd, SOL_SOCKET, SO_REUSEPORT, true);
    }
    return err;
}

static bool is_socket(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* True if there is a socket file on which nobody listens. A file of another kind refuses, too. */
static bool is_stale(const struct sockaddr_un *sun, socklen_t bytes)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool refused =
        fd >= 0 && connect(fd, (const struct sockaddr *)sun, bytes) < 0 && errno == ECONNREFUSED;

    if (fd >= 0) {
        close(fd);
    }
    return refused && is_socket(sun->sun_path);
}

static int bind_socket(struct socket_channel *s, const struct sockaddr *sa, socklen_t bytes,
                       const struct aiox_listen_options *o)
{
    const struct sockaddr_un *sun = (const void *)sa;
    bool is_file = sa->sa_family == AF_UNIX && sun->sun_path[0];

    if (is_file && o->replace_stale && is_stale(sun, bytes)) {
        (void)unlink(sun->sun_path);
    }
    if (bind(s->d.fd, sa, bytes) < 0) {
        return -errno;
    }
    if (is_file) {
        memcpy(s->at_path, sun->sun_path, strlen(sun->sun_path) + 1);
        s->unlinks = lstat(s->at_path, &s->made) == 0;
    }
    return 0;
}

static int begin_to_listen(int fd, const struct aiox_listen_options *o)
{
    return listen(fd, o->backlog > 0 ? o->backlog : SOMAXCONN) < 0 ? -errno : 0;
}

static int listen_at(struct socket_channel *s, const struct sockaddr *sa, socklen_t bytes,
                     const struct aiox_listen_options *o)
{
    int err = socket_open_(s, sa->sa_family);

    if (err < 0) {
        return err;
    }
    err = set_options(s->d.fd, sa->sa_family, o);
    if (err == 0) {
        err = bind_socket(s, sa, bytes, o);
    }
    if (err == 0) {
        err = begin_to_listen(s->d.fd, o);
    }
    if (err < 0) {
        socket_make_blank_(s);
        return err;
    }
    s->base.features_ = AIOX_CHANNEL_LISTEN;
    return 0;
}

/* At a duplicate of @given_fd, which listens from now on if it did not. */
static int listen_given(struct socket_channel *s, int given_fd, const struct aiox_listen_options *o)
{
    int err = begin_to_listen(given_fd, o);

    return err < 0 ? err : socket_take_duplicate_(s, given_fd);
}

static int listen_somewhere(struct socket_channel *s, const struct aiox_socket_address *at,
                            const struct aiox_listen_options *options, struct aiox_error *err)
{
    struct resolved found;
    int code;

    if (at->kind == AIOX_SOCKET_FD) {
        return address_say_(err, listen_given(s, at->fd, options), "listen at", at);
    }
    code = resolve_(&found, at, true, &s->d, -1, err);
    if (code < 0) {
        return code;
    }
    for (int i = 0; i < found.count; i++) {
        code = listen_at(s, (struct sockaddr *)&found.at[i].sa, found.at[i].bytes, options);
        AIOX_TRACE(channel, listen, found.at[i].sa.ss_family, code);
        if (code != -EAFNOSUPPORT && code != -EADDRNOTAVAIL) {
            break; /* it listens, or has failed where this machine could have listened */
        }
    }
    return address_say_(err, code, "listen at", at);
}

int aiox_channel_socket_listen(struct aiox_channel *ch, const struct aiox_socket_address *at,
                               const struct aiox_listen_options *options, struct aiox_error *err)
{
    static const struct aiox_listen_options usual;
    struct socket_channel *s = socket_channel_of_(ch);
    int code = socket_begin_opening_(s);

    if (code < 0) {
        return address_say_(err, code, "listen at", at);
    }
    code = listen_somewhere(s, at, options ? options : &usual, err);
    socket_end_opening_(s);
    return code;
}

int aiox_channel_listen(struct aiox_channel **out, const struct aiox_socket_address *at,
                        const struct aiox_listen_options *options, struct aiox_error *err)
{
    struct aiox_channel *ch;
    int code = aiox_channel_socket_blank(&ch);

    if (code < 0) {
        return address_say_(err, code, "listen at", at);
    }
    code = aiox_channel_socket_listen(ch, at, options, err);
    if (code < 0) {
        aiox_channel_unref(ch);
        return code;
    }
    *out = ch;
    return 0;
}

/* ---- accept ---- */

enum { FIRST_PAUSE_NS = 10 * 1000 * 1000 };

/* The connection had an error of its own, or a signal came; the next may be better (accept(2)). */
static bool passes_over(int err)
{
    switch (err) {
    case -EINTR:
    case -ECONNABORTED:
    case -EPROTO:
    case -EPERM:
    case -ENETDOWN:
    case -ENOPROTOOPT:
    case -EHOSTDOWN:
    case -ENONET:
    case -EHOSTUNREACH:
    case -ENETUNREACH:
        return true;
    default:
        return false;
    }
}

static bool is_lack(int err)
{
    return err == -EMFILE || err == -ENFILE || err == -ENOMEM || err == -ENOBUFS;
}

static AIOX_NOINLINE int accept_once(const struct socket_channel *listener,
                                     struct aiox_channel **out)
{
    struct socket_channel *s;
    int fd, err;

    do {
        fd = accept4(listener->d.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        err = fd < 0 ? (int)socket_or_blank_(&listener->d, -errno) : 0;
        if (err != -EAGAIN) {
            AIOX_TRACE(channel, accept, listener->d.fd, err < 0 ? err : fd);
        }
    } while (passes_over(err));
    if (err < 0) {
        return err;
    }
    err = socket_channel_new_(&s, fd, listener->family);
    if (err < 0) {
        close(fd);
        return err;
    }
    (void)aiox_channel_set_delay(&s->base, false);
    *out = &s->base;
    return 0;
}

/* After @lack of something: 0 to look again, else what to return. */
static int pause_for(struct socket_channel *listener, int lack, int64_t *pause_ns,
                     int64_t deadline_ns)
{
    int64_t until_ns = aiox_clock_now_ns() + *pause_ns;
    int err;

    if (deadline_ns >= 0 && deadline_ns <= until_ns) {
        return lack;
    }
    err = descriptor_wait_(&listener->d, listener->base.follows_, 0, until_ns);
    *pause_ns = *pause_ns * 2 < AIOX_NS_PER_S ? *pause_ns * 2 : AIOX_NS_PER_S;
    return err == -ETIMEDOUT ? 0 : err;
}

static int accept_until(struct socket_channel *listener, struct aiox_channel **out,
                        int64_t deadline_ns)
{
    int64_t pause_ns = FIRST_PAUSE_NS;

    for (;;) {
        int err = accept_once(listener, out);

        if ((err != -EAGAIN && !is_lack(err)) || !aiox_channel_may_wait(&listener->base)) {
            return err;
        }
        err = err == -EAGAIN ? descriptor_wait_(&listener->d, listener->base.follows_, AIOX_FD_READ,
                                                deadline_ns)
                             : pause_for(listener, err, &pause_ns, deadline_ns);
        if (err < 0) {
            return err;
        }
    }
}

int aiox_channel_accept(struct aiox_channel *listener, struct aiox_channel **out,
                        int64_t deadline_ns)
{
    struct socket_channel *s = socket_channel_of_(listener);
    int err;

    if (!aiox_channel_enter(listener)) {
        return -EBADF;
    }
    err = accept_until(s, out, deadline_ns);
    aiox_channel_leave(listener);
    return err;
}
