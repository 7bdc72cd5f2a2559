/* SPDX-License-Identifier: MIT */
/*
 * watch.h - which coroutines of a context wait for which descriptor.
 *
 * A watch is what a context knows of one descriptor: who waits for each
 * direction, and for what the loop has been asked. It is found by the
 * descriptor's number and stays in place while the context lives. All
 * functions: [home].
 */
#ifndef AIOX_AIO_CO_SRC_WATCH_H_
#define AIOX_AIO_CO_SRC_WATCH_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aiox/aio.h"
#include "aiox/coroutine.h"

enum { WATCH_DIRECTIONS = 3 }; /* bit 0 AIOX_FD_READ, 1 AIOX_FD_WRITE, 2 AIOX_FD_PRI */

/* A coroutine in aiox_co_wait_fd(). Lives in its frame. */
struct waiter {
    struct aiox_co *co;
    uint32_t events; /* that it waits for */
    uint32_t seen;   /* that were reported */
    void (*wake)(struct waiter *waiter);
};

struct watch {
    struct aiox_context *ctx;
    int fd;
    uint32_t armed; /* what the loop watches */
    bool is_kept;
    struct waiter *waiting[WATCH_DIRECTIONS];
};

struct watches {
    struct aiox_context *ctx;
    struct watch **blocks;
    size_t count;
};

void watches_init_(struct watches *all, struct aiox_context *ctx);
void watches_fini_(struct watches *all);

/* The watch of @fd, made if it must be. NULL: no memory, or @fd is negative. */
struct watch *watch_get_(struct watches *all, int fd);

/* Puts @waiter in. 0, or what aiox_set_fd_handler() returns: then it is not in. */
int watch_begin_(struct watch *w, struct waiter *waiter);

/* Takes it out; nothing watches for it alone any more, unless that is to be kept. */
void watch_end_(struct watch *w, struct waiter *waiter);

/* Stops what is watched for nobody, from now on always. */
void watch_release_(struct watch *w);

#endif /* AIOX_AIO_CO_SRC_WATCH_H_ */
