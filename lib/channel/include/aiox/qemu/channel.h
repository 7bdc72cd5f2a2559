/* SPDX-License-Identifier: MIT */
/*
 * aiox/qemu/channel.h - the original names of aiox/channel.h.
 *
 * As in the original, -1 is an error with words in an Error, and
 * QIO_CHANNEL_ERR_BLOCK is "would block". Conditions are those of GLib, which
 * are those of poll(2): G_IO_IN is POLLIN, G_IO_OUT is POLLOUT. Channels are no
 * objects: qio_channel_ref() and qio_channel_unref() stand for object_ref().
 */
#ifndef AIOX_QEMU_CHANNEL_H_
#define AIOX_QEMU_CHANNEL_H_

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aiox/assert.h"
#include "aiox/attributes.h"
#include "aiox/channel.h"
#include "aiox/channel_command.h"
#include "aiox/channel_file.h"
#include "aiox/channel_memory.h"
#include "aiox/channel_socket.h"
#include "aiox/qemu/error.h"

AIOX_BEGIN_DECLS

typedef struct aiox_channel QIOChannel;

enum { QIO_CHANNEL_ERR_BLOCK = -2 };

typedef enum QIOChannelFeature {
    QIO_CHANNEL_FEATURE_FD_PASS = AIOX_CHANNEL_FD_PASS,
    QIO_CHANNEL_FEATURE_SHUTDOWN = AIOX_CHANNEL_SHUTDOWN,
    QIO_CHANNEL_FEATURE_LISTEN = AIOX_CHANNEL_LISTEN,
    QIO_CHANNEL_FEATURE_SEEKABLE = AIOX_CHANNEL_SEEKABLE,
    QIO_CHANNEL_FEATURE_READ_MSG_PEEK = AIOX_CHANNEL_PEEK,
} QIOChannelFeature;

typedef enum QIOChannelShutdown {
    QIO_CHANNEL_SHUTDOWN_READ = AIOX_CHANNEL_READING,
    QIO_CHANNEL_SHUTDOWN_WRITE = AIOX_CHANNEL_WRITING,
    QIO_CHANNEL_SHUTDOWN_BOTH = AIOX_CHANNEL_BOTH,
} QIOChannelShutdown;

/* Not an original name: @result, or -1 with words, or "would block". */
static inline ssize_t aiox_qemu_channel_result_(const char *what, ssize_t result, Error **errp)
{
    struct aiox_error said;

    if (result >= 0) {
        return result;
    }
    if (result == -EAGAIN) {
        return QIO_CHANNEL_ERR_BLOCK;
    }
    aiox_error_set(&said, (int)result, "cannot %s: %s", what, aiox_error_text((int)result));
    error_set_from_aiox(errp, &said);
    return -1;
}

/* ---- life ---- */

static inline QIOChannel *qio_channel_ref(QIOChannel *ioc)
{
    return aiox_channel_ref(ioc);
}

static inline void qio_channel_unref(QIOChannel *ioc)
{
    aiox_channel_unref(ioc);
}

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

static inline QIOChannel *qio_channel_file_new_path(const char *path, int flags, mode_t mode,
                                                    Error **errp)
{
    QIOChannel *ioc = NULL;
    int err = aiox_channel_file_open(&ioc, path, flags, mode);

    return aiox_qemu_channel_result_("open the file", err, errp) < 0 ? NULL : ioc;
}

/* Aborts if there is no memory, as the next two do. */
static inline QIOChannel *qio_channel_buffer_new(size_t capacity)
{
    QIOChannel *ioc = NULL;
    int err = aiox_channel_buffer_new(&ioc, capacity);

    aiox_assert(err == 0);
    return ioc;
}

static inline QIOChannel *qio_channel_null_new(void)
{
    QIOChannel *ioc = NULL;
    int err = aiox_channel_null_new(&ioc);

    aiox_assert(err == 0);
    return ioc;
}

/* -1 and an Error, or 0. */
static inline int qio_channel_close(QIOChannel *ioc, Error **errp)
{
    return (int)aiox_qemu_channel_result_("close", aiox_channel_close(ioc), errp);
}

static inline bool qio_channel_has_feature(QIOChannel *ioc, QIOChannelFeature feature)
{
    return (aiox_channel_features(ioc) & (uint32_t)feature) != 0;
}

/* True: it never fails. */
static inline bool qio_channel_set_blocking(QIOChannel *ioc, bool enabled, Error **errp)
{
    (void)errp;
    aiox_channel_set_blocking(ioc, enabled);
    return true;
}

static inline void qio_channel_set_follow_coroutine_ctx(QIOChannel *ioc, bool enabled)
{
    aiox_channel_set_follow_coroutine_ctx(ioc, enabled);
}

/* ---- bytes ---- */

static inline ssize_t qio_channel_readv(QIOChannel *ioc, const struct iovec *iov, size_t niov,
                                        Error **errp)
{
    return aiox_qemu_channel_result_("read", aiox_channel_readv(ioc, iov, (int)niov, -1), errp);
}

static inline ssize_t qio_channel_read(QIOChannel *ioc, char *buf, size_t buflen, Error **errp)
{
    return aiox_qemu_channel_result_("read", aiox_channel_read(ioc, buf, buflen, -1), errp);
}

static inline ssize_t qio_channel_writev(QIOChannel *ioc, const struct iovec *iov, size_t niov,
                                         Error **errp)
{
    return aiox_qemu_channel_result_("write", aiox_channel_writev(ioc, iov, (int)niov, -1), errp);
}

