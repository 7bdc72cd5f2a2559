/* SPDX-License-Identifier: MIT */
/*
 * connection.h - a socket, and the coroutine that waits for it.
 *
 * The coroutine waits in one place, connection_wait(). Four things end the
 * wait: the socket (or bytes of it that TLS holds), connection_kick_soon() (requests have ended at
 * the kernel), the timer, and connection_kick(). They only note what happened and enter the
 * coroutine; what it means is decided there.
 *
 * The socket is watched all the time, and only a change of what is of interest
 * is told to the loop.
 */
#ifndef AIOX_NBD_CONNECTION_H_
#define AIOX_NBD_CONNECTION_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "aiox/aiox.h"
#include "aiox/attributes.h"
#include "aiox/coroutine.h"

AIOX_BEGIN_DECLS

struct connection;
struct tls_link;

/* connection_receive(), connection_send(): to the socket, or by TLS (tls.h). */
typedef size_t connection_move_fn(struct connection *c, struct iovec *iov, int count);

struct connection {
    struct aiox_context *ctx;
    int fd;
    connection_move_fn *receive;
    connection_move_fn *send;
    struct tls_link *tls; /* or NULL; tls.h */
    struct aiox_co *co;
    struct aiox_bh *soon;
    struct aiox_timer timer;
    bool waiting; /* in connection_wait() */
    bool kicked;  /* something happened since */
    bool watching_read;
    bool watching_write;

    /* What happened. */
    bool readable;  /* the loop says so; cleared by the next receive */
    bool held;      /* there may be bytes that have left the socket, in TLS; cleared likewise */
    bool blocked;   /* the socket takes nothing until it is writable; cleared then */
    bool timed_out; /* cleared when the timer is set */
    bool heard;     /* anything was ever received */
    bool ended;     /* the other side sends no more */
    int error;      /* why the connection is lost, a negative errno; 0: it is not */
};

/*
 * Makes the coroutine that will run @live(@opaque), which the first kick
 * starts. @fd does not block, and becomes the connection's own on success.
 * 0 or -ENOMEM. [home]
 */
AIOX_NODISCARD int connection_open(struct connection *c, struct aiox_context *ctx, int fd,
                                   aiox_co_fn *live, void *opaque);

/* Closes the socket. The last thing the coroutine does with @c. [home] */
void connection_close(struct connection *c);

/* Lets the coroutine look at what happened; it may have ended when this returns. [home] */
void connection_kick(struct connection *c);

/* The same in a later part of this turn, once for many calls. [home] */
void connection_kick_soon(struct connection *c);

/* Sets timed_out after @timeout_ns; 0: never. [home] */
void connection_set_timer(struct connection *c, int64_t timeout_ns);

/*
 * Until something happens: the socket is readable or writable, as far as asked
 * for, or one of the other three. A connection that is lost is not watched.
 */
void connection_wait(struct connection *c, bool read, bool write) coroutine_fn;

/*
 * Receives once, without waiting, into one or two pieces: how many bytes; 0: none
 * now, or see ended and error. [home]
 */
static inline size_t connection_receive(struct connection *c, struct iovec *iov, int count)
{
    return c->receive(c, iov, count);
}

/* Sends once, without waiting: how many bytes; 0: see blocked and error. [home] */
static inline size_t connection_send(struct connection *c, struct iovec *iov, int count)
{
    return c->send(c, iov, count);
}

/* The two for TLS: how many bytes went through the socket, or a negative errno. [any] */
ssize_t connection_socket_receive(int fd, const struct iovec *iov, int count);
ssize_t connection_socket_send(int fd, const struct iovec *iov, int count);

/* Notes such a result: how many bytes. [home] */
size_t connection_note_received(struct connection *c, ssize_t result);
size_t connection_note_sent(struct connection *c, ssize_t result);

/*
 * Says that no more will come, and throws away what still comes until the other
 * side hangs up, the timer runs out or the connection is lost. (Closing a
 * socket with unread input makes the kernel reset the connection, which may
 * overtake the last bytes sent.) @memory is for what is thrown away.
 */
void connection_linger(struct connection *c, void *memory, size_t bytes) coroutine_fn;

AIOX_END_DECLS

#endif /* AIOX_NBD_CONNECTION_H_ */
