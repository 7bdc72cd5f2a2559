/* SPDX-License-Identifier: MIT */
/* session.c - a TLS channel is made, and shakes hands. */
#define _GNU_SOURCE
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/x509.h>

#include "aiox/assert.h"

#include "trace.h"

/* ---- how GnuTLS reaches the inner channel ---- */

static ssize_t say(struct tls_channel *t, ssize_t n)
{
    if (n < 0) {
        t->inner_error = (int)n;
        gnutls_transport_set_errno(t->session, (int)-n);
        return -1;
    }
    return n;
}

static ssize_t pull(gnutls_transport_ptr_t opaque, void *buf, size_t bytes)
{
    struct tls_channel *t = opaque;
    struct iovec iov = {.iov_base = buf, .iov_len = bytes};
    struct aiox_channel_io io = {.iov = &iov, .count = 1};

    ssize_t n = aiox_channel_try_read(t->inner, &io);

    t->inner_ended |= n == 0;
    return say(t, n);
}

static ssize_t push(gnutls_transport_ptr_t opaque, const giovec_t *iov, int count)
{
    struct tls_channel *t = opaque;
    struct aiox_channel_io io = {.iov = iov, .count = count};

    return say(t, aiox_channel_try_write(t->inner, &io));
}

/* ---- birth ---- */

static int fail(struct aiox_error *err, int gnutls_code, const char *what)
{
    int code = gnutls_code == GNUTLS_E_MEMORY_ERROR ? -ENOMEM : -EINVAL;

    return aiox_error_set(err, code, "%s: %s", what, gnutls_strerror(gnutls_code));
}

/* What the caller wants, but never what is too old. Keys must be asked for: with forward secrecy.
 */
static int set_priority(struct tls_channel *t, const char *priority, struct aiox_error *err)
{
    const char *keys = credentials_have_psk_(t->creds) ? ":+ECDHE-PSK:+DHE-PSK" : "";
    const char *at;
    char *all;
    int n;

    priority = priority ? priority : "NORMAL";
    if (asprintf(&all, "%s:-VERS-TLS1.1:-VERS-TLS1.0:-VERS-SSL3.0%s", priority, keys) < 0) {
        return aiox_error_set(err, -ENOMEM, "no memory for a TLS session");
    }
    n = gnutls_priority_set_direct(t->session, all, &at);
    free(all);
    return n < 0 ? fail(err, n, "the TLS priority") : 0;
}

static int set_credentials(struct tls_channel *t, struct aiox_error *err)
{
    const struct aiox_tls_credentials *c = t->creds;
    int n = 0;

    if (c->x509) {
        n = gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, c->x509);
    }
    if (n == 0 && credentials_have_psk_(c)) {
        n = gnutls_credentials_set(t->session, GNUTLS_CRD_PSK,
                                   c->psk_client ? (void *)c->psk_client : (void *)c->psk_server);
    }
    return n < 0 ? fail(err, n, "TLS credentials") : 0;
}

/* An address is no name to be told of in the handshake (RFC 6066). */
static bool is_name(const char *hostname)
{
    return hostname && hostname[strspn(hostname, "0123456789.")] && !strchr(hostname, ':');
}

static int set_client_verification(struct tls_channel *t, struct aiox_error *err)
{
    int n = 0;

    gnutls_session_set_verify_cert(t->session, t->hostname, 0);
    if (is_name(t->hostname)) {
        n = gnutls_server_name_set(t->session, GNUTLS_NAME_DNS, t->hostname, strlen(t->hostname));
    }
    return n < 0 ? fail(err, n, "the name of the host") : 0;
}

static int set_server_verification(struct tls_channel *t, struct aiox_error *err)
{
    if (!t->creds->has_ca) {
        return aiox_error_set(err, -EINVAL, "there is no ca-cert.pem to look at clients with");
    }
    gnutls_certificate_server_set_request(t->session, GNUTLS_CERT_REQUIRE);
    gnutls_session_set_verify_cert(t->session, NULL, 0);
    return 0;
}

/* Whom to believe; GnuTLS looks at it in the handshake. */
static int set_verification(struct tls_channel *t, const struct aiox_tls_options *options,
                            struct aiox_error *err)
{
    if (!t->creds->x509) {
        return 0;
    }
    if (t->creds->role == AIOX_TLS_CLIENT) {
        return set_client_verification(t, err);
    }
    return options->require_certificate ? set_server_verification(t, err) : 0;
}

static int set_up(struct tls_channel *t, const struct aiox_tls_options *options,
                  struct aiox_error *err)
{
    int code = set_priority(t, options->priority, err);

    if (code == 0) {
        code = set_credentials(t, err);
    }
    if (code == 0) {
        code = set_verification(t, options, err);
    }
    if (code == 0) {
        gnutls_transport_set_ptr(t->session, t);
        gnutls_transport_set_pull_function(t->session, pull);
        gnutls_transport_set_vec_push_function(t->session, push);
        gnutls_handshake_set_timeout(t->session, 0); /* deadlines are the caller's */
    }
    return code;
}

static struct tls_channel *allocate(enum aiox_tls_role role, const char *hostname)
{
    unsigned flags = GNUTLS_NONBLOCK | (role == AIOX_TLS_CLIENT ? GNUTLS_CLIENT : GNUTLS_SERVER);
    struct tls_channel *t = calloc(1, sizeof(*t));

    if (!t) {
        return NULL;
    }
    t->hostname = hostname ? strdup(hostname) : NULL;
    if ((hostname && !t->hostname) || gnutls_init(&t->session, flags) < 0) {
        free(t->hostname);
        free(t);
        return NULL;
    }
    return t;
}

