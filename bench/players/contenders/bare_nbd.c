/* SPDX-License-Identifier: MIT */
/*
 * bare_nbd.c - a thread for each connection that hears many requests at once,
 * reads the file into one buffer, and answers all of them with one send: what a
 * server of cached files cannot be faster than. It believes what it is told.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/players/bench.h"
#include "bench/players/nbd_wire.h"

enum { MOST_REQUESTS = 128, ANSWER_BYTES = 4 << 20, THE_LISTENER = 3 };

static int file;

/* As much of the handshake as a client needs that asks for NBD_OPT_EXPORT_NAME of "". */
static bool shake_hands(int fd)
{
    struct nbd_greeting greeting = {
        .magic = htobe64(NBD_MAGIC),
        .option_magic = htobe64(NBD_OPTION_MAGIC),
        .flags = htobe16(NBD_FIXED | NBD_NO_ZEROES),
    };
    struct nbd_answer answer;
    struct nbd_export export = {.flags = htobe16(NBD_HAS_FLAGS | NBD_READ_ONLY)};
    struct stat st;

    must(fstat(file, &st) == 0);
    export.bytes = htobe64((uint64_t)st.st_size);
    return send(fd, &greeting, sizeof(greeting), MSG_NOSIGNAL) == sizeof(greeting) &&
           recv(fd, &answer, sizeof(answer), MSG_WAITALL) == sizeof(answer) &&
           send(fd, &export, sizeof(export), MSG_NOSIGNAL) == sizeof(export);
}

static size_t add_answer(const struct nbd_request *request, char *answer)
{
    struct nbd_reply reply = {htobe32(NBD_REPLY_MAGIC), 0, request->cookie};
    uint32_t bytes = be32toh(request->bytes);

    memcpy(answer, &reply, sizeof(reply));
    must(pread(file, answer + sizeof(reply), bytes, (off_t)be64toh(request->offset)) ==
         (ssize_t)bytes);
    return sizeof(reply) + bytes;
}

static bool send_all(int fd, const char *data, size_t bytes)
{
    while (bytes > 0) {
        ssize_t n = send(fd, data, bytes, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        data += n;
        bytes -= (size_t)n;
    }
    return true;
}

static bool answer_all(int fd, const struct nbd_request *requests, long count, char *answers)
{
    size_t bytes = 0;

    for (long i = 0; i < count; i++) {
        if (bytes + sizeof(struct nbd_reply) + be32toh(requests[i].bytes) > ANSWER_BYTES) {
            if (!send_all(fd, answers, bytes)) {
                return false;
            }
            bytes = 0;
        }
        bytes += add_answer(&requests[i], answers + bytes);
    }
    return send_all(fd, answers, bytes);
}

static void *serve_client(void *opaque)
{
    int fd = (int)(intptr_t)opaque;
    struct nbd_request requests[MOST_REQUESTS];
    char *answers = malloc(ANSWER_BYTES);
    size_t heard = 0;
    bool is_there = answers && shake_hands(fd);

    while (is_there) {
        ssize_t n = recv(fd, (char *)requests + heard, sizeof(requests) - heard, 0);
        long whole;

        if (n <= 0) {
            break;
        }
        heard += (size_t)n;
        whole = (long)(heard / sizeof(*requests));
        is_there = answer_all(fd, requests, whole, answers);
        heard -= (size_t)whole * sizeof(*requests);
        memmove(requests, requests + whole, heard);
    }
    free(answers);
    close(fd);
    return NULL;
}

static bool is_here(const struct contender *who, const char **why)
{
    (void)who;
    (void)why;
    return true;
}

static void serve(const struct contender *who, const char *path)
{
    (void)who;
    file = open(path, O_RDONLY | O_CLOEXEC);
    must(file >= 0);
    for (;;) {
        int fd = accept4(THE_LISTENER, NULL, NULL, SOCK_CLOEXEC);
        pthread_t thread;

        must(fd >= 0);
        must(pthread_create(&thread, NULL, serve_client, (void *)(intptr_t)fd) == 0);
        pthread_detach(thread);
    }
}

static const struct nbd_ops ops = {is_here, serve, ""};

const struct contender bare_nbd = {
    .name = "bare server", .kind = LIMIT, .version = kernel_version, .nbd = &ops};
