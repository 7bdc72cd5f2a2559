/* SPDX-License-Identifier: MIT */
/*
 * server.c - listens, accepts, drains.
 *
 * When descriptors or memory run out, accept() fails and the listening socket
 * stays readable: looking again at once would be a busy loop. So the server
 * stops looking until a client has left or a moment has passed.
 *
 * When the memory for requests is used up, clients wait for one another. If
 * that lasts, those who hold some and stand still are made to leave.
 */
#include "server.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "aiox/clock.h"
#include "aiox/list.h"
#include "aiox/log.h"

#include "client.h"
#include "request.h"

enum {
    LISTENERS_MAX = OPTIONS_LISTEN_MAX * LISTENERS_PER_HOST,
    ACCEPTS_PER_TURN = 64,
    INFLIGHT_REQUESTS = 256,
    INFLIGHT_BYTES = 32 << 20,
};

static const int64_t accept_pause_ns = 100 * AIOX_NS_PER_MS;
static const int64_t leave_ns = 10 * AIOX_NS_PER_S;
static const int64_t scarce_ns = 2 * AIOX_NS_PER_S;

struct place {
    struct listener listener;
    struct server *server;
};

struct server {
    struct aiox_context *ctx;
    const struct options *options;
    struct export_list exports;
    struct place places[LISTENERS_MAX];
    int place_count;
    struct client_host host;
    struct pool pool;
    struct transmission_stats stats;
    struct aiox_list clients;
    unsigned long client_count;
    uint64_t accepted;
    uint64_t refused;
    bool full;      /* the last one that came was refused for their number */
    bool accepting; /* the places are looked at */
    bool stopping;
    int64_t started_ns;
    struct aiox_timer pause;
    struct aiox_timer patience; /* at a stop */
    struct aiox_timer scarcity; /* of memory */
    struct aiox_bh *given_back; /* memory was, while somebody waited for it */
};

/* ---- accept ---- */

static void on_client_at_door(void *opaque);

static void stop_looking(struct server *s)
{
    for (int i = 0; s->accepting && i < s->place_count; i++) {
        aiox_clear_fd_handler(s->ctx, s->places[i].listener.fd);
    }
    s->accepting = false;
}

static int look(struct server *s)
{
    const struct aiox_fd_handler handler = {.read = on_client_at_door};

    if (s->accepting || s->stopping) {
        return 0;
    }
    s->accepting = true;
    for (int i = 0; i < s->place_count; i++) {
        int error = aiox_set_fd_handler(s->ctx, s->places[i].listener.fd, &handler, &s->places[i]);

        if (error < 0) {
            stop_looking(s);
            return error;
        }
    }
    return 0;
}

/* Something is short: waits a moment. */
static void pause_accepting(struct server *s, int error)
{
    if (!aiox_timer_is_pending(&s->pause)) {
        aiox_log(AIOX_LOG_WARN, "cannot accept a client (%s), %lu are here: waiting",
                 aiox_error_text(error), s->client_count);
    }
    stop_looking(s);
    aiox_timer_mod_ns(&s->pause, aiox_clock_now_ns() + accept_pause_ns);
}

static void on_pause_over(void *opaque)
{
    struct server *s = opaque;
    int error = look(s);

    if (error < 0) {
        pause_accepting(s, error);
    }
}

static void client_left(void *opaque)
{
    struct server *s = opaque;

    s->client_count--;
    if (!s->accepting && !s->stopping) { /* what was short may be there again */
        aiox_timer_mod_ns(&s->pause, aiox_clock_now_ns());
    }
}

/* Takes @fd in any case. */
static void welcome(struct server *s, int fd, const char *peer)
{
    s->accepted++;
    if (s->client_count >= s->options->max_clients) {
        if (!s->full) {
            aiox_log(AIOX_LOG_WARN, "%lu clients are here: refusing others", s->client_count);
        }
        s->full = true;
        s->refused++;
        close(fd);
        return;
    }
    s->full = false;
    s->client_count++;
    if (client_new(&s->host, &s->clients, fd, s->accepted, peer) < 0) {
        aiox_log(AIOX_LOG_ERROR, "no memory for a client (%s)", peer);
        s->client_count--;
        s->refused++;
        close(fd);
    }
}

static void on_client_at_door(void *opaque)
{
    struct place *p = opaque;
    struct server *s = p->server;

    for (int i = 0; i < ACCEPTS_PER_TURN && s->accepting; i++) {
        char peer[LISTENER_ADDRESS];
        int fd = listener_accept(&p->listener, peer);

        if (fd == -EAGAIN) {
            return;
        }
        if (fd >= 0) {
            welcome(s, fd, peer);
        } else if (fd != -ECONNABORTED && fd != -EINTR && fd != -EPROTO) {
            pause_accepting(s, fd);
        }
    }
}

/* ---- memory ---- */

static void on_scarce(void *opaque, bool wanted)
{
    struct server *s = opaque;

    if (!wanted) {
        aiox_bh_schedule(s->given_back);
    } else if (!aiox_timer_is_pending(&s->scarcity)) {
        aiox_timer_mod_ns(&s->scarcity, aiox_clock_now_ns() + scarce_ns);
    }
}

static void on_given_back(void *opaque)
{
    struct server *s = opaque;

    client_continue_all(&s->clients);
}

static void on_scarcity(void *opaque)
{
    struct server *s = opaque;

    if (s->pool.wanted) {
        client_abort_stalled(&s->clients, scarce_ns);
    }
    if (s->pool.wanted) {
        aiox_timer_mod_ns(&s->scarcity, aiox_clock_now_ns() + scarce_ns);
    }
}

/* ---- birth ---- */

