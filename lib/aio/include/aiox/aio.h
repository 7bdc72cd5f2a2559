/* SPDX-License-Identifier: MIT */
/*
 * aiox/aio.h - one turn of the wheel: an event loop as a library.
 *
 * A context is a loop that one thread, its home, turns by calling aiox_poll()
 * again and again. A turn waits until something is to be done, then runs, in
 * this order: completions of requests, bottom halves, handlers of file
 * descriptors, timers. Any thread may ask for work: aiox_bh_schedule(),
 * aiox_timer_mod_ns(), aiox_set_fd_handler() and aiox_notify() wake a loop
 * that sleeps. A turn allocates no memory.
 *
 *   while (!done) { aiox_poll(ctx, true); }
 *
 * Most programs make their context with aiox_new() of aiox/aiox.h, which
 * picks the best backend. To choose one: aiox/backend.h.
 */
#ifndef AIOX_AIO_H_
#define AIOX_AIO_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/attributes.h"
#include "aiox/backend.h"
#include "aiox/bh.h"
#include "aiox/borrow.h"
#include "aiox/error.h"
#include "aiox/event_notifier.h"
#include "aiox/fd_event.h"
#include "aiox/list.h"
#include "aiox/thread_annotations.h"
#include "aiox/timer.h"

AIOX_BEGIN_DECLS

struct aiox_context;

/* ---- life ---- */

/*
 * Makes a context that runs on the first backend of @sources->linked_in.
 *
 *   -ENOMEM            no memory
 *   -EMFILE, -ENFILE   no descriptor left for the loop's own wake-up
 *   other              what the backend's open() said; @err has the words
 *
 * Ownership: the caller has one reference. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_context_new(struct aiox_context **out,
                                             const struct aiox_backend_sources *sources,
                                             struct aiox_error *err);

/*
 * The same on the backend that @spec chooses, and no other is opened: quicker
 * than aiox_context_new() and aiox_context_setup(), whose errors it has. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_context_new_on(struct aiox_context **out,
                                                const struct aiox_backend_sources *sources,
                                                const char *spec, struct aiox_error *err);

/* One more reference; returns @ctx. [any] */
AIOX_API struct aiox_context *aiox_context_ref(struct aiox_context *ctx);

/*
 * One reference less; NULL is allowed. The last one ends the context: no
 * thread may be polling it, its handlers are forgotten (descriptors stay the
 * caller's), requests under way are cancelled and not reported. A bottom half
 * that was not freed, or a timer that was not finished, ends the program.
 * [any]
 */
AIOX_API void aiox_context_unref(struct aiox_context *ctx);

/*
 * Moves @ctx to the backend that @spec chooses (grammar in aiox/backend.h),
 * also while it lives: handlers come along and no event is lost. On error it
 * stays on the backend it has.
 *
 *   -EINVAL   @spec has an error; @err says where
 *   -ENOENT   no backend of that name; @err names those there are
 *   -EBUSY    requests are under way (aiox_submit)
 *   other     the reason of the last candidate; @err says which file, which
 *             stage, which cause and what to change
 *
 * [home], or [init]
 */
AIOX_API AIOX_NODISCARD int aiox_context_setup(struct aiox_context *ctx, const char *spec,
                                               struct aiox_error *err);

/* The backend in use. Strings live until the next aiox_context_setup(). */
struct aiox_backend_info {
    const char *name;
    const char *version;
    const char *path; /* empty: linked in */
    uint64_t caps;    /* AIOX_FDMON_CAP_* */
    char how[160];    /* what the backend says on how it works here */
};

/* [home] */
AIOX_API void aiox_context_backend_info(struct aiox_context *ctx, struct aiox_backend_info *out);

/*
 * All candidates of the last aiox_context_setup(), or aiox_context_new_on(), in
 * the order in which they were looked at. Returns how many; *@out lives until
 * the next setup. [home]
 */
AIOX_API int aiox_context_backend_report(struct aiox_context *ctx,
                                         const struct aiox_backend_report **out);

/* ---- home ---- */

/*
 * The context that this thread is polling, else the one it has set as its own;
 * NULL if neither. [any] signal-safe
 */
AIOX_API struct aiox_context *aiox_context_current(void);

/*
 * Makes @ctx this thread's own, and this thread its home if it has none yet.
 * NULL: none. No reference is taken. [any]
 */
AIOX_API void aiox_context_set_current(struct aiox_context *ctx);

/*
 * True in the thread that polls @ctx. It becomes home by its first poll. Of a context that
 * is lent (aiox/borrow.h): true in the thread that holds it. [any] signal-safe
 */
AIOX_API bool aiox_context_is_home(const struct aiox_context *ctx);

