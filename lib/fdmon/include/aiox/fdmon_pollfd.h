/* SPDX-License-Identifier: MIT */
/*
 * aiox/fdmon_pollfd.h - "aiox.pollfd/1": somebody else waits for the backend.
 *
 * A loop can be a guest in another one (GLib, libuv, sd-event), which then
 * waits in its own way for a descriptor that stands for all that the backend
 * watches, and lets the guest collect(0) when it is readable.
 */
#ifndef AIOX_FDMON_POLLFD_H_
#define AIOX_FDMON_POLLFD_H_

#include "aiox/fdmon.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The loop asks the backend for this extension. While open() runs, the backend
 * may ask the loop: host->get_extension(host, AIOX_FDMON_POLLFD_ID) is not NULL
 * if waits from outside are to come. It may then choose another way to work;
 * without it, prepare() may say -ENOTSUP.
 */
#define AIOX_FDMON_POLLFD_ID "aiox.pollfd/1"

struct aiox_fdmon_pollfd {
    uint32_t size;
    uint32_t reserved_;
    /*
     * A wait from outside is about to begin: hands over what was noted, so that
     * the descriptor is readable (POLLIN, epoll(7) included) from the moment on
     * at which collect(0) has something to report, and until that has been
     * collected. It may be readable without need, but not again and again. Not
     * seen in it: what interest() is told later, and what pending() sees
     * already; the loop asks that afterwards. If there is no pending(),
     * *@ready says whether collect(0) has something that the descriptor does
     * not show.
     *
     * Returns the descriptor, which stays the backend's; *@file changes whenever
     * its number means another file than before. Or a negative errno; the next
     * call may do better. [home]
     */
    int (*prepare)(struct aiox_fdmon *mon, uint32_t *file, bool *ready);
};

#ifdef __cplusplus
}
#endif

#endif /* AIOX_FDMON_POLLFD_H_ */
