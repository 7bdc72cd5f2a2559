/* SPDX-License-Identifier: MIT */
/* dispatch.h - from what happened to whom it concerns. */
#ifndef AIOX_AIO_SRC_DISPATCH_H_
#define AIOX_AIO_SRC_DISPATCH_H_

#include <stdbool.h>

#include "aiox/aio.h"
#include "aiox/list.h"

#include "handlers.h"

/* The loop's own bell; no slot has this generation. */
#define DISPATCH_BELL_TOKEN UINT64_C(0)

/* What one collect() told. */
struct collected {
    bool bell;  /* the bell is set */
    bool other; /* a descriptor of somebody is ready, or a request has ended */
};

/*
 * Sorts @count events: handlers onto @ready (to its end if they are on it), ended requests onto
 * @completions (NULL: there can be none). [home] in a visit
 */
struct collected dispatch_sort_(struct handlers *hs, const struct aiox_fdmon_event *events,
                                int count, struct aiox_list *ready, struct aiox_list *completions);

/* Not for callers: the parts of the functions below for turns that found something. */
bool dispatch_each_handler_(struct aiox_list *ready);
bool dispatch_each_completion_(struct aiox_list *completions);

/* Calls every handler on @ready that is still live. True if one was called. [home] in a visit */
static inline bool dispatch_handlers_(struct aiox_list *ready)
{
    return !aiox_list_is_empty(ready) && dispatch_each_handler_(ready);
}

/* Reports every request on @completions. True if there was one. [home] */
static inline bool dispatch_completions_(struct aiox_list *completions)
{
    return !aiox_list_is_empty(completions) && dispatch_each_completion_(completions);
}

#endif /* AIOX_AIO_SRC_DISPATCH_H_ */
