/* SPDX-License-Identifier: MIT */
/*
 * bare_nbd.c - a thread for each connection that hears many requests at once,
 * reads the file into one buffer, and answers all of them with one send: what a
 * server of cached files cannot be faster than.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/players/contenders/bare_nbd.h"
#include "bench/players/nbd_wire.h"

enum { MOST_REQUESTS = 128, ANSWER_BYTES = 4 << 20 };

struct visit {
    int fd, file;
    struct nbd_request requests[MOST_REQUESTS];
    size_t heard; /* bytes of them */
    char *answers;
    size_t bytes; /* of answers that are not sent yet */
};

static bool send_answers(struct visit *v)
{
    const char *data = v->answers;

    while (v->bytes > 0) {
        ssize_t n = send(v->fd, data, v->bytes, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        data += n;
        v->bytes -= (size_t)n;
    }
    return true;
}

static void add_answer(struct visit *v, const struct nbd_request *request)
{
    struct nbd_reply reply = {htobe32(NBD_REPLY_MAGIC), 0, request->cookie};
    uint32_t bytes = be32toh(request->bytes);
    char *answer = v->answers + v->bytes;

    memcpy(answer, &reply, sizeof(reply));
    must(pread(v->file, answer + sizeof(reply), bytes, (off_t)be64toh(request->offset)) ==
         (ssize_t)bytes);
    v->bytes += sizeof(reply) + bytes;
}

/* False: the client has gone, or says goodbye. */
static bool answer_all(struct visit *v, long count)
{
    for (long i = 0; i < count; i++) {
        const struct nbd_request *request = &v->requests[i];
        size_t bytes = sizeof(struct nbd_reply) + be32toh(request->bytes);

        if (request->type != htobe16(NBD_COMMAND_READ) ||
            (v->bytes + bytes > ANSWER_BYTES && !send_answers(v))) {
            return false;
        }
        add_answer(v, request);
    }
    return send_answers(v);
}

static bool hear_and_answer(struct visit *v)
{
    ssize_t n = recv(v->fd, (char *)v->requests + v->heard, sizeof(v->requests) - v->heard, 0);
    long whole;

    if (n <= 0) {
        return false;
    }
    if (!v->answers) {
        v->answers = malloc(ANSWER_BYTES);
        must(v->answers);
    }
    v->heard += (size_t)n;
    whole = (long)(v->heard / sizeof(*v->requests));
    if (!answer_all(v, whole)) {
        return false;
    }
    v->heard -= (size_t)whole * sizeof(*v->requests);
    memmove(v->requests, v->requests + whole, v->heard);
    return true;
}

static void serve_client(int fd, int file)
{
    struct visit visit = {.fd = fd, .file = file};

    while (hear_and_answer(&visit)) {
    }
    free(visit.answers);
}

static void serve(const struct contender *who, const char *path)
{
    (void)who;
    bare_nbd_serve(path, 0, serve_client);
}

static const struct nbd_ops ops = {bare_nbd_is_here, serve, NULL, ""};

const struct contender bare_nbd = {
    .name = "bare server", .kind = LIMIT, .version = kernel_version, .nbd = &ops};
