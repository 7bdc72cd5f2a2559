/* SPDX-License-Identifier: MIT */
/*
 * users.c - the last one out tears down.
 *
 * CLOSED is set once and never cleared. While it is set nobody enters, so the
 * count only falls, and one change of the word is the last.
 *
 *   [CHANNEL-inside]  users_leave_ (acq_rel) -> the last users_leave_ or
 *                     users_close_ (acq_rel): what was done inside.
 */
#include "users.h"

enum { CLOSED = 1, ONE = 2 };

bool users_enter_(aiox_atomic_u32 *word)
{
    uint32_t was = aiox_u32_load_relaxed(word);

    while (!(was & CLOSED)) {
        if (aiox_u32_cas_relaxed(word, &was, was + ONE)) {
            return true;
        }
    }
    return false;
}

bool users_leave_(aiox_atomic_u32 *word)
{
    return aiox_u32_sub_acq_rel(word, ONE) == (ONE | CLOSED); /* [CHANNEL-inside] */
}

enum users_closed users_close_(aiox_atomic_u32 *word)
{
    uint32_t was = aiox_u32_or_acq_rel(word, CLOSED); /* [CHANNEL-inside] */

    if (was & CLOSED) {
        return USERS_WERE_CLOSED;
    }
    return was ? USERS_SOME_INSIDE : USERS_NONE_INSIDE;
}
