/* SPDX-License-Identifier: MIT */
/*
 * server.c - clients come through the door and go to the worker with the fewest.
 */
#define _GNU_SOURCE /* F_DUPFD_CLOEXEC */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aiox/clock.h"
#include "aiox/log.h"

#include "server_inside.h"

/* ---- clients ---- */

static void welcome(void *opaque, int fd, const char *peer)
{
    struct server *s = opaque;
    unsigned long present = team_present(&s->team);

    s->accepted++;
    if (present >= s->options->max_clients) {
        if (!s->full) {
            aiox_log(AIOX_LOG_WARN, "%lu clients are here: refusing others", present);
        }
        s->full = true;
        s->refused++;
        close(fd);
        return;
    }
    s->full = false;
    worker_welcome(team_choose(&s->team), fd, s->accepted, peer);
}

static void on_news(void *opaque)
{
    struct server *s = opaque;

    if (s->one_client && !s->stopping && team_present(&s->team) == 0) {
        server_stop(s);
    }
    if (!s->stopping) { /* what was short may be there again */
        door_look_again(&s->door);
    }
}

/* ---- places ---- */

static int add_places(struct server *s, const struct listener *found, int n, struct aiox_error *err)
{
    int error = 0;

    for (int i = 0; i < n; i++) {
        if (door_add(&s->door, &found[i]) < 0) {
            struct listener extra = found[i];

            listener_close(&extra);
            error = aiox_error_set(err, -ENOSPC, "too many places to listen");
        }
    }
    return error;
}

/* The one client is there already. Descriptors 0 and 1 are nobody's any more. */
static int take_stdio(struct server *s, struct aiox_error *err)
{
    int type = 0, fd, null;
    socklen_t bytes = sizeof(type);
    char peer[LISTENER_ADDRESS];

    if (getsockopt(0, SOL_SOCKET, SO_TYPE, &type, &bytes) < 0 || type != SOCK_STREAM) {
        return aiox_error_set(err, -ENOTSOCK, "--stdio: standard input is no stream socket");
    }
    fd = fcntl(0, F_DUPFD_CLOEXEC, 3);
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0 || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0) {
        int error = -errno;

        close(fd);
        close(null);
        return aiox_error_set(err, error, "--stdio: %s", aiox_error_text(error));
    }
    close(null);
    s->one_client = true;
    listener_name_peer(fd, peer);
    welcome(s, fd, peer);
    return 0;
}

static int open_place(struct server *s, const struct options_listen *where, struct aiox_error *err)
{
    struct listener found[LISTENERS_PER_HOST];
    int n = 1, error = 0;

    switch (where->place) {
    case OPTIONS_UNIX:
        error = listener_open_unix(&found[0], where->where, err);
        break;
    case OPTIONS_VSOCK:
        error = listener_open_vsock(&found[0], where->where, err);
        break;
    case OPTIONS_TCP:
        n = listener_open_tcp(found, where->where, err);
        error = n < 0 ? n : 0;
        break;
    case OPTIONS_STDIO:
        return take_stdio(s, err);
    }
    return error < 0 ? error : add_places(s, found, n, err);
}

static int open_places(struct server *s, int passed, struct aiox_error *err)
{
    bool nothing_said = s->options->listens_by_default && passed > 0;
    int error = 0;

    for (int i = 0; error == 0 && i < passed; i++) {
        struct listener found;

        error = listener_adopt(&found, LISTENER_FIRST_PASSED + i, err);
        if (error == 0) {
            error = add_places(s, &found, 1, err);
        }
    }
    for (int i = 0; error == 0 && !nothing_said && i < s->options->listens; i++) {
        error = open_place(s, &s->options->listen[i], err);
    }
    if (error == 0) {
        error = door_open(&s->door);
        if (error < 0) {
            aiox_error_set(err, error, "cannot watch a socket: %s", aiox_error_text(error));
        }
    }
    return error;
}

/* ---- birth ---- */

static void at_once(struct team_ask *ask, struct worker *w)
{
    worker_stop(w, true);
}

static void when_answered(struct team_ask *ask, struct worker *w)
{
    worker_stop(w, false);
}

static void nothing_more(struct team_ask *ask)
{
}

static void on_patience_over(void *opaque)
{
    struct server *s = opaque;

    if (s->aborting) {
        return;
    }
    s->aborting = true;
    if (team_present(&s->team) > 0) {
        aiox_log(AIOX_LOG_WARN, "%lu clients have not left in time: hanging up",
                 team_present(&s->team));
    }
    team_ask_all(&s->team, &s->abort, at_once, nothing_more);
}

