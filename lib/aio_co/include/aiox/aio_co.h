/* SPDX-License-Identifier: MIT */
/*
 * aiox/aio_co.h - a coroutine at home in a loop.
 *
 * A coroutine that is entered in a context belongs to it: aiox_co_wake() from
 * any thread lets it go on there. In it, waiting for a descriptor or a time
 * reads like a blocking call, and the loop goes on meanwhile.
 *
 *   static void serve(void *opaque)
 *   {
 *       struct peer *peer = opaque;
 *       ssize_t n;
 *
 *       while ((n = aiox_co_read(peer->fd, peer->buf, sizeof(peer->buf), -1)) > 0) {
 *           if (aiox_co_write_all(peer->fd, peer->buf, (size_t)n, -1) < 0) { break; }
 *       }
 *   }
 *
 *   if (aiox_co_create(&co, NULL, serve, peer) == 0) { aiox_co_enter_in(ctx, co); }
 *
 * Functions marked [coroutine] are called by a coroutine that was entered in a
 * context (here or by a wake), and return in the same one. Deadlines are points
 * on AIOX_CLOCK_MONOTONIC, -1 is for ever.
 *
 * While a coroutine waits in one of them, nobody else can enter, wake or
 * schedule it: that ends the program, naming both.
 */
#ifndef AIOX_AIO_CO_H_
#define AIOX_AIO_CO_H_

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "aiox/aio.h"
#include "aiox/coroutine.h"
#include "aiox/thread_annotations.h"
#include "aiox/timer.h"

AIOX_BEGIN_DECLS

/* ---- where it runs ---- */

/*
 * Gives @ctx what coroutines need in it. The functions below do so on first
 * use and end the program if there is no memory; a program that wants to hear
 * of it calls this first. Returns 0 or -ENOMEM. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_co_attach(struct aiox_context *ctx);

/*
 * Lets @co begin or go on in @ctx. At home, outside of coroutines: now. In a
 * coroutine of @ctx: when that one next yields or ends. Elsewhere: as
 * aiox_co_schedule(). [any]
 */
AIOX_API void aiox_co_enter_in(struct aiox_context *ctx, struct aiox_co *co);

/*
 * Lets @co begin or go on in @ctx in one of its next turns, never now. What is
 * scheduled by one thread runs in that order. What the caller wrote before is
 * seen by @co. @co may be about to yield, if it runs in @ctx. A second call
 * before it goes on ends the program, naming both callers. [any]
 *
 * aiox_co_wake() of aiox/coroutine.h is aiox_co_enter_in() with the context
 * that the coroutine last ran in.
 */
AIOX_API void aiox_co_schedule(struct aiox_context *ctx, struct aiox_co *co);

/*
 * Goes on in @ctx, in another thread if that is its home. Returns at once if
 * it is there. Nobody sees the coroutine in @ctx before it has left.
 * [coroutine]
 */
AIOX_API void aiox_co_move_self(struct aiox_context *ctx) coroutine_fn;

/* The context that @co was last entered in, or NULL. [any], while no other thread enters it */
AIOX_API struct aiox_context *aiox_co_context(const struct aiox_co *co);

/* ---- descriptors ---- */

/*
 * Waits until one of @events (AIOX_FD_READ, _WRITE, _PRI) holds for @fd, as
 * aiox_set_fd_handler() tells: a hang-up or an error makes a wait for reading
 * or writing end.
 *
 * One coroutine of a context can wait for each of the three; two that wait for
 * the same end the program. It takes the place of a handler that the program
 * has set for @fd in this context. When it returns, nothing watches @fd.
 *
 * Returns those of @events that were reported (there may be more), or
 *   -ETIMEDOUT  @deadline_ns came first; a deadline in the past: after a look
 *   -ECANCELED  aiox_co_wait_fd_cancel()
 *   -EBADF      @fd is not open
 *   -ENOMEM, -ENOSPC   a limit
 *
 * [coroutine]
 */
AIOX_API AIOX_NODISCARD int aiox_co_wait_fd(int fd, uint32_t events,
                                            int64_t deadline_ns) coroutine_fn;

/*
 * Ends the aiox_co_wait_fd() that @co is in. Returns false if it is not in one,
 * or has been woken already. @co must not end meanwhile. [any]
 */
AIOX_API bool aiox_co_wait_fd_cancel(struct aiox_co *co);

/*
 * Waits for @fd in this context leave the watch standing when they return,
 * which saves the next one two system calls, until aiox_co_release_fd(). That
 * one must come before close(). [coroutine]
 *
 *   -EBADF   @fd is negative
 *   -ENOMEM  no memory
 */
AIOX_API AIOX_NODISCARD int aiox_co_keep_fd(int fd) coroutine_fn;

/* Ends aiox_co_keep_fd() in the same context, also when nobody had called it. [coroutine] */
AIOX_API void aiox_co_release_fd(int fd) coroutine_fn;

/*
 * The next three try first and wait when they must. @fd is a socket, or is
 * O_NONBLOCK: else the system call blocks the loop.
 *
 * They return -errno of the system call, or of aiox_co_wait_fd(); data that
 * was read or written before an error is not told of. EINTR and EAGAIN are
 * dealt with.
 */

/* Reads what there is, at most @bytes. Returns how much; 0: the end of the file. [coroutine] */
AIOX_API AIOX_NODISCARD ssize_t aiox_co_read(int fd, void *buf, size_t bytes,
                                             int64_t deadline_ns) coroutine_fn;

/* Reads @bytes. Returns how much: less only where the file ends, 0 if at once. [coroutine] */
AIOX_API AIOX_NODISCARD ssize_t aiox_co_read_all(int fd, void *buf, size_t bytes,
                                                 int64_t deadline_ns) coroutine_fn;

/*
 * Writes @bytes, all of them. Returns @bytes. A socket whose peer is gone is
 * -EPIPE without a SIGPIPE; for a pipe the program ignores that signal itself.
 * [coroutine]
 */
AIOX_API AIOX_NODISCARD ssize_t aiox_co_write_all(int fd, const void *buf, size_t bytes,
                                                  int64_t deadline_ns) coroutine_fn;

/* ---- time ---- */

/*
 * Sleeps for @timeout_ns of @clock; not at all if that is negative, but others
 * of the loop get their turn. Returns 0 or -ENOMEM. [coroutine]
 */
AIOX_API AIOX_NODISCARD int aiox_co_sleep_ns(enum aiox_clock clock,
                                             int64_t timeout_ns) coroutine_fn;

/* A sleep that others can end. All zero: nobody sleeps. Lives longer than both sides use it. */
struct aiox_co_sleep {
    aiox_atomic_ptr sleeper_;
};

/*
 * Sleeps for @timeout_ns of @clock (-1: for ever) or until aiox_co_sleep_wake(). One coroutine at a
 * time.
 *
 * Returns 0 when the time has passed, or
 *   -ECANCELED  it was woken
 *   -ENOMEM     no memory for a timer
 *
 * [coroutine]
 */
AIOX_API AIOX_NODISCARD int aiox_co_sleep_wakeable_ns(struct aiox_co_sleep *sleep,
                                                      enum aiox_clock clock,
                                                      int64_t timeout_ns) coroutine_fn;

/*
 * Ends the sleep of whoever sleeps there. Returns false if nobody does, or it
 * has been woken already: nothing is remembered for the next one. What the
 * caller wrote before is seen by the sleeper. [any]
 */
AIOX_API bool aiox_co_sleep_wake(struct aiox_co_sleep *sleep);

AIOX_END_DECLS

#endif /* AIOX_AIO_CO_H_ */
