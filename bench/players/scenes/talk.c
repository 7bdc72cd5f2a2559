/* SPDX-License-Identifier: MIT */
/* talk.c - two ends in one loop send FIRST bytes there and back over a pair of sockets. */
#include <sys/socket.h>

#include "scenes.h"

static bool can_talk(const struct contender *who)
{
    return who->loop && who->loop->converse;
}

static void talk(struct stage *stage, void *loop, long messages)
{
    int fd[2];

    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0);
    stage_contender(stage)->loop->converse(loop, fd, messages, (size_t)stage_example(stage)->first);
}

static void play_talk(struct stage *stage)
{
    void *loop = stage_open_loop(stage);

    talk(stage, loop, 100);
    stage_begin(stage);
    talk(stage, loop, stage_operations(stage));
    stage_end(stage);
    stage_contender(stage)->loop->close(loop);
}

static const struct example talk_examples[] = {
    {"64", 64, 0}, {"4096", 4096, 0}, {"65536", 65536, 0}, {NULL, 0, 0}};

const struct scene talk_scene = {
    .name = "channel",
    .title = "a message there and back through two ends in one loop: bytes",
    .unit = "round",
    .examples = talk_examples,
    .can = can_talk,
    .play = play_talk,
};
