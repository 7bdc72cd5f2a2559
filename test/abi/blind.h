/* SPDX-License-Identifier: MIT */
/* blind.h - the functions of a backend that watches nothing: each file here adds its own twist. */
#ifndef AIOX_TEST_ABI_BLIND_H_
#define AIOX_TEST_ABI_BLIND_H_

#include <errno.h>

#include "aiox/fdmon.h"

struct aiox_fdmon {
    const struct aiox_fdmon_host *host;
};

static int blind_open(const struct aiox_fdmon_host *host, struct aiox_fdmon **out)
{
    *out = host->alloc(host, sizeof(**out));
    if (!*out) {
        return -ENOMEM;
    }
    (*out)->host = host;
    return 0;
}

static void blind_close(struct aiox_fdmon *mon)
{
    mon->host->free(mon->host, mon);
}

/* A lie: nothing is watched. */
static int blind_interest(struct aiox_fdmon *mon, int fd, uint32_t old_events, uint32_t events,
                          uint64_t token)
{
    (void)mon;
    (void)fd;
    (void)old_events;
    (void)events;
    (void)token;
    return 0;
}

static int blind_collect(struct aiox_fdmon *mon, int64_t timeout_ns, struct aiox_fdmon_event *out,
                         int max)
{
    (void)mon;
    (void)timeout_ns;
    (void)out;
    (void)max;
    return 0;
}

#endif /* AIOX_TEST_ABI_BLIND_H_ */
