/* SPDX-License-Identifier: MIT */
/* bare_poll.c - poll(2) over a table that is kept, and a call. */
#include <poll.h>
#include <stdlib.h>

#include "bare.h"

struct bare {
    struct pollfd *fds;
    struct bare_watch **watches;
    int count, room;
};

static void *open_loop(const struct contender *who, const char **why)
{
    struct bare *b = calloc(1, sizeof(*b));

    (void)who;
    (void)why;
    must(b);
    return b;
}

static void close_loop(void *loop)
{
    struct bare *b = loop;

    free(b->fds);
    free(b->watches);
    free(b);
}

static void grow(struct bare *b)
{
    b->room = b->room ? b->room * 2 : 16;
    b->fds = realloc(b->fds, (size_t)b->room * sizeof(*b->fds));
    b->watches = realloc(b->watches, (size_t)b->room * sizeof(*b->watches));
    must(b->fds && b->watches);
}

static void *watch(void *loop, int fd, bench_fn *fn, void *opaque)
{
    struct bare *b = loop;
    struct bare_watch *w = malloc(sizeof(*w));

    must(w);
    if (b->count == b->room) {
        grow(b);
    }
    *w = (struct bare_watch){.fd = fd, .place = b->count, .fn = fn, .opaque = opaque};
    b->fds[b->count] = (struct pollfd){.fd = fd, .events = POLLIN};
    b->watches[b->count++] = w;
    return w;
}

static void unwatch(void *loop, void *watch)
{
    struct bare *b = loop;
    struct bare_watch *w = watch;

    b->count--;
    b->fds[w->place] = b->fds[b->count];
    b->watches[w->place] = b->watches[b->count];
    b->watches[w->place]->place = w->place;
    free(w);
}

static void turn(void *loop, bool may_block)
{
    struct bare *b = loop;
    int left = poll(b->fds, (nfds_t)b->count, may_block ? -1 : 0);

    for (int i = 0; left > 0 && i < b->count; i++) {
        if (b->fds[i].revents) {
            left--;
            b->watches[i]->fn(b->watches[i]->opaque);
        }
    }
}

static const struct loop_ops ops = {
    LOOP_OPS,
    WATCH_OPS(unwatch),
};

const struct contender bare_poll = {
    .name = "bare poll", .kind = LIMIT, .variant = "poll", .version = kernel_version, .loop = &ops};
