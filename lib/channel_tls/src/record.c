/* SPDX-License-Identifier: MIT */
/* record.c - what a channel over TLS does: bytes to records and back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aiox/assert.h"

#include "session.h"
#include "trace.h"

static struct tls_channel *self_of(struct aiox_channel *ch)
{
    return AIOX_CONTAINER_OF(ch, struct tls_channel, base);
}

int tls_code_(const struct tls_channel *t, ssize_t result, uint32_t *wanted)
{
    switch (result) {
    case GNUTLS_E_SUCCESS:
        return 0;
    case GNUTLS_E_AGAIN:
        *wanted = gnutls_record_get_direction(t->session) ? AIOX_FD_WRITE : AIOX_FD_READ;
        return -EAGAIN;
    case GNUTLS_E_PREMATURE_TERMINATION:
        return -ECONNABORTED;
    case GNUTLS_E_UNEXPECTED_PACKET_LENGTH: /* also what it says of a record that was cut */
        return t->inner_ended ? -ECONNABORTED : -EPROTO;
    case GNUTLS_E_PULL_ERROR:
    case GNUTLS_E_PUSH_ERROR:
        return t->inner_error ? t->inner_error : -EIO;
    case GNUTLS_E_MEMORY_ERROR:
        return -ENOMEM;
    case GNUTLS_E_CERTIFICATE_ERROR:
    case GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR:
    case GNUTLS_E_CERTIFICATE_REQUIRED:
    case GNUTLS_E_NO_CERTIFICATE_FOUND:
        return -EKEYREJECTED;
    default:
        return -EPROTO;
    }
}

/* Nothing that ends the session: a signal, a warning of the peer, a piece of TLS's own talk. */
static bool is_to_be_repeated(ssize_t result)
{
    return result == GNUTLS_E_INTERRUPTED || result == GNUTLS_E_WARNING_ALERT_RECEIVED;
}

/* What a read or a write has come to, a result of GnuTLS that is not negative included. */
static ssize_t outcome(const struct tls_channel *t, ssize_t result, uint32_t *wanted)
{
    ssize_t n = result >= 0 ? result : tls_code_(t, result, wanted);

    if (AIOX_UNLIKELY(n < 0 && n != -EAGAIN)) {
        AIOX_TRACE(channel_tls, broken, (uintptr_t)t, n);
    }
    return n;
}

/* ---- reading ---- */

static ssize_t receive(struct tls_channel *t, const struct iovec *into, uint32_t *wanted)
{
    ssize_t n;

    do {
        n = gnutls_record_recv(t->session, into->iov_base, into->iov_len);
    } while (is_to_be_repeated(n));
    return outcome(t, n, wanted);
}

/* The first part of a vector with room; NULL: there is none. */
static const struct iovec *first_with_room(const struct aiox_channel_io *io)
{
    for (int i = 0; i < io->count; i++) {
        if (io->iov[i].iov_len > 0) {
            return &io->iov[i];
        }
    }
    return NULL;
}

static ssize_t read_once(struct aiox_channel *ch, struct aiox_channel_io *io)
{
    struct tls_channel *t = self_of(ch);
    const struct iovec *into = first_with_room(io);
    ssize_t n = 0;

    if (into) {
        pthread_mutex_lock(&t->lock);
        n = receive(t, into, &io->wanted);
        pthread_mutex_unlock(&t->lock);
    }
    return n;
}

/* ---- writing ---- */

/* As much of a vector as goes into one record, in one piece. */
static struct iovec gather(struct tls_channel *t, const struct aiox_channel_io *io)
{
    const struct iovec *first = first_with_room(io);
    struct iovec all = {.iov_base = t->gathered};

    if (!first || first->iov_len >= RECORD_BYTES || first == &io->iov[io->count - 1]) {
        return first ? *first : all;
    }
    for (; first < io->iov + io->count && all.iov_len < RECORD_BYTES; first++) {
        size_t room = RECORD_BYTES - all.iov_len;
        size_t bytes = first->iov_len < room ? first->iov_len : room;

        if (bytes > 0) {
            memcpy(t->gathered + all.iov_len, first->iov_base, bytes);
        }
        all.iov_len += bytes;
    }
    return all;
}

/*
 * When GnuTLS cannot send all of a record it keeps it, and wants the call to be
 * repeated. The caller of a channel repeats the same bytes, whether it knows or
 * not: the answer then is the size of what was kept.
 */
static ssize_t send_record(struct tls_channel *t, const struct aiox_channel_io *io,
                           uint32_t *wanted)
{
    struct iovec from = {0};
    ssize_t n;

    if (t->said_bye) {
        return -EPIPE;
    }
    if (t->unsent_bytes == 0) {
        from = gather(t, io);
        if (from.iov_len == 0) {
            return 0;
        }
    }
    do {
        n = gnutls_record_send(t->session, from.iov_base, from.iov_len);
    } while (is_to_be_repeated(n));
    if (n == GNUTLS_E_AGAIN && t->unsent_bytes == 0) {
        t->unsent_bytes = from.iov_len < RECORD_BYTES ? from.iov_len : RECORD_BYTES;
        AIOX_TRACE(channel_tls, unsent, (uintptr_t)t, t->unsent_bytes);
    }
    if (n >= 0) {
        t->unsent_bytes = 0;
    }
    return outcome(t, n, wanted);
}

