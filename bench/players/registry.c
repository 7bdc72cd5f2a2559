/* SPDX-License-Identifier: MIT */
/* registry.c - all scenes, and the contenders whose packages were there when this was built. */
#include "bench.h"
#include "scenes/scenes.h"

/* The linker leaves NULL for whom nothing was built. */
extern __attribute__((weak)) const struct contender aiox_epoll, aiox_io_uring, aiox_poll_,
    aiox_pool_alone, aiox_coroutine, bare_epoll, bare_uring, bare_poll, bare_calls, bare_pool,
    bare_switch, bare_lock, bare_heap, libev, libev_async, libuv, libuv_async, libevent, glib,
    sd_event_, boost_asio, boost_spawn, boost_await, boost_context, ucontext, nbd_epoll,
    nbd_io_uring, nbd_poll, bare_nbd, bare_nbd_ring, qemu_threads, qemu_io_uring, qemu_native,
    nbdkit;

static const struct {
    const struct contender *who;
    const char *name, *package;
} all[] = {
    {&aiox_epoll, "aiox epoll", ""},
    {&aiox_io_uring, "aiox io_uring", ""},
    {&aiox_poll_, "aiox poll", ""},
    {&aiox_pool_alone, "aiox pool", ""},
    {&aiox_coroutine, "aiox coroutine", ""},
    {&bare_epoll, "bare epoll", ""},
    {&bare_uring, "bare io_uring", "liburing-dev"},
    {&bare_poll, "bare poll", ""},
    {&bare_calls, "bare calls", ""},
    {&bare_pool, "bare queue", ""},
    {&bare_switch, "bare switch", ""},
    {&bare_lock, "bare atomics", ""},
    {&bare_heap, "bare heap", ""},
    {&libev, "libev", "libev-dev"},
    {&libev_async, "libev async", "libev-dev"},
    {&libuv, "libuv", "libuv1-dev"},
    {&libuv_async, "libuv async", "libuv1-dev"},
    {&libevent, "libevent", "libevent-dev"},
    {&glib, "glib", "libglib2.0-dev"},
    {&sd_event_, "sd-event", "libsystemd-dev"},
    {&boost_asio, "asio", "libboost-dev"},
    {&boost_spawn, "asio spawn", "libboost-coroutine-dev"},
    {&boost_await, "asio awaitable", "libboost-dev, or g++ as the compiler,"},
    {&boost_context, "fcontext", "libboost-context-dev"},
    {&ucontext, "ucontext", ""},
    {&nbd_epoll, "aiox-nbd epoll", ""},
    {&nbd_io_uring, "aiox-nbd io_uring", ""},
    {&nbd_poll, "aiox-nbd poll", ""},
    {&bare_nbd, "bare server", ""},
    {&bare_nbd_ring, "bare ring server", "liburing-dev"},
    {&qemu_threads, "qemu-nbd", "qemu-utils"},
    {&qemu_io_uring, "qemu-nbd io_uring", "qemu-utils"},
    {&qemu_native, "qemu-nbd native", "qemu-utils"},
    {&nbdkit, "nbdkit", "nbdkit"},
};

enum { ALL = sizeof(all) / sizeof(all[0]) };

static const struct contender *found[ALL + 1];
const struct contender *const *const contenders = found;

static struct absent not_built[ALL + 1];
const struct absent *const absentees = not_built;

const struct scene *const scenes[] = {
    &dispatch_scene,
    &idle_scene,
    &register_scene,
    &life_scene,
    &task_scene,
    &task_within_scene,
    &ask_and_turn_scene,
    &ask_and_turn_within_scene,
    &far_scene,
    &hand_over_scene,
    &wake_scene,
    &timer_insert_scene,
    &timer_rearm_scene,
    &timer_afar_scene,
    &timer_cancel_scene,
    &timer_expire_scene,
    &timer_late_scene,
    &echo_scene,
    &echo_co_scene,
    &talk_scene,
    &ping_pong_scene,
    &ping_pong_busy_scene,
    &co_life_scene,
    &co_many_scene,
    &co_switch_scene,
    &co_memory_scene,
    &co_pass_scene,
    &co_mutex_scene,
    &co_reader_scene,
    &co_writer_scene,
    &co_queue_scene,
    &pool_scene,
    &files_scene,
    &nbd_random_scene,
    &nbd_direct_scene,
    &nbd_latency_scene,
    &nbd_copy_scene,
    &nbd_copy_four_scene,
    &nbd_connect_scene,
    &nbd_idle_scene,
    NULL,
};

void registry_fill(void)
{
    int count = 0, missing = 0;

    for (int i = 0; i < ALL; i++) {
        if (all[i].who) {
            found[count++] = all[i].who;
        } else {
            not_built[missing++] = (struct absent){all[i].name, all[i].package};
        }
    }
}
