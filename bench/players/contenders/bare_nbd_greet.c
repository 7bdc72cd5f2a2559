/* SPDX-License-Identifier: MIT */
/* bare_nbd_greet.c - see bare_nbd.h. */
#define _GNU_SOURCE
#include "bench/players/contenders/bare_nbd.h"

#include <endian.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/players/nbd_wire.h"

enum { THE_LISTENER = 3, MOST_OPTION_BYTES = 512 };

static int file = -1;
static void (*serve_client)(int fd, int file);

/* What there is to know, and then that it may go on. */
static bool tell_of_export(int fd, uint64_t bytes)
{
    struct {
        struct nbd_option_reply head;
        struct nbd_info_export info;
        struct nbd_option_reply done;
    } __attribute__((packed)) told = {
        .head = {htobe64(NBD_OPTION_REPLY_MAGIC), htobe32(NBD_OPTION_GO), htobe32(NBD_REPLY_INFO),
                 htobe32(sizeof(told.info))},
        .info = {htobe16(NBD_INFO_EXPORT), htobe64(bytes), htobe16(NBD_HAS_FLAGS | NBD_READ_ONLY)},
        .done = {htobe64(NBD_OPTION_REPLY_MAGIC), htobe32(NBD_OPTION_GO), htobe32(NBD_REPLY_ACK),
                 0},
    };

    return send(fd, &told, sizeof(told), MSG_NOSIGNAL) == sizeof(told);
}

/* As much of the handshake as a client needs that asks with NBD_OPT_GO. */
static bool shake_hands(int fd)
{
    struct nbd_greeting greeting = {
        .magic = htobe64(NBD_MAGIC),
        .option_magic = htobe64(NBD_OPTION_MAGIC),
        .flags = htobe16(NBD_FIXED | NBD_NO_ZEROES),
    };
    struct nbd_answer answer;
    char data[MOST_OPTION_BYTES];
    struct stat st;

    must(fstat(file, &st) == 0);
    return send(fd, &greeting, sizeof(greeting), MSG_NOSIGNAL) == sizeof(greeting) &&
           recv(fd, &answer, sizeof(answer), MSG_WAITALL) == sizeof(answer) &&
           answer.option == htobe32(NBD_OPTION_GO) && be32toh(answer.bytes) <= sizeof(data) &&
           recv(fd, data, be32toh(answer.bytes), MSG_WAITALL) == (ssize_t)be32toh(answer.bytes) &&
           tell_of_export(fd, (uint64_t)st.st_size);
}

bool bare_nbd_is_here(const struct contender *who, const char **why)
{
    (void)who;
    (void)why;
    return true;
}

static void *serve_one(void *opaque)
{
    int fd = (int)(intptr_t)opaque;

    if (shake_hands(fd)) {
        serve_client(fd, file);
    }
    close(fd);
    return NULL;
}

void bare_nbd_serve(const char *path, int flags, void (*serve)(int fd, int file))
{
    file = open(path, O_RDONLY | O_CLOEXEC | flags);
    must(file >= 0);
    serve_client = serve;
    for (;;) {
        int fd = accept4(THE_LISTENER, NULL, NULL, SOCK_CLOEXEC);
        pthread_t thread;

        must(fd >= 0);
        must(pthread_create(&thread, NULL, serve_one, (void *)(intptr_t)fd) == 0);
        pthread_detach(thread);
    }
}
