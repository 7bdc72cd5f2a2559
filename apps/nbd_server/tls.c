/* SPDX-License-Identifier: MIT */
/*
 * tls.c - a connection as a channel, and a TLS channel over it.
 *
 * TLS asks the inner channel for a few bytes at a time, so what the socket has is
 * received ahead. Bytes that are here, read ahead or in a record that was not
 * taken as a whole, make no socket readable: c->held says that there may be some.
 */
#include "tls.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aiox/aiox.h"
#include "aiox/assert.h"
#include "aiox/atomic.h"
#include "aiox/channel_ops.h"
#include "aiox/channel_tls.h"

#include "bytes.h"
#include "connection.h"
#include "text.h"

enum {
    AHEAD_BYTES = 32 << 10, /* about two records */
    RECEIVES_PER_TURN = 16, /* records without content must not hold up other clients */
};

const bool tls_is_built = true;

/* ---- keys ---- */

struct tls_keys {
    aiox_atomic_u32 references;
    struct aiox_tls_credentials *credentials;
    struct aiox_tls_options options;
};

static bool has_ca(const char *dir)
{
    char path[PATH_MAX];

    return snprintf(path, sizeof(path), "%s/ca-cert.pem", dir) < (int)sizeof(path) &&
           access(path, F_OK) == 0;
}

int tls_keys_open(struct tls_keys **out, const char *certs, const char *psk, struct aiox_error *err)
{
    struct tls_keys *keys = calloc(1, sizeof(*keys));
    int error;

    if (!keys) {
        return aiox_error_set(err, -ENOMEM, "no memory");
    }
    keys->references = (aiox_atomic_u32)AIOX_ATOMIC_INIT(1);
    keys->options.require_certificate = certs && has_ca(certs);
    if (certs) {
        error = aiox_tls_credentials_x509(&keys->credentials, AIOX_TLS_SERVER, certs, err);
    } else {
        error = aiox_tls_credentials_psk_file(&keys->credentials, AIOX_TLS_SERVER, psk, NULL, err);
    }
    if (error == 0 && certs && psk) {
        error = aiox_tls_credentials_add_psk_file(keys->credentials, psk, err);
    }
    if (error < 0) {
        aiox_tls_credentials_unref(keys->credentials);
        free(keys);
        return error;
    }
    *out = keys;
    return 0;
}

struct tls_keys *tls_keys_ref(struct tls_keys *keys)
{
    if (keys) {
        aiox_u32_add_relaxed(&keys->references, 1);
    }
    return keys;
}

/* [NBD_KEYS-unref] unref (acq_rel) -> the last unref (acq_rel): what the others did with them. */
void tls_keys_unref(struct tls_keys *keys)
{
    if (keys && aiox_u32_sub_acq_rel(&keys->references, 1) == 1) { /* [NBD_KEYS-unref] */
        aiox_tls_credentials_unref(keys->credentials);
        free(keys);
    }
}

/* ---- the connection as a channel ---- */

struct tls_link {
    struct aiox_channel base;     /* what TLS sends and receives by */
    struct aiox_channel *channel; /* TLS */
    struct connection *connection;
    bool (*goes_on)(void *opaque); /* of the handshake: later nobody waits */
    void *opaque;
    int receives; /* left of this turn; the socket stays readable */
    struct bytes ahead;
    uint8_t memory[AHEAD_BYTES];
};

static struct tls_link *link_of(struct aiox_channel *ch)
{
    return AIOX_CONTAINER_OF(ch, struct tls_link, base);
}

static ssize_t receive_ahead(struct tls_link *l)
{
    struct iovec iov = {.iov_base = l->memory, .iov_len = sizeof(l->memory)};
    ssize_t n;

    if (l->receives == 0) {
        return -EAGAIN;
    }
    l->receives--;
    n = connection_socket_receive(l->connection->fd, &iov, 1);
    l->ahead.start = 0;
    l->ahead.end = n > 0 ? (size_t)n : 0;
    return n;
}

static ssize_t link_read(struct aiox_channel *ch, struct aiox_channel_io *io)
{
    struct tls_link *l = link_of(ch);
    size_t held, n;

    if (bytes_held(&l->ahead) == 0) {
        ssize_t received = receive_ahead(l);

        if (received <= 0) {
            return received;
        }
    }
    held = bytes_held(&l->ahead);
    n = io->iov[0].iov_len < held ? io->iov[0].iov_len : held;
    memcpy(io->iov[0].iov_base, bytes_front(&l->ahead), n);
    bytes_take(&l->ahead, n);
    return (ssize_t)n;
}

static ssize_t link_write(struct aiox_channel *ch, struct aiox_channel_io *io)
{
    return connection_socket_send(link_of(ch)->connection->fd, io->iov, io->count);
}

