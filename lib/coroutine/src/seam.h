/* SPDX-License-Identifier: MIT */
/*
 * seam.h - places where a test may hold a thread up.
 *
 * Between two steps of a lock there is a window in which another thread can do
 * all of its own. It is open for nanoseconds; with AIOX_CO_SEAM=1 a test opens
 * it for as long as it likes. In what is shipped there is nothing here.
 */
#ifndef AIOX_COROUTINE_SRC_SEAM_H_
#define AIOX_COROUTINE_SRC_SEAM_H_

#include "aiox/attributes.h"

enum co_seam {
    SEAM_ABOUT_TO_QUEUE, /* it found the mutex held, and says so to nobody yet */
    SEAM_QUEUED,         /* it can be handed the mutex, and has not yielded yet */
    SEAM_CHOSEN,         /* the next holder is known, and not yet woken */
    SEAM_SPIN,           /* a round of looking */
};

#if defined(AIOX_CO_SEAM) && AIOX_CO_SEAM

AIOX_BEGIN_DECLS
void co_seam_(enum co_seam place); /* the test's */
AIOX_END_DECLS

#else

static inline void co_seam_(enum co_seam place)
{
    (void)place;
}

#endif

#endif /* AIOX_COROUTINE_SRC_SEAM_H_ */
