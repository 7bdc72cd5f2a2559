/* SPDX-License-Identifier: MIT */
/*
 * aiox/aio_glib.h - a context as a GSource: one more guest of GLib's main loop.
 *
 *   aiox_glib_source_new(&source, ctx, &err);
 *   g_source_attach(source, NULL);
 *   g_main_loop_run(loop);
 *
 * From then on GLib's loop does what aiox_poll() would: it waits, and each
 * dispatch of the source is one turn that does not wait. Bottom halves, timers,
 * descriptors, requests and coroutines of the context run in the thread that
 * runs GLib's loop, which is the home. Other threads wake it as ever. Direct
 * calls of aiox_poll() in between are fine.
 *
 * GLib waits in whole milliseconds: a timer fires at its deadline or up to 1 ms
 * later, never before.
 */
#ifndef AIOX_AIO_GLIB_H_
#define AIOX_AIO_GLIB_H_

#include <glib.h>

#include "aiox/aio.h"

AIOX_BEGIN_DECLS

/*
 * Makes the source of @ctx. One source per context at a time, since it has one
 * descriptor and one thread; where several main contexts shall have work
 * done, each has a context of its own.
 *
 * Set before it is attached: g_source_set_priority() (G_PRIORITY_DEFAULT unless
 * set) ranks the whole context among the other sources; within it, order and
 * fairness are those of aiox_poll(). g_source_set_callback() is not needed; a
 * function set with it is an aiox_glib_turn_fn. The source may be dispatched
 * while it is being dispatched (g_source_set_can_recurse()): a callback that
 * runs GLib's loop has its own context served, too.
 *
 * Ownership: the caller has one reference of *@out (g_source_unref()); the
 * source has one of @ctx, given back when the last reference of the source goes,
 * which must happen in the thread that ran it, or after that has stopped.
 * Destroyed (g_source_destroy()), it makes no turns any more, and the context
 * can be polled, or given another source once this one is gone.
 *
 *   -EBUSY     @ctx has a source or another host already, or requests are under
 *              way (aiox_submit)
 *   others     as aiox_foreign_begin()
 *
 * @err has the words. [home], or [init]
 */
AIOX_API AIOX_NODISCARD int aiox_glib_source_new(GSource **out, struct aiox_context *ctx,
                                                 struct aiox_error *err);

/*
 * The source that @ctx has, with one more reference for the caller; if it has
 * none, a new one, as above. So parts of a program that do not know of each
 * other find the same. One that was destroyed is found as long as somebody has
 * a reference. Errors as above, but a source is no -EBUSY. [home], or [init]
 */
AIOX_API AIOX_NODISCARD int aiox_glib_source_get(GSource **out, struct aiox_context *ctx,
                                                 struct aiox_error *err);

/*
 * Called after each turn, @progress being what aiox_poll() would have returned.
 * G_SOURCE_REMOVE destroys the source. Give it to g_source_set_callback() with
 * G_SOURCE_FUNC().
 */
typedef gboolean aiox_glib_turn_fn(gboolean progress, gpointer opaque);

/* The context of a source that aiox_glib_source_new() made; no reference is taken. [any] */
AIOX_API struct aiox_context *aiox_glib_source_context(GSource *source);

AIOX_END_DECLS

#endif /* AIOX_AIO_GLIB_H_ */
