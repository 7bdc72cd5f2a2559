/* SPDX-License-Identifier: MIT */
/*
 * aiox/qemu/sockets.h - the original's socket addresses, over aiox/socket_address.h.
 *
 * Different on purpose: what an address asks for and cannot have is an Error, and not
 * passed over: one family of internet addresses alone, MPTCP, an abstract name that
 * is not tight, a descriptor by its name. The shape is that of 2017 and later in all years.
 */
#ifndef AIOX_QEMU_SOCKETS_H_
#define AIOX_QEMU_SOCKETS_H_

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aiox/assert.h"
#include "aiox/attributes.h"
#include "aiox/qemu/api.h"
#include "aiox/qemu/error.h"
#include "aiox/socket_address.h"

AIOX_BEGIN_DECLS

typedef enum SocketAddressType {
    SOCKET_ADDRESS_TYPE_INET,
    SOCKET_ADDRESS_TYPE_UNIX,
    SOCKET_ADDRESS_TYPE_VSOCK,
    SOCKET_ADDRESS_TYPE_FD,
} SocketAddressType;

typedef struct InetSocketAddress {
    char *host;
    char *port;
    bool has_numeric, numeric; /* not looked at: a number is never looked up */
    bool has_to;
    uint16_t to; /* to listen at: the last port to try */
    bool has_ipv4, ipv4;
    bool has_ipv6, ipv6;
    bool has_keep_alive, keep_alive;
    bool has_mptcp, mptcp;
} InetSocketAddress;

typedef struct UnixSocketAddress {
    char *path;
    bool has_abstract, abstract;
    bool has_tight, tight;
} UnixSocketAddress;

typedef struct VsockSocketAddress {
    char *cid;
    char *port;
} VsockSocketAddress;

typedef struct FdSocketAddress {
    char *str;
} FdSocketAddress;

/* Texts are from malloc(3). */
typedef struct SocketAddress {
    SocketAddressType type;
    union {
        InetSocketAddress inet;
        UnixSocketAddress q_unix;
        VsockSocketAddress vsock;
        FdSocketAddress fd;
    } u;
} SocketAddress;

/* NULL is allowed. */
static inline void qapi_free_SocketAddress(SocketAddress *addr)
{
    if (!addr) {
        return;
    }
    switch (addr->type) {
    case SOCKET_ADDRESS_TYPE_INET:
        free(addr->u.inet.host);
        free(addr->u.inet.port);
        break;
    case SOCKET_ADDRESS_TYPE_UNIX:
        free(addr->u.q_unix.path);
        break;
    case SOCKET_ADDRESS_TYPE_VSOCK:
        free(addr->u.vsock.cid);
        free(addr->u.vsock.port);
        break;
    case SOCKET_ADDRESS_TYPE_FD:
        free(addr->u.fd.str);
        break;
    }
    free(addr);
}

/* ---- not original names: there and back ---- */

/* Aborts if there is no memory. */
static inline char *aiox_qemu_address_text_(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = (char *)malloc(bytes);

    aiox_assert(copy);
    memcpy(copy, text, bytes);
    return copy;
}

static inline char *aiox_qemu_address_number_(const char *format, long long number)
{
    char text[32];

    snprintf(text, sizeof(text), format, number);
    return aiox_qemu_address_text_(text);
}

/* False, with an Error. */
static inline bool aiox_qemu_address_fails_(Error **errp, int code, const char *why)
{
    struct aiox_error said;

    aiox_error_set(&said, code, "%s", why);
    error_set_from_aiox(errp, &said);
    return false;
}

static inline bool aiox_qemu_inet_(struct aiox_socket_address *out, const InetSocketAddress *inet,
                                   Error **errp)
{
    const char *host = inet->host ? inet->host : "";

    if ((inet->has_ipv4 && !inet->ipv4) || (inet->has_ipv6 && !inet->ipv6)) {
        return aiox_qemu_address_fails_(errp, -EOPNOTSUPP,
                                        "no family of addresses can be left out");
    }
    if (inet->has_mptcp && inet->mptcp) {
        return aiox_qemu_address_fails_(errp, -EOPNOTSUPP, "there is no MPTCP");
    }
    if (strlen(host) > AIOX_SOCKET_HOST_MAX || strlen(inet->port) > AIOX_SOCKET_PORT_MAX) {
        return aiox_qemu_address_fails_(errp, -ENAMETOOLONG, "the host or the port is too long");
    }
    out->kind = AIOX_SOCKET_TCP;
    strcpy(out->host, host);
    strcpy(out->port, inet->port);
    return true;
}

