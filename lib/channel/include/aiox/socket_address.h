/* SPDX-License-Identifier: MIT */
/*
 * aiox/socket_address.h - where a socket is, as people write it.
 *
 *   tcp:HOST:PORT, HOST:PORT   HOST is a name, 192.0.2.1 or [2001:db8::1]; none, or *: any
 *   unix:PATH
 *   unix-abstract:NAME         a name that is no file
 *   vsock:CID:PORT             CID is a number, or any
 *   fd:NUMBER                  a socket that is there already
 */
#ifndef AIOX_SOCKET_ADDRESS_H_
#define AIOX_SOCKET_ADDRESS_H_

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "aiox/attributes.h"
#include "aiox/error.h"

AIOX_BEGIN_DECLS

enum aiox_socket_kind {
    AIOX_SOCKET_NOWHERE,
    AIOX_SOCKET_TCP,
    AIOX_SOCKET_UNIX,
    AIOX_SOCKET_UNIX_ABSTRACT,
    AIOX_SOCKET_VSOCK,
    AIOX_SOCKET_FD,
};

enum {
    AIOX_SOCKET_HOST_MAX = 253,
    AIOX_SOCKET_PORT_MAX = 31,
    AIOX_SOCKET_PATH_MAX = 107,       /* what unix(7) has room for */
    AIOX_SOCKET_TEXT_MAX_BYTES = 320, /* with its 0: the longest text */
};

/* A plain value. Only the fields of its kind count; all zero is nowhere. */
struct aiox_socket_address {
    enum aiox_socket_kind kind;
    char host[AIOX_SOCKET_HOST_MAX + 1]; /* TCP; without brackets; empty: any */
    char port[AIOX_SOCKET_PORT_MAX + 1]; /* TCP: a number or the name of a service */
    char path[AIOX_SOCKET_PATH_MAX + 1]; /* UNIX, UNIX_ABSTRACT */
    uint32_t cid;                        /* VSOCK; UINT32_MAX: any */
    uint32_t vsock_port;                 /* VSOCK */
    int fd;                              /* FD */
};

/*
 * Reads an address.
 *
 *   -EINVAL        it is none; @err says why
 *   -ENAMETOOLONG  the path has more than AIOX_SOCKET_PATH_MAX bytes, or the host or port are too
 *                  long
 *
 * *@out is written only on success. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_socket_address_parse(struct aiox_socket_address *out,
                                                      const char *text, struct aiox_error *err);

/*
 * Writes @address so that aiox_socket_address_parse() reads it, into @text of @bytes; cut if that
 * is too little. Returns @text. [any]
 */
AIOX_API const char *aiox_socket_address_print(const struct aiox_socket_address *address,
                                               char *text, size_t bytes);

/*
 * The address that the system calls @sa. -EAFNOSUPPORT: a family that is not
 * among the above; -EINVAL: it is cut. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_socket_address_from_sockaddr(struct aiox_socket_address *out,
                                                              const struct sockaddr *sa,
                                                              socklen_t bytes);

AIOX_END_DECLS

#endif /* AIOX_SOCKET_ADDRESS_H_ */
