/* SPDX-License-Identifier: MIT */
/*
 * haggle.h - the options of the handshake and their answers; handshake.c finds
 * them in the bytes.
 *
 * An answer is given when the data of the option is there as a whole and there
 * is room for the longest answer, so none is ever left half-way.
 */
#ifndef AIOX_NBD_HAGGLE_H_
#define AIOX_NBD_HAGGLE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aiox/attributes.h"

#include "bytes.h"
#include "handshake.h"

AIOX_BEGIN_DECLS

/* Not a verdict for the caller of the handshake: the next phase can be looked at. */
enum { HAGGLE_ON = -1 };

struct haggle_row {
    uint32_t option;
    /* @data is whole, @out has room. Returns HAGGLE_ON or an enum handshake_verdict. */
    int (*answer)(struct handshake *h, const uint8_t *data, size_t n, struct bytes *out);
};

/* NULL: not an option that this server knows. [any] */
const struct haggle_row *haggle_row_of(uint32_t option);

/* True if @out has room for the longest answer. [any] */
bool haggle_has_room(const struct bytes *out);

/* An answer with @text, which may be NULL. [any] */
void haggle_reply(struct bytes *out, uint32_t option, uint32_t type, const char *text);

/* Answers the option with an error. Too many of those end the handshake. [any] */
int haggle_refuse(struct handshake *h, struct bytes *out, uint32_t type, const char *text);

/* One export of a list. [any] */
void haggle_put_server(const struct handshake *h, const struct nbd_export *e, struct bytes *out);

/* Ends the handshake; returns HANDSHAKE_BROKEN. [any] */
AIOX_PRINTF(2, 3) int haggle_broken(struct handshake *h, const char *format, ...);

AIOX_END_DECLS

#endif /* AIOX_NBD_HAGGLE_H_ */
