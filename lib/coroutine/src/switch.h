/* SPDX-License-Identifier: MIT */
/*
 * switch.h - four words that any switch must offer: prepare, jump, finish, name.
 *
 * A point is where a suspended stack goes on; it is one pointer, into that
 * stack. switch_x86_64.S, switch_aarch64.S and switch_ucontext.c are all
 * compiled; all but one are then empty.
 *
 * What a jump keeps is what the C calling convention keeps across a call, less
 * the floating point controls (MXCSR and the x87 word, FPCR): loading them
 * costs as much as all the rest of a switch, and nobody changes them.
 */
#ifndef AIOX_COROUTINE_SRC_SWITCH_H_
#define AIOX_COROUTINE_SRC_SWITCH_H_

#include "aiox/attributes.h"

typedef void switch_fn(void *arg);

/*
 * A point at which @entry(@arg) begins on the stack that ends below @high,
 * which is a multiple of 16. @entry never returns.
 */
void *switch_prepare_(void *high, switch_fn *entry, void *arg);

/* Suspends this stack, notes its point in *@here, and goes on at @there. */
void switch_jump_(void **here, void *there);

/*
 * The same, but first calls @fn(@arg) on the stack of @there. This stack is
 * then suspended already: @fn may give it to others.
 */
void switch_finish_(void **here, void *there, switch_fn *fn, void *arg);

/* What it is called. */
extern const char switch_name_[];

#endif /* AIOX_COROUTINE_SRC_SWITCH_H_ */
