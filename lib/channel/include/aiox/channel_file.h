/* SPDX-License-Identifier: MIT */
/*
 * aiox/channel_file.h - channels that are files, pipes and terminals.
 *
 * A file on a disk is always ready, and reading it blocks the thread, also in
 * a coroutine; what can be waited for (a pipe, a terminal) is waited for as a
 * socket is.
 */
#ifndef AIOX_CHANNEL_FILE_H_
#define AIOX_CHANNEL_FILE_H_

#include <sys/types.h>

#include "aiox/attributes.h"
#include "aiox/channel.h"

AIOX_BEGIN_DECLS

/*
 * Opens @path as open(2) does, close-on-exec. @mode counts with O_CREAT. A FIFO
 * is opened without waiting for its other end, so -ENXIO if it is to be written
 * and nobody reads. Other errors: those of open(2), -ENOMEM. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_channel_file_open(struct aiox_channel **out, const char *path,
                                                   int flags, mode_t mode);

/*
 * Makes a channel of @fd, which then belongs to it. What can be waited for gets
 * O_NONBLOCK; that flag belongs to the open file, so others who have it see it,
 * and it stays.
 *
 *   -EBADF    @fd is not open
 *   -EISDIR   a directory
 *   -ENOMEM   no memory
 *
 * On error @fd stays the caller's, and *@out is not written. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_channel_file_new(struct aiox_channel **out, int fd);

/*
 * The two ends of a pipe: out[0] is read, out[1] is written. -ENOMEM, -EMFILE,
 * -ENFILE. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_channel_pipe(struct aiox_channel *out[2]);

AIOX_END_DECLS

#endif /* AIOX_CHANNEL_FILE_H_ */
