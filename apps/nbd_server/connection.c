/* SPDX-License-Identifier: MIT */
/*
 * connection.c - whoever has news notes them and enters the coroutine, unless
 * it is running: then it will look before it waits again.
 */
#include "connection.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aiox/clock.h"

static const struct aiox_co_class client_class = {.name = "nbd client"};

/* ---- waking ---- */

void connection_kick(struct connection *c)
{
    c->kicked = true;
    if (c->waiting) {
        c->waiting = false;
        aiox_co_enter(c->co);
    }
}

static void on_readable(void *opaque)
{
    struct connection *c = opaque;

    c->readable = true;
    connection_kick(c);
}

static void on_writable(void *opaque)
{
    struct connection *c = opaque;

    c->blocked = false;
    connection_kick(c);
}

static void on_soon(void *opaque)
{
    connection_kick(opaque);
}

static void on_timer(void *opaque)
{
    struct connection *c = opaque;

    c->timed_out = true;
    connection_kick(c);
}

void connection_kick_soon(struct connection *c)
{
    aiox_bh_schedule(c->soon);
}

void connection_set_timer(struct connection *c, int64_t timeout_ns)
{
    c->timed_out = false;
    if (timeout_ns > 0) {
        aiox_timer_mod_ns(&c->timer, aiox_clock_now_ns() + timeout_ns);
    } else {
        aiox_timer_cancel(&c->timer);
    }
}

/* ---- waiting ---- */

static void watch(struct connection *c, bool read, bool write)
{
    const struct aiox_fd_handler handler = {
        .read = read ? on_readable : NULL,
        .write = write ? on_writable : NULL,
    };
    int error;

    if (read == c->watching_read && write == c->watching_write) {
        return;
    }
    error = aiox_set_fd_handler(c->ctx, c->fd, &handler, c);
    if (error < 0) {
        c->error = error;
        aiox_clear_fd_handler(c->ctx, c->fd);
        read = write = false;
        c->kicked = true;
    }
    c->watching_read = read;
    c->watching_write = write;
}

void connection_wait(struct connection *c, bool read, bool write) coroutine_fn
{
    bool alive = c->error == 0, held = read && c->held;

    watch(c, alive && read, alive && write);
    if (held) { /* others have a turn first */
        connection_kick_soon(c);
    }
    if (!c->kicked) {
        c->waiting = true;
        aiox_co_yield();
    }
    c->kicked = false;
    c->readable |= held;
}

/* ---- the socket ---- */

ssize_t connection_socket_receive(int fd, const struct iovec *iov, int count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)count};
    ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT);

    return n < 0 ? -errno : n;
}

ssize_t connection_socket_send(int fd, const struct iovec *iov, int count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)count};
    ssize_t n = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n >= 0) {
        return n;
    }
    return errno == ENOBUFS ? -EAGAIN : -errno;
}

size_t connection_note_received(struct connection *c, ssize_t result)
{
    c->readable = false;
    if (result > 0) {
        c->heard = true;
        return (size_t)result;
    }
    if (result == 0) {
        c->ended = true;
    } else if (result != -EAGAIN && result != -EINTR) {
        c->error = (int)result;
    }
    return 0;
}

size_t connection_note_sent(struct connection *c, ssize_t result)
{
    if (result >= 0) {
        return (size_t)result;
    }
    if (result == -EAGAIN) {
        c->blocked = true;
    } else if (result != -EINTR) {
        c->error = (int)result;
    }
    return 0;
}

static size_t receive(struct connection *c, struct iovec *iov, int count)
{
    return connection_note_received(c, connection_socket_receive(c->fd, iov, count));
}

static size_t send_now(struct connection *c, struct iovec *iov, int count)
{
    return connection_note_sent(c, connection_socket_send(c->fd, iov, count));
}

void connection_linger(struct connection *c, void *memory, size_t bytes) coroutine_fn
{
    if (c->error || c->ended || shutdown(c->fd, SHUT_WR) < 0) {
        return;
    }
    while (!c->ended && !c->timed_out && !c->error) {
        struct iovec iov = {.iov_base = memory, .iov_len = bytes};

        if (receive(c, &iov, 1) == 0 && !c->ended && !c->error) {
            connection_wait(c, true, false);
        }
    }
}

/* ---- life ---- */

int connection_open(struct connection *c, struct aiox_context *ctx, int fd, aiox_co_fn *live,
                    void *opaque)
{
    *c = (struct connection){
        .ctx = ctx,
        .fd = fd,
        .receive = receive,
        .send = send_now,
        .waiting = true,
    };
    if (aiox_bh_new(&c->soon, aiox_context_bhs(ctx), "nbd replies", on_soon, c) < 0) {
        return -ENOMEM;
    }
    if (aiox_timer_init_ns(&c->timer, aiox_context_timers(ctx), AIOX_CLOCK_MONOTONIC, on_timer, c) <
        0) {
        goto fail_bh;
    }
    if (aiox_co_create(&c->co, &client_class, live, opaque) < 0) {
        goto fail_timer;
    }
    return 0;

fail_timer:
    aiox_timer_fini(&c->timer);
fail_bh:
    aiox_bh_free(c->soon);
    return -ENOMEM;
}

void connection_close(struct connection *c)
{
    aiox_clear_fd_handler(c->ctx, c->fd);
    close(c->fd);
    aiox_timer_fini(&c->timer);
    aiox_bh_free(c->soon);
}
