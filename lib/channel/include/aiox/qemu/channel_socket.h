/* SPDX-License-Identifier: MIT */
/*
 * aiox/qemu/channel_socket.h - the original names of aiox/channel_socket.h.
 *
 * In a coroutine, what connects or accepts waits there; in a thread it blocks,
 * as the original does. So there is no need for functions that call back
 * (qio_channel_socket_connect_async() and the like), and there are none.
 *
 * Different on purpose: a listener takes the place of a unix socket file on which nobody
 * listens, and of no other; accepted and connected sockets send small writes at once.
 */
#ifndef AIOX_QEMU_CHANNEL_SOCKET_H_
#define AIOX_QEMU_CHANNEL_SOCKET_H_

#include "aiox/qemu/channel.h"
#include "aiox/qemu/sockets.h"

AIOX_BEGIN_DECLS

/* ---- life ---- */

/* Nowhere yet. Aborts if there is no memory. */
static inline QIOChannelSocket *qio_channel_socket_new(void)
{
    QIOChannelSocket *sioc = NULL;
    int err = aiox_channel_socket_blank(&sioc);

    aiox_assert(err == 0);
    return sioc;
}

/* NULL and an Error leave @fd to the caller. */
static inline QIOChannelSocket *qio_channel_socket_new_fd(int fd, Error **errp)
{
    QIOChannelSocket *sioc = NULL;
    int err = aiox_channel_socket_new(&sioc, fd);

    return aiox_qemu_channel_result_("use the socket", err, errp) < 0 ? NULL : sioc;
}

/* ---- to a peer ---- */

/*
 * 0, or -1 and an Error; @ioc may then be tried again. Others end it by
 * qio_channel_wake_read() or qio_channel_close().
 */
static inline int qio_channel_socket_connect_sync(QIOChannelSocket *ioc, SocketAddress *addr,
                                                  Error **errp)
{
    struct aiox_socket_address to;
    struct aiox_error said;

    if (!aiox_qemu_address_(&to, addr, errp)) {
        return -1;
    }
    if (aiox_channel_socket_connect(ioc, &to, -1, &said)) {
        error_set_from_aiox(errp, &said);
        return -1;
    }
    if (addr->type == SOCKET_ADDRESS_TYPE_INET && addr->u.inet.has_keep_alive) {
        aiox_channel_set_keepalive(ioc, addr->u.inet.keep_alive);
    }
    return 0;
}

/* ---- for peers ---- */

/* Not an original name: @at its port, or the next free one up to @last_port. */
static inline int aiox_qemu_listen_(QIOChannelSocket *ioc, struct aiox_socket_address *at,
                                    long last_port, int backlog, struct aiox_error *said)
{
    struct aiox_listen_options options;
    int err;

    memset(&options, 0, sizeof(options));
    options.backlog = backlog;
    options.replace_stale = true;
    for (;;) {
        long port = strtol(at->port, NULL, 10);

        err = aiox_channel_socket_listen(ioc, at, &options, said);
        if (err != -EADDRINUSE || port <= 0 || port >= last_port) {
            return err;
        }
        snprintf(at->port, sizeof(at->port), "%ld", port + 1);
    }
}

/* Not an original name: listens with room for @num who wait. 0, or -1 and an Error. */
static inline int aiox_qemu_listen_sync_(QIOChannelSocket *ioc, SocketAddress *addr, int num,
                                         Error **errp)
{
    bool has_to = addr->type == SOCKET_ADDRESS_TYPE_INET && addr->u.inet.has_to;
    struct aiox_socket_address at;
    struct aiox_error said;

    if (!aiox_qemu_address_(&at, addr, errp)) {
        return -1;
    }
    if (aiox_qemu_listen_(ioc, &at, has_to ? addr->u.inet.to : 0, num, &said)) {
        error_set_from_aiox(errp, &said);
        return -1;
    }
    return 0;
}

#if AIOX_QEMU_API >= 2019

static inline int qio_channel_socket_listen_sync(QIOChannelSocket *ioc, SocketAddress *addr,
                                                 int num, Error **errp)
{
    return aiox_qemu_listen_sync_(ioc, addr, num, errp);
}

#else

static inline int qio_channel_socket_listen_sync(QIOChannelSocket *ioc, SocketAddress *addr,
                                                 Error **errp)
{
    return aiox_qemu_listen_sync_(ioc, addr, 1, errp);
}

#endif

/* The next who comes; waits for one, unless @ioc is not to block. NULL and an Error. */
static inline QIOChannelSocket *qio_channel_socket_accept(QIOChannelSocket *ioc, Error **errp)
{
    QIOChannelSocket *sioc = NULL;
    struct aiox_error said;
    int err = aiox_channel_accept(ioc, &sioc, -1);

    if (err) {
        aiox_error_set(&said, err, "cannot accept: %s", aiox_error_text(err));
        error_set_from_aiox(errp, &said);
        return NULL;
    }
    return sioc;
}

/* ---- who is there: to be freed by qapi_free_SocketAddress(); NULL and an Error ---- */

static inline SocketAddress *qio_channel_socket_get_local_address(QIOChannelSocket *ioc,
                                                                  Error **errp)
{
    struct aiox_socket_address address;
    int err = aiox_channel_local_address(ioc, &address);

    if (aiox_qemu_channel_result_("tell the address of this end", err, errp) < 0) {
        return NULL;
    }
    return aiox_qemu_address_new_(&address);
}

static inline SocketAddress *qio_channel_socket_get_remote_address(QIOChannelSocket *ioc,
                                                                   Error **errp)
{
    struct aiox_socket_address address;
    int err = aiox_channel_peer_address(ioc, &address);

    if (aiox_qemu_channel_result_("tell the address of the peer", err, errp) < 0) {
        return NULL;
    }
    return aiox_qemu_address_new_(&address);
}

AIOX_END_DECLS

#endif /* AIOX_QEMU_CHANNEL_SOCKET_H_ */
