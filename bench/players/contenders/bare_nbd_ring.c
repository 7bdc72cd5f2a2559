/* SPDX-License-Identifier: MIT */
/*
 * bare_nbd_ring.c - a thread and a ring for each connection: requests are heard
 * many at once, all reads are under way in the ring, and what has come is
 * answered with one send. What a server past the page cache cannot be faster
 * than.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>

#include "bench/players/contenders/bare_nbd.h"
#include "bench/players/nbd_wire.h"

enum { DEPTH = 128, PAGE = 4096, ENTRIES = 256 };

/* One read. */
struct slot {
    struct slot *next_free;
    struct nbd_reply reply;
    uint32_t bytes;
    char *page;
};

struct visit {
    int fd, file;
    struct io_uring ring;
    struct nbd_request requests[DEPTH];
    size_t heard; /* bytes of them */
    bool is_hearing;
    bool is_over;
    struct slot slots[DEPTH], *unused;
    struct slot *read[DEPTH]; /* and not answered */
    int ready;
    char *memory;
};

static bool set_up(struct visit *v)
{
    if (io_uring_queue_init(ENTRIES, &v->ring,
                            IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN) < 0) {
        return false;
    }
    v->memory = aligned_alloc(PAGE, (size_t)DEPTH * PAGE);
    must(v->memory);
    for (int i = 0; i < DEPTH; i++) {
        v->slots[i].page = v->memory + (size_t)i * PAGE;
        v->slots[i].next_free = v->unused;
        v->unused = &v->slots[i];
    }
    return true;
}

static struct io_uring_sqe *entry(struct visit *v)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&v->ring);

    must(sqe);
    return sqe;
}

static void begin_hearing(struct visit *v)
{
    struct io_uring_sqe *sqe = entry(v);

    io_uring_prep_recv(sqe, v->fd, (char *)v->requests + v->heard, sizeof(v->requests) - v->heard,
                       0);
    io_uring_sqe_set_data(sqe, NULL);
    v->is_hearing = true;
}

static void begin_read(struct visit *v, const struct nbd_request *request)
{
    struct slot *s = v->unused;
    struct io_uring_sqe *sqe = entry(v);

    v->unused = s->next_free;
    s->bytes = be32toh(request->bytes);
    must(s->bytes <= PAGE);
    s->reply = (struct nbd_reply){htobe32(NBD_REPLY_MAGIC), 0, request->cookie};
    io_uring_prep_read(sqe, v->file, s->page, s->bytes, be64toh(request->offset));
    io_uring_sqe_set_data(sqe, s);
}

/* As many of what was heard as there are slots for. */
static void begin_reads(struct visit *v)
{
    long whole = (long)(v->heard / sizeof(*v->requests)), i;

    for (i = 0; i < whole && v->unused; i++) {
        if (v->requests[i].type != htobe16(NBD_COMMAND_READ)) {
            v->is_over = true;
            return;
        }
        begin_read(v, &v->requests[i]);
    }
    v->heard -= (size_t)i * sizeof(*v->requests);
    memmove(v->requests, v->requests + i, v->heard);
}

static bool send_all(int fd, struct iovec *parts, size_t count)
{
    while (count > 0) {
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
        ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);

        if (n <= 0) {
            return false;
        }
        for (; count > 0 && (size_t)n >= parts->iov_len; parts++, count--) {
            n -= (ssize_t)parts->iov_len;
        }
        if (count > 0) {
            parts->iov_base = (char *)parts->iov_base + n;
            parts->iov_len -= (size_t)n;
        }
    }
    return true;
}

static void answer_all(struct visit *v)
{
    struct iovec parts[2 * DEPTH];
    int count = v->ready;

    for (int i = 0; i < count; i++) {
        struct slot *s = v->read[i];

        parts[2 * i] = (struct iovec){&s->reply, sizeof(s->reply)};
        parts[2 * i + 1] = (struct iovec){s->page, s->bytes};
    }
    v->is_over |= !send_all(v->fd, parts, 2 * (size_t)count);
    for (int i = 0; i < count; i++) {
        v->read[i]->next_free = v->unused;
        v->unused = v->read[i];
    }
    v->ready = 0;
}

static void take_completion(struct visit *v, const struct io_uring_cqe *cqe)
{
    struct slot *s = io_uring_cqe_get_data(cqe);

    if (s) {
        must(cqe->res == (int)s->bytes);
        v->read[v->ready++] = s;
        return;
    }
    v->is_hearing = false;
    v->is_over |= cqe->res <= 0;
    v->heard += cqe->res > 0 ? (size_t)cqe->res : 0;
}

static void take_completions(struct visit *v)
{
    struct io_uring_cqe *cqe;
    unsigned head, seen = 0;

    io_uring_for_each_cqe (&v->ring, head, cqe) {
        take_completion(v, cqe);
        seen++;
    }
    io_uring_cq_advance(&v->ring, seen);
}

/* With the ring goes what is still under way in it. */
static void serve_client(int fd, int file)
{
    struct visit *v = calloc(1, sizeof(*v));

    must(v);
    v->fd = fd;
    v->file = file;
    must(set_up(v));
    while (!v->is_over) {
        if (!v->is_hearing && v->heard < sizeof(v->requests)) {
            begin_hearing(v);
        }
        must(io_uring_submit_and_wait(&v->ring, 1) >= 0);
        take_completions(v);
        if (v->ready > 0) {
            answer_all(v);
        }
        if (!v->is_hearing) {
            begin_reads(v);
        }
    }
    io_uring_queue_exit(&v->ring);
    free(v->memory);
    free(v);
}

static void serve(const struct contender *who, const char *path)
{
    (void)who;
    bare_nbd_serve(path, O_DIRECT, serve_client);
}

static const struct nbd_ops ops = {bare_nbd_is_here, NULL, serve, ""};

const struct contender bare_nbd_ring = {
    .name = "bare ring server", .kind = LIMIT, .version = kernel_version, .nbd = &ops};
