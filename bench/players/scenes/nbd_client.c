/* SPDX-License-Identifier: MIT */
/* nbd_client.c - see nbd_client.h. Numbers on the wire are big-endian. */
#define _GNU_SOURCE
#include "nbd_client.h"

#include <endian.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/players/bench.h"
#include "bench/players/nbd_wire.h"
#include "scratch.h"

enum { MOST_CLIENTS = 16, BUFFER_BYTES = 4 << 20 };

struct nbd_client {
    int fd;
    uint64_t bytes;
    uint64_t next; /* where the next read in order begins */
    char *heard;   /* what has come and is not a whole answer yet */
    size_t heard_bytes;
    struct nbd_request *say; /* what goes out next */
    long saying;
};

static bool send_all(int fd, const void *data, size_t bytes)
{
    return send(fd, data, bytes, MSG_NOSIGNAL) == (ssize_t)bytes;
}

static bool receive_all(int fd, void *data, size_t bytes)
{
    return recv(fd, data, bytes, MSG_WAITALL) == (ssize_t)bytes;
}

/* Fixed newstyle, NBD_OPT_EXPORT_NAME, no padding. */
static bool shake_hands(struct nbd_client *c, const char *export_name)
{
    struct nbd_greeting greeting;
    struct nbd_answer answer = {
        .flags = htobe32(NBD_FIXED | NBD_NO_ZEROES),
        .magic = htobe64(NBD_OPTION_MAGIC),
        .option = htobe32(NBD_OPTION_EXPORT_NAME),
        .bytes = htobe32((uint32_t)strlen(export_name)),
    };
    struct nbd_export export;

    if (!receive_all(c->fd, &greeting, sizeof(greeting)) ||
        greeting.option_magic != htobe64(NBD_OPTION_MAGIC) ||
        !send_all(c->fd, &answer, sizeof(answer)) ||
        !send_all(c->fd, export_name, strlen(export_name)) ||
        !receive_all(c->fd, &export, sizeof(export))) {
        return false;
    }
    c->bytes = be64toh(export.bytes);
    return true;
}

struct nbd_client *nbd_client_open(const struct sockaddr_un *address, socklen_t size,
                                   const char *export_name)
{
    struct nbd_client *c = calloc(1, sizeof(*c));

    must(c);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(c->fd >= 0);
    if (connect(c->fd, (const struct sockaddr *)address, size) < 0 ||
        !shake_hands(c, export_name)) {
        nbd_client_close(c);
        return NULL;
    }
    return c;
}

void nbd_client_close(struct nbd_client *client)
{
    close(client->fd);
    free(client->heard);
    free(client->say);
    free(client);
}

uint64_t nbd_client_bytes(const struct nbd_client *client)
{
    return client->bytes;
}

/* ---- a load ---- */

static void add_request(const struct nbd_load *load, struct nbd_client *c, uint64_t offset)
{
    c->say[c->saying++] = (struct nbd_request){
        .magic = htobe32(NBD_REQUEST_MAGIC),
        .type = htobe16(NBD_COMMAND_READ),
        .cookie = offset,
        .offset = htobe64(offset),
        .bytes = htobe32(load->bytes),
    };
}

static void ask_for_one(struct nbd_load *load, struct nbd_client *c)
{
    uint64_t places = c->bytes / load->bytes;
    uint64_t place = load->in_order ? c->next++ : scratch_number(&load->seed);

    add_request(load, c, place % places * load->bytes);
}

static bool say_all(struct nbd_client *c)
{
    size_t bytes = (size_t)c->saying * sizeof(*c->say);

    c->saying = 0;
    return bytes == 0 || send_all(c->fd, c->say, bytes);
}

/* Whole answers in what was heard; -1: one of them is an error. */
static long take_answers(const struct nbd_load *load, struct nbd_client *c)
{
    size_t each = sizeof(struct nbd_reply) + load->bytes, done = 0;
    long answers = 0;

    for (; c->heard_bytes - done >= each; done += each) {
        struct nbd_reply reply;

        memcpy(&reply, c->heard + done, sizeof(reply));
        if (reply.magic != htobe32(NBD_REPLY_MAGIC) || reply.error != 0) {
            return -1;
        }
        answers++;
    }
    c->heard_bytes -= done;
    memmove(c->heard, c->heard + done, c->heard_bytes);
    return answers;
}

/* Hears what there is, and asks for as many as were answered while there are @left. */
static long serve_one(struct nbd_load *load, struct nbd_client *c, long *left)
{
    ssize_t n = recv(c->fd, c->heard + c->heard_bytes, BUFFER_BYTES - c->heard_bytes, MSG_DONTWAIT);
    long answers;

    if (n <= 0) {
        return -1;
    }
    c->heard_bytes += (size_t)n;
    answers = take_answers(load, c);
    for (long i = 0; i<answers && * left> 0; i++, --*left) {
        ask_for_one(load, c);
    }
    return say_all(c) ? answers : -1;
}

static bool begin(struct nbd_load *load, long *left)
{
    for (int i = 0; i < load->count; i++) {
        struct nbd_client *c = load->clients[i];

        if (!c->heard) {
            c->heard = malloc(BUFFER_BYTES);
            c->say = calloc((size_t)load->depth, sizeof(*c->say));
            must(c->heard && c->say);
        }
        for (long k = 0; k<load->depth && * left> 0; k++, --*left) {
            ask_for_one(load, c);
        }
        if (!say_all(c)) {
            return false;
        }
    }
    return true;
}

bool nbd_client_read(struct nbd_load *load, long reads)
{
    struct pollfd fds[MOST_CLIENTS];
    long left = reads, done = 0;

    must(load->count <= MOST_CLIENTS);
    must((size_t)load->depth * (sizeof(struct nbd_reply) + load->bytes) <= BUFFER_BYTES);
    for (int i = 0; i < load->count; i++) {
        fds[i] = (struct pollfd){.fd = load->clients[i]->fd, .events = POLLIN};
    }
    if (!begin(load, &left)) {
        return false;
    }
    while (done < reads) {
        must(poll(fds, (nfds_t)load->count, -1) > 0);
        for (int i = 0; i < load->count; i++) {
            long answers = fds[i].revents ? serve_one(load, load->clients[i], &left) : 0;
            if (answers < 0) {
                return false;
            }
            done += answers;
        }
    }
    return true;
}