static int init(struct server *s, struct aiox_error *err)
{
    if (aiox_timer_init_ns(&s->patience, aiox_context_timers(s->ctx), AIOX_CLOCK_MONOTONIC,
                           on_patience_over, s) < 0 ||
        aiox_bh_new(&s->news, aiox_context_bhs(s->ctx), "nbd clients left", on_news, s) < 0 ||
        door_init(&s->door, s->ctx, welcome, s) < 0) {
        return aiox_error_set(err, -ENOMEM, "no memory");
    }
    return team_open(&s->team, s->ctx, s->options, s->news, err);
}

int server_new(struct server **out, struct aiox_context *ctx, struct options *options, int passed,
               struct aiox_error *err)
{
    struct server *s = calloc(1, sizeof(*s));
    int error;

    if (!s) {
        options_free(options);
        return aiox_error_set(err, -ENOMEM, "no memory");
    }
    s->ctx = ctx;
    s->options = options;
    s->started_ns = aiox_clock_now_ns();
    error = init(s, err);
    if (error == 0) {
        error = server_open_exports_(s, err);
    }
    if (error == 0) {
        error = open_places(s, passed, err);
    }
    if (error < 0) {
        server_free(s);
        return error;
    }
    *out = s;
    return 0;
}

void server_tell_uris(const struct server *s, void (*tell)(void *opaque, const char *uri),
                      void *opaque)
{
    const struct export_list *exports = &s->team.workers[0].exports;
    const struct nbd_export *first = exports->by_default;
    bool tls = s->options->tls == HANDSHAKE_TLS_REQUIRE;
    char uri[LISTENER_URI];

    for (int i = 0; i < s->door.count; i++) {
        const struct listener *l = &s->door.places[i].listener;

        if (first) {
            listener_uri(l, first->name, tls, uri);
            tell(opaque, uri);
        }
        for (const struct nbd_export *e = exports->first; e; e = e->next) {
            if (e != first) {
                listener_uri(l, e->name, tls, uri);
                tell(opaque, uri);
            }
        }
    }
}

/* ---- stop ---- */

void server_stop(struct server *s)
{
    if (s->stopping) {
        on_patience_over(s);
        return;
    }
    s->stopping = true;
    door_close(&s->door);
    team_ask_all(&s->team, &s->stop, when_answered, nothing_more);
    aiox_timer_mod_ns(&s->patience, aiox_clock_now_ns() + s->options->stop_ns);
}

bool server_is_over(const struct server *s)
{
    return s->stopping && s->team.asking == 0 && team_present(&s->team) == 0;
}

/* How requests were spread, "12, 13, 12". */
static void log_threads(const struct server *s)
{
    char words[400] = "";

    for (int i = 0; i < s->team.count; i++) {
        size_t n = strlen(words);

        snprintf(words + n, sizeof(words) - n, "%s%" PRIu64, i > 0 ? ", " : "",
                 traffic_requests(&s->team.workers[i].left));
    }
    aiox_log(AIOX_LOG_INFO, "requests by thread: %s", words);
}

void server_log_statistics(const struct server *s)
{
    struct transmission_stats n = {0};

    for (int i = 0; i < s->team.count; i++) { /* workers are at rest: nobody is left */
        traffic_add(&n, &s->team.workers[i].left);
    }
    aiox_log(AIOX_LOG_INFO,
             "served %" PRIu64 " clients (%" PRIu64 " refused) in %.1f s: %" PRIu64
             " reads of %" PRIu64 " bytes, %" PRIu64 " writes of %" PRIu64 " bytes, %" PRIu64
             " flushes, %" PRIu64 " errors",
             s->accepted - s->refused, s->refused,
             (double)(aiox_clock_now_ns() - s->started_ns) / (double)AIOX_NS_PER_S, n.reads,
             n.bytes_read, n.writes, n.bytes_written, n.flushes, n.errors);
    if (s->team.count > 1) {
        log_threads(s);
    }
}

void server_free(struct server *s)
{
    if (!s) {
        return;
    }
    if (s->door.ctx) { /* nobody comes while the loop turns */
        door_close(&s->door);
    }
    team_close(&s->team);
    door_fini(&s->door);
    aiox_timer_fini(&s->patience);
    aiox_bh_free(s->news);
    for (int i = 0; i < OPTIONS_THREADS_MAX; i++) {
        text_out_fini(&s->reload.engines[i]);
    }
    free(s->reload.plan.kept);
    options_free(s->reload.next);
    options_free(s->reload.fresh);
    options_free(s->options);
    free(s);
}
