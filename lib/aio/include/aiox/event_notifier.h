/* SPDX-License-Identifier: MIT */
/*
 * aiox/event_notifier.h - a wake-up that fits into poll().
 *
 * One bit with a file descriptor: set it from anywhere, and the descriptor is
 * readable until somebody clears it. Setting it twice is setting it once. An
 * eventfd(2), or a pipe where there is none.
 */
#ifndef AIOX_EVENT_NOTIFIER_H_
#define AIOX_EVENT_NOTIFIER_H_

#include <stdbool.h>

#include "aiox/attributes.h"

AIOX_BEGIN_DECLS

/* Lives in its owner. One that is all zero is not open, and fini() takes it. */
struct aiox_event_notifier {
    int read_fd_;  /* both plus one, so that zero means none */
    int write_fd_; /* the same as read_fd_ for an eventfd */
};

/*
 * Opens @n, set already if @set.
 *
 *   -EMFILE, -ENFILE   too many open files in the process, in the system
 *   -ENOMEM            the kernel had no memory
 *
 * [any]
 */
AIOX_API AIOX_NODISCARD int aiox_event_notifier_init(struct aiox_event_notifier *n, bool set);

/* Closes it; nobody may watch it any more. [any] */
AIOX_API void aiox_event_notifier_fini(struct aiox_event_notifier *n);

/* Makes an open eventfd or non-blocking pipe end @fd into a notifier, which owns it then. [any] */
AIOX_API void aiox_event_notifier_init_fd(struct aiox_event_notifier *n, int fd);

/* The descriptor to watch for reading. [any] signal-safe */
AIOX_API int aiox_event_notifier_fd(const struct aiox_event_notifier *n);

/* Sets it. One system call; leaves errno alone; cannot fail. [any] signal-safe */
AIOX_API void aiox_event_notifier_set(struct aiox_event_notifier *n);

/* Clears it; true exactly when it was set. Never blocks. [any] signal-safe */
AIOX_API bool aiox_event_notifier_test_and_clear(struct aiox_event_notifier *n);

AIOX_END_DECLS

#endif /* AIOX_EVENT_NOTIFIER_H_ */
