/* SPDX-License-Identifier: MIT */
/* tls_none.c - in the place of tls.c where the program is built without GnuTLS. */
#include <errno.h>

#include "tls.h"

const bool tls_is_built = false;

static int refuse(struct aiox_error *err)
{
    return aiox_error_set(err, -EOPNOTSUPP, "this aiox-nbd is built without TLS");
}

int tls_keys_open(struct tls_keys **out, const char *certs, const char *psk, struct aiox_error *err)
{
    return refuse(err);
}

struct tls_keys *tls_keys_ref(struct tls_keys *keys)
{
    return keys;
}

void tls_keys_unref(struct tls_keys *keys)
{
}

int tls_begin(struct connection *c, struct tls_keys *keys, bool (*goes_on)(void *opaque),
              void *opaque, char who[TLS_WORDS], struct aiox_error *err) coroutine_fn
{
    return refuse(err);
}

void tls_say_bye(struct connection *c)
{
}

void tls_end(struct connection *c)
{
}
