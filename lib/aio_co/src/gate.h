/* SPDX-License-Identifier: MIT */
/* gate.h - many go in by doors of their own, one keeper closes all doors at once. */
#ifndef AIOX_AIO_CO_SRC_GATE_H_
#define AIOX_AIO_CO_SRC_GATE_H_

#include <pthread.h>
#include <stdbool.h>

#include "aiox/atomic.h"
#include "aiox/attributes.h"
#include "aiox/list.h"

/* One door, for those who go in and out by it. On a cache line that others leave alone. */
struct door {
    aiox_atomic_u32 word;
    struct aiox_list_node link; /* in gate.doors */
};

/* One that waits outside; on its stack. */
struct visitor {
    struct aiox_list_node link;
    struct door *door;
};

struct gate {
    pthread_mutex_t lock; /* of what follows, but for what is in the doors' words */
    struct aiox_list doors;
    struct aiox_list outside; /* struct visitor */
    bool closed;
    bool wanted;
    void (*kick)(void *opaque); /* tells the keeper that somebody went out; any thread */
    void *opaque;
};

void gate_init_(struct gate *g, void (*kick)(void *opaque), void *opaque);

/* Nobody is inside or waits. Doors may be left: they are not used any more. */
void gate_fini_(struct gate *g);

void gate_add_(struct gate *g, struct door *d);

/* Nobody is inside by @d. */
void gate_remove_(struct gate *g, struct door *d);

/*
 * Goes in by @d. False: the gate is closed. Then @v, if it is not NULL, waits outside
 * and is inside when gate_open_() gives it back. [any]
 */
AIOX_NODISCARD bool gate_enter_(struct gate *g, struct door *d, struct visitor *v);

/* Goes out by @d. [any] */
void gate_leave_(struct gate *g, struct door *d);

/* From now on whoever goes out kicks the keeper. By the keeper, as what follows. */
void gate_want_(struct gate *g);

/* True if nobody was inside at some moment since the call. */
bool gate_is_empty_(struct gate *g);

/* Closes all doors. False: somebody is inside. */
AIOX_NODISCARD bool gate_close_(struct gate *g);

/* Opens all doors; with @done, the keeper wants nothing more. Those who waited are inside and
 * on @granted. */
void gate_open_(struct gate *g, bool done, struct aiox_list *granted);

#endif /* AIOX_AIO_CO_SRC_GATE_H_ */
