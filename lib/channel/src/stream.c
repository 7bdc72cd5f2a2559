/* SPDX-License-Identifier: MIT */
/*
 * stream.c - some, all, or all unless it is the end.
 *
 * A part that went is skipped by a cursor: the caller's vector is not written,
 * and a copy of a few of its entries is made only after a part of one went.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "aiox/assert.h"

#include "channel.h"

enum { WINDOW = 32 };

/* Where in a vector it goes on. */
struct cursor {
    const struct iovec *iov; /* the first that is not done */
    int count;
    size_t done_bytes; /* of that */
    struct iovec window[WINDOW];
};

static void skip(struct cursor *c, size_t bytes)
{
    c->done_bytes += bytes;
    while (c->count > 0 && c->done_bytes >= c->iov->iov_len) {
        c->done_bytes -= c->iov->iov_len;
        c->iov++;
        c->count--;
    }
}

/* What is left of the vector, or its next entries, in @io. */
static void show(struct cursor *c, struct aiox_channel_io *io)
{
    if (c->done_bytes == 0) {
        io->iov = c->iov;
        io->count = c->count;
        return;
    }
    io->count = c->count < WINDOW ? c->count : WINDOW;
    memcpy(c->window, c->iov, (size_t)io->count * sizeof(*c->window));
    c->window[0].iov_base = (char *)c->window[0].iov_base + c->done_bytes;
    c->window[0].iov_len -= c->done_bytes;
    io->iov = c->window;
}

static void close_all(struct aiox_channel_fds *fds)
{
    for (int i = 0; fds && i < fds->count; i++) {
        close(fds->fd[i]);
    }
    if (fds) {
        fds->count = 0;
    }
}

/* Leaves the window as it is: it is large, and mostly not needed. */
static void begin(struct cursor *c, const struct iovec *iov, int count)
{
    aiox_assert(count >= 0);
    c->iov = iov;
    c->count = count;
    c->done_bytes = 0;
    skip(c, 0);
}

/* 1: all was read; 0: it ended before anything came. */
static int read_all(struct aiox_channel *ch, struct cursor *c, struct aiox_channel_fds *fds,
                    int64_t deadline_ns)
{
    struct aiox_channel_io io = {.fds = fds};
    bool is_first = true;

    while (c->count > 0) {
        ssize_t n;

        show(c, &io);
        n = channel_move_(ch, &io, AIOX_FD_READ, deadline_ns);
        if (n < 0) {
            return (int)n;
        }
        if (n == 0) {
            return is_first && !(fds && fds->count) ? 0 : -ENODATA;
        }
        is_first = false;
        io.fds = NULL;
        skip(c, (size_t)n);
    }
    return 1;
}

static int read_all_or_close_fds(struct aiox_channel *ch, struct cursor *c,
                                 struct aiox_channel_fds *fds, int64_t deadline_ns)
{
    int result;

    if (fds) {
        fds->count = 0;
    }
    result = read_all(ch, c, fds, deadline_ns);
    if (result < 0) {
        close_all(fds);
    }
    return result;
}

static int write_all(struct aiox_channel *ch, struct cursor *c, const struct aiox_channel_fds *fds,
                     int64_t deadline_ns)
{
    struct aiox_channel_io io = {.fds = (struct aiox_channel_fds *)fds};

    while (c->count > 0) {
        ssize_t n;

        show(c, &io);
        n = channel_move_(ch, &io, AIOX_FD_WRITE, deadline_ns);
        if (n < 0) {
            return (int)n;
        }
        io.fds = NULL;
        skip(c, (size_t)n);
    }
    return 0;
}

static bool carries_fds(const struct aiox_channel_fds *fds)
{
    return fds && fds->count > 0;
}

/* Whether @fds can be sent along with the bytes of @c. */
static int check_fds(const struct aiox_channel *ch, const struct cursor *c,
                     const struct aiox_channel_fds *fds)
{
    if (!carries_fds(fds)) {
        return 0;
    }
    aiox_assert(fds->count <= AIOX_CHANNEL_MAX_FDS && c->count > 0);
    return ch->features_ & AIOX_CHANNEL_FD_PASS ? 0 : -EOPNOTSUPP;
}

/* ---- some ---- */

ssize_t aiox_channel_readv_fds(struct aiox_channel *ch, const struct iovec *iov, int count,
                               struct aiox_channel_fds *fds, int64_t deadline_ns)
{
    struct aiox_channel_io io = {.iov = iov, .count = count, .fds = fds};

    if (fds) {
        fds->count = 0;
    }
    return channel_move_(ch, &io, AIOX_FD_READ, deadline_ns);
}

ssize_t aiox_channel_readv(struct aiox_channel *ch, const struct iovec *iov, int count,
                           int64_t deadline_ns)
{
    return aiox_channel_readv_fds(ch, iov, count, NULL, deadline_ns);
}

ssize_t aiox_channel_read(struct aiox_channel *ch, void *buf, size_t bytes, int64_t deadline_ns)
{
    struct iovec iov = {.iov_base = buf, .iov_len = bytes};

    return aiox_channel_readv_fds(ch, &iov, 1, NULL, deadline_ns);
}