static int new_channel(struct aiox_channel **out, struct aiox_channel *inner,
                       struct aiox_tls_credentials *creds, const char *hostname,
                       const struct aiox_tls_options *options, struct aiox_error *err)
{
    static const struct aiox_tls_options usual;
    struct tls_channel *t = allocate(creds->role, hostname);
    int code;

    if (!t) {
        return aiox_error_set(err, -ENOMEM, "no memory for a TLS session");
    }
    aiox_channel_init(&t->base, &tls_ops_, AIOX_CHANNEL_SHUTDOWN);
    pthread_mutex_init(&t->lock, NULL);
    t->inner = aiox_channel_ref(inner);
    t->creds = aiox_tls_credentials_ref(creds);
    code = set_up(t, options ? options : &usual, err);
    if (code < 0) {
        tls_ops_.free(&t->base);
        return code;
    }
    *out = &t->base;
    return 0;
}

int aiox_channel_tls_client_new(struct aiox_channel **out, struct aiox_channel *inner,
                                struct aiox_tls_credentials *creds, const char *hostname,
                                const struct aiox_tls_options *options, struct aiox_error *err)
{
    if (creds->role != AIOX_TLS_CLIENT) {
        return aiox_error_set(err, -EINVAL, "the TLS credentials are those of a server");
    }
    return new_channel(out, inner, creds, hostname, options, err);
}

int aiox_channel_tls_server_new(struct aiox_channel **out, struct aiox_channel *inner,
                                struct aiox_tls_credentials *creds,
                                const struct aiox_tls_options *options, struct aiox_error *err)
{
    if (creds->role != AIOX_TLS_SERVER) {
        return aiox_error_set(err, -EINVAL, "the TLS credentials are those of a client");
    }
    return new_channel(out, inner, creds, NULL, options, err);
}

/* ---- handshake ---- */

static bool goes_on(int result)
{
    return result < 0 && result != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(result);
}

/* Why a certificate was refused, in the words of GnuTLS. */
static void explain_certificate(gnutls_session_t session, struct aiox_error *err, int code)
{
    gnutls_datum_t words = {0};
    unsigned status = gnutls_session_get_verify_cert_status(session);

    if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &words, 0) == 0) {
        aiox_error_set(err, code, "TLS handshake: %.200s", words.data);
        gnutls_free(words.data);
    }
}

static int explain(const struct tls_channel *t, int result, int code, struct aiox_error *err)
{
    aiox_error_set(err, code, "TLS handshake: %s", gnutls_strerror(result));
    if (result == GNUTLS_E_FATAL_ALERT_RECEIVED) {
        const char *alert = gnutls_alert_get_name(gnutls_alert_get(t->session));

        aiox_error_set(err, code, "TLS handshake: the peer says: %s", alert ? alert : "no");
    } else if (result == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR) {
        explain_certificate(t->session, err, code);
    } else if (result == GNUTLS_E_PULL_ERROR || result == GNUTLS_E_PUSH_ERROR) {
        aiox_error_set(err, code, "TLS handshake: %s", aiox_error_text(code));
    }
    return code;
}

/* As far as it goes by itself. -EAGAIN: *@wanted says what to wait for. */
static int shake(struct tls_channel *t, uint32_t *wanted, struct aiox_error *err)
{
    int result, code;

    pthread_mutex_lock(&t->lock);
    do {
        result = gnutls_handshake(t->session);
    } while (goes_on(result));
    code = tls_code_(t, result, wanted);
    if (code < 0 && code != -EAGAIN) {
        (void)gnutls_alert_send_appropriate(t->session, result);
        (void)explain(t, result, code, err);
    }
    pthread_mutex_unlock(&t->lock);
    return code;
}

static int shake_until(struct tls_channel *t, int64_t deadline_ns, struct aiox_error *err)
{
    uint32_t wanted = 0;

    for (;;) {
        int code = shake(t, &wanted, err);

        if (code != -EAGAIN) {
            return code;
        }
        if (aiox_channel_may_wait(&t->base)) {
            AIOX_TRACE(channel_tls, shake, (uintptr_t)t, wanted);
            code = aiox_channel_wait(t->inner, wanted, deadline_ns);
        }
        if (code < 0) {
            return aiox_error_set(err, code, "TLS handshake: %s", aiox_error_text(code));
        }
    }
}

int aiox_channel_tls_handshake(struct aiox_channel *ch, int64_t deadline_ns, struct aiox_error *err)
{
    struct tls_channel *t = tls_of_(ch);
    int code;

    if (!aiox_channel_enter(ch)) {
        return aiox_error_set(err, -EBADF, "TLS handshake: the channel is closed");
    }
    code = shake_until(t, deadline_ns, err);
    if (code != -EAGAIN) {
        AIOX_TRACE(channel_tls, shaken, (uintptr_t)t, code);
    }
    aiox_channel_leave(ch);
    return code;
}

static int bye_until(struct tls_channel *t, int64_t deadline_ns)
{
    uint32_t wanted = 0;

    for (;;) {
        int code = tls_try_bye_(t, &wanted);

        if (code != -EAGAIN || !aiox_channel_may_wait(&t->base)) {
            return code;
        }
        code = aiox_channel_wait(t->inner, wanted, deadline_ns);
        if (code < 0) {
            return code;
        }
    }
}

int aiox_channel_tls_bye(struct aiox_channel *ch, int64_t deadline_ns)
{
    int code;

    if (!aiox_channel_enter(ch)) {
        return -EBADF;
    }
    code = bye_until(tls_of_(ch), deadline_ns);
    aiox_channel_leave(ch);
    return code;
}
