/* SPDX-License-Identifier: MIT */
/* nbd.c - NBD servers over a unix socket: reads, clients that come and go, clients that are idle.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "nbd_load.h"
#include "nbd_server.h"
#include "scenes.h"

enum {
    FILE_BYTES = 64 << 20,
    DIRECT_BYTES = 32 << 20,
    MOST_IDLE = 1000,
    MOST_LOADING = 4, /* clients that read */
    MOST_COMING = 4,  /* clients that come and go at once */
    LATENCY_DEPTH = 128,
};

static bool has_server(const struct contender *who)
{
    return who->nbd && who->nbd->serve;
}

/* A thread for each that comes and goes is no limit. */
static bool is_reception(const struct contender *who)
{
    return has_server(who) && who->kind != LIMIT;
}

/* Also peers that cannot: the report says so. */
static bool has_direct_server(const struct contender *who)
{
    return who->nbd && (who->nbd->serve_direct || who->kind == PEER);
}

static void open_clients(struct stage *stage, const struct nbd_server *s,
                         struct nbd_client *clients, long count)
{
    const char *name = stage_contender(stage)->nbd->export_name;

    for (long i = 0; i < count; i++) {
        if (!nbd_client_open(&clients[i], &s->address, s->address_size, name)) {
            stage_unusable(stage, "the server refuses a client, or has ended");
        }
    }
}

static void close_clients(struct nbd_client *clients, long count)
{
    for (long i = 0; i < count; i++) {
        nbd_client_close(&clients[i]);
    }
}

/* ---- reads ---- */

static void play_load(struct stage *stage, struct nbd_load *load, bool is_direct)
{
    size_t bytes = is_direct ? DIRECT_BYTES : FILE_BYTES;
    struct nbd_client clients[MOST_LOADING];
    struct nbd_server s = nbd_server_start(stage, bytes, is_direct);

    must(load->count <= MOST_LOADING);
    load->clients = clients;
    open_clients(stage, &s, clients, load->count);
    must(clients[0].bytes == bytes);
    must(nbd_load_run(load, load->count * (load->interval_ns > 0 ? 1 : load->depth)));
    stage_begin_others(stage);
    double used_us = -nbd_server_cpu_us(&s);
    must(nbd_load_run(load, stage_operations(stage)));
    used_us += nbd_server_cpu_us(&s);
    stage_end(stage);
    stage_say(stage, "server_cpu_us", used_us / (double)stage_operations(stage));
    close_clients(clients, load->count);
    nbd_server_stop(&s);
}

static struct nbd_load random_load(struct stage *stage)
{
    return (struct nbd_load){
        .depth = stage_example(stage)->first,
        .count = (int)stage_example(stage)->second,
        .bytes = 4096,
    };
}

static void play_random(struct stage *stage)
{
    struct nbd_load load = random_load(stage);

    play_load(stage, &load, false);
}

static void play_direct(struct stage *stage)
{
    struct nbd_load load = random_load(stage);

    play_load(stage, &load, true);
}

static void copy(struct stage *stage, int count)
{
    struct nbd_load load = {
        .depth = stage_example(stage)->second,
        .count = count,
        .bytes = (uint32_t)stage_example(stage)->first * 1024,
        .in_order = true,
    };

    play_load(stage, &load, false);
}

static void play_copy(struct stage *stage)
{
    copy(stage, 1);
}

static void play_copy_by_four(struct stage *stage)
{
    copy(stage, 4);
}

/* ---- how long an answer takes, at a rate that does not wait for answers ---- */

/* On each of FIRST connections SECOND a second. */
static void play_latency(struct stage *stage)
{
    long reads = stage_operations(stage), clients = stage_example(stage)->first;
    struct nbd_load load = {
        .depth = LATENCY_DEPTH,
        .count = (int)clients,
        .bytes = 4096,
        .interval_ns = 1000000000 / (clients * stage_example(stage)->second),
        .late_us = calloc((size_t)(reads > clients ? reads : clients), sizeof(*load.late_us)),
    };

    must(load.late_us);
    must(prctl(PR_SET_TIMERSLACK, 1) == 0);
    play_load(stage, &load, false);
    sort_figures(load.late_us, reads);
    stage_say(stage, "p50_us", load.late_us[reads / 2]);
    stage_say(stage, "p99_us", load.late_us[reads * 99 / 100]);
    free(load.late_us);
}

/* ---- clients that come, shake hands and go, FIRST at once ---- */

struct comers {
    struct stage *stage;
    const struct nbd_server *server;
    long times;
};

static void *come_and_go(void *opaque)
{
    const struct comers *c = opaque;

    for (long i = 0; i < c->times; i++) {
        struct nbd_client client;

        open_clients(c->stage, c->server, &client, 1);
        nbd_client_leave(&client);
    }
    return NULL;
}

