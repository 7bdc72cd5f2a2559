/* SPDX-License-Identifier: MIT */
/*
 * io.c - read and write all, by readiness: try first, wait when it must.
 *
 * The system calls are made in functions that are not inlined: after a wait
 * the coroutine may be in another thread, whose errno is elsewhere.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aiox/aio_co.h"

/* What has been found out about a descriptor. */
struct file {
    int fd;
    bool is_no_socket;
};

static AIOX_NOINLINE ssize_t read_some(struct file *file, void *buf, size_t bytes)
{
    ssize_t n;

    do {
        n = file->is_no_socket ? read(file->fd, buf, bytes)
                               : recv(file->fd, buf, bytes, MSG_DONTWAIT);
        if (n < 0 && errno == ENOTSOCK) {
            file->is_no_socket = true;
            errno = EINTR;
        }
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static AIOX_NOINLINE ssize_t write_some(struct file *file, const void *buf, size_t bytes)
{
    ssize_t n;

    do {
        n = file->is_no_socket ? write(file->fd, buf, bytes)
                               : send(file->fd, buf, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == ENOTSOCK) {
            file->is_no_socket = true;
            errno = EINTR;
        }
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static coroutine_fn ssize_t read_once(struct file *file, void *buf, size_t bytes,
                                      int64_t deadline_ns)
{
    for (;;) {
        ssize_t n = read_some(file, buf, bytes);
        int events;

        if (n != -EAGAIN) {
            return n;
        }
        events = aiox_co_wait_fd(file->fd, AIOX_FD_READ, deadline_ns);
        if (events < 0) {
            return events;
        }
    }
}

static coroutine_fn ssize_t write_once(struct file *file, const void *buf, size_t bytes,
                                       int64_t deadline_ns)
{
    for (;;) {
        ssize_t n = write_some(file, buf, bytes);
        int events;

        if (n != -EAGAIN) {
            return n;
        }
        events = aiox_co_wait_fd(file->fd, AIOX_FD_WRITE, deadline_ns);
        if (events < 0) {
            return events;
        }
    }
}

ssize_t aiox_co_read(int fd, void *buf, size_t bytes, int64_t deadline_ns)
{
    struct file file = {.fd = fd};

    return read_once(&file, buf, bytes, deadline_ns);
}

ssize_t aiox_co_read_all(int fd, void *buf, size_t bytes, int64_t deadline_ns)
{
    struct file file = {.fd = fd};
    size_t done = 0;

    while (done < bytes) {
        ssize_t n = read_once(&file, (char *)buf + done, bytes - done, deadline_ns);

        if (n < 0) {
            return n;
        }
        if (n == 0) {
            break;
        }
        done += (size_t)n;
    }
    return (ssize_t)done;
}

ssize_t aiox_co_write_all(int fd, const void *buf, size_t bytes, int64_t deadline_ns)
{
    struct file file = {.fd = fd};
    size_t done = 0;

    while (done < bytes) {
        ssize_t n = write_once(&file, (const char *)buf + done, bytes - done, deadline_ns);

        if (n < 0) {
            return n;
        }
        done += (size_t)n;
    }
    return (ssize_t)done;
}
