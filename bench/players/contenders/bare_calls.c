/* SPDX-License-Identifier: MIT */
/* bare_calls.c - a send and a recv for each message, and nobody waits. */
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bare.h"

static char buffer[65536];

static void *open_loop(const struct contender *who, const char **why)
{
    (void)who;
    (void)why;
    return buffer; /* there is nothing to open */
}

static void close_loop(void *loop)
{
    (void)loop;
}

static void converse(void *loop, const int fd[2], long messages, size_t bytes)
{
    (void)loop;
    bare_converse(fd, -1, messages, bytes);
}

static void carry(int from, int to, int epoll_fd, size_t bytes)
{
    struct epoll_event event;
    ssize_t size = (ssize_t)bytes;

    must(send(from, buffer, bytes, MSG_DONTWAIT | MSG_NOSIGNAL) == size);
    must(epoll_fd < 0 || epoll_wait(epoll_fd, &event, 1, -1) == 1);
    must(recv(to, buffer, sizeof(buffer), MSG_DONTWAIT) == size);
}

void bare_converse(const int fd[2], int epoll_fd, long messages, size_t bytes)
{
    for (int i = 0; i < 2 && epoll_fd >= 0; i++) {
        struct epoll_event event = {.events = EPOLLIN};
        must(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd[i], &event) == 0);
    }
    for (long i = 0; i < messages; i++) {
        carry(fd[0], fd[1], epoll_fd, bytes);
        carry(fd[1], fd[0], epoll_fd, bytes);
    }
    close(fd[0]);
    close(fd[1]);
}

static const struct loop_ops ops = {.open = open_loop, .close = close_loop, .converse = converse};

const struct contender bare_calls = {
    .name = "bare calls", .kind = LIMIT, .version = kernel_version, .loop = &ops};
