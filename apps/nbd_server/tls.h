/* SPDX-License-Identifier: MIT */
/*
 * tls.h - keys of the server, and TLS on a connection.
 *
 * tls.c is this by lib/channel_tls; tls_none.c stands in its place where the
 * program is built without GnuTLS.
 *
 * A connection sends and receives by two functions. tls_begin() puts those that
 * encrypt in the place of those that go straight to the socket; nobody else
 * notices.
 */
#ifndef AIOX_NBD_TLS_H_
#define AIOX_NBD_TLS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aiox/attributes.h"
#include "aiox/coroutine.h"
#include "aiox/error.h"

AIOX_BEGIN_DECLS

struct connection;
struct tls_keys;

enum { TLS_WORDS = 400 };

/* TLS handshakes. */
struct tls_counts {
    uint64_t done;
    uint64_t failed; /* by the client's fault, or because it was lost or too slow */
};

/* False: all that follows fails. */
extern const bool tls_is_built;

/*
 * Reads server-cert.pem, server-key.pem, and if they are there ca-cert.pem and
 * ca-crl.pem in the folder @certs, and the keys that clients have from the file
 * @psk; one of the two may be NULL. With ca-cert.pem a client that has no key must
 * show a certificate that it vouches for. *@out gets one reference. Errors are those of
 * aiox_tls_credentials_x509(), or -EOPNOTSUPP: not built. Blocks. [any]
 */
AIOX_NODISCARD int tls_keys_open(struct tls_keys **out, const char *certs, const char *psk,
                                 struct aiox_error *err);

/* One more reference; returns @keys. NULL is allowed. [any] */
struct tls_keys *tls_keys_ref(struct tls_keys *keys);

/* One less. NULL is allowed. [any] */
void tls_keys_unref(struct tls_keys *keys);

/*
 * Shakes hands as the server. From then on all bytes of @c go through TLS;
 * @who gets words on how, and who the client is. @goes_on(@opaque) is asked after each
 * wait whether to go on.
 *
 *   -ECANCELED      it was not to go on, or the timer of @c has run out
 *   -EKEYREJECTED   the client's certificate is not accepted
 *   -EPROTO         the client does not keep to the protocol, or has another key
 *   other           the connection is lost; -ENOMEM
 */
AIOX_NODISCARD int tls_begin(struct connection *c, struct tls_keys *keys,
                             bool (*goes_on)(void *opaque), void *opaque, char who[TLS_WORDS],
                             struct aiox_error *err) coroutine_fn;

/* Says farewell as far as that goes at once. [home] */
void tls_say_bye(struct connection *c);

/* Frees what tls_begin() has made, also when that failed. [home] */
void tls_end(struct connection *c);

AIOX_END_DECLS

#endif /* AIOX_NBD_TLS_H_ */