static void on_patience_over(void *opaque)
{
    struct server *s = opaque;
    aiox_log(AIOX_LOG_WARN, "%lu clients have not left in time: hanging up", s->client_count);
    client_abort_all(&s->clients);
}

static int open_exports(struct server *s, struct aiox_error *err)
{
    for (int i = 0; i < s->options->export_count; i++) {
        int error = export_list_open(&s->exports, s->ctx, &s->options->exports[i], err);

        if (error < 0) {
            return error;
        }
    }
    export_list_choose_default(&s->exports);
    return 0;
}

static int open_place(struct server *s, const struct options_listen *where, struct aiox_error *err)
{
    struct listener found[LISTENERS_PER_HOST];
    int n = 1;

    if (where->is_unix) {
        int error = listener_open_unix(&found[0], where->where, err);

        n = error < 0 ? error : 1;
    } else {
        n = listener_open_tcp(found, where->where, err);
    }
    for (int i = 0; i < n; i++) {
        s->places[s->place_count++] = (struct place){.listener = found[i], .server = s};
    }
    return n < 0 ? n : 0;
}

static int open_places(struct server *s, struct aiox_error *err)
{
    int error = 0;

    for (int i = 0; error == 0 && i < s->options->listens; i++) {
        error = open_place(s, &s->options->listen[i], err);
    }
    if (error == 0) {
        error = look(s);
        if (error < 0) {
            aiox_error_set(err, error, "cannot watch a socket: %s", aiox_error_text(error));
        }
    }
    return error;
}

static int init_wakers(struct server *s, struct aiox_error *err)
{
    struct aiox_timer_group *timers = aiox_context_timers(s->ctx);

    if (aiox_timer_init_ns(&s->pause, timers, AIOX_CLOCK_MONOTONIC, on_pause_over, s) < 0 ||
        aiox_timer_init_ns(&s->patience, timers, AIOX_CLOCK_MONOTONIC, on_patience_over, s) < 0 ||
        aiox_timer_init_ns(&s->scarcity, timers, AIOX_CLOCK_MONOTONIC, on_scarcity, s) < 0 ||
        aiox_bh_new(&s->given_back, aiox_context_bhs(s->ctx), "nbd memory", on_given_back, s) < 0) {
        return aiox_error_set(err, -ENOMEM, "no memory");
    }
    return 0;
}

int server_new(struct server **out, struct aiox_context *ctx, const struct options *options,
               struct aiox_error *err)
{
    struct server *s = calloc(1, sizeof(*s));
    int error;

    if (!s) {
        return aiox_error_set(err, -ENOMEM, "no memory");
    }
    s->ctx = ctx;
    s->options = options;
    s->started_ns = aiox_clock_now_ns();
    aiox_list_init(&s->clients);
    pool_init(&s->pool, sizeof(struct request), POOL_KEEP_BYTES);
    s->pool.lend_bytes = options->memory_bytes;
    s->pool.scarce = on_scarce;
    s->pool.opaque = s;
    s->host = (struct client_host){
        .ctx = ctx,
        .exports = &s->exports,
        .pool = &s->pool,
        .stats = &s->stats,
        .limits = {.request_bytes = NBD_DEFAULT_MAX_REQUEST,
                   .requests = INFLIGHT_REQUESTS,
                   .payload_bytes = INFLIGHT_BYTES},
        .handshake_ns = options->handshake_ns,
        .leave_ns = leave_ns,
        .left = client_left,
        .opaque = s,
    };
    error = init_wakers(s, err);
    if (error == 0) {
        error = open_exports(s, err);
    }
    if (error == 0) {
        error = open_places(s, err);
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
    const struct nbd_export *first = s->exports.by_default;
    char uri[LISTENER_URI];

    for (int i = 0; i < s->place_count; i++) {
        if (first) {
            listener_uri(&s->places[i].listener, first->name, uri);
            tell(opaque, uri);
        }
        for (const struct nbd_export *e = s->exports.first; e; e = e->next) {
            if (e != first) {
                listener_uri(&s->places[i].listener, e->name, uri);
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
    stop_looking(s);
    for (int i = 0; i < s->place_count; i++) {
        listener_close(&s->places[i].listener);
    }
    client_stop_all(&s->clients);
    if (!server_is_over(s)) {
        aiox_timer_mod_ns(&s->patience, aiox_clock_now_ns() + s->options->stop_ns);
    }
}

bool server_is_over(const struct server *s)
{
    return s->stopping && s->client_count == 0;
}

void server_log_statistics(const struct server *s)
{
    const struct transmission_stats *n = &s->stats;

    aiox_log(AIOX_LOG_INFO,
             "served %" PRIu64 " clients (%" PRIu64 " refused) in %.1f s: %" PRIu64
             " reads of %" PRIu64 " bytes, %" PRIu64 " writes of %" PRIu64 " bytes, %" PRIu64
             " flushes, %" PRIu64 " errors",
             s->accepted - s->refused, s->refused,
             (double)(aiox_clock_now_ns() - s->started_ns) / (double)AIOX_NS_PER_S, n->reads,
             n->bytes_read, n->writes, n->bytes_written, n->flushes, n->errors);
}

void server_free(struct server *s)
{
    if (!s) {
        return;
    }
    stop_looking(s);
    for (int i = 0; i < s->place_count; i++) {
        listener_close(&s->places[i].listener);
    }
    export_list_close(&s->exports);
    pool_fini(&s->pool);
    aiox_timer_fini(&s->pause);
    aiox_timer_fini(&s->patience);
    aiox_timer_fini(&s->scarcity);
    aiox_bh_free(s->given_back);
    free(s);
}
