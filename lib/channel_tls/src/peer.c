/* SPDX-License-Identifier: MIT */
/* peer.c - who is there, and how it is talked to. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <gnutls/x509.h>

#include "session.h"

const char *aiox_channel_tls_describe(struct aiox_channel *ch, char *text, size_t bytes)
{
    struct tls_channel *t = tls_of_(ch);
    const char *exchange;
    char *words;

    pthread_mutex_lock(&t->lock);
    words = gnutls_session_get_desc(t->session);
    exchange = gnutls_kx_get_name(gnutls_kx_get(t->session)); /* of keys, words does not say it */
    pthread_mutex_unlock(&t->lock);
    snprintf(text, bytes, "%s %s", words ? words : "no session", exchange ? exchange : "");
    gnutls_free(words);
    return text;
}

static int copy_name(char *text, size_t bytes, const char *name, size_t name_bytes)
{
    if (name_bytes >= bytes) {
        return -ENAMETOOLONG;
    }
    memcpy(text, name, name_bytes);
    text[name_bytes] = '\0';
    return 0;
}

static int subject_of(const gnutls_datum_t *der, char *text, size_t bytes)
{
    gnutls_datum_t name = {0};
    gnutls_x509_crt_t crt;
    int code = -ENOMEM;

    if (gnutls_x509_crt_init(&crt) < 0) {
        return code;
    }
    if (gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER) == 0 &&
        gnutls_x509_crt_get_dn3(crt, &name, 0) == 0) {
        code = copy_name(text, bytes, (const char *)name.data, name.size);
    }
    gnutls_free(name.data);
    gnutls_x509_crt_deinit(crt);
    return code;
}

static int peer_name(const struct tls_channel *t, char *text, size_t bytes)
{
    const gnutls_datum_t *shown = NULL;
    const char *user = NULL;
    unsigned count = 0;

    if (t->creds->x509) {
        shown = gnutls_certificate_get_peers(t->session, &count);
    }
    if (t->creds->psk_server) {
        user = gnutls_psk_server_get_username(t->session);
    }
    if (user) {
        return copy_name(text, bytes, user, strlen(user));
    }
    return shown && count > 0 ? subject_of(shown, text, bytes) : -ENOENT;
}

int aiox_channel_tls_peer_name(struct aiox_channel *ch, char *text, size_t bytes)
{
    struct tls_channel *t = tls_of_(ch);
    int code;

    pthread_mutex_lock(&t->lock);
    code = peer_name(t, text, bytes);
    pthread_mutex_unlock(&t->lock);
    return code;
}
