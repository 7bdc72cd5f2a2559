/* SPDX-License-Identifier: MIT */
/*
 * aiox/qemu/channel.h - the original names of aiox/channel.h.
 *
 * As in the original, -1 is an error with words in an Error, and
 * QIO_CHANNEL_ERR_BLOCK is "would block". Conditions are those of GLib, which
 * are those of poll(2): G_IO_IN is POLLIN, G_IO_OUT is POLLOUT. Channels are the
 * only objects that object_ref() and object_unref() know. A channel has no fields that a
 * program could look at.
 *
 * This header brings aiox/qemu/channel_fds.h (descriptors along with bytes) and
 * aiox/qemu/channel_kinds.h (files, commands, buffers). Sockets and listeners:
 * aiox/qemu/channel_socket.h, aiox/qemu/net_listener.h.
 */
#ifndef AIOX_QEMU_CHANNEL_H_
#define AIOX_QEMU_CHANNEL_H_

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "aiox/assert.h"
#include "aiox/attributes.h"
#include "aiox/channel.h"
#include "aiox/qemu/api.h"
#include "aiox/qemu/error.h"

AIOX_BEGIN_DECLS

typedef struct aiox_channel QIOChannel;
typedef struct aiox_channel QIOChannelSocket;
typedef struct aiox_channel QIOChannelFile;
typedef struct aiox_channel QIOChannelCommand;
typedef struct aiox_channel QIOChannelBuffer;
typedef struct aiox_channel QIOChannelNull;
typedef struct aiox_channel QIOChannelTLS;
typedef struct aiox_channel Object;

/* Not an original name: @obj, a channel, which ends the program if it is of another @kind. */
static inline struct aiox_channel *aiox_qemu_channel_of_(void *obj, const char *kind)
{
    struct aiox_channel *ch = (struct aiox_channel *)obj;

    if (ch && strcmp(aiox_channel_kind(ch), kind) != 0) {
        aiox_panic("a channel is a %s, not a %s", aiox_channel_kind(ch), kind);
    }
    return ch;
}

#define OBJECT(obj) ((Object *)(obj))
#define QIO_CHANNEL(obj) ((QIOChannel *)(obj))
#define QIO_CHANNEL_SOCKET(obj) aiox_qemu_channel_of_((obj), "socket")
#define QIO_CHANNEL_FILE(obj) aiox_qemu_channel_of_((obj), "file")
#define QIO_CHANNEL_COMMAND(obj) aiox_qemu_channel_of_((obj), "command")
#define QIO_CHANNEL_BUFFER(obj) aiox_qemu_channel_of_((obj), "buffer")
#define QIO_CHANNEL_NULL(obj) aiox_qemu_channel_of_((obj), "null")
#define QIO_CHANNEL_TLS(obj) aiox_qemu_channel_of_((obj), "tls")

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

/* Of channels and of what aiox/qemu/net_listener.h has. */
static inline Object *object_ref(void *obj)
{
    return aiox_channel_ref((struct aiox_channel *)obj);
}

static inline void object_unref(void *obj)
{
    aiox_channel_unref((struct aiox_channel *)obj);
}

/* Not original names: the same, with a type. */
static inline QIOChannel *qio_channel_ref(QIOChannel *ioc)
{
    return aiox_channel_ref(ioc);
}

static inline void qio_channel_unref(QIOChannel *ioc)
{
    aiox_channel_unref(ioc);
}

static inline void qio_channel_set_name(QIOChannel *ioc, const char *name)
{
    (void)ioc;
    (void)name; /* nobody hears of it */
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

#if AIOX_QEMU_API >= 2025

/* True: it never fails. */
static inline bool qio_channel_set_blocking(QIOChannel *ioc, bool enabled, Error **errp)
{
    (void)errp;
    aiox_channel_set_blocking(ioc, enabled);
    return true;
}

#else

/* 0: it never fails. */
static inline int qio_channel_set_blocking(QIOChannel *ioc, bool enabled, Error **errp)
{
    (void)errp;
    aiox_channel_set_blocking(ioc, enabled);
    return 0;
}

#endif

#if AIOX_QEMU_API >= 2023

static inline void qio_channel_set_follow_coroutine_ctx(QIOChannel *ioc, bool enabled)
{
    aiox_channel_set_follow_coroutine_ctx(ioc, enabled);
}

#else

/* A channel is watched where the coroutine is that waits in it: there is nothing to be done. */
static inline void qio_channel_attach_aio_context(QIOChannel *ioc, struct aiox_context *ctx)
{
    (void)ioc;
    (void)ctx;
}

static inline void qio_channel_detach_aio_context(QIOChannel *ioc)
{
    (void)ioc;
}

#endif

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

#include "aiox/qemu/channel_fds.h"
#include "aiox/qemu/channel_kinds.h"

#endif /* AIOX_QEMU_CHANNEL_H_ */
