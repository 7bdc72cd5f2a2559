/* SPDX-License-Identifier: MIT */
/*
 * text.h - words for people, whatever bytes they are made of, and back.
 */
#ifndef AIOX_NBD_TEXT_H_
#define AIOX_NBD_TEXT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aiox/attributes.h"

AIOX_BEGIN_DECLS

/* Room for any result of text_quote(). */
enum { TEXT_QUOTED = 96 };

/*
 * Writes @n bytes of a stranger between quotes, so that they can stand in a
 * log: everything but printable ASCII becomes \xNN, what is too long ends in
 * "...". @out has TEXT_QUOTED bytes. Returns @out. [any]
 */
const char *text_quote(char *out, const void *bytes, size_t n);

/* Copies @text to @out (@room bytes, more than 0); what does not fit is left out. [any] */
void text_copy(char *out, size_t room, const char *text);

/*
 * Appends @text to the string in @out (@room bytes), all but unreserved
 * characters (RFC 3986, 2.3) and '/' as %NN. What does not fit is left out.
 * [any]
 */
void text_append_uri(char *out, size_t room, const char *text);

/* "512", "64k", "10M", "2G", "1T" (powers of 1,024). False: not a size. [any] */
bool text_to_size(const char *text, uint64_t *out);

/* "30", "0.5", at most 1,000,000 seconds. False: not a time. [any] */
bool text_to_ns(const char *text, int64_t *out);

/* A number from @least to @most in decimal. [any] */
bool text_to_number(const char *text, unsigned long least, unsigned long most, unsigned long *out);

AIOX_END_DECLS

#endif /* AIOX_NBD_TEXT_H_ */
