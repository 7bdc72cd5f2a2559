/* SPDX-License-Identifier: MIT */
/*
 * echo.c - FIRST clients over TCP on loopback, SECOND bytes there and back.
 *
 * The loop serves in its own thread, whose CPU time and system calls are what counts; one other
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
    long serving; /* coroutines */
    atomic_long answered;
};

static bool has_loop(const struct contender *who)
{
    return who->loop && who->loop->watch;
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
    while (answered < hall->requests) {
        struct epoll_event events[BATCH];
        int n = epoll_wait(set, events, BATCH, -1);
        for (int i = 0; i < n; i++) {
            long done = take_answer(hall, events[i].data.ptr, hall->requests - asked);
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

static void begin_to_serve(struct hall *hall, void *loop, bool with_coroutines)
{
    const struct loop_ops *ops = stage_contender(hall->stage)->loop;

    for (long i = 0; i < hall->count; i++) {
        struct client *c = &hall->clients[i];
        if (with_coroutines && ops->serve) {
            hall->serving++;
            ops->serve(loop, c->near, c->buffer, MOST_BYTES, &hall->serving);
        } else {
            c->watch = ops->watch(loop, c->near, serve, c);
        }
    }
}

static void end_all(struct hall *hall, void *loop)
{
    const struct loop_ops *ops = stage_contender(hall->stage)->loop;

    for (long i = 0; i < hall->count; i++) {
        struct client *c = &hall->clients[i];
        if (c->watch) {
            ops->unwatch(loop, c->watch);
        }
        must(shutdown(c->far, SHUT_WR) == 0);
    }
    while (hall->serving > 0) {
        ops->turn(loop, true);
    }
    ops->close(loop);
    for (long i = 0; i < hall->count; i++) {
        close(hall->clients[i].near);
        close(hall->clients[i].far);
        free(hall->clients[i].buffer);
    }
    free(hall->clients);
}

static void play(struct stage *stage, bool with_coroutines)
{
    const struct loop_ops *ops = stage_contender(stage)->loop;
    struct hall hall = {
        .stage = stage,
        .count = stage_example(stage)->first,
        .bytes = stage_example(stage)->second,
    };
    void *loop = stage_open_loop(stage);
    pthread_t clients;

    stage_set_batch(stage, hall.count);
    hall.requests = stage_operations(stage);
    hall.clients = calloc((size_t)hall.count, sizeof(*hall.clients));
    must(hall.clients && hall.count <= MOST_CLIENTS);
    connect_all(&hall);
    begin_to_serve(&hall, loop, with_coroutines);
    ops->turn(loop, false);
    stage_begin_alone(stage);
    double cpu_us = -thread_cpu_us();
    must(pthread_create(&clients, NULL, play_clients, &hall) == 0);
    while (!atomic_load_explicit(&hall.answered, memory_order_acquire)) {
        ops->turn(loop, true);
    }
    cpu_us += thread_cpu_us();
    must(pthread_join(clients, NULL) == 0);
    stage_end(stage);
    stage_say(stage, "server_cpu_us", cpu_us / (double)hall.requests);
    end_all(&hall, loop);
}

static void play_echo(struct stage *stage)
{
    play(stage, false);
}

static void play_echo_co(struct stage *stage)
{
    play(stage, true);
}

/* The limit is the same as without. */
static bool has_coroutines(const struct contender *who)
{
    return who->loop && (who->loop->serve || (who->kind == LIMIT && who->loop->watch));
}

static const struct example echo_examples[] = {
    {"1x64", 1, 64},         {"50x64", 50, 64},         {"500x64", 500, 64},
    {"50x16384", 50, 16384}, {"500x16384", 500, 16384}, {NULL, 0, 0},
};

#define ECHO_SCENE(id, what, text, whom, player)                                                   \
    const struct scene id = {.name = what,                                                         \
                             .title = text,                                                        \
                             .unit = "request",                                                    \
                             .metric = "server_cpu_us",                                            \
                             .examples = echo_examples,                                            \
                             .can = whom,                                                          \
                             .play = player}

ECHO_SCENE(echo_scene, "echo", "TCP echo by callbacks: clients x bytes", has_loop, play_echo);
ECHO_SCENE(echo_co_scene, "echo-co", "TCP echo, a coroutine per connection: clients x bytes",
           has_coroutines, play_echo_co);
