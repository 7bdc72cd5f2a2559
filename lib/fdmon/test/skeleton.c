/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "aiox/fdmon.h"

struct aiox_fdmon {
    const struct aiox_fdmon_host *host;
    int set;
};

static int skeleton_open(const struct aiox_fdmon_host *host, struct aiox_fdmon **out)
{
    struct aiox_fdmon *mon = host->alloc(host, sizeof(*mon));
    int set = epoll_create1(EPOLL_CLOEXEC);
    int err = !mon ? -ENOMEM : set < 0 ? -errno : 0;

    if (err) {
        close(set);
        host->free(host, mon);
        return err;
    }
    *mon = (struct aiox_fdmon){.host = host, .set = set};
    *out = mon;
    return 0;
}

static void skeleton_close(struct aiox_fdmon *mon)
{
    close(mon->set);
    mon->host->free(mon->host, mon);
}

static int skeleton_interest(struct aiox_fdmon *mon, int fd, uint32_t old_events, uint32_t events,
                             uint64_t token)
{
    struct epoll_event e = {.data.u64 = token};

    e.events |= events & AIOX_FD_READ ? EPOLLIN : 0;
    e.events |= events & AIOX_FD_WRITE ? EPOLLOUT : 0;
    e.events |= events & AIOX_FD_PRI ? EPOLLPRI : 0;
    if (!events) {
        epoll_ctl(mon->set, EPOLL_CTL_DEL, fd, &e);
        return 0;
    }
    return epoll_ctl(mon->set, old_events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

static int skeleton_collect(struct aiox_fdmon *mon, int64_t timeout_ns,
                            struct aiox_fdmon_event *out, int max)
{
    struct epoll_event ready[16];
    int64_t ms = timeout_ns / 1000000 + (timeout_ns % 1000000 > 0); /* never too early */
    int timeout_ms = timeout_ns < 0 ? -1 : ms > INT_MAX ? INT_MAX : (int)ms;
    int n = epoll_wait(mon->set, ready, max < 16 ? max : 16, timeout_ms);

    for (int i = 0; i < n; i++) {
        out[i] = (struct aiox_fdmon_event){.token = ready[i].data.u64};
        out[i].events |= ready[i].events & EPOLLIN ? AIOX_FD_READ : 0;
        out[i].events |= ready[i].events & EPOLLOUT ? AIOX_FD_WRITE : 0;
        out[i].events |= ready[i].events & EPOLLPRI ? AIOX_FD_PRI : 0;
        out[i].events |= ready[i].events & EPOLLHUP ? AIOX_FD_HANGUP : 0;
        out[i].events |= ready[i].events & EPOLLERR ? AIOX_FD_ERROR : 0;
    }
    return n < 0 && errno != EINTR ? -errno : n < 0 ? 0 : n;
}

static int skeleton_probe(const struct aiox_fdmon_host *host, struct aiox_fdmon_probe *out)
{
    int set = epoll_create1(EPOLL_CLOEXEC);

    out->state = set < 0 ? AIOX_FDMON_UNUSABLE : AIOX_FDMON_USABLE;
    out->error = set < 0 ? -errno : 0;
    close(set);
    return 0;
}

static const struct aiox_fdmon_ops ops = {
    .size = sizeof(ops),
    .open = skeleton_open,
    .close = skeleton_close,
    .interest = skeleton_interest,
    .collect = skeleton_collect,
};

static const struct aiox_fdmon_plugin descriptor = {
    .magic = AIOX_FDMON_MAGIC,
    .abi_major = AIOX_FDMON_ABI_MAJOR,
    .abi_minor = AIOX_FDMON_ABI_MINOR,
    .size = sizeof(descriptor),
    .rank = -1, /* only by name */
    .name = "skeleton",
    .version = "0.1.0",
    .summary = "what a backend must have, and nothing else",
    .license = "MIT",
    .caps = AIOX_FDMON_CAP_LEVEL,
    .ops = &ops,
    .probe = skeleton_probe,
};

AIOX_FDMON_PLUGIN(skeleton, "0.1.0", descriptor);
