/* SPDX-License-Identifier: MIT */
/*
 * table.c - the table grows, and goes.
 */
#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum {
    SMALL_NUMBERS = 1024, /* room for these is not worth a system call */
};

int epoll_table_reserve_(struct watch_table **table, const struct aiox_fdmon_host *host, int fd)
{
    struct watch_table *old = *table;
    size_t length = (size_t)old->length * 2;
    struct watch_table *t;

    if (epoll_table_at_(old, fd)) {
        return 0;
    }
    if (fd >= SMALL_NUMBERS && fcntl(fd, F_GETFD) < 0) {
        return -EBADF;
    }
    length = length > (size_t)fd ? length : (size_t)fd + 1;
    t = host->alloc(host, epoll_table_bytes_((int)length));
    if (!t) {
        return -ENOMEM;
    }
    t->older = old;
    t->length = (int)length;
    memcpy(t->watches, old->watches, (size_t)old->length * sizeof(*t->watches));
    __atomic_store_n(table, t, __ATOMIC_RELEASE); /* [EPOLL-table] */
    return 0;
}

void epoll_table_free_(struct watch_table *table, const struct aiox_fdmon_host *host)
{
    struct watch_table *older;

    for (struct watch_table *t = table; t->older; t = older) {
        older = t->older;
        host->free(host, t);
    }
}
