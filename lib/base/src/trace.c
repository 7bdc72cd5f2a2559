/* SPDX-License-Identifier: MIT */
/*
 * trace.c - hands trace points to the program's hook.
 *
 * [TRACE-hook]  set (release) -> point (acquire): what @opaque points to.
 *
 * A hook and its opaque are two words. They are set before a second thread
 * looks ([init]), so they need not change together.
 */
#include "aiox/trace.h"

aiox_atomic_ptr aiox_trace_hook_;
static void *trace_opaque;

void aiox_trace_set_hook(aiox_trace_fn *fn, void *opaque)
{
    trace_opaque = opaque;
    aiox_ptr_store_release(&aiox_trace_hook_, (void *)fn); /* [TRACE-hook] */
}

void aiox_trace_(const char *room, const char *event, uint64_t a, uint64_t b)
{
    aiox_trace_fn *fn =
        (aiox_trace_fn *)aiox_ptr_load_acquire(&aiox_trace_hook_); /* [TRACE-hook] */

    if (fn) {
        fn(trace_opaque, room, event, a, b);
    }
}
