/* SPDX-License-Identifier: MIT */
/*
 * aiox/channel_command.h - a channel that is a child process.
 *
 * What is written goes to its standard input, what is read comes from its
 * standard output. aiox_channel_shutdown(AIOX_CHANNEL_WRITING) is the end of its
 * input. aiox_channel_wait() takes one event at a time. The program needs no handler for SIGCHLD,
 * and must not ignore it (then the system takes the exit status away). It ignores SIGPIPE, or loses
 * its life when it writes to a child that reads no more.
 */
#ifndef AIOX_CHANNEL_COMMAND_H_
#define AIOX_CHANNEL_COMMAND_H_

#include <stdbool.h>
#include <sys/types.h>

#include "aiox/attributes.h"
#include "aiox/channel.h"
#include "aiox/error.h"

AIOX_BEGIN_DECLS

struct aiox_command {
    char *const *argv; /* argv[0] is looked for in PATH; ends with NULL */
    char *const *env;  /* "NAME=value", ends with NULL; NULL: the program's own */
    bool no_input;     /* standard input is /dev/null; nothing can be written */
    bool no_output;    /* standard output is /dev/null; nothing can be read */
    bool no_errors;    /* standard error is /dev/null; else it is the program's own */
};

/*
 * Starts a child. It has no other descriptors, no signal blocked and none
 * ignored.
 *
 *   -ENOENT, -EACCES   there is no such program, it may not be run
 *   -EAGAIN, -ENOMEM, -EMFILE, -ENFILE   a limit
 *   -ENOSYS   the kernel has no pidfd_open(2) (before 5.3)
 *
 * Ownership: closing the channel kills the child (SIGKILL) unless its end has been
 * waited for, and takes its exit status, so no zombie is left. To end it gently:
 * shut down, wait, then close. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_channel_command_new(struct aiox_channel **out,
                                                     const struct aiox_command *command,
                                                     struct aiox_error *err);

/*
 * Waits until the child ends, in a coroutine without blocking the loop. Another
 * may read and write meanwhile. One waits at a time; afterwards it returns at
 * once. *@status is as waitpid(2) says (WIFEXITED() and so on).
 *
 *   -ECHILD   somebody else has taken its exit status
 *   -ECANCELED, -ETIMEDOUT, -EBADF   as in aiox/channel.h
 *
 * For channels made here, for others the program ends. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_channel_command_wait(struct aiox_channel *ch, int *status,
                                                      int64_t deadline_ns);

/* Sends @signal to the child. -ESRCH: it has ended; -EBADF. [any] */
AIOX_API AIOX_NODISCARD int aiox_channel_command_kill(struct aiox_channel *ch, int signal);

/* Its process id, which another process may get once its end was waited for. [any] */
AIOX_API pid_t aiox_channel_command_pid(struct aiox_channel *ch);

AIOX_END_DECLS

#endif /* AIOX_CHANNEL_COMMAND_H_ */
