/* SPDX-License-Identifier: MIT */
/*
 * file_open.c - opens, and looks before anything is served: is it of a kind that
 * has a size, and how long is it.
 */
#define _GNU_SOURCE /* O_DIRECT */
#include "file_open.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PREFERRED_MIN = 4096,
    PREFERRED_MAX = 1 << 20,
};

/* "Block size constraints": the power of two that the file system likes best. */
static uint32_t preferred(const struct stat *st)
{
    uint32_t bytes = PREFERRED_MIN;

    while (bytes < PREFERRED_MAX && bytes < st->st_blksize) {
        bytes *= 2;
    }
    return bytes;
}

static uint32_t block_of_device(int fd, const struct stat *st)
{
    int bytes = 0;

    return S_ISBLK(st->st_mode) && ioctl(fd, BLKSSZGET, &bytes) == 0 && bytes > 0 ? (uint32_t)bytes
                                                                                  : 0;
}

static int open_to_serve(const struct export_spec *spec, struct aiox_error *err)
{
    int fd = open(spec->source, (spec->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK |
                                    (spec->direct ? O_DIRECT : 0));
    int error = fd < 0 ? -errno : 0;

    if (error == -EINVAL && spec->direct) {
        return aiox_error_set(
            err, error, "cannot open '%s' with O_DIRECT: its file system has none", spec->source);
    }
    if (error < 0) {
        bool may_read = error == -EACCES || error == -EROFS || error == -EPERM;

        return aiox_error_set(err, error, "cannot open '%s': %s%s", spec->source,
                              aiox_error_text(error),
                              may_read && !spec->read_only ? " (perhaps with --read-only)" : "");
    }
    /* Only open() may not block (a FIFO): the ring takes the flag for "do not wait". */
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    return fd;
}

/* Whether it is what the sibling has open. */
static bool is_same(const struct file_found *found, const struct nbd_export *sibling)
{
    return memcmp(found->file, sibling->file, sizeof(found->file)) == 0 &&
           found->size_bytes == sibling->size_bytes;
}

int file_find(struct file_found *out, const struct export_spec *spec, struct aiox_error *err)
{
    struct stat st;
    off_t end;
    int fd = open_to_serve(spec, err);
    int error;

    if (fd < 0) {
        return fd;
    }
    if (fstat(fd, &st) < 0 || !(S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))) {
        error =
            aiox_error_set(err, -EINVAL, "'%s' is neither a file nor a block device", spec->source);
        goto fail;
    }
    end = lseek(fd, 0, SEEK_END);
    if (end < 0) {
        error = -errno;
        aiox_error_set(err, error, "cannot find the size of '%s': %s", spec->source,
                       aiox_error_text(error));
        goto fail;
    }
    *out = (struct file_found){
        .fd = fd,
        .is_direct = spec->direct,
        .is_device = S_ISBLK(st.st_mode),
        .block_bytes = block_of_device(fd, &st),
        .size_bytes = (uint64_t)end,
        .preferred_bytes = preferred(&st),
        .file = {st.st_dev, st.st_ino},
    };
    if (spec->sibling && !is_same(out, spec->sibling)) {
        error = aiox_error_set(err, -ESTALE, "'%s' became another file meanwhile", spec->source);
        goto fail;
    }
    return 0;

fail:
    close(fd);
    return error;
}

int export_file_open(struct nbd_export **out, struct aiox_context *ctx,
                     const struct export_spec *spec, struct aiox_error *err)
{
    struct file_found found;
    int error = file_find(&found, spec, err);

    if (error == 0) {
        error = export_file_adopt(out, ctx, &found, spec->source, err);
        if (error < 0) {
            close(found.fd);
        }
    }
    return error;
}
