/* SPDX-License-Identifier: MIT */
/*
 * aiox/qemu/channel_kinds.h - the original's files, commands, buffers and nothing, as channels.
 *
 * Different on purpose: a pipe or a terminal gets O_NONBLOCK, so that it does not block a
 * loop; a command is looked for in PATH, and closing its channel kills it unless its end was
 * waited for (aiox_channel_command_wait()); what is in a buffer is told by
 * aiox_channel_buffer_data(), and not by fields. Where the original aborts without
 * memory, so does this.
 */
#ifndef AIOX_QEMU_CHANNEL_KINDS_H_
#define AIOX_QEMU_CHANNEL_KINDS_H_

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "aiox/assert.h"
#include "aiox/attributes.h"
#include "aiox/channel_command.h"
#include "aiox/channel_file.h"
#include "aiox/channel_memory.h"
#include "aiox/channel_socket.h"
#include "aiox/qemu/channel.h"

AIOX_BEGIN_DECLS

/* A channel of @fd, socket or not; NULL and an Error leave @fd to the caller. */
static inline QIOChannel *qio_channel_new_fd(int fd, Error **errp)
{
    QIOChannel *ioc = NULL;
    int err = aiox_channel_socket_new(&ioc, fd);

    if (err == -ENOTSOCK) {
        err = aiox_channel_file_new(&ioc, fd);
    }
    return aiox_qemu_channel_result_("use the descriptor", err, errp) < 0 ? NULL : ioc;
}

/* ---- files ---- */

/* @fd, which is open and no directory, then belongs to it. */
static inline QIOChannelFile *qio_channel_file_new_fd(int fd)
{
    QIOChannelFile *fioc = NULL;
    int err = aiox_channel_file_new(&fioc, fd);

    if (err) {
        aiox_panic("no channel of descriptor %d: %s", fd, aiox_error_text(err));
    }
    return fioc;
}

/* Not an original name: F_DUPFD_CLOEXEC, which <fcntl.h> does not show to strict C. */
enum { AIOX_QEMU_DUPFD_CLOEXEC_ = 1030 };

/* A duplicate of @fd, which stays the caller's. NULL and an Error. */
static inline QIOChannelFile *qio_channel_file_new_dupfd(int fd, Error **errp)
{
    QIOChannelFile *fioc = NULL;
    int mine = fcntl(fd, AIOX_QEMU_DUPFD_CLOEXEC_, 0);
    int err = mine < 0 ? -errno : aiox_channel_file_new(&fioc, mine);

    if (mine >= 0 && err) {
        close(mine);
    }
    return aiox_qemu_channel_result_("use the descriptor", err, errp) < 0 ? NULL : fioc;
}

static inline QIOChannelFile *qio_channel_file_new_path(const char *path, int flags, mode_t mode,
                                                        Error **errp)
{
    QIOChannelFile *fioc = NULL;
    int err = aiox_channel_file_open(&fioc, path, flags, mode);

    return aiox_qemu_channel_result_("open the file", err, errp) < 0 ? NULL : fioc;
}

/* ---- commands ---- */

/*
 * @argv ends with NULL. @flags: O_RDONLY, the command's standard output is read, and its input
 * is /dev/null; O_WRONLY, the other way round; O_RDWR, both. Its standard error is that
 * of the program. NULL and an Error.
 */
static inline QIOChannelCommand *qio_channel_command_new_spawn(const char *const argv[], int flags,
                                                               Error **errp)
{
    QIOChannelCommand *cioc = NULL;
    struct aiox_command command;
    struct aiox_error said;

    memset(&command, 0, sizeof(command));
    command.argv = (char *const *)argv;
    command.no_input = (flags & O_ACCMODE) == O_RDONLY;
    command.no_output = (flags & O_ACCMODE) == O_WRONLY;
    if (aiox_channel_command_new(&cioc, &command, &said)) {
        error_set_from_aiox(errp, &said);
        return NULL;
    }
    return cioc;
}

/* ---- memory ---- */

static inline QIOChannelBuffer *qio_channel_buffer_new(size_t capacity)
{
    QIOChannelBuffer *bioc = NULL;
    int err = aiox_channel_buffer_new(&bioc, capacity);

    aiox_assert(err == 0);
    return bioc;
}

static inline QIOChannelNull *qio_channel_null_new(void)
{
    QIOChannelNull *nioc = NULL;
    int err = aiox_channel_null_new(&nioc);

    aiox_assert(err == 0);
    return nioc;
}

AIOX_END_DECLS

#endif /* AIOX_QEMU_CHANNEL_KINDS_H_ */
