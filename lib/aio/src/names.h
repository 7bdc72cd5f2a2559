/* SPDX-License-Identifier: MIT */
/*
 * names.h - which words are names, and which name somebody may have meant.
 */
#ifndef AIOX_AIO_SRC_NAMES_H_
#define AIOX_AIO_SRC_NAMES_H_

#include <stdbool.h>
#include <stddef.h>

/* With the NUL. */
#define NAME_BYTES 32

/* True if the first @length characters of @text are a name: [a-z][a-z0-9_]{0,30}. */
bool name_is_good_(const char *text, size_t length);

/* The one of @known[@count] that @word is most like; NULL if it is like none. */
const char *name_near_(const char *word, const char *const *known, int count);

#endif /* AIOX_AIO_SRC_NAMES_H_ */
