/* SPDX-License-Identifier: MIT */
/*
 * nbd.c - an NBD server in a process of its own, at a socket that only this run
 * knows; it is stopped by its number. Its CPU time is what counts.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "nbd_client.h"
#include "scenes.h"
#include "scratch.h"

enum {
    FILE_BYTES = 64 << 20,
    MOST_CLIENTS = 1000,
    BACKLOG = 1024,
    THE_LISTENER = 3, /* where systemd puts it, and where servers look for it */
    THE_FILE = 4,
};

struct server {
    pid_t pid;
    clockid_t clock;
    struct sockaddr_un address;
    socklen_t address_size;
};

static bool has_server(const struct contender *who)
{
    return who->nbd;
}

/* In the child. The parent's end is this one's end, however it comes. */
static void become_server(const struct contender *who, int listener, int file, pid_t parent)
{
    char number[16], path[32];
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

    must(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent);
    must(dup2(nowhere, STDOUT_FILENO) == STDOUT_FILENO);
    listener = fcntl(listener, F_DUPFD, THE_FILE + 1);
    file = fcntl(file, F_DUPFD, THE_FILE + 1);
    must(dup2(listener, THE_LISTENER) == THE_LISTENER && dup2(file, THE_FILE) == THE_FILE);
    close(listener);
    close(file);
    snprintf(number, sizeof(number), "%d", (int)getpid());
    snprintf(path, sizeof(path), "/proc/self/fd/%d", THE_FILE);
    setenv("LISTEN_PID", number, 1);
    setenv("LISTEN_FDS", "1", 1);
    who->nbd->serve(who, path);
    _exit(127);
}

/* A name of the kernel's choice in no folder. */
static int listen_somewhere(struct server *s)
{
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    s->address.sun_family = AF_UNIX;
    s->address_size = sizeof(s->address);
    must(listener >= 0);
    must(bind(listener, (struct sockaddr *)&s->address, sizeof(s->address.sun_family)) == 0);
    must(getsockname(listener, (struct sockaddr *)&s->address, &s->address_size) == 0);
    must(listen(listener, BACKLOG) == 0);
    return listener;
}

static struct server start(struct stage *stage)
{
    const struct contender *who = stage_contender(stage);
    const char *why = "it did not say why";
    struct server s = {0};
    pid_t self = getpid();

    if (!who->nbd->is_here(who, &why)) {
        stage_unusable(stage, why);
    }
    int file = scratch_file(FILE_BYTES, false);
    int listener = listen_somewhere(&s);
    s.pid = fork();
    must(s.pid >= 0);
    if (s.pid == 0) {
        become_server(who, listener, file, self);
    }
    close(listener);
    close(file);
    must(clock_getcpuclockid(s.pid, &s.clock) == 0);
    return s;
}

static void stop(const struct server *s)
{
    int status;

    must(kill(s->pid, SIGTERM) == 0);
    must(waitpid(s->pid, &status, 0) == s->pid);
}

/* Of all its threads, also of those that have ended. */
static double cpu_us(const struct server *s)
{
    struct timespec t;

    must(clock_gettime(s->clock, &t) == 0);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double resident_bytes(const struct server *s)
{
    char name[64];
    long pages = 0;

    snprintf(name, sizeof(name), "/proc/%d/statm", (int)s->pid);
    FILE *f = fopen(name, "r");
    must(f && fscanf(f, "%*d %ld", &pages) == 1);
    fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void open_clients(struct stage *stage, const struct server *s, struct nbd_client **clients,
                         long count)
{
    for (long i = 0; i < count; i++) {
        clients[i] =
            nbd_client_open(&s->address, s->address_size, stage_contender(stage)->nbd->export_name);
        if (!clients[i]) {
            stage_unusable(stage, "the server refuses a client, or has ended");
        }
    }
}

static void close_clients(struct nbd_client **clients, long count)
{
    for (long i = 0; i < count; i++) {
        nbd_client_close(clients[i]);
    }
}

static void play_load(struct stage *stage, struct nbd_load *load)
{
    struct nbd_client *clients[MOST_CLIENTS];
    struct server s = start(stage);

    load->clients = clients;
    load->seed = SCRATCH_SEED;
    open_clients(stage, &s, clients, load->count);
    must(nbd_client_bytes(clients[0]) == FILE_BYTES);
    must(nbd_client_read(load, load->depth * load->count));
    stage_begin_others(stage);
    double used_us = -cpu_us(&s);
    must(nbd_client_read(load, stage_operations(stage)));
    used_us += cpu_us(&s);
    stage_end(stage);
    stage_say(stage, "server_cpu_us", used_us / (double)stage_operations(stage));
    close_clients(clients, load->count);
    stop(&s);
}

static void play_random(struct stage *stage)
{
    struct nbd_load load = {
        .depth = stage_example(stage)->first,
        .count = (int)stage_example(stage)->second,
        .bytes = 4096,
    };

    play_load(stage, &load);
}

static void play_copy(struct stage *stage)
{
    struct nbd_load load = {
        .depth = stage_example(stage)->second,
        .count = 1,
        .bytes = (uint32_t)stage_example(stage)->first * 1024,
        .in_order = true,
    };

    play_load(stage, &load);
}

/* FIRST clients that have shaken hands and say nothing. */
static void play_idle(struct stage *stage)
{
    long count = stage_example(stage)->first;
    struct nbd_client *clients[MOST_CLIENTS], *one;
    struct rlimit limit = {MOST_CLIENTS + 100, MOST_CLIENTS + 100};
    struct server s = start(stage);

    must(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    open_clients(stage, &s, &one, 1);
    double before = resident_bytes(&s);
    stage_begin_others(stage);
    open_clients(stage, &s, clients, count);
    stage_end(stage);
    stage_set_operations(stage, count);
    stage_say(stage, "bytes_each", (resident_bytes(&s) - before) / (double)count);
    close_clients(clients, count);
    close_clients(&one, 1);
    stop(&s);
}

static const struct example depths[] = {
    {"1x1", 1, 1},   {"16x1", 16, 1}, {"64x1", 64, 1}, {"1x4", 1, 4},
    {"16x4", 16, 4}, {"64x4", 64, 4}, {NULL, 0, 0},
};
static const struct example sizes[] = {{"64x8", 64, 8}, {"256x8", 256, 8}, {NULL, 0, 0}};
static const struct example idlers[] = {{"100", 100, 0}, {"1000", 1000, 0}, {NULL, 0, 0}};

#define NBD_SCENE(id, what, text, one, compared, cases, player)                                    \
    const struct scene id = {.name = what,                                                         \
                             .title = text,                                                        \
                             .unit = one,                                                          \
                             .metric = compared,                                                   \
                             .examples = cases,                                                    \
                             .can = has_server,                                                    \
                             .play = player}

NBD_SCENE(nbd_random_scene, "nbd-random",
          "NBD over a unix socket, 4 KiB at random places: under way x connections", "read",
          "server_cpu_us", depths, play_random);
NBD_SCENE(nbd_copy_scene, "nbd-copy",
          "NBD over a unix socket, in order as a copy reads: KiB x under way", "read", "wall_ns",
          sizes, play_copy);
NBD_SCENE(nbd_idle_scene, "nbd-idle",
          "NBD clients that connect and say nothing: the server's memory for each", "connection",
          "bytes_each", idlers, play_idle);
