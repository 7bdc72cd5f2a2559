/* SPDX-License-Identifier: MIT */
/* socket_address.c - addresses to text and back. */
#include "aiox/socket_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <linux/vm_sockets.h> /* needs sys/socket.h */

static int copy(char *to, size_t room, const char *from, size_t bytes, const char *what,
                struct aiox_error *err)
{
    if (bytes >= room) {
        return aiox_error_set(err, -ENAMETOOLONG, "the %s has %zu bytes; %zu is the most", what,
                              bytes, room - 1);
    }
    memcpy(to, from, bytes);
    to[bytes] = '\0';
    return 0;
}

/* A number that fills @text up to @end, at most @most. False if it is none. */
static bool number(const char *text, const char *end, uint32_t most, uint32_t *out)
{
    uint64_t value = 0;

    if (text == end) {
        return false;
    }
    for (; text < end; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        value = value * 10 + (uint64_t)(*text - '0');
        if (value > most) {
            return false;
        }
    }
    *out = (uint32_t)value;
    return true;
}

/* ---- the kinds ---- */

/* Where the host in @text ends: before ':', or behind ']'. NULL: it does not. */
static const char *end_of_host(const char *text)
{
    const char *end;

    if (*text != '[') {
        return strchr(text, ':');
    }
    end = strchr(text, ']');
    return end && end[1] == ':' ? end + 1 : NULL;
}

static int parse_tcp(struct aiox_socket_address *a, const char *text, struct aiox_error *err)
{
    const char *end = end_of_host(text);
    const char *host = *text == '[' ? text + 1 : text;
    size_t host_bytes;
    int code;

    if (!end || !end[1]) {
        return aiox_error_set(err, -EINVAL, "'%.100s' is no address: HOST:PORT, [HOST]:PORT", text);
    }
    if (strchr(end + 1, ':')) {
        return aiox_error_set(err, -EINVAL, "'%.100s': an IPv6 address stands in brackets", text);
    }
    host_bytes = (size_t)(end - host) - (host > text);
    if (host_bytes == 1 && *host == '*') {
        host_bytes = 0;
    }
    code = copy(a->host, sizeof(a->host), host, host_bytes, "host", err);
    if (code < 0) {
        return code;
    }
    return copy(a->port, sizeof(a->port), end + 1, strlen(end + 1), "port", err);
}

static int parse_path(struct aiox_socket_address *a, const char *text, struct aiox_error *err)
{
    if (!*text) {
        return aiox_error_set(err, -EINVAL, "the path is empty");
    }
    return copy(a->path, sizeof(a->path), text, strlen(text), "path", err);
}

static int parse_vsock(struct aiox_socket_address *a, const char *text, struct aiox_error *err)
{
    const char *colon = strchr(text, ':');

    if (!colon || !number(colon + 1, text + strlen(text), UINT32_MAX, &a->vsock_port)) {
        return aiox_error_set(err, -EINVAL, "'vsock:%.100s' is no vsock:CID:PORT", text);
    }
    if (colon - text == 3 && memcmp(text, "any", 3) == 0) {
        a->cid = VMADDR_CID_ANY;
    } else if (!number(text, colon, UINT32_MAX, &a->cid)) {
        return aiox_error_set(err, -EINVAL, "'%.100s': CID is a number or any", text);
    }
    return 0;
}

static int parse_fd(struct aiox_socket_address *a, const char *text, struct aiox_error *err)
{
    uint32_t fd;

    if (!number(text, text + strlen(text), INT_MAX, &fd)) {
        return aiox_error_set(err, -EINVAL, "'fd:%.100s' is no fd:NUMBER", text);
    }
    a->fd = (int)fd;
    return 0;
}

static const struct {
    const char *prefix;
    enum aiox_socket_kind kind;
    int (*parse)(struct aiox_socket_address *a, const char *text, struct aiox_error *err);
} forms[] = {
    {"tcp:", AIOX_SOCKET_TCP, parse_tcp},
    {"unix:", AIOX_SOCKET_UNIX, parse_path},
    {"unix-abstract:", AIOX_SOCKET_UNIX_ABSTRACT, parse_path},
    {"vsock:", AIOX_SOCKET_VSOCK, parse_vsock},
    {"fd:", AIOX_SOCKET_FD, parse_fd},
    {"", AIOX_SOCKET_TCP, parse_tcp}, /* the last: it fits all */
};

int aiox_socket_address_parse(struct aiox_socket_address *out, const char *text,
                              struct aiox_error *err)
{
    struct aiox_socket_address a = {0};
    size_t i = 0;
    int code;

