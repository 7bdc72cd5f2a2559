/* SPDX-License-Identifier: MIT */
/*
 * stats.c - a visitor asks, all workers are asked, the visitor is answered.
 */
#include "stats.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aiox/clock.h"

#include "report.h"
#include "server_inside.h"

enum {
    VISITORS_MAX = 8,
    QUESTION_BYTES = 4096,
};

static const int64_t patience_ns = 10 * AIOX_NS_PER_S;

struct stats {
    struct server *server;
    const char *version;
    struct door door;
    struct aiox_list visitors;
    int count;
};

struct visitor {
    struct aiox_list_node link;
    struct stats *stats;
    int fd;
    struct aiox_timer timer;
    char question[QUESTION_BYTES + 1];
    size_t held;
    bool http;
    void (*write)(struct text_out *out, const struct report_head *head, const struct report *r);
    struct team_ask ask;
    struct report reports[OPTIONS_THREADS_MAX];
    struct text_out answer;
    size_t sent;
};

static void leave(struct visitor *v)
{
    aiox_clear_fd_handler(v->stats->server->ctx, v->fd);
    close(v->fd);
    aiox_timer_fini(&v->timer);
    aiox_list_remove(&v->link);
    v->stats->count--;
    text_out_fini(&v->answer);
    free(v);
}

/* ---- the answer ---- */

static void on_writable(void *opaque)
{
    struct visitor *v = opaque;
    ssize_t n = 0;

    while (v->sent < v->answer.bytes && n >= 0) {
        n = send(v->fd, v->answer.text + v->sent, v->answer.bytes - v->sent,
                 MSG_NOSIGNAL | MSG_DONTWAIT);
        v->sent += n > 0 ? (size_t)n : 0;
    }
    if (v->sent == v->answer.bytes || (errno != EAGAIN && errno != EINTR)) {
        leave(v);
    }
}

/* @body is given up. */
static void answer(struct visitor *v, const char *status, const char *type, struct text_out *body)
{
    const struct aiox_fd_handler handler = {.write = on_writable};

    if (v->http) {
        text_out_add(&v->answer,
                     "HTTP/1.0 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                     "Connection: close\r\n\r\n",
                     status, type, body->bytes);
    }
    text_out_add(&v->answer, "%s", body->text ? body->text : "");
    text_out_fini(body);
    if (v->answer.failed || aiox_set_fd_handler(v->stats->server->ctx, v->fd, &handler, v) < 0) {
        leave(v);
    }
}

static void answer_help(struct visitor *v)
{
    struct text_out body = {0};

    text_out_add(&body, v->http ? "GET /json or GET /metrics\n" : "say json or prometheus\n");
    answer(v, "404 Not Found", "text/plain", &body);
}

static void collect(struct team_ask *ask, struct worker *w)
{
    struct visitor *v = AIOX_CONTAINER_OF(ask, struct visitor, ask);

    report_collect(&v->reports[w->number], w);
}

static void on_collected(struct team_ask *ask)
{
    struct visitor *v = AIOX_CONTAINER_OF(ask, struct visitor, ask);
    const struct server *s = v->stats->server;
    const struct report_head head = {
        .version = v->stats->version,
        .uptime_s = (double)(aiox_clock_now_ns() - s->started_ns) / (double)AIOX_NS_PER_S,
        .threads = s->team.count,
        .accepted = s->accepted,
        .refused = s->refused,
        .knocks = s->door.knocks,
        .pauses = s->door.pauses,
    };
    struct report *all = &v->reports[0];
    struct text_out body = {0};

    for (int i = 1; i < s->team.count; i++) {
        report_merge(all, &v->reports[i]);
    }
    v->write(&body, &head, all);
    if (all->failed || body.failed) {
        text_out_fini(&body);
        text_out_add(&body, "no memory for this\n");
    }
    report_fini(all);
    answer(v, "200 OK",
           v->write == report_write_json ? "application/json" : "text/plain; version=0.0.4", &body);
}

/* ---- the question ---- */

