/* SPDX-License-Identifier: MIT */
/* registry.c - all scenes, and the contenders whose packages were there when this was built. */
#include "bench.h"
#include "scenes/scenes.h"

#define EACH_CONTENDER(x)                                                                          \
    x(aiox_epoll) x(aiox_io_uring) x(aiox_poll_) x(bare_epoll) x(bare_uring) x(bare_poll) x(libev) \
        x(libuv) x(libevent) x(glib) x(sd_event_) x(boost_asio) x(aiox_coroutine) x(bare_switch)   \
            x(boost_context) x(ucontext)

#define DECLARE(id) extern const struct contender id __attribute__((weak));
EACH_CONTENDER(DECLARE)

enum { MOST_CONTENDERS = 32 };

static const struct contender *found[MOST_CONTENDERS];
const struct contender *const *const contenders = found;

const struct scene *const scenes[] = {
    &dispatch_scene,     &idle_scene,         &register_scene,     &life_scene,
    &task_scene,         &ask_and_turn_scene, &far_scene,          &wake_scene,
    &timer_insert_scene, &timer_rearm_scene,  &timer_cancel_scene, &timer_expire_scene,
    &timer_late_scene,   &echo_scene,         &ping_pong_scene,    &co_life_scene,
    &co_many_scene,      &co_switch_scene,    &co_memory_scene,    NULL,
};

void registry_fill(void)
{
    int count = 0;

#define ADD(id)                                                                                    \
    if (&id) {                                                                                     \
        found[count++] = &id;                                                                      \
    }
    EACH_CONTENDER(ADD)
}
