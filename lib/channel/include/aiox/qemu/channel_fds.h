/* SPDX-License-Identifier: MIT */
/*
 * aiox/qemu/channel_fds.h - the original's calls for descriptors along with bytes.
 *
 * Arrays of descriptors that come are for free(3). Included by aiox/qemu/channel.h.
 */
#ifndef AIOX_QEMU_CHANNEL_FDS_H_
#define AIOX_QEMU_CHANNEL_FDS_H_

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aiox/assert.h"
#include "aiox/attributes.h"
#include "aiox/channel.h"
#include "aiox/qemu/api.h"
#include "aiox/qemu/channel.h"
#include "aiox/qemu/error.h"

AIOX_BEGIN_DECLS

enum {
    QIO_CHANNEL_READ_FLAG_MSG_PEEK = 0x1,
    QIO_CHANNEL_READ_FLAG_RELAXED_EOF = 0x2, /* no help: TLS cut short stays an error */
    QIO_CHANNEL_WRITE_FLAG_ZERO_COPY = 0x1,  /* copied all the same */
};

/* Not an original name: @nfds of @fds, on their way. */
static inline void aiox_qemu_channel_take_fds_(struct aiox_channel_fds *to, const int *fds,
                                               size_t nfds)
{
    aiox_assert(nfds <= AIOX_CHANNEL_MAX_FDS);
    to->count = (int)nfds;
    if (nfds) {
        memcpy(to->fd, fds, nfds * sizeof(int));
    }
}

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

/* Not an original name: 1; 0 for the end of the file before anything; -1 and an Error. */
static inline int aiox_qemu_readv_full_all_eof_(QIOChannel *ioc, const struct iovec *iov, int niov,
                                                int **fds, size_t *nfds, Error **errp)
{
    struct aiox_channel_fds came;
    int got = aiox_channel_readv_fds_full_eof(ioc, iov, niov, fds ? &came : NULL, -1);

    if (got >= 0 && fds) {
        aiox_qemu_channel_give_fds_(&came, fds, nfds);
    }
    return (int)aiox_qemu_channel_result_("read all", got, errp);
}

/* Not an original name: as much as there is; how much, QIO_CHANNEL_ERR_BLOCK, or -1 and an Error.
 */
static inline ssize_t aiox_qemu_readv_full_(QIOChannel *ioc, const struct iovec *iov, int niov,
                                            int **fds, size_t *nfds, Error **errp)
{
    struct aiox_channel_fds came;
    ssize_t n = aiox_channel_readv_fds(ioc, iov, niov, fds ? &came : NULL, -1);

    if (n >= 0 && fds) {
        aiox_qemu_channel_give_fds_(&came, fds, nfds);
    }
    return aiox_qemu_channel_result_("read", n, errp);
}

/* Not an original name: as much as goes. */
static inline ssize_t aiox_qemu_writev_full_(QIOChannel *ioc, const struct iovec *iov, int niov,
                                             const int *fds, size_t nfds, Error **errp)
{
    struct aiox_channel_fds go;

    aiox_qemu_channel_take_fds_(&go, fds, nfds);
    return aiox_qemu_channel_result_("write", aiox_channel_writev_fds(ioc, iov, niov, &go, -1),
                                     errp);
}

/* Not an original name: 0, or -1 and an Error. */
static inline int aiox_qemu_writev_full_all_(QIOChannel *ioc, const struct iovec *iov, int niov,
                                             const int *fds, size_t nfds, Error **errp)
{
    struct aiox_channel_fds go;
    int err;

    aiox_qemu_channel_take_fds_(&go, fds, nfds);
    err = aiox_channel_writev_fds_full(ioc, iov, niov, &go, -1);
    return (int)aiox_qemu_channel_result_("write all", err, errp);
}

/* ---- the arities of the years; limits: the original's parameters ---- */

#if AIOX_QEMU_API >= 2023

/*
 * As much as there is. To peek: one part, and no descriptors.
 * limits: the original's parameters
 */
static inline ssize_t qio_channel_readv_full(QIOChannel *ioc, const struct iovec *iov, size_t niov,
                                             int **fds, size_t *nfds, int flags, Error **errp)
{
    if (flags & QIO_CHANNEL_READ_FLAG_MSG_PEEK) {
        aiox_assert(niov == 1 && !fds);
        return aiox_qemu_channel_result_(
            "peek", aiox_channel_peek(ioc, iov->iov_base, iov->iov_len, -1), errp);
    }
    return aiox_qemu_readv_full_(ioc, iov, (int)niov, fds, nfds, errp);
}

#else

/* limits: the original's parameters */
static inline ssize_t qio_channel_readv_full(QIOChannel *ioc, const struct iovec *iov, size_t niov,
                                             int **fds, size_t *nfds, Error **errp)
{
    return aiox_qemu_readv_full_(ioc, iov, (int)niov, fds, nfds, errp);
}

#endif

#if AIOX_QEMU_API >= 2025

/* limits: the original's parameters */
static inline int qio_channel_readv_full_all_eof(QIOChannel *ioc, const struct iovec *iov,
                                                 size_t niov, int **fds, size_t *nfds, int flags,
                                                 Error **errp)
{
    (void)flags;
    return aiox_qemu_readv_full_all_eof_(ioc, iov, (int)niov, fds, nfds, errp);
}

#else

/* limits: the original's parameters */
static inline int qio_channel_readv_full_all_eof(QIOChannel *ioc, const struct iovec *iov,
                                                 size_t niov, int **fds, size_t *nfds, Error **errp)
{
    return aiox_qemu_readv_full_all_eof_(ioc, iov, (int)niov, fds, nfds, errp);
}

#endif

#if AIOX_QEMU_API >= 2022

/* limits: the original's parameters */
static inline ssize_t qio_channel_writev_full(QIOChannel *ioc, const struct iovec *iov, size_t niov,
                                              int *fds, size_t nfds, int flags, Error **errp)
{
    (void)flags;
    return aiox_qemu_writev_full_(ioc, iov, (int)niov, fds, nfds, errp);
}

/* limits: the original's parameters */
static inline int qio_channel_writev_full_all(QIOChannel *ioc, const struct iovec *iov, size_t niov,
                                              int *fds, size_t nfds, int flags, Error **errp)
{
    (void)flags;
    return aiox_qemu_writev_full_all_(ioc, iov, (int)niov, fds, nfds, errp);
}

#else

/* limits: the original's parameters */
static inline ssize_t qio_channel_writev_full(QIOChannel *ioc, const struct iovec *iov, size_t niov,
                                              int *fds, size_t nfds, Error **errp)
{
    return aiox_qemu_writev_full_(ioc, iov, (int)niov, fds, nfds, errp);
}

/* limits: the original's parameters */
static inline int qio_channel_writev_full_all(QIOChannel *ioc, const struct iovec *iov, size_t niov,
                                              int *fds, size_t nfds, Error **errp)
{
    return aiox_qemu_writev_full_all_(ioc, iov, (int)niov, fds, nfds, errp);
}

#endif

AIOX_END_DECLS

#endif /* AIOX_QEMU_CHANNEL_FDS_H_ */
