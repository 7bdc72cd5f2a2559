/* SPDX-License-Identifier: MIT */
/*
 * probe.c - does io_uring work here, and if not, who forbids it and how to change that?
 *
 * Makes a ring as open() does, sends a no-operation and a poll request through
 * it, and gives it back.
 */
#define _GNU_SOURCE

#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define SYSCTL "/proc/sys/kernel/io_uring_disabled"

/* The first character of @path, '0' if it cannot be read. */
static char first_of(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char c = '0';

    if (fd >= 0) {
        c = read(fd, &c, 1) == 1 ? c : '0';
        close(fd);
    }
    return c;
}

static const char *who_denies(void)
{
    switch (first_of(SYSCTL)) {
    case '1':
        return "kernel.io_uring_disabled is 1: be in kernel.io_uring_group, have CAP_SYS_ADMIN, or"
               " set it to 0 with sysctl";
    case '2':
        return "kernel.io_uring_disabled is 2: set it to 0 with sysctl";
    default:
        return "a seccomp filter or security module: allow io_uring_setup, io_uring_enter and"
               " io_uring_register";
    }
}

static void say(struct aiox_fdmon_probe *out, uint32_t cause, const char *hint)
{
    out->cause = cause;
    snprintf(out->hint, sizeof(out->hint), "%s", hint);
}

static void say_memory(struct aiox_fdmon_probe *out)
{
    struct rlimit limit = {0};
    char hint[120];

    getrlimit(RLIMIT_MEMLOCK, &limit);
    snprintf(hint, sizeof(hint), "raise ulimit -l (locked memory, %llu kB now), or free memory",
             (unsigned long long)limit.rlim_cur / 1024);
    say(out, AIOX_FDMON_CAUSE_LIMIT, hint);
}

static void explain(struct aiox_fdmon_probe *out, const char *call, int err)
{
    out->state = AIOX_FDMON_UNUSABLE;
    out->error = err;
    snprintf(out->text, sizeof(out->text), "%s: %s", call, strerror(-err));
    switch (err) {
    case -EPERM:
    case -EACCES:
        say(out, AIOX_FDMON_CAUSE_DENIED, who_denies());
        break;
    case -ENOSYS:
        say(out, AIOX_FDMON_CAUSE_MISSING,
            "Linux 5.13 or later, built with io_uring; a sandbox may hide it");
        break;
    case -EINVAL:
    case -EOPNOTSUPP:
        say(out, AIOX_FDMON_CAUSE_MISSING, "Linux 5.13 or later");
        break;
    case -ENOMEM:
        say_memory(out);
        break;
    case -EMFILE:
        say(out, AIOX_FDMON_CAUSE_LIMIT, "raise ulimit -n");
        break;
    case -ENFILE:
        say(out, AIOX_FDMON_CAUSE_LIMIT, "raise the sysctl fs.file-max");
        break;
    default:
        say(out, AIOX_FDMON_CAUSE_OTHER, "");
    }
}

static void queue_two(struct ring *r, int fd)
{
    struct io_uring_sqe *nop = ring_own_sqe_(r);
    struct io_uring_sqe *poll = ring_own_sqe_(r);

    io_uring_prep_nop(nop);
    io_uring_prep_poll_add(poll, fd, POLLOUT);
}

/* A no-operation and a poll request, there and back. 0 or a negative errno. */
static int try_requests(struct ring *r, const char **call)
{
    struct io_uring_cqe *cqes[2];
    int fd = eventfd(0, EFD_CLOEXEC);
    int err;

    *call = "eventfd";
    if (fd < 0) {
        return -errno;
    }
    queue_two(r, fd);
    *call = "io_uring_enter";
    err = ring_enter_(r, 2, 100000000);
    close(fd);
    if (err < 0) {
        return err;
    }
    *call = "io_uring poll request";
    if (io_uring_peek_batch_cqe(&r->lib, cqes, 2) != 2) { /* [RING-complete] */
        return -ETIME;
    }
    return cqes[0]->res < 0 ? cqes[0]->res : cqes[1]->res < 0 ? cqes[1]->res : 0;
}

int io_uring_probe_(const struct aiox_fdmon_host *host, struct aiox_fdmon_probe *out)
{
    const struct ring_options options = {.entries = 4, .cq_entries = 8, .defer = true};
    const char *call;
    struct ring r;
    int err = ring_open_(&r, &options, &call);

    if (err) {
        explain(out, call, err);
        return 0;
    }
    call = "io_uring_register";
    err = ring_enable_(&r);
    err = err ? err : try_requests(&r, &call);
    if (err) {
        explain(out, call, err);
    } else if (!(r.lib.flags & IORING_SETUP_DEFER_TASKRUN)) {
        out->state = AIOX_FDMON_DEGRADED;
        say(out, AIOX_FDMON_CAUSE_MISSING, "Linux 6.1 or later");
        snprintf(out->text, sizeof(out->text),
                 "no deferred task work: completions interrupt the loop");
    }
    ring_close_(&r);
    return 0;
}
