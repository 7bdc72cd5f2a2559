/* SPDX-License-Identifier: MIT */
/*
 * cow_overlay.c - O_TMPFILE, and where the file system has none of that, a name
 * that is taken away at once.
 */
#define _GNU_SOURCE /* O_TMPFILE, mkostemp, secure_getenv */
#include "cow_overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "blocks.h"
#include "file_open.h"

static const char *directory(void)
{
    const char *said = secure_getenv("TMPDIR");

    return said && said[0] == '/' ? said : "/var/tmp";
}

static int open_named(const char *where)
{
    char path[PATH_MAX];
    int fd;

    if (snprintf(path, sizeof(path), "%s/aiox-nbd-XXXXXX", where) >= (int)sizeof(path)) {
        return -ENAMETOOLONG;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    unlink(path);
    return fd;
}

static int open_nameless(const char *where)
{
    int fd = open(where, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    int error = fd < 0 ? -errno : 0;

    if (error == -EOPNOTSUPP || error == -EISDIR || error == -EINVAL) {
        return open_named(where);
    }
    return error < 0 ? error : fd;
}

static int make_file(uint64_t size_bytes, struct aiox_error *err)
{
    const char *where = directory();
    int fd = open_nameless(where);

    if (fd < 0) {
        return aiox_error_set(err, fd, "cannot make a temporary file in '%s': %s", where,
                              aiox_error_text(fd));
    }
    if (ftruncate(fd, (off_t)size_bytes) < 0) {
        int error = -errno;

        close(fd);
        return aiox_error_set(err, error, "no temporary file of %" PRIu64 " bytes in '%s': %s",
                              size_bytes, where, aiox_error_text(error));
    }
    return fd;
}

static int share_file(const struct nbd_export *sibling, struct aiox_error *err)
{
    int fd = fcntl(export_file_descriptor(sibling), F_DUPFD_CLOEXEC, 0);

    return fd < 0 ? aiox_error_set(err, -errno, "no descriptor: %s", aiox_error_text(errno)) : fd;
}

int cow_overlay_open(struct nbd_export **out, struct aiox_context *ctx, uint64_t size_bytes,
                     const struct nbd_export *sibling, struct aiox_error *err)
{
    struct file_found found = {.size_bytes = size_bytes, .preferred_bytes = BLOCKS_BYTES};
    int error;

    found.fd = sibling ? share_file(sibling, err) : make_file(size_bytes, err);
    if (found.fd < 0) {
        return found.fd;
    }
    error = export_file_adopt(out, ctx, &found, "the overlay of a copy on write", err);
    if (error < 0) {
        close(found.fd);
    }
    return error;
}
