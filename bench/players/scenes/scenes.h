/* SPDX-License-Identifier: MIT */
/* scenes.h - all scenes. */
#ifndef AIOX_BENCH_PLAYERS_SCENES_SCENES_H_
#define AIOX_BENCH_PLAYERS_SCENES_SCENES_H_

#include "bench/players/bench.h"

extern const struct scene dispatch_scene, idle_scene, register_scene, life_scene;
extern const struct scene task_scene, task_within_scene, ask_and_turn_scene,
    ask_and_turn_within_scene, far_scene, hand_over_scene, wake_scene;
extern const struct scene timer_insert_scene, timer_rearm_scene, timer_cancel_scene,
    timer_afar_scene, timer_expire_scene, timer_late_scene;
extern const struct scene echo_scene, echo_co_scene, ping_pong_scene, ping_pong_busy_scene;
extern const struct scene co_life_scene, co_many_scene, co_switch_scene, co_memory_scene,
    co_pass_scene;
extern const struct scene co_mutex_scene, co_reader_scene, co_writer_scene, co_queue_scene;
extern const struct scene pool_scene, files_scene, talk_scene;
extern const struct scene nbd_random_scene, nbd_direct_scene, nbd_latency_scene, nbd_copy_scene,
    nbd_copy_four_scene, nbd_connect_scene, nbd_idle_scene;

#endif /* AIOX_BENCH_PLAYERS_SCENES_SCENES_H_ */
