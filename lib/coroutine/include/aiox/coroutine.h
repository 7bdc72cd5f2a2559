/* SPDX-License-Identifier: MIT */
/*
 * aiox/coroutine.h - a function that can wait.
 *
 * A coroutine is a function with a stack of its own. Somebody enters it; it
 * runs until it yields or ends, and then whoever entered it goes on. Entered
 * again, it goes on below its yield. Nothing runs at the same time, no kernel
 * object is involved: a switch costs a few nanoseconds.
 *
 *   static void hello(void *opaque) { puts("one"); aiox_co_yield(); puts("two"); }
 *
 *   if (aiox_co_create(&co, NULL, hello, NULL)) { ... }
 *   aiox_co_enter(co);      one
 *   aiox_co_enter(co);      two; co is gone
 *
 * Entered, a coroutine runs in the thread that enters it, which may be another
 * one each time. Whoever enters it from another thread makes sure that the
 * former aiox_co_enter() has returned. A loop does that by executors, below.
 *
 * What a coroutine must know:
 *  - After a yield it may be in another thread, with other thread-local
 *    variables. The compiler believes that pthread_self(), the address of errno
 *    and of any thread-local variable never change: where coroutines move,
 *    leave those to functions that do not yield and are not inlined.
 *  - The rounding mode, the other floating point controls and the signal mask
 *    belong to the thread. They are not saved: leave them as they were found.
 *  - It must not hold a lock of the thread across a yield.
 *  - pthread_exit(), cancellation and C++ exceptions must not leave its
 *    function; that ends the program. longjmp() within its stack is fine.
 *  - Its stack has a limit. Beyond it lies a guard: SIGSEGV, nothing silent.
 *    A function with large frames needs -fstack-clash-protection for that. A
 *    handler of SIGSEGV needs sigaltstack(2).
 */
#ifndef AIOX_COROUTINE_H_
#define AIOX_COROUTINE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aiox/attributes.h"
#include "aiox/list.h"
#include "aiox/thread_annotations.h"

AIOX_BEGIN_DECLS

struct aiox_co;
typedef void aiox_co_fn(void *opaque);

enum {
    /* Room is reserved, not used: memory is taken a page at a time, when touched. */
    AIOX_CO_STACK_DEFAULT_BYTES = 256 * 1024,
    AIOX_CO_STACK_MIN_BYTES = 16 * 1024, /* less is rounded up: a signal frame needs 4 kB */
    AIOX_CO_STACK_MAX_BYTES = 8 * 1024 * 1024,
};

/* What coroutines of one kind have in common. Static, never written. All zero is the default. */
struct aiox_co_class {
    const char *name;   /* for last words and debuggers; NULL: "coroutine" */
    size_t stack_bytes; /* rounded up to a power of two; 0: AIOX_CO_STACK_DEFAULT_BYTES */
};

/* ---- life ---- */

/*
 * Makes a coroutine that will run @fn(@opaque). Nothing runs yet. NULL as
 * @class is the default class.
 *
 * Ownership: the coroutine belongs to whoever enters it next, and is gone when
 * @fn returns. One that was never entered can be given to aiox_co_free().
 *
 *   -ENOMEM   no memory, no address space (RLIMIT_AS), or no mapping left
 *             (vm.max_map_count; only where the kernel lacks
 *             MADV_GUARD_INSTALL, that is before 6.13, near 32,000 stacks)
 *
 * *@out is written only on success. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_co_create(struct aiox_co **out, const struct aiox_co_class *class_,
                                           aiox_co_fn *fn, void *opaque);

/* Gives up a coroutine that was never entered; NULL is allowed. [any] */
AIOX_API void aiox_co_free(struct aiox_co *co);

/*
 * Changes what the function of @co is given. Of no effect once it has begun.
 * [any], while no other thread enters it
 */
AIOX_API void aiox_co_set_opaque(struct aiox_co *co, void *opaque);

/* ---- switching ---- */

/*
 * Runs @co until it yields or ends, then returns. What @co has woken (see
 * aiox_co_wake) is run before this returns, depth first, and so is what that
 * has woken; the stack does not grow with their number.
 *
 * Called in a coroutine, @co takes over its executor; called outside, @co
 * keeps what it has. It ends the program, naming both sides, if @co has
 * already been entered, is scheduled, or has ended. [any]
 */
AIOX_API void aiox_co_enter(struct aiox_co *co);

/* Goes back to whoever entered this coroutine; returns when it is entered again. [coroutine] */
AIOX_API void aiox_co_yield(void) coroutine_fn;

/* The running coroutine; NULL outside. [any] signal-safe */
AIOX_API struct aiox_co *aiox_co_self(void);

/* True inside a coroutine. [any] signal-safe */
AIOX_API bool aiox_in_coroutine(void);

/*
 * True if @co is running, or waits for one that it has entered; false if it
 * has yielded or was never entered. [any], while no other thread enters it
 */
AIOX_API bool aiox_co_is_entered(const struct aiox_co *co);

/* The name of its class. [any] */
AIOX_API const char *aiox_co_name(const struct aiox_co *co);

