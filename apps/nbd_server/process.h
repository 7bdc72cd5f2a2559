/* SPDX-License-Identifier: MIT */
/*
 * process.h - a process among others: in the background, known by its number,
 * without rights it does not need.
 */
#ifndef AIOX_NBD_PROCESS_H_
#define AIOX_NBD_PROCESS_H_

#include <stdbool.h>
#include <sys/types.h>

#include "aiox/attributes.h"
#include "aiox/error.h"

AIOX_BEGIN_DECLS

/*
 * Goes on in a child, in a session of its own; the parent waits for
 * process_detached() or the child's end and exits with 0 or the child's exit
 * code. Returns in the child a descriptor for process_detached(), or a negative
 * errno. Only one thread may be there. [init]
 */
AIOX_NODISCARD int process_detach(struct aiox_error *err);

/* Lets the parent of process_detach() go, and gives the terminal up. [init] */
void process_detached(int fd);

/* A file that says who runs. Zeroed with fd -1: none. */
struct pid_file {
    int fd;
    const char *path;
};

/*
 * Writes the number of this process to @path, which must outlive it, and locks
 * the file until the end.
 *
 *   -EEXIST   somebody has it locked
 *   other     of open(2), write(2)
 *
 * [init]
 */
AIOX_NODISCARD int pid_file_open(struct pid_file *out, const char *path, struct aiox_error *err);

/* Removes it. [init] */
void pid_file_close(struct pid_file *p);

/* From now on no program that this process starts can have more rights than it. [init] */
AIOX_NODISCARD int process_forgo_rights(struct aiox_error *err);

/*
 * Becomes "USER" or "USER:GROUP" with all groups of that user, for good, in all
 * threads.
 *
 *   -ENOENT   no such user or group
 *   other     of setgroups(2), setgid(2), setuid(2)
 *
 * [any]
 */
AIOX_NODISCARD int process_become(const char *who, struct aiox_error *err);

/* A command of the shell. Zeroed: none. */
struct command {
    pid_t pid;
    bool ended;
    int code; /* its exit code, or 128 + the signal that ended it */
};

/* Starts "sh -c @text" with uri=@uri in its environment and no signal blocked. [init] */
AIOX_NODISCARD int command_start(struct command *c, const char *text, const char *uri,
                                 struct aiox_error *err);

/* True when it has ended; to be called on SIGCHLD. [home] */
bool command_has_ended(struct command *c);

/* @signal to it, if it is still there. [home] */
void command_signal(const struct command *c, int signal);

AIOX_END_DECLS

#endif /* AIOX_NBD_PROCESS_H_ */
