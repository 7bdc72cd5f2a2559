/* SPDX-License-Identifier: MIT */
/* pass.c - coroutines that let the loop turn: each asks it to go on soon, and yields. */
#include "scenes.h"

static bool can_pass(const struct contender *who)
{
    return who->loop && who->loop->pass;
}

/* FIRST coroutines at once. */
static void play_pass(struct stage *stage)
{
    const struct loop_ops *ops = stage_contender(stage)->loop;
    long count = stage_example(stage)->first;
    void *loop = stage_open_loop(stage);

    stage_set_batch(stage, count);
    ops->pass(loop, count, 1);
    stage_begin(stage);
    ops->pass(loop, count, stage_operations(stage) / count);
    stage_end(stage);
    ops->close(loop);
}

static const struct example passers[] = {{"1", 1, 0}, {"1000", 1000, 0}, {NULL, 0, 0}};

const struct scene co_pass_scene = {
    .name = "co-pass",
    .title = "a coroutine asks the loop to go on with it soon, and yields: so many do",
    .unit = "yield",
    .examples = passers,
    .can = can_pass,
    .play = play_pass,
};
