/* SPDX-License-Identifier: MIT */
/* credentials.h - certificates or keys, as GnuTLS has them. */
#ifndef AIOX_CHANNEL_TLS_SRC_CREDENTIALS_H_
#define AIOX_CHANNEL_TLS_SRC_CREDENTIALS_H_

#include <gnutls/gnutls.h>

#include "aiox/atomic.h"
#include "aiox/channel_tls.h"

struct aiox_tls_credentials {
    aiox_atomic_u32 references;
    enum aiox_tls_role role;
    bool has_ca;
    /* One of these; a server may have certificates and keys. */
    gnutls_certificate_credentials_t x509;
    gnutls_psk_client_credentials_t psk_client;
    gnutls_psk_server_credentials_t psk_server;
};

static inline bool credentials_have_psk_(const struct aiox_tls_credentials *c)
{
    return c->psk_client || c->psk_server;
}

#endif /* AIOX_CHANNEL_TLS_SRC_CREDENTIALS_H_ */
