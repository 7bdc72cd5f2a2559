/* SPDX-License-Identifier: MIT */
/*
 * door.h - the places where clients knock, looked at together.
 *
 * When descriptors or memory run out, accept() fails and the listening socket
 * stays readable: looking again at once would be a busy loop. So the door is
 * not looked at until a client has left or a moment has passed.
 */
#ifndef AIOX_NBD_DOOR_H_
#define AIOX_NBD_DOOR_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/aiox.h"
#include "aiox/attributes.h"
#include "aiox/error.h"

#include "listener.h"

AIOX_BEGIN_DECLS

enum { DOOR_PLACES_MAX = 64 };

struct door;

struct door_place {
    struct listener listener;
    struct door *door;
};

struct door {
    struct aiox_context *ctx;
    struct door_place places[DOOR_PLACES_MAX];
    int count;
    bool looking;
    bool closed;
    bool in_want;    /* something is short, and that was told */
    uint64_t knocks; /* how often a client was to be accepted */
    uint64_t pauses; /* of those: something was short */
    struct aiox_timer pause;
    /* A client has come; @fd is the callee's. [home] */
    void (*welcome)(void *opaque, int fd, const char *peer);
    void *opaque;
};

/* No place yet, not looked at. 0 or -ENOMEM. [init] */
AIOX_NODISCARD int door_init(struct door *d, struct aiox_context *ctx,
                             void (*welcome)(void *opaque, int fd, const char *peer), void *opaque);

/* Adds what listens at @l, which becomes the door's own. -ENOSPC: too many places. [init] */
AIOX_NODISCARD int door_add(struct door *d, const struct listener *l);

/* Begins to look. Errors are those of aiox_set_fd_handler(). [home], or [init] */
AIOX_NODISCARD int door_open(struct door *d);

/* Something that may have been short is there again: ends a pause. [home] */
void door_look_again(struct door *d);

/* Nobody listens any more. [home] */
void door_close(struct door *d);

/* The same, and gives everything back; all zero is allowed. [home] */
void door_fini(struct door *d);

AIOX_END_DECLS

#endif /* AIOX_NBD_DOOR_H_ */
