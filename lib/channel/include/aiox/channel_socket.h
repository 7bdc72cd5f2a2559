/* SPDX-License-Identifier: MIT */
/*
 * aiox/channel_socket.h - channels that are sockets: connect, listen, accept.
 *
 * TCP over IPv4 and IPv6, unix sockets, vsock, and stream sockets that are
 * there already. Everything about errors and waiting in aiox/channel.h holds here.
 * New sockets are close-on-exec and send small writes at once.
 */
#ifndef AIOX_CHANNEL_SOCKET_H_
#define AIOX_CHANNEL_SOCKET_H_

#include <stdbool.h>
#include <sys/types.h>

#include "aiox/attributes.h"
#include "aiox/channel.h"
#include "aiox/error.h"
#include "aiox/socket_address.h"

AIOX_BEGIN_DECLS

/*
 * Makes a channel of the stream socket @fd, which then belongs to it. Its flags
 * are left as they are, but that one that listens gets O_NONBLOCK.
 *
 *   -ENOTSOCK, -EBADF   @fd is no socket, is not open
 *   -EPROTOTYPE         it is no stream
 *   -ENOMEM             no memory
 *
 * On error @fd stays the caller's, and *@out is not written. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_channel_socket_new(struct aiox_channel **out, int fd);

/* Two channels, each the peer of the other. -ENOMEM, -EMFILE, -ENFILE. [any] */
AIOX_API AIOX_NODISCARD int aiox_channel_socket_pair(struct aiox_channel *out[2]);

/*
 * Connects to @to. A host with several addresses: to the first that answers.
 * An empty host is this machine. "fd:3" is aiox_channel_socket_new() with a duplicate.
 *
 * Waits as aiox_channel_read(), so a coroutine needs no thread; a host or port
 * that is a name is looked up in a thread of its own meanwhile. One that is
 * given up at @deadline_ns ends by itself later.
 *
 *   -ENOENT         there is no such host or port
 *   -EHOSTUNREACH   no route, or nobody who knows names could be asked
 *   -ECONNREFUSED, ...   what the system said, of the last address
 *
 * [any]
 */
AIOX_API AIOX_NODISCARD int aiox_channel_connect(struct aiox_channel **out,
                                                 const struct aiox_socket_address *to,
                                                 int64_t deadline_ns, struct aiox_error *err);

/* ---- a handle first ---- */

/*
 * Makes a socket that is nowhere yet: others can know it while it is being connected. Until
 * then, what it is used for is -ENOTCONN. -ENOMEM. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_channel_socket_blank(struct aiox_channel **out);

/*
 * aiox_channel_connect() of @ch, which is blank. aiox_channel_wake_read() or
 * _wake_write(), and _close(), end it in any thread, whatever it waits for; but outside of
 * coroutines the look-up of a name goes on to its end. On error @ch is blank as before.
 *
 *   -ECANCELED   another has ended it
 *   -EISCONN     it is not blank
 *   -EALREADY    another is connecting it, or makes it listen
 *   -EBADF       it was closed before
 *   others       as aiox_channel_connect()
 *
 * [any]
 */
AIOX_API AIOX_NODISCARD int aiox_channel_socket_connect(struct aiox_channel *ch,
                                                        const struct aiox_socket_address *to,
                                                        int64_t deadline_ns,
                                                        struct aiox_error *err);

/* ---- listening ---- */

/* All zero is the default. */
struct aiox_listen_options {
    int backlog;        /* 0: as many as the system allows */
    bool replace_stale; /* unix: a socket file on which nobody listens any more is removed first */
    bool v6_only;       /* an IPv6 socket takes no IPv4 */
    bool reuse_port;    /* several may listen on one port (SO_REUSEPORT) */
};

/*
 * Listens at @at; NULL as @options: the default. An empty host is every
 * address, of IPv6 and IPv4 if the system has both. Closing the channel removes
 * the file of a unix socket that was made here, if it is still the same; that
 * of "fd:3", which is used as a duplicate, stays.
 *
 *   -EADDRINUSE   somebody listens there; for a unix socket, or there is a file (replace_stale)
 *   -EACCES       the port, or the folder, is not for this user
 *   other         as aiox_channel_connect(); a name blocks a thread, not a coroutine
 *
 * [any]
 */
AIOX_API AIOX_NODISCARD int aiox_channel_listen(struct aiox_channel **out,
                                                const struct aiox_socket_address *at,
                                                const struct aiox_listen_options *options,
                                                struct aiox_error *err);

/* The same for @ch, which is blank, and stays so on error. Errors as above and of _connect(). [any]
 */
AIOX_API AIOX_NODISCARD int aiox_channel_socket_listen(struct aiox_channel *ch,
                                                       const struct aiox_socket_address *at,
                                                       const struct aiox_listen_options *options,
                                                       struct aiox_error *err);

/*
 * Takes a connection from @listener, waiting for one as aiox_channel_read()
 * does. A peer that has gone meanwhile is passed over. While there are no
 * descriptors or memory for one more, it looks again after 10 ms, then less
 * often, down to once in a second.
 *
 *   -EMFILE, -ENFILE, -ENOMEM, -ENOBUFS   still none at the deadline, or it may not wait
 *   -EINVAL                               it does not listen
 *
 * [any]
 */
AIOX_API AIOX_NODISCARD int aiox_channel_accept(struct aiox_channel *listener,
                                                struct aiox_channel **out, int64_t deadline_ns);

/* ---- who is there; of channels made here, for others the program ends ---- */

/* The address of this end. What getsockname(2) says, -EAFNOSUPPORT. [any] */
AIOX_API AIOX_NODISCARD int aiox_channel_local_address(struct aiox_channel *ch,
                                                       struct aiox_socket_address *out);

/* The address of the peer; a unix peer mostly has an empty path. -ENOTCONN. [any] */
AIOX_API AIOX_NODISCARD int aiox_channel_peer_address(struct aiox_channel *ch,
                                                      struct aiox_socket_address *out);

struct aiox_peer_credentials {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};

/* Who had connected, or had listened, at the other end of a unix socket. -EOPNOTSUPP: no such.
 * [any] */
AIOX_API AIOX_NODISCARD int aiox_channel_peer_credentials(struct aiox_channel *ch,
                                                          struct aiox_peer_credentials *out);

/* Its descriptor, which stays its own; -1 after close, and while it is blank. For setsockopt(2) and
 * the like. [any] */
AIOX_API int aiox_channel_socket_fd(struct aiox_channel *ch);

AIOX_END_DECLS

#endif /* AIOX_CHANNEL_SOCKET_H_ */