/* ---- executors: how a coroutine gets home ---- */

/*
 * Where coroutines run, as a loop or a thread offers it. Lives in its owner,
 * longer than each coroutine that was entered in it.
 */
struct aiox_executor {
    /*
     * Sees to it that @co is entered in @ex by aiox_co_enter_on(), now or
     * later. Called from any thread, but never in a coroutine of @ex: that
     * case is settled by aiox_co_wake(). Must not fail.
     */
    void (*schedule)(struct aiox_executor *ex, struct aiox_co *co);

    /*
     * Yields in the running coroutine, which is one of @ex. If it has not been
     * entered again by @deadline_ns (a point on AIOX_CLOCK_MONOTONIC),
     * @too_late(@opaque) is called in the thread of @ex, outside of
     * coroutines; not any more once this has returned. Returns 0 after the
     * yield; or -ENOMEM: then it has not yielded, and calls nothing. NULL: this
     * executor has no clock. See aiox/co_sync.h.
     */
    int (*yield_until)(struct aiox_executor *ex, int64_t deadline_ns,
                       void (*too_late)(void *opaque), void *opaque);
};

/*
 * aiox_co_enter() which makes @ex the executor of @co; NULL: none. For whoever
 * implements @ex. [any]
 */
AIOX_API void aiox_co_enter_on(struct aiox_executor *ex, struct aiox_co *co);

/* The executor that @co was last entered in, or NULL. [any], while no other thread enters it */
AIOX_API struct aiox_executor *aiox_co_executor(const struct aiox_co *co);

/*
 * Lets @co go on, in the executor it was last entered in. In a coroutine of
 * the same executor: when that one next yields or ends, in the order of the
 * calls. Else: as the executor decides, which may be now. A coroutine without
 * executor counts as at home everywhere: outside of coroutines it is entered
 * now.
 *
 * May be called before @co has yielded (also by @co itself): it then goes on
 * right after its yield. A second call before it goes on ends the program,
 * which then names both callers; so does the end of @co. What the caller wrote before is seen by
 * @co. [any]
 */
AIOX_API void aiox_co_wake(struct aiox_co *co);

/* The same, as if @co had last been entered in @ex. For whoever sends it there. [any] */
AIOX_API void aiox_co_wake_on(struct aiox_executor *ex, struct aiox_co *co);

/* ---- for executors ---- */

/*
 * A coroutine has one mark: the name of whoever will enter it. While it is
 * marked, nobody else can enter or mark it. Of two threads that mark or clear
 * at once, one wins.
 *
 * Marks @co as due to be entered by @by, which is a static name. If it is
 * marked already, that ends the program, naming both. [any]
 */
AIOX_API void aiox_co_mark(struct aiox_co *co, const char *by);

/*
 * Takes the mark away if it is @by (the same pointer). Returns whether it was:
 * then @co is the caller's to enter. [any]
 */
AIOX_API bool aiox_co_unmark(struct aiox_co *co, const char *by);

/*
 * A link for the list of whoever has marked @co; it is theirs until they
 * unmark it. [any]
 */
AIOX_API struct aiox_queue_node *aiox_co_link(struct aiox_co *co);

/* The coroutine of a link. [any] */
AIOX_API struct aiox_co *aiox_co_of_link(struct aiox_queue_node *link);

/* ---- stacks ---- */

/*
 * The most that was ever used of the stack of @co, in bytes, rounded up to
 * whole pages. Earlier coroutines on the same stack count. Pages that the
 * kernel has swapped out may be missed. A few system calls. [any]
 */
AIOX_API size_t aiox_co_stack_used_bytes(const struct aiox_co *co);

/*
 * The same over all stacks there ever were of the size of @class_ (NULL: of the default).
 * Slow: system calls for each stack. [any]
 */
AIOX_API size_t aiox_co_class_high_water_bytes(const struct aiox_co_class *class_);

/*
 * Stacks of ended coroutines stay warm for the next ones: at most
 * @per_thread of each size in each thread, and @shared in all, to which a
 * thread gives its own when it has more or when it ends. Beyond that, memory
 * goes back to the kernel. 128 and 16,384 unless set. @per_thread is rounded to an
 * even number of at most 128. [any]
 */
AIOX_API void aiox_co_pool_set_limits(size_t per_thread, size_t shared);

/*
 * Gives the memory of the shared stacks and of this thread's back to the
 * kernel. Returns how many stacks that were. [any]
 */
AIOX_API size_t aiox_co_pool_trim(void);

struct aiox_co_pool_stats {
    size_t in_use;         /* stacks of coroutines, and the warm ones of all threads */
    size_t warm_shared;    /* the warm ones that any thread may take */
    size_t warm_here;      /* the warm ones of this thread */
    size_t reserved_bytes; /* address space, most of it never touched */
};

/* [any] */
AIOX_API void aiox_co_pool_get_stats(struct aiox_co_pool_stats *out);

/* How this build switches: "x86-64", "aarch64" or "ucontext". [any] */
AIOX_API const char *aiox_co_switch_name(void);

AIOX_END_DECLS

#endif /* AIOX_COROUTINE_H_ */
