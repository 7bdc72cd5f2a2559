/* SPDX-License-Identifier: MIT */
/*
 * aiox/borrow.h - a loop that another thread turns for a while.
 *
 *   loop thread:    for (;;) { aiox_poll(ctx, true); }
 *
 *   another:        aiox_context_acquire(ctx);
 *                   submit();
 *                   while (!done) { aiox_poll(ctx, true); }
 *                   aiox_context_release(ctx);
 *
 * Whoever holds a context is its home until it is released: [home] functions are
 * for that thread, callbacks run in it. A loop thread that holds it itself
 * (acquire, poll, release) is as good.
 *
 * A context that nobody borrows has one home and pays one look per turn. It is
 * lent from the first aiox_context_acquire() outside of its turns on, from the
 * end of the first turn in which somebody waits for it, or from
 * aiox_context_lend() on. From then on it has no home while nobody holds it, and aiox_poll() in a
 * thread that does not hold it does so for its turn.
 *
 * io_uring. A ring that is lent is not bound to a thread, and a little slower;
 * that takes a new ring, so a context whose requests (aiox_submit()) are
 * under way is lent when they have ended, or before there are any by aiox_context_lend(). What
 * a request needs in the end is done by the thread that submitted it: the
 * kernel interrupts it for that (epoll_wait(2) and the like then say EINTR),
 * and requests of a thread that has ended may be reported with -ECANCELED.
 *
 * Included by aiox/aio.h.
 */
#ifndef AIOX_BORROW_H_
#define AIOX_BORROW_H_

#include "aiox/attributes.h"
#include "aiox/error.h"
#include "aiox/thread_annotations.h"

AIOX_BEGIN_DECLS

struct aiox_context;

/* ---- whose it is ---- */

/*
 * Makes this thread the home of @ctx and holds it. Waits until those who hold it and
 * those who came before have released it: first come, first served. Recursive: it is released when
 * aiox_context_release() was called as often.
 *
 * A home that sleeps in aiox_poll() while somebody waits wakes up; aiox_poll()
 * returns false if that was all. Once: a home that turns the loop again
 * without releasing it may sleep again, for it has something to finish. The
 * home of a plain context gives it up between two turns, when it holds it not;
 * one that has ceased to turn it never does (aiox_context_lend(), aiox_context_adopt()).
 * That of a guest of another loop (aiox/foreign.h) gives it up after aiox_foreign_end() only;
 * what it acquires meanwhile it keeps.
 *
 * What former homes did is seen by this one. [any]
 */
AIOX_API void aiox_context_acquire(struct aiox_context *ctx) blocking_fn;

/*
 * Undoes one aiox_context_acquire(). After the last, whoever has waited
 * longest is the home, or nobody. Not the last one inside a turn that was
 * begun while it was held. [home]
 */
AIOX_API void aiox_context_release(struct aiox_context *ctx);

/*
 * Lets @ctx be borrowed from now on, without a turn that has to end first, and
 * gives it up as a home. Again: nothing.
 *
 *   -EBUSY   requests are under way, or another loop waits for it (aiox/foreign.h)
 *   other    no backend could be opened that lets its home change
 *
 * On error nothing changed. [home] outside of turns, [init], or any thread once it is lent
 */
AIOX_API AIOX_NODISCARD int aiox_context_lend(struct aiox_context *ctx, struct aiox_error *err);

/* ---- new work ---- */

/*
 * Leaves all handlers alone that have AIOX_FD_HANDLER_EXTERNAL: none of their
 * callbacks is called (poll_begin and poll_end aside), and what happens to their descriptors
 * wakes nobody, until aiox_context_enable_external() has been called as often.
 * For a loop that finishes its work and lets no new work in. They may be set,
 * replaced and stopped meanwhile. From another thread than home, one may still
 * be running on return, as with aiox_clear_fd_handler(). [any]
 */
AIOX_API void aiox_context_disable_external(struct aiox_context *ctx);

/*
 * Ends one aiox_context_disable_external(). After the last, conditions that
 * still hold are served in the next turn.
 *
 *   -ENOMEM, -ENOSPC   a limit of the backend; they stay disabled, may be called again
 *
 * [any]
 */
AIOX_API AIOX_NODISCARD int aiox_context_enable_external(struct aiox_context *ctx);

AIOX_END_DECLS

#endif /* AIOX_BORROW_H_ */