ssize_t aiox_channel_peek(struct aiox_channel *ch, void *buf, size_t bytes, int64_t deadline_ns)
{
    struct iovec iov = {.iov_base = buf, .iov_len = bytes};
    struct aiox_channel_io io = {.iov = &iov, .count = 1, .peek = true};

    if (!(ch->features_ & AIOX_CHANNEL_PEEK)) {
        return -EOPNOTSUPP;
    }
    return channel_move_(ch, &io, AIOX_FD_READ, deadline_ns);
}

ssize_t aiox_channel_writev_fds(struct aiox_channel *ch, const struct iovec *iov, int count,
                                const struct aiox_channel_fds *fds, int64_t deadline_ns)
{
    struct aiox_channel_io io = {0};
    struct cursor c;
    int err;

    begin(&c, iov, count);
    err = check_fds(ch, &c, fds);
    if (err < 0) {
        return err;
    }
    io.iov = c.iov;
    io.count = c.count;
    io.fds = carries_fds(fds) ? (struct aiox_channel_fds *)fds : NULL;
    return channel_move_(ch, &io, AIOX_FD_WRITE, deadline_ns);
}

ssize_t aiox_channel_writev(struct aiox_channel *ch, const struct iovec *iov, int count,
                            int64_t deadline_ns)
{
    struct aiox_channel_io io = {.iov = iov, .count = count};

    return channel_move_(ch, &io, AIOX_FD_WRITE, deadline_ns);
}

ssize_t aiox_channel_write(struct aiox_channel *ch, const void *buf, size_t bytes,
                           int64_t deadline_ns)
{
    struct iovec iov = {.iov_base = (void *)buf, .iov_len = bytes};

    return aiox_channel_writev(ch, &iov, 1, deadline_ns);
}

/* ---- all ---- */

int aiox_channel_readv_fds_full_eof(struct aiox_channel *ch, const struct iovec *iov, int count,
                                    struct aiox_channel_fds *fds, int64_t deadline_ns)
{
    struct cursor c;

    begin(&c, iov, count);
    return read_all_or_close_fds(ch, &c, fds, deadline_ns);
}

int aiox_channel_readv_fds_full(struct aiox_channel *ch, const struct iovec *iov, int count,
                                struct aiox_channel_fds *fds, int64_t deadline_ns)
{
    int result = aiox_channel_readv_fds_full_eof(ch, iov, count, fds, deadline_ns);

    if (result == 0) {
        return -ENODATA;
    }
    return result < 0 ? result : 0;
}

int aiox_channel_readv_full(struct aiox_channel *ch, const struct iovec *iov, int count,
                            int64_t deadline_ns)
{
    return aiox_channel_readv_fds_full(ch, iov, count, NULL, deadline_ns);
}

int aiox_channel_readv_full_eof(struct aiox_channel *ch, const struct iovec *iov, int count,
                                int64_t deadline_ns)
{
    return aiox_channel_readv_fds_full_eof(ch, iov, count, NULL, deadline_ns);
}

int aiox_channel_read_full(struct aiox_channel *ch, void *buf, size_t bytes, int64_t deadline_ns)
{
    struct iovec iov = {.iov_base = buf, .iov_len = bytes};

    return aiox_channel_readv_fds_full(ch, &iov, 1, NULL, deadline_ns);
}

int aiox_channel_read_full_eof(struct aiox_channel *ch, void *buf, size_t bytes,
                               int64_t deadline_ns)
{
    struct iovec iov = {.iov_base = buf, .iov_len = bytes};

    return aiox_channel_readv_fds_full_eof(ch, &iov, 1, NULL, deadline_ns);
}

int aiox_channel_writev_fds_full(struct aiox_channel *ch, const struct iovec *iov, int count,
                                 const struct aiox_channel_fds *fds, int64_t deadline_ns)
{
    struct cursor c;
    int err;

    begin(&c, iov, count);
    err = check_fds(ch, &c, fds);
    return err < 0 ? err : write_all(ch, &c, carries_fds(fds) ? fds : NULL, deadline_ns);
}

int aiox_channel_writev_full(struct aiox_channel *ch, const struct iovec *iov, int count,
                             int64_t deadline_ns)
{
    return aiox_channel_writev_fds_full(ch, iov, count, NULL, deadline_ns);
}

/* One part needs no cursor: what went is taken off its front. */
int aiox_channel_write_full(struct aiox_channel *ch, const void *buf, size_t bytes,
                            int64_t deadline_ns)
{
    struct iovec left = {.iov_base = (void *)buf, .iov_len = bytes};
    struct aiox_channel_io io = {.iov = &left, .count = 1};

    while (left.iov_len > 0) {
        ssize_t n = channel_move_(ch, &io, AIOX_FD_WRITE, deadline_ns);

        if (n < 0) {
            return (int)n;
        }
        left.iov_base = (char *)left.iov_base + n;
        left.iov_len -= (size_t)n;
    }
    return 0;
}
