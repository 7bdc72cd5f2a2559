/* SPDX-License-Identifier: MIT */
/*
 * listener.h - a socket that clients connect to, and its name for them.
 */
#ifndef AIOX_NBD_LISTENER_H_
#define AIOX_NBD_LISTENER_H_

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "aiox/attributes.h"
#include "aiox/error.h"

AIOX_BEGIN_DECLS

enum {
    LISTENER_ADDRESS = 128, /* "127.0.0.1:10809", or an absolute path */
    LISTENER_URI = 1024,
    LISTENERS_PER_HOST = 8, /* addresses of one host name */
};

enum listener_kind {
    LISTENER_TCP,
    LISTENER_UNIX,
    LISTENER_VSOCK,
};

/* Zeroed with fd -1: closed. */
struct listener {
    int fd; /* not blocking */
    enum listener_kind kind;
    char address[LISTENER_ADDRESS];
    dev_t device; /* of the socket's file, so that no other one is removed */
    ino_t inode;  /* 0: of a file that is not ours */
};

/*
 * Listens at @path. A socket file there that nobody listens on any more is
 * replaced.
 *
 *   -EINVAL         the path is too long for a socket (107 bytes)
 *   -EADDRINUSE     somebody listens there, or it is no socket
 *   other           of socket(2), bind(2), listen(2)
 *
 * [any]
 */
AIOX_NODISCARD int listener_open_unix(struct listener *out, const char *path,
                                      struct aiox_error *err);

/*
 * Listens at each address of "HOST:PORT", "[V6]:PORT", "HOST" (port 10809) or
 * ":PORT" (all addresses of the machine), and writes them to @out. Port 0: any.
 * Returns how many those are, or
 *
 *   -EINVAL         no such form, host or port
 *   other           of socket(2), bind(2), listen(2)
 *
 * May wait for the name service. [any]
 */
AIOX_NODISCARD int listener_open_tcp(struct listener out[LISTENERS_PER_HOST], const char *where,
                                     struct aiox_error *err);

/*
 * Listens at port PORT of all addresses of this (virtual) machine in the world
 * of VM sockets, vsock(7); or of one, "CID:PORT".
 *
 *   -EINVAL         no such form
 *   other           of socket(2), bind(2), listen(2)
 *
 * [any]
 */
AIOX_NODISCARD int listener_open_vsock(struct listener *out, const char *where,
                                       struct aiox_error *err);

/*
 * Listens at @fd, which somebody else has bound and listens at, as systemd does
 * for its services. It becomes the listener's own on success; a file of it is
 * not removed at the end.
 *
 *   -EINVAL         no stream socket that listens, or of an unknown family
 *   other           of getsockname(2), fcntl(2)
 *
 * [any]
 */
AIOX_NODISCARD int listener_adopt(struct listener *out, int fd, struct aiox_error *err);

/*
 * How many descriptors, from LISTENER_FIRST_PASSED on, systemd has passed to
 * this process (sd_listen_fds(3)); no child will take them for its own. [init]
 */
int listener_passed(void);

enum { LISTENER_FIRST_PASSED = 3 };

/* Words for who is at the other end of the socket @fd. [any] */
void listener_name_peer(int fd, char out[LISTENER_ADDRESS]);

/* Stops listening, and removes the socket's file if it is still this one's. [any] */
void listener_close(struct listener *l);

/*
 * The URI of export @name: "nbd://127.0.0.1:10809/name",
 * "nbd+unix:///name?socket=/path", "nbd+vsock://2:10809/name"; with @tls "nbds...". [any]
 */
void listener_uri(const struct listener *l, const char *name, bool tls, char out[LISTENER_URI]);

/*
 * Accepts a client: returns its descriptor, or a negative errno of accept4(2);
 * @peer gets words for who it is: an address, or pid and uid. [any]
 */
AIOX_NODISCARD int listener_accept(const struct listener *l, char peer[LISTENER_ADDRESS]);

AIOX_END_DECLS

#endif /* AIOX_NBD_LISTENER_H_ */
