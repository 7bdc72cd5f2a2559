/* SPDX-License-Identifier: MIT */
/*
 * aiox/channel_tls.h - TLS over any channel.
 *
 * A TLS channel is used by the functions of aiox/channel.h; what it sends and
 * receives goes through another channel, which it then alone uses. TLS 1.2 and
 * 1.3, with certificates or with keys that both sides have (PSK). By GnuTLS.
 *
 *   aiox_tls_credentials_x509(&creds, AIOX_TLS_CLIENT, "/etc/pki/app", &err)
 *   aiox_channel_connect(&tcp, &address, deadline_ns, &err)
 *   aiox_channel_tls_client_new(&ch, tcp, creds, "host.example", NULL, &err)
 *   aiox_channel_tls_handshake(ch, deadline_ns, &err)
 *
 * Errors besides those of aiox/channel.h:
 *   -ECONNABORTED  the peer went without a farewell: what came may be cut
 *   -EPROTO        the peer does not keep to the protocol, or says that we do not
 *   -EKEYREJECTED  the certificate or the key of the peer is not accepted
 *
 * A write that ended early (-ETIMEDOUT, -ECANCELED) may be begun again with the
 * same bytes; with others, the channel is of no use any more. A wait for reading may
 * end though nothing can be read: the bytes belonged to the protocol.
 */
#ifndef AIOX_CHANNEL_TLS_H_
#define AIOX_CHANNEL_TLS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aiox/attributes.h"
#include "aiox/channel.h"
#include "aiox/error.h"

AIOX_BEGIN_DECLS

/* ---- credentials: who we are, and whom we believe ---- */

struct aiox_tls_credentials;

enum aiox_tls_role { AIOX_TLS_CLIENT, AIOX_TLS_SERVER };

/*
 * Takes certificates from the folder @dir:
 *
 *   ca-cert.pem                        whom we believe; a server needs it only if it
 *                                      wants certificates of its clients
 *   ca-crl.pem                         who is not believed any more; if it is there
 *   server-cert.pem, server-key.pem    of a server
 *   client-cert.pem, client-key.pem    of a client, if they are there
 *
 *   -ENOENT, -EACCES, ...   a file is missing, cannot be read; @err says which
 *   -EINVAL                 it does not hold what it should
 *   -ENOMEM                 no memory
 *
 * Ownership: the caller has one reference. Blocks the thread while it reads. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_tls_credentials_x509(struct aiox_tls_credentials **out,
                                                      enum aiox_tls_role role, const char *dir,
                                                      struct aiox_error *err);

/*
 * Takes the key of @user from keys.psk in the folder @dir, whose lines are
 * USER:HEXKEY, as psktool(1) writes them. A server has @user NULL: it knows all
 * of them. -ENOKEY: there is no such user; others as above. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_tls_credentials_psk(struct aiox_tls_credentials **out,
                                                     enum aiox_tls_role role, const char *dir,
                                                     const char *user, struct aiox_error *err);

/*
 * The same from the file @path, whatever its name. A server looks into the file
 * whenever a client comes, so keys may be added and taken away. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_tls_credentials_psk_file(struct aiox_tls_credentials **out,
                                                          enum aiox_tls_role role, const char *path,
                                                          const char *user, struct aiox_error *err);

/*
 * Adds the keys in the file @path, as above, to the certificates of a server, before
 * a channel is made of them: a client then proves who it is by either, and the
 * server shows a certificate only to those who have no key. A certificate that is
 * required is required of these. Errors as above; then @creds are as they were.
 * [init]
 */
AIOX_API AIOX_NODISCARD int aiox_tls_credentials_add_psk_file(struct aiox_tls_credentials *creds,
                                                              const char *path,
                                                              struct aiox_error *err);

/* One more reference; returns @creds. [any] */
AIOX_API struct aiox_tls_credentials *aiox_tls_credentials_ref(struct aiox_tls_credentials *creds);

/* One less; NULL is allowed. [any] */
AIOX_API void aiox_tls_credentials_unref(struct aiox_tls_credentials *creds);

/* ---- channels ---- */

/* All zero is the default. */
struct aiox_tls_options {
    /* What is allowed, as gnutls_priority_init(3) says; NULL: NORMAL. Never below TLS 1.2. */
    const char *priority;
    /* A server: a client without a key must show a certificate that ca-cert.pem vouches for. */
    bool require_certificate;
};

/*
 * Makes the client's, the server's side over @inner, of which it takes a
 * reference. Nothing is sent before aiox_channel_tls_handshake(). @hostname: what the
 * server's certificate must be for; NULL, with certificates: any host, that is
 * anybody whom ca-cert.pem vouches for. NULL as @options: the default.
 *
 *   -EINVAL   options->priority has an error; @creds are of the other role
 *   -ENOMEM   no memory
 *
 * [any]
 */
AIOX_API AIOX_NODISCARD int
aiox_channel_tls_client_new(struct aiox_channel **out, struct aiox_channel *inner,
                            struct aiox_tls_credentials *creds, const char *hostname,
                            const struct aiox_tls_options *options, struct aiox_error *err);
AIOX_API AIOX_NODISCARD int aiox_channel_tls_server_new(struct aiox_channel **out,
                                                        struct aiox_channel *inner,
                                                        struct aiox_tls_credentials *creds,
                                                        const struct aiox_tls_options *options,
                                                        struct aiox_error *err);

/*
 * Agrees with the peer on who both are. Comes before any byte. Waits as
 * aiox_channel_read() does. In TLS 1.3 a client does not hear whether its own
 * certificate is accepted before it reads.
 *
 * After an error, which the peer is told of as far as that goes at once, the
 * channel is only good for closing. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_channel_tls_handshake(struct aiox_channel *ch, int64_t deadline_ns,
                                                       struct aiox_error *err);

/*
 * Tells the peer that no more is written: it reads the end of the file, and
 * knows that nothing is missing. Waits until that is sent. Reading goes on.
 * aiox_channel_shutdown(AIOX_CHANNEL_WRITING) does the same if it goes at once, else
 * it is -EAGAIN. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_channel_tls_bye(struct aiox_channel *ch, int64_t deadline_ns);

/* ---- after the handshake; for TLS channels, for others the program ends ---- */

/* Protocol, key exchange and cipher in words, into @text of @bytes. Returns @text. [any] */
AIOX_API const char *aiox_channel_tls_describe(struct aiox_channel *ch, char *text, size_t bytes);

/*
 * Who the peer is: the subject of its certificate ("CN=...,O=...", RFC 4514), or the
 * user of its key as a client has sent it, into @text of @bytes. Returns 0, or
 *   -ENOENT        it has shown neither
 *   -ENAMETOOLONG  it does not fit
 * [any]
 */
AIOX_API AIOX_NODISCARD int aiox_channel_tls_peer_name(struct aiox_channel *ch, char *text,
                                                       size_t bytes);

AIOX_END_DECLS

#endif /* AIOX_CHANNEL_TLS_H_ */
