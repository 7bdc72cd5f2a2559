/* SPDX-License-Identifier: MIT */
/*
 * set.h - an epoll(7) set, and beside it a table of what is in it.
 */
#ifndef AIOX_FDMON_EPOLL_SET_H_
#define AIOX_FDMON_EPOLL_SET_H_

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "aiox/fdmon.h"

#include "table.h"

struct watch_set {
    int fd; /* the number stays when the set is built anew */

    pthread_mutex_t lock; /* of whoever writes what is in this paragraph */
    struct watch_table *table;
    bool ghosts; /* a registration could not be taken out */
    bool keeps;  /* what is stopped stays in the set until it shows up */

    int broken;       /* [home] a negative errno: the set is not what the table says */
    uint32_t rebuilt; /* [home] how often the number has got another set */
};

/* 0 or a negative errno. @s is all zero; @first lives as long. */
int epoll_set_open_(struct watch_set *s, struct watch_table *first);
void epoll_set_close_(struct watch_set *s, const struct aiox_fdmon_host *host);

/* As aiox_fdmon_ops.interest. [locked] */
int epoll_set_change_(struct watch_set *s, const struct aiox_fdmon_host *host, int fd,
                      uint32_t events, uint64_t token);

/* True if the file of @fd, which was @generation, has been closed: then it is over. [home] */
bool epoll_set_inspect_(struct watch_set *s, int fd, uint32_t generation);

/*
 * Some of the @count that were reported, @ready, are not watched: takes out what was kept, and
 * builds the set anew if there are ghosts. [home]
 */
void epoll_set_exorcise_(struct watch_set *s, const struct epoll_event *ready, int count);

/* Puts a set of one's own in the place of one that is shared. [home] */
void epoll_set_leave_to_parent_(struct watch_set *s);

#endif /* AIOX_FDMON_EPOLL_SET_H_ */
