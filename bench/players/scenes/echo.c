/* SPDX-License-Identifier: MIT */
/*
 * echo.c - FIRST clients over TCP on loopback, SECOND bytes there and back.
 *
 * The loop serves in its own thread, whose CPU time is what counts; one other
 * thread plays all clients with bare epoll, each waits for its answer.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "scenes.h"

enum { MOST_CLIENTS = 500, MOST_BYTES = 16384, BATCH = 64 };

struct client {
    int far, near; /* the client's end, the server's */
    long left;
    void *watch;
    char *buffer;
};

struct hall {
    struct stage *stage;
    struct client *clients;
    long count, bytes, requests;
    atomic_long answered;
};

static bool has_loop(const struct contender *who)
{
    return who->loop;
}

static void serve(void *opaque)
{
    struct client *c = opaque;
    ssize_t n = recv(c->near, c->buffer, MOST_BYTES, MSG_DONTWAIT);

    while (n > 0) {
        for (ssize_t sent = 0; sent < n;) {
            ssize_t some = send(c->near, c->buffer + sent, (size_t)(n - sent), MSG_NOSIGNAL);
            must(some > 0);
            sent += some;
        }
        if (n < MOST_BYTES) {
            return;
        }
        n = recv(c->near, c->buffer, MOST_BYTES, MSG_DONTWAIT);
    }
}

static void connect_all(struct hall *hall)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must(bind(listener, (struct sockaddr *)&address, size) == 0);
    must(listen(listener, 16) == 0);
    must(getsockname(listener, (struct sockaddr *)&address, &size) == 0);
    for (long i = 0; i < hall->count; i++) {
        struct client *c = &hall->clients[i];
        c->far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        must(connect(c->far, (struct sockaddr *)&address, size) == 0);
        c->near = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        must(c->near >= 0);
        must(setsockopt(c->far, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
        must(setsockopt(c->near, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
        c->buffer = malloc(MOST_BYTES);
        must(c->buffer);
    }
    close(listener);
}

static void request(struct hall *hall, struct client *c)
{
    static const char letter[MOST_BYTES];

    c->left = hall->bytes;
    must(send(c->far, letter, (size_t)hall->bytes, MSG_NOSIGNAL) == hall->bytes);
}

/* Takes what came of an answer; when it is whole, the next request goes out. */
static long take_answer(struct hall *hall, struct client *c, long more)
{
    char buffer[MOST_BYTES];
    ssize_t n = recv(c->far, buffer, sizeof(buffer), MSG_DONTWAIT);

    must(n > 0);
    c->left -= n;
    if (c->left > 0) {
        return 0;
    }
    if (more > 0) {
        request(hall, c);
    }
    return 1;
}

static void *play_clients(void *opaque)
{
    struct hall *hall = opaque;
    int set = epoll_create1(EPOLL_CLOEXEC);
    long asked = hall->count, answered = 0;

    for (long i = 0; i < hall->count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &hall->clients[i]};
        must(epoll_ctl(set, EPOLL_CTL_ADD, hall->clients[i].far, &event) == 0);
        request(hall, &hall->clients[i]);
    }
    while (answered < hall->requests + hall->count) {
        struct epoll_event events[BATCH];
        int n = epoll_wait(set, events, BATCH, -1);
        for (int i = 0; i < n; i++) {
            long done = take_answer(hall, events[i].data.ptr, hall->requests + hall->count - asked);
            answered += done;
            asked += done;
        }
    }
    close(set);
    atomic_store_explicit(&hall->answered, answered, memory_order_release);
    must(send(hall->clients[0].far, "!", 1, MSG_NOSIGNAL) == 1); /* the server may sleep */
    return NULL;
}

static double thread_cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void play_echo(struct stage *stage)
{
    const struct loop_ops *ops = stage_contender(stage)->loop;
    struct hall hall = {
        .stage = stage,
        .count = stage_example(stage)->first,
        .bytes = stage_example(stage)->second,
        .requests = stage_operations(stage),
    };
    void *loop = stage_open_loop(stage);
    pthread_t clients;

    hall.clients = calloc((size_t)hall.count, sizeof(*hall.clients));
    must(hall.clients && hall.count <= MOST_CLIENTS);
    connect_all(&hall);
    for (long i = 0; i < hall.count; i++) {
        hall.clients[i].watch = ops->watch(loop, hall.clients[i].near, serve, &hall.clients[i]);
    }
    stage_begin(stage);
    double cpu_us = -thread_cpu_us();
    must(pthread_create(&clients, NULL, play_clients, &hall) == 0);
    while (!atomic_load_explicit(&hall.answered, memory_order_acquire)) {
        ops->turn(loop, true);
    }
    cpu_us += thread_cpu_us();
    must(pthread_join(clients, NULL) == 0);
    stage_end(stage);
    stage_say(stage, "server_cpu_us", cpu_us / (double)stage_operations(stage));
    for (long i = 0; i < hall.count; i++) {
        ops->unwatch(loop, hall.clients[i].watch);
        close(hall.clients[i].near);
        close(hall.clients[i].far);
    }
    ops->close(loop);
    for (long i = 0; i < hall.count; i++) {
        free(hall.clients[i].buffer);
    }
    free(hall.clients);
}

static const struct example echo_examples[] = {
    {"1x64", 1, 64},         {"50x64", 50, 64},         {"500x64", 500, 64},
    {"50x16384", 50, 16384}, {"500x16384", 500, 16384}, {NULL, 0, 0},
};

const struct scene echo_scene = {
    .name = "echo",
    .title = "TCP echo: clients x bytes, the server's thread in server_cpu_us",
    .unit = "request",
    .metric = "server_cpu_us",
    .examples = echo_examples,
    .can = has_loop,
    .play = play_echo,
};

/* ---- ping-pong: two loops in two threads, each wakes the other by a descriptor ---- */

struct player {
    struct stage *stage;
    int in, out;
    long left;
};

static void hit(void *opaque)
{
    struct player *p = opaque;
    uint64_t ball;

    must(read(p->in, &ball, sizeof(ball)) == sizeof(ball));
    p->left--;
    must(write(p->out, &ball, sizeof(ball)) == sizeof(ball));
}

static void *play_side(void *opaque)
{
    struct player *p = opaque;
    const struct loop_ops *ops = stage_contender(p->stage)->loop;
    void *loop = stage_open_loop(p->stage);
    void *watch = ops->watch(loop, p->in, hit, p);

    while (p->left > 0) {
        ops->turn(loop, true);
    }
    ops->unwatch(loop, watch);
    ops->close(loop);
    return NULL;
}

static void play_ping_pong(struct stage *stage)
{
    int there[2], back[2];
    uint64_t ball = 1;
    pthread_t other;

    must(pipe(there) == 0 && pipe(back) == 0);
    struct player ping = {stage, back[0], there[1], stage_operations(stage)};
    struct player pong = {stage, there[0], back[1], stage_operations(stage)};
    stage_begin(stage);
    must(pthread_create(&other, NULL, play_side, &pong) == 0);
    must(write(there[1], &ball, sizeof(ball)) == sizeof(ball));
    play_side(&ping);
    must(pthread_join(other, NULL) == 0);
    stage_end(stage);
}

static const struct example ping_pong_examples[] = {{"2", 2, 0}, {NULL, 0, 0}};

const struct scene ping_pong_scene = {
    .name = "ping-pong",
    .title = "two loops in two threads wake each other through pipes",
    .unit = "round",
    .metric = "wall_ns",
    .examples = ping_pong_examples,
    .can = has_loop,
    .play = play_ping_pong,
};
