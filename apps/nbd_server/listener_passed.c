/* SPDX-License-Identifier: MIT */
/* listener_passed.c - sockets that others have bound, and passed to us (sd_listen_fds(3)). */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listener_inside.h"
#include "text.h"

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
