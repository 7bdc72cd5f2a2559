/* SPDX-License-Identifier: MIT */
/*
 * text_out.h - a text that grows.
 */
#ifndef AIOX_NBD_TEXT_OUT_H_
#define AIOX_NBD_TEXT_OUT_H_

#include <stdbool.h>
#include <stddef.h>

#include "aiox/attributes.h"

AIOX_BEGIN_DECLS

/* Zeroed: empty. */
struct text_out {
    char *text; /* NULL, or a string of @bytes */
    size_t bytes;
    size_t room;
    bool failed; /* there was no memory: it is not whole */
};

/* Gives its memory back. [any] */
void text_out_fini(struct text_out *o);

AIOX_PRINTF(2, 3) void text_out_add(struct text_out *o, const char *format, ...);

/* A JSON string: what is not printable ASCII as \u00NN, byte by byte. [any] */
void text_out_json(struct text_out *o, const char *string);

/* The value of a Prometheus label, quoted: what is not printable ASCII as \\xNN. [any] */
void text_out_label(struct text_out *o, const char *string);

AIOX_END_DECLS

#endif /* AIOX_NBD_TEXT_OUT_H_ */
