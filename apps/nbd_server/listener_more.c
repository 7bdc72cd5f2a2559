/* SPDX-License-Identifier: MIT */
/*
 * listener_more.c - names of sockets and of who comes to them; sockets of
 * virtual machines; sockets that others have bound.
 */
#define _GNU_SOURCE /* accept4, struct ucred */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#include "listener_inside.h"
#include "text.h"

/* ---- names ---- */

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

/* ---- sockets of virtual machines ---- */

/* The number that others reach this machine by. */
static unsigned own_cid(void)
{
    int fd = open("/dev/vsock", O_RDONLY | O_CLOEXEC);
    unsigned cid = VMADDR_CID_ANY;

    if (fd >= 0) {
        ioctl(fd, IOCTL_VM_SOCKETS_GET_LOCAL_CID, &cid);
        close(fd);
    }
    return cid == VMADDR_CID_ANY ? VMADDR_CID_LOCAL : cid;
}

static bool split_vsock(const char *where, struct sockaddr_vm *out)
{
    const char *colon = strchr(where, ':'), *port_text = colon ? colon + 1 : where;
    unsigned long cid = VMADDR_CID_ANY, port;
    char cid_text[16] = "";

    if (colon) {
        snprintf(cid_text, sizeof(cid_text), "%.*s", (int)(colon - where), where);
        if (!text_to_number(cid_text, 0, UINT32_MAX, &cid)) {
            return false;
        }
    }
    if (!text_to_number(port_text, 0, UINT32_MAX - 1, &port)) {
        return false;
    }
    out->svm_cid = (unsigned)cid;
    out->svm_port = (unsigned)port;
    return true;
}

int listener_open_vsock(struct listener *out, const char *where, struct aiox_error *err)
{
    struct sockaddr_vm address = {.svm_family = AF_VSOCK};
    struct listener l = {.fd = -1, .kind = LISTENER_VSOCK};
    socklen_t bytes = sizeof(address);
    int error = 0;

    if (!split_vsock(where, &address)) {
        return aiox_error_set(err, -EINVAL, "'%s' is not PORT or CID:PORT", where);
    }
    if (address.svm_port == 0) { /* any, as for TCP */
        address.svm_port = VMADDR_PORT_ANY;
    }
    l.fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l.fd < 0 || bind(l.fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(l.fd, LISTENER_BACKLOG) < 0 ||
        getsockname(l.fd, (struct sockaddr *)&address, &bytes) < 0) {
        error = -errno;
        listener_close(&l);
        return aiox_error_set(err, error, "cannot listen at vsock '%s': %s", where,
                              aiox_error_text(error));
    }
    if (address.svm_cid == VMADDR_CID_ANY) {
        address.svm_cid = own_cid();
    }
    listener_name_((struct sockaddr *)&address, sizeof(address), l.address);
    *out = l;
    return 0;
}

/* ---- sockets that others have bound ---- */

static int option_of(int fd, int option)
{
    int value = -1;
    socklen_t bytes = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, option, &value, &bytes) < 0 ? -1 : value;
}

static int kind_of(sa_family_t family)
{
    switch (family) {
    case AF_UNIX:
        return LISTENER_UNIX;
    case AF_INET:
    case AF_INET6:
        return LISTENER_TCP;
    case AF_VSOCK:
        return LISTENER_VSOCK;
    default:
        return -1;
    }
}

int listener_adopt(struct listener *out, int fd, struct aiox_error *err)
{
    struct sockaddr_storage address = {0};
    socklen_t bytes = sizeof(address);
    int kind = -1;

    if (option_of(fd, SO_TYPE) == SOCK_STREAM && option_of(fd, SO_ACCEPTCONN) == 1 &&
        getsockname(fd, (struct sockaddr *)&address, &bytes) == 0) {
        kind = kind_of(address.ss_family);
    }
    if (kind < 0) {
        return aiox_error_set(err, -EINVAL, "descriptor %d, which was passed, does not listen", fd);
    }
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0) {
        int error = -errno;

        return aiox_error_set(err, error, "descriptor %d: %s", fd, aiox_error_text(error));
    }
    *out = (struct listener){.fd = fd, .kind = (enum listener_kind)kind};
    listener_name_((struct sockaddr *)&address, bytes, out->address);
    return 0;
}

int listener_passed(void)
{
    const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
    unsigned long who, count = 0;
    bool ours = pid && fds && text_to_number(pid, 1, INT32_MAX, &who) && (pid_t)who == getpid() &&
                text_to_number(fds, 1, 1024, &count);

    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return ours ? (int)count : 0;
}
