/* SPDX-License-Identifier: MIT */
/* locks.c - locks of coroutines that nobody else wants, and a wait with its wake. */
#include "scenes.h"

#define LOCK_SCENE(id, what, text, one, op)                                                        \
    static bool can_##op(const struct contender *who)                                              \
    {                                                                                              \
        return who->locks && who->locks->op;                                                       \
    }                                                                                              \
    static void play_##op(struct stage *stage)                                                     \
    {                                                                                              \
        const struct lock_ops *ops = stage_contender(stage)->locks;                                \
        ops->op(1000);                                                                             \
        stage_begin(stage);                                                                        \
        ops->op(stage_operations(stage));                                                          \
        stage_end(stage);                                                                          \
    }                                                                                              \
    const struct scene id = {.name = what,                                                         \
                             .title = text,                                                        \
                             .unit = one,                                                          \
                             .examples = free_of_others,                                           \
                             .can = can_##op,                                                      \
                             .play = play_##op}

static const struct example free_of_others[] = {{"1", 1, 0}, {NULL, 0, 0}};

LOCK_SCENE(co_mutex_scene, "co-mutex", "a free mutex of coroutines is taken and given back", "pair",
           mutex);
LOCK_SCENE(co_reader_scene, "co-reader", "a free lock is taken for reading and given back", "pair",
           reader);
LOCK_SCENE(co_writer_scene, "co-writer", "a free lock is taken for writing and given back", "pair",
           writer);
LOCK_SCENE(co_queue_scene, "co-queue", "one coroutine waits in a queue and is woken", "wake",
           queue);