/*
 * Makes this thread the home of @ctx, whose former home does not poll it any
 * more. A backend that is bound to its thread is opened anew. A context that was
 * lent (aiox/borrow.h), and that nobody holds, is not any more.
 *
 *   -EBUSY   requests are under way
 *   other    as aiox_context_setup(); the context then runs on another backend
 *
 * [any], while nobody polls
 */
AIOX_API AIOX_NODISCARD int aiox_context_adopt(struct aiox_context *ctx, struct aiox_error *err);

/* ---- the turn ---- */

/*
 * One turn. With @may_block it waits until there is something to do; without,
 * it only looks. May be called again from any callback: the inner call
 * finishes what the outer ones had begun.
 *
 * Returns whether work was done: a callback of a descriptor, of a bottom half
 * (idle ones aside), of a timer or of a request was called. A bare
 * aiox_notify() ends the wait and is no work; so are changes of handlers.
 *
 * [home]
 */
AIOX_API bool aiox_poll(struct aiox_context *ctx, bool may_block) blocking_fn;

/* Ends the wait of aiox_poll(), or keeps the next one from waiting. [any] signal-safe */
AIOX_API void aiox_notify(struct aiox_context *ctx);

/* How long the next turn may wait: 0 not at all, -1 for ever, else ns. [home] */
AIOX_API int64_t aiox_context_timeout_ns(struct aiox_context *ctx);

/* ---- descriptors ---- */

typedef void aiox_fd_fn(void *opaque);
typedef bool aiox_fd_poll_fn(void *opaque);

enum aiox_fd_handler_flag {
    /* read takes all there is each time: backends may then report less often. */
    AIOX_FD_HANDLER_DRAINS = 1u << 0,
    /* Brings new work from outside: aiox_context_disable_external() of aiox/borrow.h. */
    AIOX_FD_HANDLER_EXTERNAL = 1u << 1,
};

/* What to call. NULL: of no interest. Zero the rest. */
struct aiox_fd_handler {
    aiox_fd_fn *read;   /* readable, hung up, or in error */
    aiox_fd_fn *write;  /* writable, or in error */
    aiox_fd_fn *urgent; /* AIOX_FD_PRI */
    /*
     * For adaptive polling: true when there is something to do, found out
     * without a system call. poll_ready is then called instead of read. Without
     * both, poll is ignored. The three must not turn the loop. What is stopped
     * or replaced by another source (other hooks, other @opaque) gets no
     * poll_end any more: whoever does that makes the other side notify again.
     */
    aiox_fd_poll_fn *poll;
    aiox_fd_fn *poll_ready;
    aiox_fd_fn *poll_begin; /* the loop starts to look at poll: the other side need not notify */
    aiox_fd_fn *poll_end;   /* the loop will sleep: the other side must notify */
    uint32_t flags;         /* enum aiox_fd_handler_flag */
};

/*
 * Watches @fd and calls into @h when it is ready, or stops when @h is NULL or
 * has neither read, write, urgent nor poll_ready.
 *
 * The new set replaces the old one as a whole. Callbacks run one at a time, in
 * the home thread, inside aiox_poll(); they may call this function, also for
 * @fd. Each descriptor is served at most once per turn, in no promised order,
 * as long as its condition holds (level-triggered). Stopping what is not
 * watched does nothing.
 *
 * When the call to stop or replace returns in the home thread, no callback of
 * the old set is entered again. From another thread one may still be running;
 * a bottom half asked for afterwards runs when it has ended, unless that
 * callback turns the loop itself.
 *
 * Ownership: @fd stays the caller's, who stops watching before closing it. (A
 * descriptor closed too early is reported once as an error, or never.) On
 * io_uring the kernel holds the file until the next turn after the stop: what its
 * last close does (a FIN, an address that is free again) happens then. @h is
 * copied. What @opaque points to must live until the stop above.
 *
 *   -EBADF   @fd is not open
 *   -ENOMEM, -ENOSPC   a limit; the former handler stays
 *
 * A kind of file that the backend cannot watch (a regular file under epoll)
 * is always ready. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_set_fd_handler(struct aiox_context *ctx, int fd,
                                                const struct aiox_fd_handler *h, void *opaque);

/* Stops watching @fd. Cannot fail. [any] */
AIOX_API void aiox_clear_fd_handler(struct aiox_context *ctx, int fd);

/*
 * The same for a notifier. @ready(@n) is called when it was set and must clear
 * it (aiox_event_notifier_test_and_clear()). @poll(@n) and @poll_ready(@n) as
 * above; both may be NULL. @ready NULL stops. Errors as aiox_set_fd_handler().
 * [any]
 */
