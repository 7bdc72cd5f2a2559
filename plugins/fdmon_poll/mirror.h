/* SPDX-License-Identifier: MIT */
/* mirror.h - the descriptor that stands for all that poll(2) watches. */
#ifndef AIOX_FDMON_POLL_MIRROR_H_
#define AIOX_FDMON_POLL_MIRROR_H_

#include <stdbool.h>
#include <stdint.h>

/* An epoll(7) set that is told what the line-up is. All of it under the monitor's lock. */
struct mirror {
    int set; /* -1: nobody has asked for it */
    uint32_t file;
    int always; /* descriptors that are always ready: no set takes them */
    bool is_stale;
};

void poll_mirror_init_(struct mirror *m);
/* Gives the set back, as if nobody had asked for it. */
void poll_mirror_fini_(struct mirror *m);

/* An empty set in the place of the old one. 0 or a negative errno. */
int poll_mirror_renew_(struct mirror *m);

/* @fd is now watched for @events, 0: not any more. *@always is a note of the mirror's on @fd. */
void poll_mirror_tell_(struct mirror *m, int fd, uint32_t events, bool *always);

#endif /* AIOX_FDMON_POLL_MIRROR_H_ */
