/* SPDX-License-Identifier: MIT */
/*
 * aiox/linux_aio.h - the kernel's older way to read and write without waiting.
 *
 * A context can own one engine of native AIO (io_submit(2)). It is worth it for
 * files opened with O_DIRECT where there is no io_uring; for others io_submit()
 * blocks until the data is there. Most programs use aiox/file.h, which decides.
 *
 * Requests made in one turn are handed over together, in the next.
 */
#ifndef AIOX_LINUX_AIO_H_
#define AIOX_LINUX_AIO_H_

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "aiox/aio.h"
#include "aiox/attributes.h"
#include "aiox/list.h"

AIOX_BEGIN_DECLS

struct aiox_linux_aio;

/*
 * The engine of @ctx, made on first use; it lives as long as @ctx. When that
 * ends, no request may be under way.
 *
 *   -ENOTSUP  this build has no libaio
 *   -ENOSYS, -EPERM   the kernel has no native AIO, or a policy denies it
 *   -EAGAIN   the system has no room for more (fs.aio-max-nr)
 *   -ENOMEM, -EMFILE, -ENFILE   a limit
 *
 * [home], or [init]
 */
AIOX_API AIOX_NODISCARD int aiox_linux_aio_get(struct aiox_linux_aio **out,
                                               struct aiox_context *ctx);

/* Lives with whoever asks, untouched until done is called. Zero the rest. */
struct aiox_linux_aio_request {
    int fd;
    bool is_write;
    int flags; /* RWF_* */
    const struct iovec *iov;
    int iov_count;
    int64_t offset;
    /* [home]: once, in a later turn. @result: bytes, or a negative errno */
    void (*done)(struct aiox_linux_aio_request *r, int result);
    struct aiox_list_node link_;
    int result_;
    uint64_t iocb_[8];
};

/*
 * Begins @r. Any number may be under way; those beyond what the kernel takes
 * wait here. iov and what it points to live until done is called. What the
 * kernel says of the request, also at once, is the result. [home]
 */
AIOX_API void aiox_linux_aio_submit(struct aiox_linux_aio *aio, struct aiox_linux_aio_request *r);

/*
 * Takes @r back if the kernel has not got it yet: done is then called with
 * -ECANCELED, in a later turn. Returns whether that is so. [home]
 */
AIOX_API bool aiox_linux_aio_cancel(struct aiox_linux_aio *aio, struct aiox_linux_aio_request *r);

/* Requests under way. [home] */
AIOX_API size_t aiox_linux_aio_in_flight(const struct aiox_linux_aio *aio);

AIOX_END_DECLS

#endif /* AIOX_LINUX_AIO_H_ */