static inline bool aiox_qemu_unix_(struct aiox_socket_address *out, const UnixSocketAddress *at,
                                   Error **errp)
{
    bool is_abstract = at->has_abstract && at->abstract;

    if (is_abstract && at->has_tight && !at->tight) {
        return aiox_qemu_address_fails_(errp, -EOPNOTSUPP, "abstract names are tight");
    }
    if (strlen(at->path) > AIOX_SOCKET_PATH_MAX - (is_abstract ? 1 : 0)) {
        return aiox_qemu_address_fails_(errp, -ENAMETOOLONG, "the path of the socket is too long");
    }
    out->kind = is_abstract ? AIOX_SOCKET_UNIX_ABSTRACT : AIOX_SOCKET_UNIX;
    strcpy(out->path, at->path);
    return true;
}

/* True, or false and an Error. */
static inline bool aiox_qemu_address_(struct aiox_socket_address *out, const SocketAddress *addr,
                                      Error **errp)
{
    char text[AIOX_SOCKET_TEXT_MAX_BYTES];
    struct aiox_error said;

    memset(out, 0, sizeof(*out));
    switch (addr->type) {
    case SOCKET_ADDRESS_TYPE_INET:
        return aiox_qemu_inet_(out, &addr->u.inet, errp);
    case SOCKET_ADDRESS_TYPE_UNIX:
        return aiox_qemu_unix_(out, &addr->u.q_unix, errp);
    case SOCKET_ADDRESS_TYPE_VSOCK:
        snprintf(text, sizeof(text), "vsock:%s:%s", addr->u.vsock.cid, addr->u.vsock.port);
        break;
    case SOCKET_ADDRESS_TYPE_FD:
        snprintf(text, sizeof(text), "fd:%s", addr->u.fd.str);
        break;
    }
    if (aiox_socket_address_parse(out, text, &said)) {
        error_set_from_aiox(errp, &said);
        return false;
    }
    return true;
}

/* To be freed. */
static inline SocketAddress *aiox_qemu_address_new_(const struct aiox_socket_address *from)
{
    SocketAddress *addr = (SocketAddress *)calloc(1, sizeof(*addr));

    aiox_assert(addr);
    switch (from->kind) {
    case AIOX_SOCKET_TCP:
        addr->type = SOCKET_ADDRESS_TYPE_INET;
        addr->u.inet.host = aiox_qemu_address_text_(from->host);
        addr->u.inet.port = aiox_qemu_address_text_(from->port);
        break;
    case AIOX_SOCKET_VSOCK:
        addr->type = SOCKET_ADDRESS_TYPE_VSOCK;
        addr->u.vsock.cid = aiox_qemu_address_number_("%lld", from->cid);
        addr->u.vsock.port = aiox_qemu_address_number_("%lld", from->vsock_port);
        break;
    case AIOX_SOCKET_FD:
        addr->type = SOCKET_ADDRESS_TYPE_FD;
        addr->u.fd.str = aiox_qemu_address_number_("%lld", from->fd);
        break;
    default:
        addr->type = SOCKET_ADDRESS_TYPE_UNIX;
        addr->u.q_unix.path = aiox_qemu_address_text_(from->path);
        addr->u.q_unix.has_abstract = from->kind == AIOX_SOCKET_UNIX_ABSTRACT;
        addr->u.q_unix.abstract = addr->u.q_unix.has_abstract;
        break;
    }
    return addr;
}

/* ---- as text ---- */

/* The address that aiox/socket_address.h reads in @str; NULL and an Error. No options follow it. */
static inline SocketAddress *socket_parse(const char *str, Error **errp)
{
    struct aiox_socket_address address;
    struct aiox_error said;

    if (aiox_socket_address_parse(&address, str, &said)) {
        error_set_from_aiox(errp, &said);
        return NULL;
    }
    return aiox_qemu_address_new_(&address);
}

/* For free(3). NULL: it is none. */
static inline char *socket_uri(SocketAddress *addr)
{
    char text[AIOX_SOCKET_TEXT_MAX_BYTES];
    struct aiox_socket_address address;

    if (!aiox_qemu_address_(&address, addr, NULL)) {
        return NULL;
    }
    return aiox_qemu_address_text_(aiox_socket_address_print(&address, text, sizeof(text)));
}

AIOX_END_DECLS

#endif /* AIOX_QEMU_SOCKETS_H_ */
