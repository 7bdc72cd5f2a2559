/* SPDX-License-Identifier: MIT */
/*
 * listener.c - unix and TCP sockets: bound, removed. Names: listener_name.c; sockets
 * of virtual machines: listener_vsock.c; those that others have bound: listener_passed.c.
 */
#include "listener.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "listener_inside.h"
#include "text.h"

static const char default_port[] = "10809";

/* ---- unix ---- */

enum answer { REFUSED, HUNG_UP, ALIVE };

/*
 * How whoever listens at @address answers a connection. The kernel may close
 * the socket of a server that was killed a moment later than the server (with
 * io_uring it does): then a connection is possible, and soon hung up.
 */
static enum answer ask(const struct sockaddr_un *address)
{
    enum { PATIENCE_MS = 1000 };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct pollfd answer = {.fd = fd, .events = POLLIN};
    enum answer found = ALIVE;
    char byte;

    if (fd < 0) {
        return ALIVE;
    }
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0) {
        found = errno == ECONNREFUSED ? REFUSED : ALIVE;
    } else if (poll(&answer, 1, PATIENCE_MS) > 0 && recv(fd, &byte, 1, 0) <= 0) {
        found = HUNG_UP;
    }
    close(fd);
    return found;
}

/* True if @address is a socket that nobody listens at any more. */
static bool is_stale(const struct sockaddr_un *address)
{
    enum { TRIES = 3 };
    enum answer found = HUNG_UP;
    struct stat st;

    if (lstat(address->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode)) {
        return false;
    }
    for (int i = 0; i < TRIES && found == HUNG_UP; i++) {
        found = ask(address);
    }
    return found == REFUSED;
}

static int bind_unix(int fd, const struct sockaddr_un *address)
{
    const struct sockaddr *generic = (const struct sockaddr *)address;

    if (bind(fd, generic, sizeof(*address)) == 0) {
        return 0;
    }
    if (errno != EADDRINUSE) {
        return -errno;
    }
    if (!is_stale(address) || unlink(address->sun_path) < 0) {
        return -EADDRINUSE;
    }
    return bind(fd, generic, sizeof(*address)) < 0 ? -errno : 0;
}

/* Notes which file the socket is, by a name that also holds elsewhere. */
static int note_file(struct listener *l, const char *path)
{
    char absolute[PATH_MAX];
    struct stat st;

    if (lstat(path, &st) < 0 || !realpath(path, absolute)) {
        return -errno;
    }
    if (strlen(absolute) >= sizeof(l->address)) { /* clients could not use it either */
        snprintf(absolute, sizeof(absolute), "%s", path);
    }
    memcpy(l->address, absolute, strlen(absolute) + 1);
    l->device = st.st_dev;
    l->inode = st.st_ino;
    return 0;
}

int listener_open_unix(struct listener *out, const char *path, struct aiox_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct listener l = {.fd = -1, .kind = LISTENER_UNIX};
    int error;

    if (strlen(path) >= sizeof(address.sun_path)) {
        return aiox_error_set(err, -EINVAL, "the path '%.40s...' is longer than a socket's may be",
                              path);
    }
    strcpy(address.sun_path, path);
    l.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    error = l.fd < 0 ? -errno : bind_unix(l.fd, &address);
    if (error == 0) {
        error = note_file(&l, path);
    }
    if (error == 0 && listen(l.fd, LISTENER_BACKLOG) < 0) {
        error = -errno;
    }
    if (error < 0) {
        listener_close(&l);
        return aiox_error_set(err, error, "cannot listen at '%s': %s", path,
                              aiox_error_text(error));
    }
    *out = l;
    return 0;
}

/* ---- TCP ---- */

static int open_address(struct listener *out, const struct addrinfo *info)
{
    struct sockaddr_storage bound;
    socklen_t bytes = sizeof(bound);
    struct listener l = {.fd = -1};
    int error, on = 1;

    l.fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l.fd < 0) {
        return -errno;
    }
    setsockopt(l.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (info->ai_family == AF_INET6) { /* the v4 addresses have sockets of their own */
        setsockopt(l.fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    }
    if (bind(l.fd, info->ai_addr, info->ai_addrlen) < 0 || listen(l.fd, LISTENER_BACKLOG) < 0 ||
        getsockname(l.fd, (struct sockaddr *)&bound, &bytes) < 0) {
        error = -errno;
        listener_close(&l);
        return error;
    }
    listener_name_((struct sockaddr *)&bound, bytes, l.address);
    *out = l;
    return 0;
}

/* Splits "HOST:PORT" in place; false: no such form. A v6 host stands in brackets. */
static bool split_host(char *text, const char **host, const char **port)
{
    char *colon = text + strcspn(text, ":");

    if (*text == '[') {
        char *bracket = strchr(text++, ']');

        if (!bracket) {
            return false;
        }
        *bracket = '\0';
        colon = bracket + 1;
    }
    if (*colon != '\0' && (*colon != ':' || strchr(colon + 1, ':'))) {
        return false;
    }
    *port = *colon ? colon + 1 : default_port;
    *colon = '\0';
    *host = *text ? text : NULL;
    return **port != '\0';
}

static int open_all(struct listener *out, const struct addrinfo *list)
{
    int n = 0, error = -EADDRNOTAVAIL;

    for (const struct addrinfo *info = list; info && n < LISTENERS_PER_HOST; info = info->ai_next) {
        int result = open_address(&out[n], info);

        if (result == 0) {
            n++;
        } else if (result != -EADDRNOTAVAIL && result != -EAFNOSUPPORT) {
            error = result;
            while (n > 0) {
                listener_close(&out[--n]);
            }
            return error;
        }
    }
    return n > 0 ? n : error; /* a machine without IPv6 has localhost all the same */
}

int listener_open_tcp(struct listener out[LISTENERS_PER_HOST], const char *where,
                      struct aiox_error *err)
{
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    const char *host, *port;
    unsigned long number;
    char text[256];
    int n;

    if (snprintf(text, sizeof(text), "%s", where) >= (int)sizeof(text) ||
        !split_host(text, &host, &port) || !text_to_number(port, 0, UINT16_MAX, &number)) {
        return aiox_error_set(err, -EINVAL, "'%s' is not HOST:PORT", where);
    }
    n = getaddrinfo(host, port, &hints, &list);
    if (n != 0) {
        return aiox_error_set(err, -EINVAL, "cannot find '%s': %s", where, gai_strerror(n));
    }
    n = open_all(out, list);
    freeaddrinfo(list);
    if (n < 0) {
        return aiox_error_set(err, n, "cannot listen at '%s': %s", where, aiox_error_text(n));
    }
    return n;
}

/* ---- the face ---- */

void listener_close(struct listener *l)
{
    struct stat st;

    if (l->fd < 0) {
        return;
    }
    if (l->kind == LISTENER_UNIX && l->inode != 0 && lstat(l->address, &st) == 0 &&
        st.st_dev == l->device && st.st_ino == l->inode) {
        unlink(l->address);
    }
    close(l->fd);
    l->fd = -1;
}
