/* SPDX-License-Identifier: MIT */
/*
 * stash.h - room for bytes on their way, lent to a client for as long as it has
 * any: one that says nothing has none. A few that were given back are kept, the
 * newest on top, so that all clients of a thread use the same ones, which the
 * processor's cache still has.
 */
#ifndef AIOX_NBD_STASH_H_
#define AIOX_NBD_STASH_H_

#include "aiox/attributes.h"

AIOX_BEGIN_DECLS

enum {
    STASH_BYTES = 32 << 10,
    /* Under AddressSanitizer none are kept, so that it sees each one die. */
    STASH_KEEP = AIOX_ASAN ? 0 : 8,
};

/* Zeroed: empty. */
struct stash {
    void *kept[STASH_KEEP + 1];
    int count;
};

/* STASH_BYTES of memory, not cleared, or NULL. [home] */
void *stash_take(struct stash *s);

/* Takes back what stash_take() gave; NULL: nothing. [home] */
void stash_give(struct stash *s, void *room);

/* Frees what is kept. [home] */
void stash_fini(struct stash *s);

AIOX_END_DECLS

#endif /* AIOX_NBD_STASH_H_ */