/* True when nothing more has to come. HTTP ends with an empty line. */
static bool is_whole(struct visitor *v)
{
    v->question[v->held] = '\0';
    v->http = strncmp(v->question, "GET ", 4) == 0;
    if (v->held == QUESTION_BYTES) {
        return true;
    }
    return v->http ? strstr(v->question, "\r\n\r\n") || strstr(v->question, "\n\n")
                   : strchr(v->question, '\n') != NULL;
}

static void consider(struct visitor *v)
{
    static const struct {
        const char *words;
        void (*write)(struct text_out *out, const struct report_head *head, const struct report *r);
    } questions[] = {
        {"json", report_write_json},
        {"GET /json", report_write_json},
        {"prometheus", report_write_prometheus},
        {"GET /metrics", report_write_prometheus},
    };
    size_t n = strcspn(v->question, "\r\n");

    if (v->http) { /* without the version */
        n = 4 + strcspn(v->question + 4, " \r\n");
    }
    aiox_clear_fd_handler(v->stats->server->ctx, v->fd);
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        if (strlen(questions[i].words) == n && memcmp(questions[i].words, v->question, n) == 0) {
            v->write = questions[i].write;
            team_ask_all(&v->stats->server->team, &v->ask, collect, on_collected);
            return;
        }
    }
    answer_help(v);
}

static void on_readable(void *opaque)
{
    struct visitor *v = opaque;
    ssize_t n = recv(v->fd, v->question + v->held, QUESTION_BYTES - v->held, MSG_DONTWAIT);

    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR) {
            leave(v);
        }
        return;
    }
    v->held += (size_t)n;
    if (is_whole(v) || (n == 0 && v->held > 0)) {
        consider(v);
    } else if (n == 0) {
        leave(v);
    }
}

/* ---- visitors ---- */

static void on_timer(void *opaque)
{
    struct visitor *v = opaque;

    if (team_is_asking(&v->ask)) { /* it is not the visitor who is slow */
        aiox_timer_mod_ns(&v->timer, aiox_clock_now_ns() + patience_ns);
    } else {
        leave(v);
    }
}

static void welcome(void *opaque, int fd, const char *peer)
{
    const struct aiox_fd_handler handler = {.read = on_readable};
    struct stats *stats = opaque;
    struct aiox_context *ctx = stats->server->ctx;
    struct visitor *v = stats->count < VISITORS_MAX ? calloc(1, sizeof(*v)) : NULL;

    if (!v || aiox_timer_init_ns(&v->timer, aiox_context_timers(ctx), AIOX_CLOCK_MONOTONIC,
                                 on_timer, v) < 0) {
        free(v);
        close(fd);
        return;
    }
    v->stats = stats;
    v->fd = fd;
    stats->count++;
    aiox_list_push_back(&stats->visitors, &v->link);
    aiox_timer_mod_ns(&v->timer, aiox_clock_now_ns() + patience_ns);
    if (aiox_set_fd_handler(ctx, fd, &handler, v) < 0) {
        leave(v);
    }
}

int stats_open(struct stats **out, struct server *s, const char *path, const char *version,
               struct aiox_error *err)
{
    struct stats *stats = calloc(1, sizeof(*stats));
    struct listener l;
    int error;

    if (!stats || door_init(&stats->door, s->ctx, welcome, stats) < 0) {
        free(stats);
        return aiox_error_set(err, -ENOMEM, "no memory");
    }
    stats->server = s;
    stats->version = version;
    aiox_list_init(&stats->visitors);
    error = listener_open_unix(&l, path, err);
    if (error == 0) {
        (void)!door_add(&stats->door, &l); /* the first: there is room */
        error = door_open(&stats->door);
        aiox_error_set(error < 0 ? err : NULL, error, "cannot watch '%s'", path);
    }
    if (error < 0) {
        door_fini(&stats->door);
        free(stats);
        return error;
    }
    *out = stats;
    return 0;
}

void stats_close(struct stats *stats)
{
    if (!stats) {
        return;
    }
    door_fini(&stats->door);
    AIOX_LIST_FOREACH_SAFE(v, &stats->visitors, struct visitor, link)
    {
        leave(v);
    }
    free(stats);
}