    while (strncmp(text, forms[i].prefix, strlen(forms[i].prefix)) != 0) {
        i++;
    }
    a.kind = forms[i].kind;
    code = forms[i].parse(&a, text + strlen(forms[i].prefix), err);
    if (code == 0) {
        *out = a;
    }
    return code;
}

static void print_vsock(const struct aiox_socket_address *a, char *text, size_t bytes)
{
    if (a->cid == VMADDR_CID_ANY) {
        snprintf(text, bytes, "vsock:any:%" PRIu32, a->vsock_port);
    } else {
        snprintf(text, bytes, "vsock:%" PRIu32 ":%" PRIu32, a->cid, a->vsock_port);
    }
}

const char *aiox_socket_address_print(const struct aiox_socket_address *a, char *text, size_t bytes)
{
    const char *brackets = strchr(a->host, ':') ? "[]" : "";

    switch (a->kind) {
    case AIOX_SOCKET_TCP:
        snprintf(text, bytes, "tcp:%.1s%s%s:%s", brackets, a->host[0] ? a->host : "*",
                 brackets[0] ? brackets + 1 : "", a->port);
        break;
    case AIOX_SOCKET_UNIX:
        snprintf(text, bytes, "unix:%s", a->path);
        break;
    case AIOX_SOCKET_UNIX_ABSTRACT:
        snprintf(text, bytes, "unix-abstract:%s", a->path);
        break;
    case AIOX_SOCKET_VSOCK:
        print_vsock(a, text, bytes);
        break;
    case AIOX_SOCKET_FD:
        snprintf(text, bytes, "fd:%d", a->fd);
        break;
    case AIOX_SOCKET_NOWHERE:
        snprintf(text, bytes, "nowhere");
        break;
    }
    return text;
}

/* ---- what the system says ---- */

static int from_unix(struct aiox_socket_address *a, const struct sockaddr_un *sun, size_t bytes)
{
    size_t room = bytes - offsetof(struct sockaddr_un, sun_path);

    a->kind = AIOX_SOCKET_UNIX;
    if (room == 0) {
        return 0; /* it has no name */
    }
    if (sun->sun_path[0] == '\0') {
        a->kind = AIOX_SOCKET_UNIX_ABSTRACT;
        return copy(a->path, sizeof(a->path), sun->sun_path + 1, room - 1, "name", NULL);
    }
    return copy(a->path, sizeof(a->path), sun->sun_path, strnlen(sun->sun_path, room), "path",
                NULL);
}

static int from_inet(struct aiox_socket_address *a, const void *ip, int family, in_port_t port)
{
    a->kind = AIOX_SOCKET_TCP;
    if (!inet_ntop(family, ip, a->host, sizeof(a->host))) {
        return -errno;
    }
    snprintf(a->port, sizeof(a->port), "%u", ntohs(port));
    return 0;
}

static int from_sockaddr(struct aiox_socket_address *a, const struct sockaddr_storage *sa,
                         size_t bytes)
{
    const struct sockaddr_in *in = (const void *)sa;
    const struct sockaddr_in6 *in6 = (const void *)sa;
    const struct sockaddr_vm *vm = (const void *)sa;

    switch (sa->ss_family) {
    case AF_UNIX:
        return from_unix(a, (const void *)sa, bytes);
    case AF_INET:
        return bytes < sizeof(*in) ? -EINVAL : from_inet(a, &in->sin_addr, AF_INET, in->sin_port);
    case AF_INET6:
        return bytes < sizeof(*in6) ? -EINVAL
                                    : from_inet(a, &in6->sin6_addr, AF_INET6, in6->sin6_port);
    case AF_VSOCK:
        a->kind = AIOX_SOCKET_VSOCK;
        a->cid = vm->svm_cid;
        a->vsock_port = vm->svm_port;
        return bytes < sizeof(*vm) ? -EINVAL : 0;
    default:
        return -EAFNOSUPPORT;
    }
}

int aiox_socket_address_from_sockaddr(struct aiox_socket_address *out, const struct sockaddr *sa,
                                      socklen_t bytes)
{
    struct aiox_socket_address a = {0};
    struct sockaddr_storage aligned = {0};
    int err;

    if (bytes < sizeof(sa->sa_family) || bytes > sizeof(aligned)) {
        return -EINVAL;
    }
    memcpy(&aligned, sa, bytes);
    err = from_sockaddr(&a, &aligned, bytes);
    if (err == 0) {
        *out = a;
    }
    return err;
}
