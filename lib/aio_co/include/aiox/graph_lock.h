/* SPDX-License-Identifier: MIT */
/*
 * aiox/graph_lock.h - a lock for what every loop reads and one thread changes.
 *
 * A graph of nodes, a table of routes: read all the time, by coroutines of many
 * contexts, and changed now and then by the main loop. To read costs one
 * read-modify-write of a word that belongs to the reader's context, and which no
 * other thread touches while nobody writes.
 *
 *   coroutine:  aiox_graph_rdlock(lock);      main loop:  aiox_graph_wrlock(lock);
 *               walk, wait, walk on;                      change;
 *               aiox_graph_rdunlock(lock);                aiox_graph_wrunlock(lock);
 *
 * A writer waits for a moment without readers, and lets new ones in as long as it
 * waits, for those inside may need them in order to end. So it may have to wait
 * long where readers overlap without end: stop what brings them first
 * (aiox_context_disable_external()). While it writes, new readers wait.
 *
 * Reading nests. A reader unlocks in the context in which it has locked. Mistakes end the
 * program: unlocking what is not locked, writing in a coroutine or twice,
 * writing while the main loop reads, reading in the main loop while it writes.
 */
#ifndef AIOX_GRAPH_LOCK_H_
#define AIOX_GRAPH_LOCK_H_

#include <stdbool.h>

#include "aiox/aio.h"
#include "aiox/attributes.h"
#include "aiox/thread_annotations.h"

AIOX_BEGIN_DECLS

struct aiox_graph_lock;

/*
 * Makes a lock whose writer is the home of @main_ctx. Returns 0 or -ENOMEM.
 *
 * Ownership: the caller ends it by aiox_graph_lock_free(); it has a reference on
 * @main_ctx. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_graph_lock_new(struct aiox_graph_lock **out,
                                                struct aiox_context *main_ctx);

/*
 * Ends @lock, which nobody holds or waits for, nor is about to leave: each call has returned.
 * NULL is allowed. [any], while no context ends
 */
AIOX_API void aiox_graph_lock_free(struct aiox_graph_lock *lock);

/*
 * Gives @ctx what its readers need. They do so on first use and end the
 * program if there is no memory; a program that wants to hear of it calls this
 * first. Returns 0 or -ENOMEM. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_graph_lock_attach(struct aiox_graph_lock *lock,
                                                   struct aiox_context *ctx);

/* Begins to read; waits while somebody writes. [coroutine] of a context */
AIOX_API void aiox_graph_rdlock(struct aiox_graph_lock *lock) coroutine_fn;

/* Ends it, in the same context. [coroutine] */
AIOX_API void aiox_graph_rdunlock(struct aiox_graph_lock *lock) coroutine_fn;

/*
 * Begins to read in @ctx, for callbacks. False while somebody writes, or is about to just now.
 * [home] of @ctx
 */
AIOX_API AIOX_NODISCARD bool aiox_graph_try_rdlock(struct aiox_graph_lock *lock,
                                                   struct aiox_context *ctx);

/* Ends what aiox_graph_try_rdlock() began. [home] of @ctx */
AIOX_API void aiox_graph_rdunlock_in(struct aiox_graph_lock *lock, struct aiox_context *ctx);

/*
 * Says that the main loop reads, outside of coroutines. Costs nothing: nobody
 * else writes. [home] of the main context
 */
AIOX_API void aiox_graph_rdlock_main(struct aiox_graph_lock *lock);
AIOX_API void aiox_graph_rdunlock_main(struct aiox_graph_lock *lock);

/*
 * Waits until nobody reads, turning the main context meanwhile, and keeps readers out
 * from then on. [home] of the main context, outside of coroutines
 */
AIOX_API void aiox_graph_wrlock(struct aiox_graph_lock *lock) blocking_fn;

/* Lets readers in; those that waited have it before this returns. [home] of the main context */
AIOX_API void aiox_graph_wrunlock(struct aiox_graph_lock *lock);

/* Ends the program unless the caller writes. [any] */
AIOX_API void aiox_graph_assert_writable(const struct aiox_graph_lock *lock);

AIOX_END_DECLS

#endif /* AIOX_GRAPH_LOCK_H_ */
