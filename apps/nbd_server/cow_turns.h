/* SPDX-License-Identifier: MIT */
/*
 * cow_turns.h - changes of overlapping ranges take turns.
 *
 * Copying a block up reads what is below and writes it above. Nobody may change
 * that block in between, or the copy would undo it. So who changes a range of
 * blocks holds it, and who comes later waits until none of it is held, nor wanted
 * by somebody who came earlier. The turns may be shared by threads: who waits is
 * called back on the thread it waits on. What a turn costs does not grow with those
 * who wait.
 */
#ifndef AIOX_NBD_COW_TURNS_H_
#define AIOX_NBD_COW_TURNS_H_

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aiox/aiox.h"
#include "aiox/attributes.h"
#include "aiox/list.h"

AIOX_BEGIN_DECLS

struct cow_turns {
    pthread_mutex_t lock;
    struct aiox_list held;    /* struct cow_turn, those that go on ... */
    struct aiox_list waiting; /* ... and those that do not yet, in the order they came */
    size_t held_count;
    size_t waiting_count;
    /* Comparisons of two turns ever made: bounded for each that is taken or given. */
    uint64_t looks;
};

/* Where turns of one thread come back to. */
struct cow_home {
    struct cow_turns *turns;
    struct aiox_list ready; /* struct cow_turn, by ready_link; the lock is for this too */
    struct aiox_bh *bh;     /* calls cow_home_run() */
};

struct cow_turn {
    struct aiox_list_node link;       /* held or waiting */
    struct aiox_list_node ready_link; /* held, but its home does not know yet */
    struct cow_home *home;
    uint64_t first; /* block */
    uint64_t end;   /* behind the last */
    void (*go)(struct cow_turn *turn);
};

void cow_turns_init(struct cow_turns *t);

/* Nobody holds anything or waits. */
void cow_turns_fini(struct cow_turns *t);

/*
 * Calls @turn->go when nobody else holds any of its blocks, perhaps before this
 * returns. home, first, end and go are set. [home]
 */
void cow_turn_take(struct cow_turn *turn);

/* Gives it back: others may go on. [home] */
void cow_turn_give(struct cow_turn *turn);

/* Lets those go on whose turn has come. [home] */
void cow_home_run(struct cow_home *home);

AIOX_END_DECLS

#endif /* AIOX_NBD_COW_TURNS_H_ */
