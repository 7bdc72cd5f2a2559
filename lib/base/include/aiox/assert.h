/* SPDX-License-Identifier: MIT */
/*
 * aiox/assert.h - the caller's mistake ends here, with its place and reason.
 *
 * A broken rule of a contract is not an error code: nobody could handle it.
 * aiox_assert() is always compiled in, also with NDEBUG.
 */
#ifndef AIOX_ASSERT_H_
#define AIOX_ASSERT_H_

#include "aiox/attributes.h"

AIOX_BEGIN_DECLS

/*
 * Writes "file:line: function: text" to stderr and to the log hook, and aborts.
 * The text is cut after 500 bytes. [any]
 */
AIOX_API AIOX_NORETURN AIOX_COLD AIOX_PRINTF(4, 5) void aiox_panic_at(const char *file, int line,
                                                                      const char *function,
                                                                      const char *format, ...);

/* Ends the program with a reason in words. */
#define aiox_panic(...) aiox_panic_at(__FILE__, __LINE__, __func__, __VA_ARGS__)

/* Ends the program unless @cond holds. */
#define aiox_assert(cond)                                                                          \
    (AIOX_LIKELY(cond) ? (void)0 : aiox_panic("the condition '%s' does not hold", #cond))

/* A check too costly for production (it walks a list): on with AIOX_DEBUG=1. */
#if defined(AIOX_DEBUG) && AIOX_DEBUG
#define aiox_debug_assert(cond) aiox_assert(cond)
#else
#define aiox_debug_assert(cond) ((void)sizeof(!(cond)))
#endif

AIOX_END_DECLS

#endif /* AIOX_ASSERT_H_ */
