/* SPDX-License-Identifier: MIT */
/*
 * channel_bench.c - what a message costs through channels, beside the bare system calls.
 *
 *   bazel run --config=release //bench:channel_bench [-- ROUNDS [CONTENDER SCENE]]
 *
 * Two coroutines of one context echo messages over a socket pair. Beside them:
 * the two writes and two reads alone, and the same with an epoll_wait(2) before
 * each read. All contenders take turns within each round; a figure is the median
 * of the CPU time per round trip, and its ratio to the four calls alone. With a
 * contender and a scene, only that is run, once: for strace -c.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "aiox/aio_co.h"
#include "aiox/aiox.h"
#include "aiox/assert.h"
#include "aiox/channel_socket.h"

enum { OPERATIONS = 20000, MOST_BYTES = 65536, MOST_ROUNDS = 99, CONTENDERS = 5, SCENES = 3 };

static const char *const contenders[CONTENDERS] = {"four calls", "with epoll", "poll", "epoll",
                                                   "io_uring"};

static const struct {
    const char *name;
    size_t bytes;
} scenes[SCENES] = {{"64 bytes", 64}, {"4 kB", 4096}, {"64 kB", MOST_BYTES}};

/* Everything one contender works on. The bare ones have no context. */
struct bench {
    struct aiox_context *ctx;
    int epoll;
    int fd[2];
    struct aiox_channel *ch[2];
    char buf[2][MOST_BYTES];
    size_t bytes;
    int left;
};

static int64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* ---- bare ---- */

static void bare_wait(const struct bench *b)
{
    struct epoll_event event;

    if (b->epoll >= 0) {
        aiox_assert(epoll_wait(b->epoll, &event, 1, -1) == 1);
    }
}

static void bare_send(struct bench *b, int from)
{
    aiox_assert(send(b->fd[from], b->buf[from], b->bytes, MSG_DONTWAIT | MSG_NOSIGNAL) ==
                (ssize_t)b->bytes);
}

static void bare_receive(struct bench *b, int to)
{
    bare_wait(b);
    aiox_assert(recv(b->fd[to], b->buf[to], b->bytes, MSG_DONTWAIT) == (ssize_t)b->bytes);
}

static void bare_echo(struct bench *b)
{
    for (int i = 0; i < OPERATIONS; i++) {
        bare_send(b, 0);
        bare_receive(b, 1);
        bare_send(b, 1);
        bare_receive(b, 0);
    }
}

/* ---- channels ---- */

/* Reads with room for more, as one who does not know what comes. */
static void hear(struct bench *b, int i)
{
    size_t done = 0;

    while (done < b->bytes) {
        ssize_t n = aiox_channel_read(b->ch[i], b->buf[i] + done, sizeof(b->buf[i]) - done, -1);

        aiox_assert(n > 0);
        done += (size_t)n;
    }
}

static void answer(void *opaque)
{
    struct bench *b = opaque;

    for (int i = 0; i < OPERATIONS; i++) {
        hear(b, 1);
        aiox_assert(aiox_channel_write_full(b->ch[1], b->buf[1], b->bytes, -1) == 0);
    }
    b->left--;
}

static void ask(void *opaque)
{
    struct bench *b = opaque;

    for (int i = 0; i < OPERATIONS; i++) {
        aiox_assert(aiox_channel_write_full(b->ch[0], b->buf[0], b->bytes, -1) == 0);
        hear(b, 0);
    }
    b->left--;
}

static void channel_echo(struct bench *b)
{
    struct aiox_co *co[2];

    b->left = 2;
    aiox_assert(aiox_co_create(&co[0], NULL, answer, b) == 0);
    aiox_assert(aiox_co_create(&co[1], NULL, ask, b) == 0);
    aiox_co_enter_in(b->ctx, co[0]);
    aiox_co_enter_in(b->ctx, co[1]);
    while (b->left > 0) {
        aiox_poll(b->ctx, true);
    }
}

/* ---- contenders ---- */

static void open_bare(struct bench *b, bool with_epoll)
{
    aiox_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, b->fd) == 0);
    b->epoll = with_epoll ? epoll_create1(EPOLL_CLOEXEC) : -1;
    for (int i = 0; i < 2 && with_epoll; i++) {
        struct epoll_event event = {.events = EPOLLIN};

        aiox_assert(epoll_ctl(b->epoll, EPOLL_CTL_ADD, b->fd[i], &event) == 0);
    }
}

/* False if this backend does not work here; says why. */
static bool open_contender(struct bench *b, int which)
{
    struct aiox_error err = {0};

    if (which < 2) {
        open_bare(b, which == 1);
        return true;
    }
    aiox_assert(aiox_new(&b->ctx, &err) == 0);
    if (aiox_context_setup(b->ctx, contenders[which], &err) < 0) {
        printf("left out: %s: %s\n", contenders[which], err.message);
        return false;
    }
    aiox_context_set_current(b->ctx);
    aiox_assert(aiox_channel_socket_pair(b->ch) == 0);
    return true;
}

static double measure(struct bench *b, int scene)
{
    int64_t began_ns;

    b->bytes = scenes[scene].bytes;
    if (b->ctx) {
        aiox_context_set_current(b->ctx);
    }
    began_ns = cpu_ns();
    if (b->ctx) {
        channel_echo(b);
    } else {
        bare_echo(b);
    }
    return (double)(cpu_ns() - began_ns) / OPERATIONS;
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

static void print(double ns[SCENES][CONTENDERS][MOST_ROUNDS], int rounds)
{
    printf("CPU ns per round trip, median of %d rounds, and the ratio to %s\n\n%-10s", rounds,
           contenders[0], "");
    for (int c = 0; c < CONTENDERS; c++) {
        printf("%18s", contenders[c]);
    }
    for (int s = 0; s < SCENES; s++) {
        double bare = median(ns[s][0], rounds);

        printf("\n%-10s", scenes[s].name);
        for (int c = 0; c < CONTENDERS; c++) {
            double each = median(ns[s][c], rounds);

            printf("%11.0f %5.2fx", each, each / bare);
        }
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    static struct bench benches[CONTENDERS];
    static double ns[SCENES][CONTENDERS][MOST_ROUNDS];
    int rounds = argc > 1 ? atoi(argv[1]) : 9;
    bool here[CONTENDERS];

    aiox_assert(rounds >= 1 && rounds <= MOST_ROUNDS);
    if (argc > 3) {
        aiox_assert(open_contender(&benches[0], atoi(argv[2])));
        printf("%.0f ns\n", measure(&benches[0], atoi(argv[3])));
        return 0;
    }
    for (int c = 0; c < CONTENDERS; c++) {
        here[c] = open_contender(&benches[c], c);
    }
    for (int r = 0; r < rounds; r++) {
        for (int s = 0; s < SCENES; s++) {
            for (int c = 0; c < CONTENDERS; c++) {
                ns[s][c][r] = here[c] ? measure(&benches[c], s) : 0;
            }
        }
    }
    print(ns, rounds);
    return 0;
}
