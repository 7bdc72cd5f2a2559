/* SPDX-License-Identifier: MIT */
/*
 * users.h - who is inside, and who goes out last.
 *
 * One word: bit 0 says that it is closed, the rest counts those inside.
 */
#ifndef AIOX_CHANNEL_SRC_USERS_H_
#define AIOX_CHANNEL_SRC_USERS_H_

#include <stdbool.h>

#include "aiox/atomic.h"
#include "aiox/attributes.h"

AIOX_BEGIN_DECLS

/* What to do after users_close_(). */
enum users_closed {
    USERS_WERE_CLOSED, /* nothing: another has closed it */
    USERS_NONE_INSIDE, /* the caller tears down */
    USERS_SOME_INSIDE, /* whoever leaves last tears down */
};

/* False if it is closed: then the caller is not inside. */
bool users_enter_(aiox_atomic_u32 *word);

/* True if the caller was the last of a closed one: then it tears down. */
bool users_leave_(aiox_atomic_u32 *word);

enum users_closed users_close_(aiox_atomic_u32 *word);

AIOX_END_DECLS

#endif /* AIOX_CHANNEL_SRC_USERS_H_ */
