/* SPDX-License-Identifier: MIT */
/* calls.c - the system calls behind requests, for threads that may block. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "file.h"

static int64_t or_errno(int64_t result)
{
    return result < 0 ? -errno : result;
}

static int64_t transfer(const struct aiox_file_request *r)
{
    const struct aiox_file_progress_ *p = &r->progress_;
    const struct iovec *iov;
    int count = progress_next_(p, &iov);
    off_t offset = (off_t)(r->offset + p->done_bytes);

    return or_errno(r->op == AIOX_FILE_READ
                        ? preadv2(r->file_->fd_, iov, count, offset, r->flags)
                        : pwritev2(r->file_->fd_, iov, count, offset, r->flags));
}

static int64_t discard(const struct aiox_file_request *r)
{
    uint64_t range[2] = {(uint64_t)r->offset, (uint64_t)r->length};

    if (r->file_->is_block_device_) {
        return or_errno(ioctl(r->file_->fd_, BLKDISCARD, range));
    }
    return or_errno(
        fallocate(r->file_->fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, r->offset, r->length));
}

/* All that there is, by as many calls as that takes. */
static int64_t copy(const struct aiox_file_request *r)
{
    off64_t from = r->offset;
    off64_t to = r->to_offset;
    int64_t done = 0;

    while (done < r->length) {
        ssize_t n =
            copy_file_range(r->file_->fd_, &from, r->to_fd, &to, (size_t)(r->length - done), 0);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -errno;
        }
        if (n == 0) {
            break;
        }
        done += n;
    }
    return done;
}

int64_t calls_step_(const struct aiox_file_request *r)
{
    switch (r->op) {
    case AIOX_FILE_READ:
    case AIOX_FILE_WRITE:
        return transfer(r);
    case AIOX_FILE_FSYNC:
        return or_errno(fsync(r->file_->fd_));
    case AIOX_FILE_FDATASYNC:
        return or_errno(fdatasync(r->file_->fd_));
    case AIOX_FILE_ALLOCATE:
        return or_errno(fallocate(r->file_->fd_, r->flags, r->offset, r->length));
    case AIOX_FILE_DISCARD:
        return discard(r);
    case AIOX_FILE_COPY:
        return copy(r);
    }
    return -EINVAL;
}