/* Only a handshake waits here; the deadline is the timer of the connection. */
static int link_wait(struct aiox_channel *ch, uint32_t events, int64_t deadline_ns) coroutine_fn
{
    struct tls_link *l = link_of(ch);

    l->receives = RECEIVES_PER_TURN;
    if (l->goes_on(l->opaque)) {
        connection_wait(l->connection, events & AIOX_FD_READ, events & AIOX_FD_WRITE);
    }
    return l->goes_on(l->opaque) ? (int)events : -ECANCELED;
}

/* The socket is the connection's, the memory tls_end()'s. */
static int link_close(struct aiox_channel *ch)
{
    return 0;
}

static void link_free(struct aiox_channel *ch)
{
    free(link_of(ch));
}

static const struct aiox_channel_ops link_ops = {
    .kind = "nbd connection",
    .read = link_read,
    .write = link_write,
    .wait = link_wait,
    .close = link_close,
    .free = link_free,
};

/* ---- sending and receiving ---- */

/* @n bytes are in @first, the first piece of @io. */
static void advance(struct aiox_channel_io *io, struct iovec *first, size_t n)
{
    first->iov_base = (uint8_t *)first->iov_base + n;
    first->iov_len -= n;
    if (first->iov_len == 0) {
        io->iov++;
        io->count--;
    }
}

/* Fills @iov as far as bytes are here. */
static size_t tls_receive(struct connection *c, struct iovec *iov, int count)
{
    struct iovec left[2] = {iov[0], iov[count - 1]};
    struct aiox_channel_io io = {.iov = left, .count = count};
    size_t all = 0;
    ssize_t n = 1;

    aiox_assert(count >= 1 && count <= 2);
    c->tls->receives = RECEIVES_PER_TURN;
    while (io.count > 0 && (n = aiox_channel_try_read(c->tls->channel, &io)) > 0) {
        all += (size_t)n;
        advance(&io, left + count - io.count, (size_t)n);
    }
    c->held = all > 0 && n != -EAGAIN; /* more bytes, or what is wrong, are for the next time */
    connection_note_received(c, all > 0 ? (ssize_t)all : n);
    return all;
}

static size_t tls_send(struct connection *c, struct iovec *iov, int count)
{
    struct aiox_channel_io io = {.iov = iov, .count = count};

    return connection_note_sent(c, aiox_channel_try_write(c->tls->channel, &io));
}

/* ---- beginning and end ---- */

static struct tls_link *new_link(struct connection *c)
{
    struct tls_link *l = malloc(sizeof(*l));

    if (!l) {
        return NULL;
    }
    memset(l, 0, offsetof(struct tls_link, memory)); /* the rest is written before it is read */
    aiox_channel_init(&l->base, &link_ops, 0);
    l->connection = c;
    l->receives = RECEIVES_PER_TURN;
    l->ahead = (struct bytes){.memory = l->memory, .capacity = sizeof(l->memory)};
    return l;
}

static void describe(struct tls_link *l, char who[TLS_WORDS])
{
    char how[120], name[200], quoted[TEXT_QUOTED];
    bool is_known = aiox_channel_tls_peer_name(l->channel, name, sizeof(name)) == 0;

    aiox_channel_tls_describe(l->channel, how, sizeof(how));
    snprintf(who, TLS_WORDS, "%s, %s", how,
             is_known ? text_quote(quoted, name, strlen(name)) : "without a name");
}

int tls_begin(struct connection *c, struct tls_keys *keys, bool (*goes_on)(void *opaque),
              void *opaque, char who[TLS_WORDS], struct aiox_error *err) coroutine_fn
{
    struct tls_link *l = new_link(c);
    int error;

    if (!l) {
        return aiox_error_set(err, -ENOMEM, "no memory for TLS");
    }
    c->tls = l;
    l->goes_on = goes_on;
    l->opaque = opaque;
    error =
        aiox_channel_tls_server_new(&l->channel, &l->base, keys->credentials, &keys->options, err);
    if (error == 0) {
        error = aiox_channel_tls_handshake(l->channel, -1, err);
    }
    if (error < 0) {
        return error;
    }
    describe(l, who);
    c->receive = tls_receive;
    c->send = tls_send;
    c->held = true; /* the first bytes may have come with the last of the handshake */
    return 0;
}

void tls_say_bye(struct connection *c)
{
    int error = 0;

    if (c->send == tls_send && !c->error) {
        error = aiox_channel_shutdown(c->tls->channel, AIOX_CHANNEL_WRITING);
    }
    if (error < 0 && error != -EAGAIN) {
        c->error = error;
    }
}

void tls_end(struct connection *c)
{
    if (c->tls) {
        aiox_channel_unref(c->tls->channel);
        aiox_channel_unref(&c->tls->base);
        c->tls = NULL;
    }
}
