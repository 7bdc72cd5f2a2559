/* SPDX-License-Identifier: MIT */
/*
 * home.h - what a context keeps for coroutines: who has been sent there.
 *
 * Knows bottom halves and nothing else of a loop, so that a test can be its loop.
 */
#ifndef AIOX_AIO_CO_SRC_HOME_H_
#define AIOX_AIO_CO_SRC_HOME_H_

#include "aiox/bh.h"
#include "aiox/coroutine.h"

AIOX_BEGIN_DECLS

struct co_home {
    struct aiox_executor executor; /* its schedule is set by the owner */
    aiox_atomic_ptr newest;        /* the inbox: links of coroutines, newest first */
    struct aiox_queue due;         /* taken out of the inbox; home */
    struct aiox_queue leaving;     /* struct leaver; home */
    struct aiox_bh *bh;
};

/* A coroutine that goes elsewhere as soon as it has yielded. Lives in its frame. */
struct leaver {
    struct aiox_queue_node link;
    struct aiox_co *co;
    void (*send)(struct leaver *leaver);
};

/* Makes a home whose coroutines run in @q. 0 or -ENOMEM. [init] */
int home_init_(struct co_home *h, struct aiox_bh_queue *q);

/* Ends it. One that is still due ends the program and is named. [home], or while nobody runs @q */
void home_fini_(struct co_home *h);

/* Marks @co and sends it to be entered at home, later. [any] */
void home_send_(struct co_home *h, struct aiox_co *co);

/* Calls @leaver->send once its coroutine has yielded, which it does now. [home] */
void home_leave_(struct co_home *h, struct leaver *leaver);

AIOX_END_DECLS

#endif /* AIOX_AIO_CO_SRC_HOME_H_ */
