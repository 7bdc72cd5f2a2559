/* SPDX-License-Identifier: MIT */
/*
 * dialect.h - how a client and the server have agreed to speak, beyond the
 * base of the protocol. The handshake finds it out, the transmission obeys it.
 */
#ifndef AIOX_NBD_DIALECT_H_
#define AIOX_NBD_DIALECT_H_

#include <stdbool.h>

enum dialect_replies {
    REPLIES_SIMPLE,
    REPLIES_STRUCTURED, /* "NBD_OPT_STRUCTURED_REPLY" */
    REPLIES_EXTENDED,   /* "NBD_OPT_EXTENDED_HEADERS", of requests too */
};

/* Zeroed: the base of the protocol. */
struct dialect {
    enum dialect_replies replies;
    bool allocation; /* base:allocation was selected for the export that is served */
};

enum {
    /* The id of base:allocation, the one context there is. */
    DIALECT_ALLOCATION_ID = 1,
};

#endif /* AIOX_NBD_DIALECT_H_ */
