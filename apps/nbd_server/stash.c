/* SPDX-License-Identifier: MIT */
/* stash.c - a short stack. */
#include "stash.h"

#include <stdlib.h>

void *stash_take(struct stash *s)
{
    return s->count > 0 ? s->kept[--s->count] : malloc(STASH_BYTES);
}

void stash_give(struct stash *s, void *room)
{
    if (room && s->count < STASH_KEEP) {
        s->kept[s->count++] = room;
    } else {
        free(room);
    }
}

void stash_fini(struct stash *s)
{
    while (s->count > 0) {
        free(s->kept[--s->count]);
    }
}
