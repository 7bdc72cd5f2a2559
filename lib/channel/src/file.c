/* SPDX-License-Identifier: MIT */
/*
 * file.c - a channel over what is no socket.
 *
 * System calls are not inlined: after a wait the coroutine may be in another
 * thread, whose errno is elsewhere.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aiox/channel_file.h"

#include "descriptor.h"
#include "trace.h"

struct file {
    struct aiox_channel base;
    struct descriptor d;
};

static struct file *self_of(struct aiox_channel *ch)
{
    return AIOX_CONTAINER_OF(ch, struct file, base);
}

static int at_most_iov_max(int count)
{
    return count < IOV_MAX ? count : IOV_MAX;
}

static AIOX_NOINLINE ssize_t read_once(struct aiox_channel *ch, struct aiox_channel_io *io)
{
    int fd = self_of(ch)->d.fd;
    ssize_t n;

    do {
        n = readv(fd, io->iov, at_most_iov_max(io->count));
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static AIOX_NOINLINE ssize_t write_once(struct aiox_channel *ch, struct aiox_channel_io *io)
{
    int fd = self_of(ch)->d.fd;
    ssize_t n;

    do {
        n = writev(fd, io->iov, at_most_iov_max(io->count));
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* ---- operations ---- */

static int wait_for(struct aiox_channel *ch, uint32_t events, int64_t deadline_ns)
{
    return descriptor_wait_(&self_of(ch)->d, ch->follows_, events, deadline_ns);
}

static bool wake(struct aiox_channel *ch, uint32_t event)
{
    return descriptor_wake_(&self_of(ch)->d, event);
}

static void end_waits(struct aiox_channel *ch)
{
    descriptor_end_waits_(&self_of(ch)->d);
}

static int close_file(struct aiox_channel *ch)
{
    return descriptor_close_(&self_of(ch)->d);
}

static void free_file(struct aiox_channel *ch)
{
    descriptor_fini_(&self_of(ch)->d);
    free(self_of(ch));
}

static void set_external(struct aiox_channel *ch, bool external)
{
    descriptor_set_external_(&self_of(ch)->d, external);
}

static ssize_t pread_once(struct aiox_channel *ch, void *buf, size_t bytes, int64_t offset)
{
    ssize_t n;

    do {
        n = pread(self_of(ch)->d.fd, buf, bytes, offset);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static ssize_t pwrite_once(struct aiox_channel *ch, const void *buf, size_t bytes, int64_t offset)
{
    ssize_t n;

    do {
        n = pwrite(self_of(ch)->d.fd, buf, bytes, offset);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static int64_t seek(struct aiox_channel *ch, int64_t offset, int whence)
{
    off_t at = lseek(self_of(ch)->d.fd, offset, whence);

    return at < 0 ? -errno : at;
}

static const struct aiox_channel_ops ops = {
    .kind = "file",
    .read = read_once,
    .write = write_once,
    .wait = wait_for,
    .wake = wake,
    .end_waits = end_waits,
    .close = close_file,
    .free = free_file,
    .pread = pread_once,
    .pwrite = pwrite_once,
    .seek = seek,
    .set_external = set_external,
};

/* ---- life ---- */

/* Else a read of it would block the loop. A disk is not impressed by the flag. */
static int set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0) {
        return -errno;
    }
    return flags & O_NONBLOCK || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 ? 0 : -errno;
}

static int check(int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0) {
        return -errno;
    }
    if (S_ISDIR(st.st_mode)) {
        return -EISDIR;
    }
    return S_ISREG(st.st_mode) || S_ISBLK(st.st_mode) ? 0 : set_nonblocking(fd);
}

int aiox_channel_file_new(struct aiox_channel **out, int fd)
{
    int err = check(fd);
    struct file *f;

    if (err < 0) {
        return err;
    }
    f = calloc(1, sizeof(*f));
    if (!f) {
        return -ENOMEM;
    }
    aiox_channel_init(&f->base, &ops, lseek(fd, 0, SEEK_CUR) >= 0 ? AIOX_CHANNEL_SEEKABLE : 0u);
    descriptor_init_(&f->d, fd);
    AIOX_TRACE(channel, adopt, fd, (uintptr_t)ops.kind);
    *out = &f->base;
    return 0;
}

static int adopt(struct aiox_channel **out, int fd)
{
    int err = aiox_channel_file_new(out, fd);

    if (err < 0) {
        close(fd);
    }
    return err;
}

int aiox_channel_file_open(struct aiox_channel **out, const char *path, int flags, mode_t mode)
{
    int fd;

    do {
        fd = open(path, flags | O_CLOEXEC | O_NONBLOCK, mode);
    } while (fd < 0 && errno == EINTR);
    return fd < 0 ? -errno : adopt(out, fd);
}

int aiox_channel_pipe(struct aiox_channel *out[2])
{
    struct aiox_channel *reader;
    int fd[2];
    int err;

    if (pipe2(fd, O_CLOEXEC | O_NONBLOCK) < 0) {
        return -errno;
    }
    err = adopt(&reader, fd[0]);
    if (err < 0) {
        close(fd[1]);
        return err;
    }
    err = adopt(&out[1], fd[1]);
    if (err < 0) {
        aiox_channel_unref(reader);
        return err;
    }
    out[0] = reader;
    return 0;
}
