/* SPDX-License-Identifier: MIT */
/* bare_epoll.c - epoll_wait(2) and a call: what a loop over epoll cannot be faster than. */
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bare.h"

enum { BATCH = 256 };

struct bare {
    int fd;
    int64_t busy_ns;
};

static void *open_loop(const struct contender *who, const char **why)
{
    struct bare *b = malloc(sizeof(*b));

    (void)who;
    (void)why;
    must(b);
    *b = (struct bare){.fd = epoll_create1(EPOLL_CLOEXEC)};
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

static int look_busily(const struct bare *b, struct epoll_event *events)
{
    int64_t end_ns = wall_ns() + b->busy_ns;
    int n;

    do {
        n = epoll_wait(b->fd, events, BATCH, 0);
    } while (n == 0 && wall_ns() < end_ns);
    return n;
}

static void turn(void *loop, bool may_block)
{
    struct bare *b = loop;
    struct epoll_event events[BATCH];
    int n = may_block && b->busy_ns > 0 ? look_busily(b, events) : 0;

    if (n == 0) {
        n = epoll_wait(b->fd, events, BATCH, may_block ? -1 : 0);
    }

    for (int i = 0; i < n; i++) {
        struct bare_watch *w = events[i].data.ptr;
        w->fn(w->opaque);
    }
}

static void converse(void *loop, const int fd[2], long messages, size_t bytes)
{
    bare_converse(fd, ((struct bare *)loop)->fd, messages, bytes);
}

static void poll_busily(void *loop, int64_t most_ns)
{
    ((struct bare *)loop)->busy_ns = most_ns;
}

static const struct loop_ops ops = {
    LOOP_OPS,
    WATCH_OPS(unwatch),
    .poll_busily = poll_busily,
    .converse = converse,
};

const struct contender bare_epoll = {.name = "bare epoll",
                                     .kind = LIMIT,
                                     .variant = "epoll",
                                     .version = kernel_version,
                                     .loop = &ops};
