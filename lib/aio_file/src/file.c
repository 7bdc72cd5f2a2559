/* SPDX-License-Identifier: MIT */
/* file.c - a descriptor in a context. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "aiox/assert.h"

#include "file.h"

enum { SECTOR_BYTES = 512, NOT_ASKED = 1 };

/* struct statx by its kernel name: <sys/stat.h> may be older than stx_dio_mem_align. */
static bool ask(int fd, unsigned mask, struct statx *out)
{
    memset(out, 0, sizeof(*out));
    return syscall(SYS_statx, fd, "", AT_EMPTY_PATH, mask, out) == 0 &&
           (out->stx_mask & mask) == mask;
}

int aiox_file_init(struct aiox_file *f, struct aiox_context *ctx, int fd,
                   const struct aiox_file_options *options)
{
    struct aiox_file_part_ *part;
    struct statx st;
    int flags = fcntl(fd, F_GETFL);
    int err;

    if (flags < 0) {
        return -EBADF;
    }
    err = part_get_(&part, ctx);
    if (err < 0) {
        return err;
    }
    *f = (struct aiox_file){
        .ctx_ = ctx,
        .part_ = part,
        .fd_ = fd,
        .is_direct_ = (flags & O_DIRECT) != 0,
        .is_append_ = (flags & O_APPEND) != 0,
        .is_block_device_ = ask(fd, STATX_TYPE, &st) && (st.stx_mode & S_IFMT) == S_IFBLK,
        .aio_error_ = NOT_ASKED,
        .inline_next_pass_ = 1,
    };
    if (options) {
        f->options_ = *options;
    }
    return 0;
}

void aiox_file_fini(struct aiox_file *f)
{
    aiox_assert(f->in_flight_ == 0);
    f->ctx_ = NULL;
}

size_t aiox_file_in_flight(const struct aiox_file *f)
{
    return f->in_flight_;
}

uint64_t aiox_file_served(const struct aiox_file *f, enum aiox_file_engine engine)
{
    return f->served_[engine];
}

void aiox_file_alignment(const struct aiox_file *f, uint32_t *memory_bytes, uint32_t *offset_bytes)
{
    struct statx st;
    int sector = 0;

    *memory_bytes = 1;
    *offset_bytes = 1;
    if (!f->is_direct_) {
        return;
    }
    if (ask(f->fd_, STATX_DIOALIGN, &st) && st.stx_dio_offset_align > 0) {
        *memory_bytes = st.stx_dio_mem_align;
        *offset_bytes = st.stx_dio_offset_align;
        return;
    }
    if (!f->is_block_device_ || ioctl(f->fd_, BLKSSZGET, &sector) < 0 || sector <= 0) {
        sector = SECTOR_BYTES;
    }
    *memory_bytes = (uint32_t)sector;
    *offset_bytes = (uint32_t)sector;
}
