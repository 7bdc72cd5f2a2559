/* SPDX-License-Identifier: MIT */
/* refuse.h - last words: what the caller did wrong, and to whom. */
#ifndef AIOX_COROUTINE_SRC_REFUSE_H_
#define AIOX_COROUTINE_SRC_REFUSE_H_

#include "aiox/attributes.h"
#include "aiox/coroutine.h"

AIOX_BEGIN_DECLS

AIOX_NORETURN AIOX_COLD void refuse_to_enter_(const struct aiox_co *co);
AIOX_NORETURN AIOX_COLD void refuse_to_end_(const struct aiox_co *co);
AIOX_NORETURN AIOX_COLD void refuse_to_free_(const struct aiox_co *co);
AIOX_NORETURN AIOX_COLD void refuse_outside_(const char *what);
AIOX_NORETURN AIOX_COLD void refuse_to_end_wait_(const struct aiox_co *co);
AIOX_NORETURN AIOX_COLD void refuse_to_lock_twice_(const struct aiox_co *co);
AIOX_NORETURN AIOX_COLD void refuse_to_unlock_(const struct aiox_co *co, const char *what);

/* For __attribute__((cleanup)): an exception, pthread_exit() or a cancellation came by. */
AIOX_COLD void refuse_to_unwind_(struct aiox_co **co);

AIOX_END_DECLS

#endif /* AIOX_COROUTINE_SRC_REFUSE_H_ */
