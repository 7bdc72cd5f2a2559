/* SPDX-License-Identifier: MIT */
/* probe.c - does poll(2) work here? */
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int poll_probe_(const struct aiox_fdmon_host *host, struct aiox_fdmon_probe *out)
{
    struct timespec now = {0};

    if (ppoll(NULL, 0, &now, NULL) == 0) {
        return 0;
    }
    out->state = AIOX_FDMON_UNUSABLE;
    out->error = -errno;
    out->cause = errno == ENOSYS ? AIOX_FDMON_CAUSE_MISSING : AIOX_FDMON_CAUSE_DENIED;
    snprintf(out->text, sizeof(out->text), "ppoll: %s", strerror(-out->error));
    snprintf(out->hint, sizeof(out->hint), "allow ppoll(2) in the seccomp filter");
    return 0;
}
