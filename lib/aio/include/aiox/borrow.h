/* SPDX-License-Identifier: MIT */
/*
 * aiox/borrow.h - a loop that lets no new work in.
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
