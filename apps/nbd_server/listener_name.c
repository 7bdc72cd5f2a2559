/* SPDX-License-Identifier: MIT */
/* listener_name.c - who listens, and who comes, in words. */
#define _GNU_SOURCE /* accept4, struct ucred */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <linux/vm_sockets.h>

#include "listener_inside.h"
#include "text.h"

static void name_unix(const struct sockaddr_un *address, socklen_t bytes,
                      char out[LISTENER_ADDRESS])
{
    int room = (int)bytes - (int)offsetof(struct sockaddr_un, sun_path);

    snprintf(out, LISTENER_ADDRESS, "%.*s", room > 0 ? room : 0, address->sun_path);
}

void listener_name_(const struct sockaddr *address, socklen_t bytes, char out[LISTENER_ADDRESS])
{
    char host[64], port[16];

    if (address->sa_family == AF_UNIX) {
        name_unix((const struct sockaddr_un *)address, bytes, out);
        return;
    }
    if (address->sa_family == AF_VSOCK) {
        const struct sockaddr_vm *vm = (const struct sockaddr_vm *)address;

        snprintf(out, LISTENER_ADDRESS, "%u:%u", vm->svm_cid, vm->svm_port);
        return;
    }
    if (getnameinfo(address, bytes, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        snprintf(out, LISTENER_ADDRESS, "unknown address");
        return;
    }
    snprintf(out, LISTENER_ADDRESS, address->sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host,
             port);
}

static void name_peer(int fd, const struct sockaddr_storage *address, socklen_t bytes,
                      char out[LISTENER_ADDRESS])
{
    struct ucred who = {0};
    socklen_t who_bytes = sizeof(who);

    if (address->ss_family == AF_UNIX) {
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &who_bytes);
        snprintf(out, LISTENER_ADDRESS, "pid %d, uid %u", (int)who.pid, (unsigned)who.uid);
    } else {
        listener_name_((const struct sockaddr *)address, bytes, out);
    }
}

void listener_name_peer(int fd, char out[LISTENER_ADDRESS])
{
    struct sockaddr_storage address = {0};
    socklen_t bytes = sizeof(address);

    if (getpeername(fd, (struct sockaddr *)&address, &bytes) < 0) {
        snprintf(out, LISTENER_ADDRESS, "somebody unknown");
        return;
    }
    name_peer(fd, &address, bytes, out);
}

void listener_uri(const struct listener *l, const char *name, bool tls, char out[LISTENER_URI])
{
    const char *scheme = tls ? "nbds" : "nbd";

    if (l->kind == LISTENER_UNIX) {
        snprintf(out, LISTENER_URI, "%s+unix:///", scheme);
        text_append_uri(out, LISTENER_URI, name);
        strncat(out, "?socket=", LISTENER_URI - strlen(out) - 1);
        text_append_uri(out, LISTENER_URI, l->address);
    } else {
        snprintf(out, LISTENER_URI, "%s%s://%s/", scheme, l->kind == LISTENER_VSOCK ? "+vsock" : "",
                 l->address);
        text_append_uri(out, LISTENER_URI, name);
    }
}

int listener_accept(const struct listener *l, char peer[LISTENER_ADDRESS])
{
    struct sockaddr_storage address = {0};
    socklen_t bytes = sizeof(address);
    int on = 1,
        fd = accept4(l->fd, (struct sockaddr *)&address, &bytes, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0) {
        return -errno;
    }
    if (l->kind == LISTENER_TCP) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    }
    name_peer(fd, &address, bytes, peer);
    return fd;
}
