/* SPDX-License-Identifier: MIT */
/* connect.c - from an address to a channel, one address of a host after the other. */
#include <errno.h>
#include <sys/socket.h>

#include "aiox/channel_socket.h"
#include "aiox/clock.h"

#include "resolve.h"
#include "socket.h"
#include "trace.h"

enum { FULL_BACKLOG_PAUSE_NS = 5 * 1000 * 1000 };

static AIOX_NOINLINE int begin_connect(int fd, const struct sockaddr *sa, socklen_t bytes)
{
    return connect(fd, sa, bytes) < 0 ? -errno : 0;
}

/* How a connect that was begun has ended. */
static AIOX_NOINLINE int end_connect(int fd)
{
    int code = 0;
    socklen_t bytes = sizeof(code);

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &bytes) < 0 ? -errno : -code;
}

/* A unix listener whose backlog is full: nothing tells when that changes. */
static int pause_a_while(struct descriptor *d, int64_t deadline_ns)
{
    int64_t until_ns = aiox_clock_now_ns() + FULL_BACKLOG_PAUSE_NS;
    bool is_last = deadline_ns >= 0 && deadline_ns <= until_ns;
    int err = descriptor_wait_(d, true, 0, is_last ? deadline_ns : until_ns);

    return err == -ETIMEDOUT && !is_last ? 0 : err;
}

static int connect_descriptor(struct descriptor *d, const struct sockaddr *sa, socklen_t bytes,
                              int64_t deadline_ns)
{
    for (;;) {
        int err = begin_connect(d->fd, sa, bytes);

        if (err == -EINPROGRESS || err == -EINTR) {
            err = descriptor_wait_(d, true, AIOX_FD_WRITE, deadline_ns);
            return err < 0 ? err : end_connect(d->fd);
        }
        if (err != -EAGAIN || sa->sa_family != AF_UNIX) {
            return err;
        }
        err = pause_a_while(d, deadline_ns);
        if (err < 0) {
            return err;
        }
    }
}

static int connect_to(struct socket_channel *s, const struct sockaddr *sa, socklen_t bytes,
                      int64_t deadline_ns)
{
    int err = socket_open_(s, sa->sa_family);

    if (err < 0) {
        return err;
    }
    err = connect_descriptor(&s->d, sa, bytes, deadline_ns);
    if (err < 0) {
        socket_make_blank_(s);
        return err;
    }
    (void)aiox_channel_set_delay(&s->base, false);
    return 0;
}

static int connect_somewhere(struct socket_channel *s, const struct aiox_socket_address *to,
                             int64_t deadline_ns, struct aiox_error *err)
{
    struct resolved found;
    int code;

    if (to->kind == AIOX_SOCKET_FD) {
        return address_say_(err, socket_take_duplicate_(s, to->fd), "connect to", to);
    }
    code = resolve_(&found, to, false, &s->d, deadline_ns, err);
    if (code < 0) {
        return code;
    }
    for (int i = 0; i < found.count; i++) {
        code = connect_to(s, (struct sockaddr *)&found.at[i].sa, found.at[i].bytes, deadline_ns);
        AIOX_TRACE(channel, connect, found.at[i].sa.ss_family, code);
        if (code == 0 || code == -ETIMEDOUT || code == -ECANCELED) {
            break;
        }
    }
    return address_say_(err, code, "connect to", to);
}

int aiox_channel_socket_connect(struct aiox_channel *ch, const struct aiox_socket_address *to,
                                int64_t deadline_ns, struct aiox_error *err)
{
    struct socket_channel *s = socket_channel_of_(ch);
    int code = socket_begin_opening_(s);

    if (code < 0) {
        return address_say_(err, code, "connect to", to);
    }
    code = connect_somewhere(s, to, deadline_ns, err);
    socket_end_opening_(s);
    return code;
}

int aiox_channel_connect(struct aiox_channel **out, const struct aiox_socket_address *to,
                         int64_t deadline_ns, struct aiox_error *err)
{
    struct aiox_channel *ch;
    int code = aiox_channel_socket_blank(&ch);

    if (code < 0) {
        return address_say_(err, code, "connect to", to);
    }
    code = aiox_channel_socket_connect(ch, to, deadline_ns, err);
    if (code < 0) {
        aiox_channel_unref(ch);
        return code;
    }
    *out = ch;
    return 0;
}
