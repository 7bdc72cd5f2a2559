/* SPDX-License-Identifier: MIT */
/* bare_epoll.c - epoll_wait(2) and a call: what a loop over epoll cannot be faster than. */
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bare.h"

enum { BATCH = 256 };

struct bare {
    int fd;
};

static const char *version(void)
{
    static struct utsname name;

    uname(&name);
    return name.release;
}

static void *open_loop(const struct contender *who, const char **why)
{
    struct bare *b = malloc(sizeof(*b));

    (void)who;
    (void)why;
    must(b);
    b->fd = epoll_create1(EPOLL_CLOEXEC);
    must(b->fd >= 0);
    return b;
}

static void close_loop(void *loop)
{
    struct bare *b = loop;

    close(b->fd);
    free(b);
}

static void *watch(void *loop, int fd, bench_fn *fn, void *opaque)
{
    struct bare *b = loop;
    struct bare_watch *w = malloc(sizeof(*w));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = w};

    must(w);
    *w = (struct bare_watch){.fd = fd, .fn = fn, .opaque = opaque};
    must(epoll_ctl(b->fd, EPOLL_CTL_ADD, fd, &event) == 0);
    return w;
}

static void unwatch(void *loop, void *watch)
{
    struct bare *b = loop;
    struct bare_watch *w = watch;

    must(epoll_ctl(b->fd, EPOLL_CTL_DEL, w->fd, NULL) == 0);
    free(w);
}

static void turn(void *loop, bool may_block)
{
    struct bare *b = loop;
    struct epoll_event events[BATCH];
    int n = epoll_wait(b->fd, events, BATCH, may_block ? -1 : 0);

    for (int i = 0; i < n; i++) {
        struct bare_watch *w = events[i].data.ptr;
        w->fn(w->opaque);
    }
}

static const struct loop_ops ops = {
    .open = open_loop,
    .close = close_loop,
    .turn = turn,
    .watch = watch,
    .unwatch = unwatch,
};

const struct contender bare_epoll = {
    .name = "bare epoll", .kind = LIMIT, .version = version, .loop = &ops};
