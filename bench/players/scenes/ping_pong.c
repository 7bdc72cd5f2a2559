/* SPDX-License-Identifier: MIT */
/*
 * ping_pong.c - two loops in two threads, each wakes the other by a descriptor:
 * asleep, or looking for a while before it sleeps.
 */
#include <pthread.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

#include "scenes.h"

#define MOST_BUSY_NS INT64_C(200000)

static bool has_loop(const struct contender *who)
{
    return who->loop && who->loop->watch;
}

static bool can_be_busy(const struct contender *who)
{
    return who->loop && who->loop->poll_busily;
}

struct player {
    struct stage *stage;
    pthread_barrier_t *is_ready;
    int in, out;
    bool is_busy;
    bool serves; /* begins, and measures */
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

/* How often a thread of this process has given the processor up to wait. */
static long sleeps(void)
{
    struct rusage usage;

    must(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_nvcsw;
}

static void play_to_the_end(struct player *p, void *loop)
{
    const struct loop_ops *ops = stage_contender(p->stage)->loop;
    long rounds = p->left;
    long slept = -sleeps();
    uint64_t ball = 1;

    if (p->serves) {
        stage_begin(p->stage);
        must(write(p->out, &ball, sizeof(ball)) == sizeof(ball));
    }
    while (p->left > 0) {
        ops->turn(loop, true);
    }
    if (p->serves) {
        stage_end(p->stage);
        stage_say(p->stage, "sleeps", (double)(slept + sleeps()) / (double)rounds);
    }
}

static void *play_side(void *opaque)
{
    struct player *p = opaque;
    const struct loop_ops *ops = stage_contender(p->stage)->loop;
    void *loop = stage_open_loop(p->stage);
    void *watch = ops->watch(loop, p->in, hit, p);

    if (p->is_busy) {
        ops->poll_busily(loop, MOST_BUSY_NS);
    } else if (ops->have_thread) {
        ops->have_thread(loop);
    }
    pthread_barrier_wait(p->is_ready);
    play_to_the_end(p, loop);
    ops->unwatch(loop, watch);
    ops->close(loop);
    return NULL;
}

static void play(struct stage *stage, bool is_busy)
{
    pthread_barrier_t is_ready;
    int there[2], back[2];
    pthread_t other;

    must(pthread_barrier_init(&is_ready, NULL, 2) == 0);
    must(pipe(there) == 0 && pipe(back) == 0);
    struct player ping = {
        .stage = stage,
        .is_ready = &is_ready,
        .in = back[0],
        .out = there[1],
        .is_busy = is_busy,
        .serves = true,
        .left = stage_operations(stage),
    };
    struct player pong = ping;
    pong.in = there[0];
    pong.out = back[1];
    pong.serves = false;
    must(pthread_create(&other, NULL, play_side, &pong) == 0);
    play_side(&ping);
    must(pthread_join(other, NULL) == 0);
    must(pthread_barrier_destroy(&is_ready) == 0);
    for (int i = 0; i < 2; i++) {
        close(there[i]);
        close(back[i]);
    }
}

static void play_asleep(struct stage *stage)
{
    play(stage, false);
}

static void play_busy(struct stage *stage)
{
    play(stage, true);
}

static const struct example two[] = {{"2", 2, 0}, {NULL, 0, 0}};

#define PING_PONG_SCENE(id, what, text, whom, player)                                              \
    const struct scene id = {.name = what,                                                         \
                             .title = text,                                                        \
                             .unit = "round",                                                      \
                             .metric = "wall_ns",                                                  \
                             .examples = two,                                                      \
                             .can = whom,                                                          \
                             .play = player}

PING_PONG_SCENE(ping_pong_scene, "ping-pong", "two loops in two threads wake each other by pipes",
                has_loop, play_asleep);
PING_PONG_SCENE(ping_pong_busy_scene, "ping-pong-busy",
                "two loops wake each other, and look for up to 200 us before they sleep",
                can_be_busy, play_busy);
