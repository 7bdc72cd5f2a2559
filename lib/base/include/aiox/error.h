/* SPDX-License-Identifier: MIT */
/*
 * aiox/error.h - a code for programs and a sentence for people.
 *
 * Functions return 0 or a useful non-negative number, else a negative errno.
 * Where a person has to understand the reason, one more optional parameter
 * takes it in words. The caller owns the struct; nothing is allocated, so an
 * error survives threads, coroutines and the lack of memory.
 */
#ifndef AIOX_ERROR_H_
#define AIOX_ERROR_H_

#include "aiox/attributes.h"

AIOX_BEGIN_DECLS

struct aiox_error {
    int code;          /* a negative errno; 0 while nothing was set */
    char message[240]; /* one English sentence, no newline, no dot at its end */
};

/*
 * Writes @code and the sentence into @err, which may be NULL, and returns @code.
 * A sentence that is too long is cut. [any]
 */
AIOX_API AIOX_PRINTF(3, 4) int aiox_error_set(struct aiox_error *err, int code, const char *format,
                                              ...);

/*
 * Puts words in front of the sentence that is in @err already: "cannot open
 * export 'a': " and so on. Returns the code in @err; 0 if @err is NULL. [any]
 */
AIOX_API AIOX_PRINTF(2, 3) int aiox_error_prefix(struct aiox_error *err, const char *format, ...);

/*
 * What the errno @code (either sign) means, in English, whatever the locale:
 * "No such file or directory". Static text, never NULL. [any] signal-safe
 */
AIOX_API const char *aiox_error_text(int code);

/* The errno's name: "ENOENT"; "?" if it has none. [any] signal-safe */
AIOX_API const char *aiox_error_name(int code);

AIOX_END_DECLS

#endif /* AIOX_ERROR_H_ */
