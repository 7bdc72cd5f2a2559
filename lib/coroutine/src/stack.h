/* SPDX-License-Identifier: MIT */
/*
 * stack.h - memory for stacks: reserved by the slab, guarded, given back by the stack.
 *
 * Cold is a stack whose memory the kernel has; its address space stays
 * reserved in a slab. All functions: [any].
 */
#ifndef AIOX_COROUTINE_SRC_STACK_H_
#define AIOX_COROUTINE_SRC_STACK_H_

#include <stddef.h>

#include "co.h"

/* The kind of a stack with room for @bytes. */
static inline unsigned stack_kind_(size_t bytes)
{
    return bytes <= (1u << STACK_SHIFT_MIN)
               ? 0
               : 64u - (unsigned)__builtin_clzll(bytes - 1) - STACK_SHIFT_MIN;
}

/* A record on a fresh stack, pooled, its point NULL. NULL: no memory. */
struct aiox_co *stack_take_(unsigned kind);

/* Makes the stack of @co cold. */
void stack_give_(struct aiox_co *co);

/* Unmaps slabs that are all cold. */
void stack_trim_(void);

/* The lowest byte that @co may use. Above it, up to the record, is its stack. */
char *stack_low_(const struct aiox_co *co);

/* Bytes ever used on a stack since it was cold, in whole pages. */
size_t stack_used_bytes_(const struct aiox_co *co);

/* The most bytes ever used on any stack of @kind. */
size_t stack_high_water_bytes_(unsigned kind);

/* Stacks that are not cold, and the address space of all slabs. */
void stack_count_(size_t *stacks, size_t *reserved_bytes);

#endif /* AIOX_COROUTINE_SRC_STACK_H_ */
