/* SPDX-License-Identifier: MIT */
/*
 * switch_ucontext.c - the switch of the C library, for machines without one of ours.
 *
 * AIOX_CO_UCONTEXT=1 chooses it where there is one.
 *
 * Slower by two system calls per jump (swapcontext() keeps the signal mask).
 * A point lives in the frame of the suspended jump. Wishes of switch_finish_()
 * are left in the point and granted by whoever wakes up there.
 */
#if defined(AIOX_CO_UCONTEXT) || !(defined(__x86_64__) || defined(__aarch64__))

#define _GNU_SOURCE
#include "switch.h"

#include <stdint.h>
#include <ucontext.h>

#include "aiox/assert.h"

#include "switch_sanitizer.h"

const char switch_name_[] = "ucontext";

struct point {
    ucontext_t context;
    switch_fn *wish;
    void *arg;
};

static FIBER_NO_SECOND_STACK void jump(void **here, struct point *there)
{
    struct point point;

    point.wish = NULL;
    *here = &point;
    aiox_assert(swapcontext(&point.context, &there->context) == 0);
    if (point.wish) {
        point.wish(point.arg);
    }
}

void switch_jump_(void **here, void *there)
{
    jump(here, there);
}

void switch_finish_(void **here, void *there, switch_fn *fn, void *arg)
{
    struct point *point = there;

    point->wish = fn;
    point->arg = arg;
    jump(here, point);
}

/* makecontext() hands over integers only. */
static void begin(unsigned low, unsigned high)
{
    struct point *point = (struct point *)(((uintptr_t)high << 32) | low);

    point->wish(point->arg);
    aiox_panic("the first function of a stack returned");
}

void *switch_prepare_(void *high, switch_fn *entry, void *arg)
{
    struct point *point = (struct point *)(((uintptr_t)high - sizeof(*point)) & ~(uintptr_t)63);
    size_t room = 4096;

    aiox_assert(getcontext(&point->context) == 0);
    point->wish = entry;
    point->arg = arg;
    point->context.uc_link = NULL;
    point->context.uc_stack.ss_sp = (char *)point - room;
    point->context.uc_stack.ss_size = room;
    makecontext(&point->context, (void (*)(void))begin, 2, (unsigned)(uintptr_t)point,
                (unsigned)((uintptr_t)point >> 32));
    return point;
}

#endif
