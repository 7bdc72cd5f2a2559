/* SPDX-License-Identifier: MIT */
/* aio_co.h - what coroutines have in a context. */
#ifndef AIOX_AIO_CO_SRC_AIO_CO_H_
#define AIOX_AIO_CO_SRC_AIO_CO_H_

#include "aiox/aio_co.h"

#include "home.h"
#include "watch.h"

struct co_part {
    struct co_home home;
    struct aiox_context *ctx;
    struct watches watches; /* home */
};

/* The part of @ctx; made if it must be, which ends the program if there is no memory. [any] */
struct co_part *part_of_(struct aiox_context *ctx);

/* The part of the context that the running coroutine is in. [coroutine] */
struct co_part *part_here_(void);

#endif /* AIOX_AIO_CO_SRC_AIO_CO_H_ */
