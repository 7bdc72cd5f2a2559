/* SPDX-License-Identifier: MIT */
/*
 * aiox/thread.h - a thread that turns a loop until it is told to stop.
 *
 *   struct aiox_thread_options options = {.name = "disk-0"};
 *   struct aiox_thread *thread;
 *
 *   if (aiox_thread_new(&thread, &options, &err) < 0) { complain(err.message); }
 *   aiox_bh_schedule_oneshot(aiox_thread_context(thread), "hello", hello, NULL);
 *   aiox_thread_free(thread);
 *
 * The thread is the home of its context. Signals are blocked in it, so that
 * they go to the program's own threads; those that a fault raises are not.
 */
#ifndef AIOX_THREAD_H_
#define AIOX_THREAD_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/aio.h"
#include "aiox/aiox.h"

AIOX_BEGIN_DECLS

struct aiox_thread;

/* For aiox_thread_options.busy_max_ns: sleeps as soon as there is nothing to do. */
#define AIOX_BUSY_POLL_OFF INT64_C(-1)

/* All zero is good. Copied, but for what is pointed to by @opaque. */
struct aiox_thread_options {
    const char *name; /* of the thread, cut at 15 bytes; NULL: "aiox" */
    /*
     * The context to turn, of which it takes a reference and which no thread
     * polls: it becomes its home (aiox_context_adopt()). NULL: makes one, as @wish says.
     */
    struct aiox_context *context;
    const struct aiox_preferences *wish; /* as aiox_new_with(); only read while it is made */

    /*
     * Adaptive polling, as aiox_context_set_busy_poll(). busy_max_ns 0: AIOX_BUSY_POLL_NS for the
     * context that the thread makes, and as it was set for one that it is given;
     * AIOX_BUSY_POLL_OFF: none.
     */
    int64_t busy_max_ns;
    uint32_t busy_grow;
    uint32_t busy_shrink;

    /*
     * Called in the thread before the first turn; what it asks for is done in the first.
     * 0, or a negative errno: aiox_thread_new() then fails with it. May be NULL.
     */
    int (*start)(struct aiox_context *ctx, void *opaque);
    /* Called in the thread after the last turn, if start was and said 0. May be NULL. */
    void (*stop)(struct aiox_context *ctx, void *opaque);
    void *opaque;
};

/*
 * Starts a thread that turns a context. Returns when its loop is ready: then
 * the thread is the home of the context, and @options->start has been called.
 * @options may be NULL.
 *
 *   -EAGAIN   the system starts no more threads
 *   -ENOMEM   no memory
 *   -EINVAL   @options->busy_max_ns is negative, and not AIOX_BUSY_POLL_OFF
 *   -EBUSY    @options->context has requests under way
 *   other     what aiox_new_with(), aiox_context_adopt() or @options->start said
 *
 * @err has the words. On error nothing is left behind, but that
 * @options->context may be without a home.
 *
 * Ownership: the caller ends it by aiox_thread_free(). [any]
 */
AIOX_API AIOX_NODISCARD int aiox_thread_new(struct aiox_thread **out,
                                            const struct aiox_thread_options *options,
                                            struct aiox_error *err);

/* The context it turns; lives at least as long as @thread. [any] */
AIOX_API struct aiox_context *aiox_thread_context(struct aiox_thread *thread);

/* True in the thread itself. [any] */
AIOX_API bool aiox_thread_is_self(const struct aiox_thread *thread);

/*
 * Tells it to stop and does not wait. The turn under way is its last one, but
 * for those that finish its work: it turns on without waiting until a turn
 * does no work, a hundred times at most. So bottom halves that were asked for
 * before this call are run, and what these ask for, within reason; descriptors
 * and timers are served if they are ready. Again: nothing. [any] signal-safe
 */
AIOX_API void aiox_thread_stop(struct aiox_thread *thread);

/*
 * Tells it to stop and waits until it has; again: nothing. The context lives
 * on and is lent: any thread may acquire it (aiox/borrow.h), turn it or make
 * itself its home (aiox_context_adopt()); if requests are under way, only the last.
 * Called in the thread itself, it ends the program. [any], one thread at a time
 */
AIOX_API void aiox_thread_join(struct aiox_thread *thread);

/*
 * aiox_thread_join(), and gives up @thread with its reference on the context;
 * NULL is allowed. Called in the thread itself, it ends the program. [any]
 */
AIOX_API void aiox_thread_free(struct aiox_thread *thread);

AIOX_END_DECLS

#endif /* AIOX_THREAD_H_ */
