/* SPDX-License-Identifier: MIT */
/*
 * progress.c - what is left of a list of buffers.
 *
 * The list is the user's and is not written to. A buffer of which a part is
 * done goes on alone, as progress->part; then the whole ones behind it.
 */
#include <sys/uio.h>

#include "aiox/assert.h"

#include "file.h"

void progress_init_(struct aiox_file_progress_ *p, const struct iovec *iov, int count)
{
    *p = (struct aiox_file_progress_){.next = iov, .count = count};
    for (int i = 0; i < count; i++) {
        p->left_bytes += (int64_t)iov[i].iov_len;
    }
}

int progress_next_(const struct aiox_file_progress_ *p, const struct iovec **out)
{
    if (p->part.iov_len > 0) {
        *out = &p->part;
        return 1;
    }
    *out = p->next;
    return p->count < UIO_MAXIOV ? p->count : UIO_MAXIOV;
}

static size_t take_part(struct aiox_file_progress_ *p, size_t bytes)
{
    size_t taken = bytes < p->part.iov_len ? bytes : p->part.iov_len;

    p->part.iov_base = (char *)p->part.iov_base + taken;
    p->part.iov_len -= taken;
    return taken;
}

void progress_take_(struct aiox_file_progress_ *p, size_t bytes)
{
    aiox_assert((int64_t)bytes <= p->left_bytes);
    p->left_bytes -= (int64_t)bytes;
    p->done_bytes += (int64_t)bytes;
    if (p->part.iov_len > 0) {
        bytes -= take_part(p, bytes);
    }
    while (bytes > 0) {
        p->part = *p->next++;
        p->count--;
        bytes -= take_part(p, bytes);
    }
}
