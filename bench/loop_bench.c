/* SPDX-License-Identifier: MIT */
/*
 * loop_bench.c - what a turn of the loop costs, beside the bare system calls.
 *
 *   bazel run --config=release //bench:loop_bench [-- ROUNDS]
 *
 * All contenders take turns within each round, so a disturbance hits all of
 * them. A figure is the median over the rounds of the CPU time per operation,
 * and its ratio to bare epoll(7) in the same run. Wall time is not looked at.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "aiox/aio.h"
#include "aiox/aiox.h"
#include "aiox/assert.h"

enum { OPERATIONS = 20000, MOST_FDS = 1000, MOST_ROUNDS = 99, CONTENDERS = 4, SCENES = 5 };

static const char *const contenders[CONTENDERS] = {"bare epoll", "poll", "epoll", "io_uring"};

/* Everything one contender works on. The bare one has no context. */
struct bench {
    struct aiox_context *ctx;
    struct aiox_bh *bh;
    int bare;
    int fds[MOST_FDS];
    int served;
};

static int64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void take(int fd)
{
    eventfd_t value;

    aiox_assert(eventfd_read(fd, &value) == 0);
}

static void on_read(void *opaque)
{
    take(*(int *)opaque);
}

static void on_bh(void *opaque)
{
    ++*(int *)opaque;
}

static void bare_turn(struct bench *b, int timeout)
{
    struct epoll_event events[128];
    int n = epoll_wait(b->bare, events, 128, timeout);

    for (int i = 0; i < n; i++) {
        take(*(int *)events[i].data.ptr);
    }
}

static void turn(struct bench *b, bool may_block)
{
    if (b->ctx) {
        aiox_poll(b->ctx, may_block);
    } else {
        bare_turn(b, may_block ? -1 : 0);
    }
}

static void watch(struct bench *b, int count)
{
    struct epoll_event event = {.events = EPOLLIN};
    struct aiox_fd_handler handler = {.read = on_read};

    for (int i = 0; i < count; i++) {
        event.data.ptr = &b->fds[i];
        aiox_assert((b->ctx ? aiox_set_fd_handler(b->ctx, b->fds[i], &handler, &b->fds[i])
                            : epoll_ctl(b->bare, EPOLL_CTL_ADD, b->fds[i], &event)) == 0);
    }
}

static void unwatch(struct bench *b, int count)
{
    for (int i = 0; i < count; i++) {
        if (b->ctx) {
            aiox_clear_fd_handler(b->ctx, b->fds[i]);
        } else {
            epoll_ctl(b->bare, EPOLL_CTL_DEL, b->fds[i], NULL);
        }
    }
}

static void idle_turns(struct bench *b)
{
    for (int i = 0; i < OPERATIONS; i++) {
        turn(b, false);
    }
}

static void events(struct bench *b)
{
    for (int i = 0; i < OPERATIONS; i++) {
        aiox_assert(eventfd_write(b->fds[0], 1) == 0);
        turn(b, true);
    }
}

/* The bare loop runs the function between two looks at its set. */
static void bottom_halves(struct bench *b)
{
    for (int i = 0; i < OPERATIONS; i++) {
        if (b->ctx) {
            aiox_bh_schedule(b->bh);
        } else {
            on_bh(&b->served);
        }
        turn(b, false);
    }
}

struct scene {
    const char *name;
    int watched;
    void (*run)(struct bench *b);
};

static const struct scene scenes[SCENES] = {
    {"idle turn", 1, idle_turns},
    {"event, 1 watched", 1, events},
    {"event, 100 watched", 100, events},
    {"event, 1000 watched", MOST_FDS, events},
    {"bottom half and turn", 1, bottom_halves},
};

/* False if this backend does not work here; says why. */
static bool open_contender(struct bench *b, const char *name)
{
    struct aiox_error err = {0};

    b->bare = -1;
    for (int i = 0; i < MOST_FDS; i++) {
        b->fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        aiox_assert(b->fds[i] >= 0);
    }
    if (name == contenders[0]) {
        b->bare = epoll_create1(EPOLL_CLOEXEC);
        return true;
    }
    aiox_assert(aiox_new(&b->ctx, &err) == 0);
    if (aiox_context_setup(b->ctx, name, &err) < 0) {
        printf("left out: %s: %s\n", name, err.message);
        return false;
    }
    aiox_assert(aiox_bh_new(&b->bh, aiox_context_bhs(b->ctx), "bench", on_bh, &b->served) == 0);
    return true;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof(*values), by_value);
    return values[count / 2];
}

static double measure(struct bench *b, const struct scene *scene)
{
    int64_t began_ns;
    double each_ns;

    watch(b, scene->watched);
    turn(b, false);
    began_ns = cpu_ns();
    scene->run(b);
    each_ns = (double)(cpu_ns() - began_ns) / OPERATIONS;
    unwatch(b, scene->watched);
    return each_ns;
}

int main(int argc, char **argv)
{
    static struct bench benches[CONTENDERS];
    static double ns[SCENES][CONTENDERS][MOST_ROUNDS];
    int rounds = argc > 1 ? atoi(argv[1]) : 9;
    struct rlimit limit = {.rlim_cur = 8192, .rlim_max = 20000};
    bool here[CONTENDERS];

    aiox_assert(rounds >= 1 && rounds <= MOST_ROUNDS);
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    for (int c = 0; c < CONTENDERS; c++) {
        here[c] = open_contender(&benches[c], contenders[c]);
    }
    for (int r = 0; r < rounds; r++) {
        for (int s = 0; s < SCENES; s++) {
            for (int c = 0; c < CONTENDERS; c++) {
                ns[s][c][r] = here[c] ? measure(&benches[c], &scenes[s]) : 0;
            }
        }
    }
    printf("CPU ns per operation, median of %d rounds, and the ratio to %s\n\n%-22s", rounds,
           contenders[0], "");
    for (int c = 0; c < CONTENDERS; c++) {
        printf("%18s", contenders[c]);
    }
    for (int s = 0; s < SCENES; s++) {
        double bare = median(ns[s][0], rounds);

        printf("\n%-22s", scenes[s].name);
        for (int c = 0; c < CONTENDERS; c++) {
            double each = median(ns[s][c], rounds);

            printf("%11.0f %5.2fx", each, each / bare);
        }
    }
    printf("\n");
    return 0;
}
