/* SPDX-License-Identifier: MIT */
/* home.h - which thread turns a loop, and which loop a thread turns. */
#ifndef AIOX_AIO_SRC_HOME_H_
#define AIOX_AIO_SRC_HOME_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/atomic.h"
#include "aiox/attributes.h"

struct aiox_context;

/* All zero: nobody's yet. */
struct home {
    aiox_atomic_u64 thread; /* its number */
};

/* What stands for a thread's number. */
#define HOME_NONE_YET UINT64_C(0)
#define HOME_NOBODY UINT64_MAX /* of a loop that is lent, just now */

/* The number of this thread. [any] */
uint64_t home_number_(void);

/* @from becomes @to, both numbers; false if it is not @from. [any] */
AIOX_NODISCARD bool home_change_(struct home *home, uint64_t from, uint64_t to);

/* By the home, or while there is none. */
void home_set_(struct home *home, uint64_t to);

/* Makes this thread the home if there is none. True if it is the home then. [any] */
bool home_claim_(struct home *home);

/* Makes this thread the home whoever it was. [any], while nobody polls */
void home_take_(struct home *home);

/* [any] signal-safe */
bool home_is_here_(const struct home *home);

/*
 * As home_claim_(). If that is true, notes that this thread turns @ctx from now on; *@outer is
 * what home_end_turn_() needs.
 */
AIOX_NODISCARD bool home_begin_turn_(struct home *home, struct aiox_context *ctx,
                                     struct aiox_context **outer);
void home_end_turn_(struct aiox_context *outer);

/* True inside a turn of @ctx, unless that is turning another one just now. [any] */
bool home_is_turning_(const struct aiox_context *ctx);

/* The context of this thread while it turns none. NULL: none. */
void home_set_own_(struct aiox_context *ctx);

#endif /* AIOX_AIO_SRC_HOME_H_ */
