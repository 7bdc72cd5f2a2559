/* SPDX-License-Identifier: MIT */
/* session.h - a TLS session over a channel. */
#ifndef AIOX_CHANNEL_TLS_SRC_SESSION_H_
#define AIOX_CHANNEL_TLS_SRC_SESSION_H_

#include <pthread.h>

#include "aiox/channel_ops.h"

#include "credentials.h"

enum { RECORD_BYTES = 16384 }; /* the most that one record carries */

struct tls_channel {
    struct aiox_channel base;
    struct aiox_channel *inner;
    struct aiox_tls_credentials *creds;
    char *hostname; /* NULL: any */
    /*
     * A reader and a writer may be in two threads; GnuTLS lets one in at a
     * time. Never held across a wait. Guards what follows.
     */
    pthread_mutex_t lock;
    gnutls_session_t session;
    int inner_error;     /* of the last pull or push that failed */
    bool inner_ended;    /* nothing more comes */
    size_t unsent_bytes; /* that GnuTLS has taken and not yet sent: a write is to be repeated */
    bool said_bye;
    char gathered[RECORD_BYTES];
};

/* The channel as what it is; ends the program if it is of another kind. */
struct tls_channel *tls_of_(struct aiox_channel *ch);

/* What a result of GnuTLS means; with the lock held. -EAGAIN: *@wanted says what to wait for. */
int tls_code_(const struct tls_channel *t, ssize_t result, uint32_t *wanted);

/* The table of operations. */
extern const struct aiox_channel_ops tls_ops_;

/* One attempt to say farewell; 0, -EAGAIN with *@wanted, or an error. */
int tls_try_bye_(struct tls_channel *t, uint32_t *wanted);

#endif /* AIOX_CHANNEL_TLS_SRC_SESSION_H_ */
