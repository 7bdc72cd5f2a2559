/* SPDX-License-Identifier: MIT */
/*
 * guard.h - memory that may not be touched, without a mapping of its own where
 * the kernel can do that.
 */
#ifndef AIOX_COROUTINE_SRC_GUARD_H_
#define AIOX_COROUTINE_SRC_GUARD_H_

#include <stdbool.h>
#include <stddef.h>

/*
 * Makes any access to these pages, part of a private anonymous mapping, a
 * SIGSEGV. They stay so until the mapping goes. False: no memory or no mapping
 * left. [any]
 */
bool guard_install_(void *low, size_t bytes);

#endif /* AIOX_COROUTINE_SRC_GUARD_H_ */
