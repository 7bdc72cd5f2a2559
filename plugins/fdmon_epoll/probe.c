/* SPDX-License-Identifier: MIT */
/*
 * probe.c - tries each system call of the epoll backend once, on a set of its own.
 */
#define _GNU_SOURCE

#include "probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static uint32_t cause_of(int err)
{
    switch (err) {
    case EMFILE:
    case ENFILE:
        return AIOX_FDMON_CAUSE_LIMIT;
    case ENOMEM:
        return AIOX_FDMON_CAUSE_RESOURCES;
    case ENOSYS:
        return AIOX_FDMON_CAUSE_MISSING;
    default:
        return AIOX_FDMON_CAUSE_DENIED;
    }
}

static void complain(struct aiox_fdmon_probe *out, uint32_t state, const char *call, int err)
{
    out->state = state;
    out->cause = cause_of(err);
    out->error = -err;
    snprintf(out->text, sizeof(out->text), "%s: %s", call, strerror(err));
    snprintf(out->hint, sizeof(out->hint), "%s",
             out->cause == AIOX_FDMON_CAUSE_LIMIT ? "raise ulimit -n"
                                                  : "allow this call in the seccomp filter");
}

int epoll_probe_(const struct aiox_fdmon_host *host, struct aiox_fdmon_probe *out)
{
    struct timespec now = {0};
    struct epoll_event e;
    int set = epoll_create1(EPOLL_CLOEXEC);

    if (set < 0) {
        complain(out, AIOX_FDMON_UNUSABLE, "epoll_create1", errno);
        return 0;
    }
    if (epoll_wait(set, &e, 1, 0) < 0) {
        complain(out, AIOX_FDMON_UNUSABLE, "epoll_wait", errno);
    } else if (epoll_pwait2(set, &e, 1, &now, NULL) < 0) { /* ppoll() and epoll_wait() will do */
        complain(out, AIOX_FDMON_DEGRADED, "epoll_pwait2", errno);
    }
    close(set);
    return 0;
}
