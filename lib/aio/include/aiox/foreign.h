/* SPDX-License-Identifier: MIT */
/*
 * aiox/foreign.h - a context as a guest in another loop.
 *
 * A program may have a loop already: GLib's (then use aiox/aio_glib.h), libuv's,
 * sd-event's, one of its own. That loop, the host, waits for one descriptor of
 * the context, with a timeout, and lets the context do what is to be done. In
 * each round:
 *
 *   timeout_ns = aiox_foreign_prepare(ctx);
 *   ... the host waits for the descriptor (readable) and its own things,
 *       at most that long ...
 *   if (aiox_foreign_check(ctx, whether the descriptor is readable)) {
 *       aiox_foreign_dispatch(ctx);
 *   }
 *
 * Each phase may be repeated or left out; but the host sleeps only after a
 * prepare in the same round. Between the phases, and from any thread, all other
 * functions may be called, aiox_poll() too: whatever it is, the host wakes if
 * it has to.
 *
 * A wait from outside costs more than one inside: the descriptor is a set of
 * descriptors, io_uring works without its deferred mode, and adaptive polling
 * does not happen.
 */
#ifndef AIOX_FOREIGN_H_
#define AIOX_FOREIGN_H_

#include "aiox/aio.h"

AIOX_BEGIN_DECLS

/*
 * Makes @ctx, which is not lent, a guest: *@fd is what the host watches (POLLIN, EPOLLIN), the
 * same until aiox_foreign_end(). The backend is opened anew, so that it can be
 * waited for; aiox_context_setup() takes no other from then on. One host at a time.
 * A guest is not lent: aiox_context_acquire() in another thread waits for
 * aiox_foreign_end(), and aiox_context_lend() says -EBUSY.
 *
 * Ownership: @fd stays the context's; the host does not read or close it. The
 * host has a reference of @ctx as long as it watches.
 *
 *   -EBUSY     there is a host already, or requests are under way (aiox_submit), or
 *              the context is lent (aiox_context_adopt() ends that)
 *   -ENOTSUP   the backend has no descriptor that could be watched
 *   -EMFILE, -ENFILE, -ENOMEM   a limit
 *
 * @err has the words. On error nothing has changed. [home], or [init]
 */
AIOX_API AIOX_NODISCARD int aiox_foreign_begin(struct aiox_context *ctx, int *fd,
                                               struct aiox_error *err);

/*
 * Ends that; the host has stopped watching the descriptor, which is closed.
 * Nothing happens if there is no host. Whoever waits in aiox_context_acquire() is
 * the home after it if home calls it, outside of turns; else after home's next turn. [home], or any
 * thread once home makes no turns and no phases any more
 */
AIOX_API void aiox_foreign_end(struct aiox_context *ctx);

/*
 * Says that the host may be about to wait. Returns how long at most: 0 not at
 * all, -1 for ever, else ns; who rounds, rounds up. The first call makes this
 * thread the home. Hands to the kernel what was only noted so far (io_uring)
 * and ends adaptive polling. Should the descriptor not be able to show
 * everything for a while (no descriptors left), waits are kept to 1 ms.
 *
 * [home]
 */
AIOX_API int64_t aiox_foreign_prepare(struct aiox_context *ctx);

/*
 * Says that the host does not wait any more; @is_readable: it has found the
 * descriptor so, or does not know. Returns whether aiox_foreign_dispatch() has,
 * or may have, something to do. Costs no system call. [home]
 */
AIOX_API bool aiox_foreign_check(struct aiox_context *ctx, bool is_readable);

/*
 * One turn that does not wait: aiox_poll(@ctx, false), and returns what that
 * returns. [home]
 */
AIOX_API bool aiox_foreign_dispatch(struct aiox_context *ctx) blocking_fn;

AIOX_END_DECLS

#endif /* AIOX_FOREIGN_H_ */
