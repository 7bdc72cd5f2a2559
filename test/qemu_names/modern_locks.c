/* SPDX-License-Identifier: MIT */
/* modern_locks.c - the third part of the program for release 10.2: locks of coroutines. */
#include <errno.h>
#include <string.h>

#include "aiox/qemu/aio_co.h"
#include "aiox/qemu/co_sync.h"
#include "aiox/qemu/graph_lock.h"
#include "aiox/qemu/main_loop.h"
#include "test/qemu_names/names.h"

struct room {
    CoMutex mutex;
    CoQueue queue;
    CoRwlock rwlock;
    SharedResource *places;
    const char *wrong;
    int inside, woken, wrote, timed_out, cleaned, ended;
};

static void coroutine_fn hold_and_wait(void *opaque)
{
    struct room *room = opaque;

    qemu_co_mutex_lock(&room->mutex);
    qemu_co_mutex_assert_locked(&room->mutex);
    room->inside++;
    qemu_co_queue_wait(&room->queue, &room->mutex);
    room->woken++;
    qemu_co_mutex_unlock(&room->mutex);
    room->ended++;
}

static void coroutine_fn wake_them(void *opaque)
{
    struct room *room = opaque;

    qemu_co_mutex_lock(&room->mutex);
    qemu_co_queue_next(&room->queue);
    qemu_co_queue_restart_all(&room->queue);
    qemu_co_mutex_unlock(&room->mutex);
    room->ended++;
}

static void coroutine_fn read_then_write(void *opaque)
{
    struct room *room = opaque;

    qemu_co_rwlock_rdlock(&room->rwlock);
    qemu_co_rwlock_upgrade(&room->rwlock);
    room->wrote++;
    qemu_co_rwlock_downgrade(&room->rwlock);
    qemu_co_rwlock_unlock(&room->rwlock);
    qemu_co_rwlock_wrlock(&room->rwlock);
    qemu_co_rwlock_unlock(&room->rwlock);
    co_get_from_shres(room->places, 2);
    if (co_try_get_from_shres(room->places, 1)) {
        room->wrong = "more was given than there is";
    }
    co_put_to_shres(room->places, 2);
    room->ended++;
}

static void coroutine_fn be_slow(void *opaque)
{
    struct room *room = opaque;

    qemu_co_sleep_ns(QEMU_CLOCK_REALTIME, 20 * SCALE_MS);
    room->inside++;
}

static void clean(void *opaque)
{
    ((struct room *)opaque)->cleaned++;
}

static void coroutine_fn lose_patience(void *opaque)
{
    struct room *room = opaque;

    room->timed_out = qemu_co_timeout(be_slow, room, 1, clean);
    room->ended++;
}

const char *locks_2025(void)
{
    CoroutineEntry *const all[] = {hold_and_wait,   hold_and_wait,   wake_them,
                                   read_then_write, read_then_write, lose_patience};
    AioContext *ctx = aio_context_new(&error_abort);
    struct room room;

    memset(&room, 0, sizeof(room));
    qemu_co_mutex_init(&room.mutex);
    qemu_co_queue_init(&room.queue);
    qemu_co_rwlock_init(&room.rwlock);
    room.places = shres_create(2);
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        aio_co_enter(ctx, qemu_coroutine_create(all[i], &room));
    }
    while (room.ended < 6 || room.cleaned < 1) {
        aio_poll(ctx, true);
    }
    WANT(room.woken == 2 && room.wrote == 2 && !room.wrong);
    WANT(room.timed_out == -ETIMEDOUT && room.inside == 3);
    shres_destroy(room.places);
    aio_context_unref(ctx);
    return NULL;
}

struct graph {
    int nodes, seen, ended;
};

static void coroutine_fn look_and_sleep(void *opaque)
{
    struct graph *graph = opaque;

    bdrv_graph_co_rdlock();
    graph->seen = graph->nodes;
    qemu_co_sleep_ns(QEMU_CLOCK_REALTIME, SCALE_MS);
    graph->ended++;
    bdrv_graph_co_rdunlock();
}

const char *graph_lock_2025(void)
{
    struct graph graph = {.nodes = 1};
    AioContext *ctx;

    WANT(qemu_init_main_loop(&error_abort) == 0);
    ctx = qemu_get_aio_context();
    WANT(aiox_qemu_init_graph_lock(ctx) == 0);
    main_loop_wait(true);
    register_aiocontext(ctx);
    bdrv_graph_rdlock_main_loop();
    bdrv_graph_rdunlock_main_loop();

    aio_co_enter(ctx, qemu_coroutine_create(look_and_sleep, &graph));
    WANT(graph.seen == 1);
    bdrv_graph_wrlock();
    assert_bdrv_graph_writable();
    WANT(graph.ended == 1);
    graph.nodes = 2;
    aio_co_enter(ctx, qemu_coroutine_create(look_and_sleep, &graph));
    WANT(graph.seen == 1);
    bdrv_graph_wrunlock();
    while (graph.ended < 2) {
        main_loop_wait(false);
    }
    WANT(graph.seen == 2);

    unregister_aiocontext(ctx);
    aiox_qemu_fini_graph_lock();
    aiox_qemu_fini_main_loop();
    return NULL;
}
