/* SPDX-License-Identifier: MIT */
/* nbd_client.c - see nbd_client.h. Numbers on the wire are big-endian. */
#include "nbd_client.h"

#include <endian.h>
#include <string.h>
#include <unistd.h>

#include "bench/players/bench.h"
#include "bench/players/nbd_wire.h"

enum { MOST_NAME_BYTES = 64, MOST_TOLD_BYTES = 512 };

bool nbd_client_send(const struct nbd_client *client, const void *data, size_t bytes)
{
    return send(client->fd, data, bytes, MSG_NOSIGNAL) == (ssize_t)bytes;
}

static bool receive(const struct nbd_client *c, void *data, size_t bytes)
{
    return recv(c->fd, data, bytes, MSG_WAITALL) == (ssize_t)bytes;
}

/* NBD_OPT_GO, and nothing asked about the export. */
static bool ask_to_go(const struct nbd_client *c, const char *export_name)
{
    size_t length = strlen(export_name);
    struct {
        struct nbd_answer head;
        char data[sizeof(uint32_t) + MOST_NAME_BYTES + sizeof(uint16_t)];
    } __attribute__((packed)) answer = {
        .head.flags = htobe32(NBD_FIXED | NBD_NO_ZEROES),
        .head.magic = htobe64(NBD_OPTION_MAGIC),
        .head.option = htobe32(NBD_OPTION_GO),
        .head.bytes = htobe32((uint32_t)(sizeof(uint32_t) + length + sizeof(uint16_t))),
    };
    uint32_t name_bytes = htobe32((uint32_t)length);

    must(length <= MOST_NAME_BYTES);
    memcpy(answer.data, &name_bytes, sizeof(name_bytes));
    memcpy(answer.data + sizeof(name_bytes), export_name, length);
    return nbd_client_send(c, &answer,
                           sizeof(answer.head) + sizeof(name_bytes) + length + sizeof(uint16_t));
}

/* What the server tells until it lets us go on. */
static bool hear_of_export(struct nbd_client *c)
{
    struct nbd_option_reply reply;
    struct nbd_info_export info;
    char told[MOST_TOLD_BYTES];

    for (;;) {
        if (!receive(c, &reply, sizeof(reply)) || reply.magic != htobe64(NBD_OPTION_REPLY_MAGIC) ||
            be32toh(reply.bytes) > sizeof(told) ||
            (reply.bytes && !receive(c, told, be32toh(reply.bytes)))) {
            return false;
        }
        if (reply.type != htobe32(NBD_REPLY_INFO)) {
            return reply.type == htobe32(NBD_REPLY_ACK);
        }
        memcpy(&info, told, sizeof(info));
        if (info.what == htobe16(NBD_INFO_EXPORT)) {
            c->bytes = be64toh(info.bytes);
        }
    }
}

bool nbd_client_open(struct nbd_client *client, const struct sockaddr_un *address, socklen_t size,
                     const char *export_name)
{
    struct nbd_greeting greeting;

    *client = (struct nbd_client){.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    must(client->fd >= 0);
    if (connect(client->fd, (const struct sockaddr *)address, size) == 0 &&
        receive(client, &greeting, sizeof(greeting)) &&
        greeting.option_magic == htobe64(NBD_OPTION_MAGIC) && ask_to_go(client, export_name) &&
        hear_of_export(client)) {
        return true;
    }
    close(client->fd);
    return false;
}

void nbd_client_close(struct nbd_client *client)
{
    close(client->fd);
}

void nbd_client_leave(struct nbd_client *client)
{
    struct nbd_request goodbye = {
        .magic = htobe32(NBD_REQUEST_MAGIC),
        .type = htobe16(NBD_COMMAND_DISCONNECT),
    };
    char nothing;

    must(nbd_client_send(client, &goodbye, sizeof(goodbye)));
    must(recv(client->fd, &nothing, sizeof(nothing), 0) <= 0);
    close(client->fd);
}