static inline ssize_t qio_channel_write(QIOChannel *ioc, const char *buf, size_t buflen,
                                        Error **errp)
{
    return aiox_qemu_channel_result_("write", aiox_channel_write(ioc, buf, buflen, -1), errp);
}

/* 0, or -1 and an Error, also for the end of the file, as the next. */
static inline int qio_channel_readv_all(QIOChannel *ioc, const struct iovec *iov, size_t niov,
                                        Error **errp)
{
    return (int)aiox_qemu_channel_result_("read all",
                                          aiox_channel_readv_full(ioc, iov, (int)niov, -1), errp);
}

static inline int qio_channel_read_all(QIOChannel *ioc, char *buf, size_t buflen, Error **errp)
{
    return (int)aiox_qemu_channel_result_("read all", aiox_channel_read_full(ioc, buf, buflen, -1),
                                          errp);
}

/* 1; 0 for the end of the file before any byte; -1 and an Error. */
static inline int qio_channel_readv_all_eof(QIOChannel *ioc, const struct iovec *iov, size_t niov,
                                            Error **errp)
{
    return (int)aiox_qemu_channel_result_(
        "read all", aiox_channel_readv_full_eof(ioc, iov, (int)niov, -1), errp);
}

static inline int qio_channel_read_all_eof(QIOChannel *ioc, char *buf, size_t buflen, Error **errp)
{
    return (int)aiox_qemu_channel_result_("read all",
                                          aiox_channel_read_full_eof(ioc, buf, buflen, -1), errp);
}

static inline int qio_channel_writev_all(QIOChannel *ioc, const struct iovec *iov, size_t niov,
                                         Error **errp)
{
    return (int)aiox_qemu_channel_result_("write all",
                                          aiox_channel_writev_full(ioc, iov, (int)niov, -1), errp);
}

static inline int qio_channel_write_all(QIOChannel *ioc, const char *buf, size_t buflen,
                                        Error **errp)
{
    return (int)aiox_qemu_channel_result_("write all",
                                          aiox_channel_write_full(ioc, buf, buflen, -1), errp);
}

/* ---- bytes with descriptors ---- */

/* Not an original name: what came, as an array for free(3). */
static inline void aiox_qemu_channel_give_fds_(const struct aiox_channel_fds *from, int **fds,
                                               size_t *nfds)
{
    size_t bytes = (size_t)from->count * sizeof(int);

    *nfds = (size_t)from->count;
    *fds = from->count ? (int *)malloc(bytes) : NULL;
    aiox_assert(*fds || !from->count);
    if (from->count) {
        memcpy(*fds, from->fd, bytes);
    }
}

/*
 * 0, or -1 and an Error. *@fds is an array for free(3) of the descriptors that
 * came with the first byte.
 * limits: the original's parameters
 */
static inline int qio_channel_readv_full_all(QIOChannel *ioc, const struct iovec *iov, size_t niov,
                                             int **fds, size_t *nfds, Error **errp)
{
    struct aiox_channel_fds came;
    int err = aiox_channel_readv_fds_full(ioc, iov, (int)niov, &came, -1);

    if (!err) {
        aiox_qemu_channel_give_fds_(&came, fds, nfds);
    }
    return (int)aiox_qemu_channel_result_("read all", err, errp);
}

/*
 * 0, or -1 and an Error. @flags is not looked at.
 * limits: the original's parameters
 */
static inline int qio_channel_writev_full_all(QIOChannel *ioc, const struct iovec *iov, size_t niov,
                                              int *fds, size_t nfds, int flags, Error **errp)
{
    struct aiox_channel_fds go;

    (void)flags;
    aiox_assert(nfds <= AIOX_CHANNEL_MAX_FDS);
    go.count = (int)nfds;
    if (nfds) {
        memcpy(go.fd, fds, nfds * sizeof(int));
    }
    return (int)aiox_qemu_channel_result_(
        "write all", aiox_channel_writev_fds_full(ioc, iov, (int)niov, &go, -1), errp);
}

/* ---- waiting, and the rest ---- */

/* Until one of @condition holds: the thread waits, or the coroutine in which this is called. */
static inline void qio_channel_wait(QIOChannel *ioc, int condition)
{
    uint32_t events = 0;
    int seen;

    if (condition & POLLIN) {
        events |= AIOX_FD_READ;
    }
    if (condition & POLLOUT) {
        events |= AIOX_FD_WRITE;
    }
    seen = aiox_channel_wait(ioc, events, -1);
    (void)seen;
}

static inline void coroutine_fn qio_channel_yield(QIOChannel *ioc, int condition)
{
    qio_channel_wait(ioc, condition);
}

static inline void qio_channel_wake_read(QIOChannel *ioc)
{
    aiox_channel_wake_read(ioc);
}

static inline int qio_channel_shutdown(QIOChannel *ioc, QIOChannelShutdown how, Error **errp)
{
    int err = aiox_channel_shutdown(ioc, (enum aiox_channel_direction)how);

    return (int)aiox_qemu_channel_result_("shut down", err, errp);
}

static inline void qio_channel_set_cork(QIOChannel *ioc, bool enabled)
{
    aiox_channel_set_cork(ioc, enabled);
}

static inline void qio_channel_set_delay(QIOChannel *ioc, bool enabled)
{
    aiox_channel_set_delay(ioc, enabled);
}

/* The new position, or -1 and an Error. */
static inline off_t qio_channel_io_seek(QIOChannel *ioc, off_t offset, int whence, Error **errp)
{
    return (off_t)aiox_qemu_channel_result_("seek", aiox_channel_seek(ioc, offset, whence), errp);
}

AIOX_END_DECLS

#endif /* AIOX_QEMU_CHANNEL_H_ */