AIOX_API AIOX_NODISCARD int aiox_set_event_notifier(struct aiox_context *ctx,
                                                    struct aiox_event_notifier *n,
                                                    aiox_fd_fn *ready, aiox_fd_poll_fn *poll,
                                                    aiox_fd_fn *poll_ready);

/* For a thread that has nothing to do but its loop: about what sleeping and waking take. */
#define AIOX_BUSY_POLL_NS INT64_C(32768)

/*
 * Adaptive polling: before it sleeps, the loop looks for work for as long as
 * that has paid lately, at most @max_ns (0: off, the default): at the poll
 * callbacks, at what other threads ask of it, and at its descriptors if the
 * backend tells cheaply (io_uring without a system call, epoll with one, poll
 * as long as there were never more than some eight). While it
 * looks, who asks need not wake it. Each of these sources has its time: it
 * grows @grow-fold (0: twofold) when a longer look would have caught the event,
 * and is divided by @shrink (0: to nothing) when nothing came for long. After
 * three looks in vain it rests, so that it does not keep the processor from whom
 * it waits for. Setting it starts from nothing.
 *
 *   -EINVAL   @max_ns is negative
 *
 * [home], or [init]
 */
AIOX_API AIOX_NODISCARD int aiox_context_set_busy_poll(struct aiox_context *ctx, int64_t max_ns,
                                                       uint32_t grow, uint32_t shrink);

/* ---- bottom halves and timers ---- */

/* Where bottom halves of @ctx are made: aiox_bh_new(&bh, aiox_context_bhs(ctx), ...). [any] */
AIOX_API struct aiox_bh_queue *aiox_context_bhs(struct aiox_context *ctx);

/* Where timers of @ctx are made: aiox_timer_init(&t, aiox_context_timers(ctx), ...). [any] */
AIOX_API struct aiox_timer_group *aiox_context_timers(struct aiox_context *ctx);

/*
 * The monotonic clock, read at the first call since the loop last waited or a turn ended; later
 * calls answer the same and cost nothing. For arming timers: what is armed for this plus a length
 * is due that long after that reading, never before. [home]
 */
AIOX_API int64_t aiox_context_now_ns(struct aiox_context *ctx);

/* Runs @fn(@opaque) once, soon, at home. @name must outlive it. 0 or -ENOMEM. [any] */
AIOX_API AIOX_NODISCARD int aiox_bh_schedule_oneshot(struct aiox_context *ctx, const char *name,
                                                     aiox_bh_fn *fn, void *opaque);

/* ---- requests that the kernel works on ---- */

/* Lives with whoever asked, untouched until @done has been called. */
struct aiox_completion {
    void (*done)(struct aiox_completion *c, int result); /* result: >= 0 or a negative errno */
    struct aiox_list_node link_;
    int result_;
};

/* True if the backend takes requests (io_uring). May change with aiox_context_setup(). [home] */
AIOX_API bool aiox_has_completion(struct aiox_context *ctx);

/* True if it knows the io_uring operation @opcode (IORING_OP_*). [home] */
AIOX_API bool aiox_can_submit(struct aiox_context *ctx, unsigned opcode);

/*
 * Hands a request to the kernel. @prepare(sqe, @opaque) is called once before
 * this returns and fills the zeroed struct io_uring_sqe, but not its
 * user_data. @c->done is called in a later part of a turn, exactly once.
 * Buffers live until then. Requests are handed over in batches, at the latest
 * when the loop waits.
 *
 *   -ENOTSUP  the backend takes none; use aiox_set_fd_handler()
 *   -EAGAIN   too many are under way
 *
 * [home]
 */
AIOX_API AIOX_NODISCARD int aiox_submit(struct aiox_context *ctx, aiox_fdmon_prepare_fn *prepare,
                                        void *opaque, struct aiox_completion *c);

/*
 * Asks for an early end of @c, which is reported all the same: -ECANCELED
 * unless it was quicker. 0; -ENOENT if it has ended; -EAGAIN. [home]
 */
AIOX_API int aiox_submit_cancel(struct aiox_context *ctx, struct aiox_completion *c);

/* ---- for adapters ---- */

/* What another library keeps in each context. Static; its address is its name. */
struct aiox_context_part {
    const char *name;
    size_t bytes;
    /* Called once, before anybody sees @data (zeroed). 0 or a negative errno. */
    int (*init)(struct aiox_context *ctx, void *data);
    /* Called when the context ends, the last made first. */
    void (*fini)(struct aiox_context *ctx, void *data);
};

/*
 * The part of @ctx, made on first use; *@out lives as long as @ctx.
 * 0, -ENOMEM, or what init said. A second call is a short look-up. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_context_part_get(struct aiox_context *ctx,
                                                  const struct aiox_context_part *part, void **out);

AIOX_END_DECLS

#endif /* AIOX_AIO_H_ */