static void play_connect(struct stage *stage)
{
    long count = stage_example(stage)->first;
    struct nbd_server s = nbd_server_start(stage, FILE_BYTES, false);
    struct comers comers = {stage, &s, 1};
    pthread_t threads[MOST_COMING];

    must(count <= MOST_COMING);
    stage_set_batch(stage, count);
    come_and_go(&comers);
    comers.times = stage_operations(stage) / count;
    stage_begin_others(stage);
    double used_us = -nbd_server_cpu_us(&s);
    for (long i = 0; i < count; i++) {
        must(pthread_create(&threads[i], NULL, come_and_go, &comers) == 0);
    }
    for (long i = 0; i < count; i++) {
        must(pthread_join(threads[i], NULL) == 0);
    }
    used_us += nbd_server_cpu_us(&s);
    stage_end(stage);
    stage_say(stage, "server_cpu_us", used_us / (double)stage_operations(stage));
    nbd_server_stop(&s);
}

/* ---- FIRST clients that have shaken hands and say nothing ---- */

static void play_idle(struct stage *stage)
{
    long count = stage_example(stage)->first;
    struct nbd_client clients[MOST_IDLE], one;
    struct rlimit limit = {MOST_IDLE + 100, MOST_IDLE + 100};
    struct nbd_server s = nbd_server_start(stage, FILE_BYTES, false);

    must(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    open_clients(stage, &s, &one, 1);
    double before = nbd_server_resident_bytes(&s);
    stage_begin_others(stage);
    open_clients(stage, &s, clients, count);
    stage_end(stage);
    stage_set_operations(stage, count);
    stage_say(stage, "bytes_each", (nbd_server_resident_bytes(&s) - before) / (double)count);
    close_clients(clients, count);
    close_clients(&one, 1);
    nbd_server_stop(&s);
}

static const struct example depths[] = {
    {"1x1", 1, 1},   {"16x1", 16, 1}, {"64x1", 64, 1}, {"1x4", 1, 4},
    {"16x4", 16, 4}, {"64x4", 64, 4}, {NULL, 0, 0},
};
static const struct example direct_depths[] = {{"16x1", 16, 1}, {"64x1", 64, 1}, {NULL, 0, 0}};
static const struct example sizes[] = {{"64x8", 64, 8}, {"256x8", 256, 8}, {NULL, 0, 0}};
static const struct example large_sizes[] = {{"1024x8", 1024, 8}, {NULL, 0, 0}};
static const struct example rates[] = {{"4x2500", 4, 2500}, {"4x6000", 4, 6000}, {NULL, 0, 0}};
static const struct example comers[] = {{"1", 1, 0}, {"4", 4, 0}, {NULL, 0, 0}};
static const struct example idlers[] = {{"100", 100, 0}, {"1000", 1000, 0}, {NULL, 0, 0}};

#define NBD_SCENE(id, what, text, one, compared, too, cases, whom, player)                         \
    const struct scene id = {.name = what,                                                         \
                             .title = text,                                                        \
                             .unit = one,                                                          \
                             .metric = compared,                                                   \
                             .second = too,                                                        \
                             .examples = cases,                                                    \
                             .can = whom,                                                          \
                             .play = player}

NBD_SCENE(nbd_random_scene, "nbd-random",
          "NBD over a unix socket, 4 KiB at random places: under way x connections", "read",
          "server_cpu_us", "wall_ns", depths, has_server, play_random);
NBD_SCENE(nbd_direct_scene, "nbd-direct",
          "the same past the page cache (O_DIRECT): under way x connections", "read", "wall_ns",
          "server_cpu_us", direct_depths, has_direct_server, play_direct);
NBD_SCENE(
    nbd_latency_scene, "nbd-latency",
    "4 KiB at random places, connections x so many a second on each, however long the answers "
    "take (open loop): 99 of 100 are there so long after they were due",
    "read", "p99_us", NULL, rates, has_server, play_latency);
NBD_SCENE(nbd_copy_scene, "nbd-copy",
          "NBD over a unix socket, in order as a copy reads: KiB x under way", "read", "wall_ns",
          NULL, sizes, has_server, play_copy);
NBD_SCENE(nbd_copy_four_scene, "nbd-copy-four",
          "the same on four connections at once: KiB x under way on each", "read", "wall_ns", NULL,
          large_sizes, has_server, play_copy_by_four);
NBD_SCENE(nbd_connect_scene, "nbd-connect",
          "NBD clients that connect, ask for the export (NBD_OPT_GO) and go: so many at once",
          "connection", "wall_ns", NULL, comers, is_reception, play_connect);
NBD_SCENE(nbd_idle_scene, "nbd-idle",
          "NBD clients that connect and say nothing: the server's memory for each", "connection",
          "bytes_each", NULL, idlers, has_server, play_idle);