static ssize_t write_once(struct aiox_channel *ch, struct aiox_channel_io *io)
{
    struct tls_channel *t = self_of(ch);
    ssize_t n;

    pthread_mutex_lock(&t->lock);
    n = send_record(t, io, &io->wanted);
    pthread_mutex_unlock(&t->lock);
    return n;
}

/* ---- waiting and ending ---- */

static int wait_for(struct aiox_channel *ch, uint32_t events, int64_t deadline_ns)
{
    struct tls_channel *t = self_of(ch);
    size_t here;

    pthread_mutex_lock(&t->lock);
    here = gnutls_record_check_pending(t->session);
    pthread_mutex_unlock(&t->lock);
    if (events & AIOX_FD_READ && here > 0) {
        return AIOX_FD_READ;
    }
    return aiox_channel_wait(t->inner, events, deadline_ns);
}

static bool wake(struct aiox_channel *ch, uint32_t event)
{
    struct aiox_channel *inner = self_of(ch)->inner;

    return event == AIOX_FD_READ ? aiox_channel_wake_read(inner) : aiox_channel_wake_write(inner);
}

static void end_waits(struct aiox_channel *ch)
{
    (void)aiox_channel_close(self_of(ch)->inner);
}

int tls_try_bye_(struct tls_channel *t, uint32_t *wanted)
{
    bool was_said;
    int n = 0;

    pthread_mutex_lock(&t->lock);
    was_said = t->said_bye;
    while (!t->said_bye) {
        n = t->unsent_bytes ? (int)gnutls_record_send(t->session, NULL, 0)
                            : gnutls_bye(t->session, GNUTLS_SHUT_WR);
        if (n < 0 && !is_to_be_repeated(n)) {
            break;
        }
        t->said_bye = n == 0 && !t->unsent_bytes;
        if (n > 0) {
            t->unsent_bytes = 0;
        }
    }
    n = t->said_bye ? 0 : tls_code_(t, n, wanted);
    if (!was_said && n != -EAGAIN) {
        AIOX_TRACE(channel_tls, farewell, (uintptr_t)t, n);
    }
    pthread_mutex_unlock(&t->lock);
    return n;
}

static int shut(struct aiox_channel *ch, enum aiox_channel_direction what)
{
    struct tls_channel *t = self_of(ch);
    uint32_t wanted;
    int err = what == AIOX_CHANNEL_READING ? 0 : tls_try_bye_(t, &wanted);

    if (err < 0 || !(t->inner->features_ & AIOX_CHANNEL_SHUTDOWN)) {
        return err;
    }
    return aiox_channel_shutdown(t->inner, what);
}

static int close_tls(struct aiox_channel *ch)
{
    return aiox_channel_close(self_of(ch)->inner);
}

static void free_tls(struct aiox_channel *ch)
{
    struct tls_channel *t = self_of(ch);

    gnutls_deinit(t->session);
    free(t->hostname);
    aiox_tls_credentials_unref(t->creds);
    aiox_channel_unref(t->inner);
    pthread_mutex_destroy(&t->lock);
    explicit_bzero(t->gathered, sizeof(t->gathered));
    free(t);
}

static int set_cork(struct aiox_channel *ch, bool on)
{
    return aiox_channel_set_cork(self_of(ch)->inner, on);
}

static int set_delay(struct aiox_channel *ch, bool on)
{
    return aiox_channel_set_delay(self_of(ch)->inner, on);
}

static int set_keepalive(struct aiox_channel *ch, bool on)
{
    return aiox_channel_set_keepalive(self_of(ch)->inner, on);
}

static void set_follow(struct aiox_channel *ch, bool follow)
{
    aiox_channel_set_follow_coroutine_ctx(self_of(ch)->inner, follow);
}

static void set_external(struct aiox_channel *ch, bool external)
{
    aiox_channel_set_external(self_of(ch)->inner, external);
}

const struct aiox_channel_ops tls_ops_ = {
    .kind = "tls",
    .read = read_once,
    .write = write_once,
    .wait = wait_for,
    .wake = wake,
    .end_waits = end_waits,
    .shutdown = shut,
    .close = close_tls,
    .free = free_tls,
    .set_cork = set_cork,
    .set_delay = set_delay,
    .set_keepalive = set_keepalive,
    .set_follow = set_follow,
    .set_external = set_external,
};

struct tls_channel *tls_of_(struct aiox_channel *ch)
{
    aiox_assert(ch->ops_ == &tls_ops_);
    return self_of(ch);
}
