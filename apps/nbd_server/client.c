/* SPDX-License-Identifier: MIT */
/*
 * client.c - one life: greet, serve, leave.
 *
 * One turn of serve() is one receive, one batch of requests, one send. Requests
 * that end at the kernel are gathered by a bottom half, which runs behind all
 * completions of a turn of the loop, so their replies too leave in one send.
 */
#include "client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "aiox/clock.h"
#include "aiox/log.h"

#include "client_inside.h"
#include "handshake.h"
#include "text.h"

enum {
    REPLIES_PER_SEND = 64,
    FAILURES_TOLD = 3, /* of one client */
};

static const int64_t linger_ns = AIOX_NS_PER_S;

/* ---- words ---- */

void client_say_(const struct client *c, enum aiox_log_level level, const char *format, ...)
{
    char words[300], quoted[TEXT_QUOTED] = "";
    va_list values;

    if (!aiox_log_is_heard(level)) {
        return;
    }
    va_start(values, format);
    vsnprintf(words, sizeof(words), format, values);
    va_end(values);
    if (c->chosen) {
        text_quote(quoted, c->chosen->name, c->chosen->name_bytes);
    }
    aiox_log(level, "client %llu (%s)%s%s: %s", (unsigned long long)c->number, c->peer,
             c->chosen ? ", export " : "", quoted, words);
}

static void requests_ended(void *opaque)
{
    struct client *c = opaque;

    connection_kick_soon(&c->conn);
}

static void request_failed(void *opaque, const struct request *r, int error)
{
    struct client *c = opaque;

    if (c->failures++ >= FAILURES_TOLD) {
        return;
    }
    if (r->type == NBD_CMD_FLUSH) {
        client_say_(c, AIOX_LOG_WARN, "flush failed: %s", aiox_error_text(error));
    } else {
        client_say_(c, AIOX_LOG_WARN, "%s of %llu bytes at %llu failed: %s", request_verb(r->type),
                    (unsigned long long)r->io.bytes, (unsigned long long)r->io.offset,
                    aiox_error_text(error));
    }
}

/* ---- greet ---- */

static bool may_greet(const struct client *c)
{
    return !c->conn.error && !c->conn.ended && !c->conn.timed_out && !c->stopping;
}

static bool send_all(struct client *c, struct bytes *out) coroutine_fn
{
    while (bytes_held(out) > 0 && may_greet(c)) {
        struct iovec iov = {.iov_base = out->memory + out->start, .iov_len = bytes_held(out)};

        bytes_take(out, connection_send(&c->conn, &iov, 1));
        if (c->conn.blocked) {
            connection_wait(&c->conn, false, true);
        }
    }
    return bytes_held(out) == 0;
}

static bool receive_more(struct client *c) coroutine_fn
{
    size_t held = bytes_held(&c->in);

    while (bytes_held(&c->in) == held && may_greet(c) && client_borrow_in_(c)) {
        struct iovec iov = {.iov_base = bytes_back(&c->in), .iov_len = bytes_room(&c->in)};

        bytes_put(&c->in, connection_receive(&c->conn, &iov, 1));
        if (bytes_held(&c->in) == held && may_greet(c)) {
            client_return_empty_in_(c);
            connection_wait(&c->conn, true, false);
        }
    }
    return bytes_held(&c->in) > held;
}

static bool tls_goes_on(void *opaque)
{
    return may_greet(opaque);
}

/* One that the server ended was neither good nor bad. */
static void count_handshake(struct client *c, int error)
{
    c->encrypted = error == 0;
    c->host->tls_counts->done += error == 0;
    c->host->tls_counts->failed += error != 0 && (error != -ECANCELED || c->conn.timed_out);
}

/* False: there is nothing more to say to this client. */
static bool start_tls(struct client *c) coroutine_fn
{
    char who[TLS_WORDS];
    struct aiox_error err;
    int error = tls_begin(&c->conn, c->host->tls_keys, tls_goes_on, c, who, &err);

    count_handshake(c, error);
    if (error == 0) {
        client_say_(c, AIOX_LOG_DEBUG, "is encrypted: %s", who);
    } else if (error != -ECANCELED) {
        client_say_(c, AIOX_LOG_WARN, "%s", err.message);
    }
    return error == 0;
}

/* What @verdict wants before the handshake goes on. False: it cannot. */
static bool heed_verdict(struct client *c, enum handshake_verdict verdict,
                         struct bytes *out) coroutine_fn
{
    if (!send_all(c, out)) {
        return false;
    }
    if (verdict == HANDSHAKE_TLS) {
        return start_tls(c);
    }
    return verdict != HANDSHAKE_HUNGRY || receive_more(c);
}

/* Until the client has chosen an export, and knows it. */
static void haggle(struct client *c, struct bytes *out) coroutine_fn
{
    enum handshake_verdict verdict;
    struct handshake h;

    handshake_start(&h, c->host->exports, c->host->limits.request_bytes, out);
    h.tls = c->host->tls;
    do {
        verdict = handshake_step(&h, &c->in, out);
        if (verdict == HANDSHAKE_REMARK || verdict == HANDSHAKE_BROKEN) {
            client_say_(c, verdict == HANDSHAKE_REMARK ? AIOX_LOG_INFO : AIOX_LOG_WARN, "%s",
                        h.words);
        } else if (!heed_verdict(c, verdict, out)) {
            return;
        }
    } while (verdict < HANDSHAKE_SERVE);
    c->chosen = verdict == HANDSHAKE_SERVE ? h.chosen : NULL;
    c->dialect = h.dialect;
}

static void greet(struct client *c) coroutine_fn
{
    struct bytes out = {.memory = stash_take(c->host->stash), .capacity = HANDSHAKE_OUT_BYTES};

    if (!out.memory) {
        client_say_(c, AIOX_LOG_ERROR, "no memory to greet it");
        return;
    }
    connection_set_timer(&c->conn, c->host->handshake_ns);
    haggle(c, &out);
    stash_give(c->host->stash, out.memory);
    if (c->conn.timed_out) {
        client_say_(c, AIOX_LOG_WARN, "did not finish the handshake in %.3g s",
                    (double)c->host->handshake_ns / (double)AIOX_NS_PER_S);
    }
}

/* ---- serve ---- */

static void note_moved(struct client *c, size_t n)
{
    if (n > 0) {
        c->moved_ns = c->t.now_ns = aiox_clock_now_ns();
    }
}

static void send_replies(struct client *c)
{
    struct iovec iov[REPLIES_PER_SEND];

    while (!c->conn.blocked && !c->conn.error) {
        int count = transmission_output(&c->t, iov, REPLIES_PER_SEND);
        size_t n;

        if (count == 0) {
            return;
        }
        n = connection_send(&c->conn, iov, count);
        note_moved(c, n);
        transmission_sent(&c->t, n);
        transmission_continue(&c->t);
        if (n > 0 && c->leaving && !c->stopping) { /* it does take its replies */
            connection_set_timer(&c->conn, c->host->leave_ns);
        }
    }
}

static void receive_requests(struct client *c)
{
    struct iovec iov[2];
    size_t n = 0;

    if (transmission_wants_input(&c->t) && client_borrow_in_(c)) {
        n = connection_receive(&c->conn, iov, transmission_input(&c->t, iov));
    }
    note_moved(c, n);
    if (n > 0) {
        transmission_received(&c->t, n);
    } else if (c->conn.ended) {
        transmission_no_more_input(&c->t, true);
    }
}

/* As if the connection were lost. */
void client_give_up_(struct client *c)
{
    c->aborted = true;
    c->conn.error = -ECANCELED;
}

/* No more input: from now on it has leave_ns for each reply that it does not take. */
static void heed_leaving(struct client *c)
{
    if (!c->leaving) {
        c->leaving = true;
        connection_set_timer(&c->conn, c->host->leave_ns);
    } else if (c->conn.timed_out && c->conn.blocked) {
        client_say_(c, AIOX_LOG_WARN, "takes its replies no more");
        client_give_up_(c);
    } else if (c->conn.timed_out) { /* it waits for the export */
        connection_set_timer(&c->conn, c->host->leave_ns);
    }
}

/* The timer has run out. An idle client leaves unless it waits for the export. */
static void heed_idle(struct client *c)
{
    int64_t limit_ns = c->host->idle_ns, idle_ns = aiox_clock_now_ns() - c->moved_ns;

    if (idle_ns >= limit_ns && c->t.requests == 0) {
        client_say_(c, AIOX_LOG_INFO, "has been idle for %.3g s",
                    (double)limit_ns / (double)AIOX_NS_PER_S);
        transmission_no_more_input(&c->t, false);
    } else {
        connection_set_timer(&c->conn, idle_ns < limit_ns ? limit_ns - idle_ns : limit_ns);
    }
}

/* Looks at what is neither input nor output. */
static void heed(struct client *c)
{
    if (c->stopping && c->t.receiving) {
        transmission_no_more_input(&c->t, false);
    }
    if (c->t.receiving && c->conn.timed_out) {
        heed_idle(c);
    }
    if (!c->t.receiving) {
        heed_leaving(c);
    }
    if (c->conn.error && !c->t.dropped) {
        transmission_drop(&c->t);
    }
}

static void serve(struct client *c) coroutine_fn
{
    const struct transmission_service service = {.served = c->chosen, .dialect = c->dialect};

    c->moved_ns = aiox_clock_now_ns();
    connection_set_timer(&c->conn, c->host->idle_ns);
    client_say_(c, AIOX_LOG_DEBUG, "is served");
    transmission_start(&c->t, &c->transmission_host, c, &service, &c->in);
    c->t.now_ns = c->moved_ns;
    transmission_continue(&c->t);
    for (;;) {
        send_replies(c);
        heed(c);
        if (transmission_is_over(&c->t)) {
            break;
        }
        client_return_empty_in_(c);
        connection_wait(&c->conn, transmission_wants_input(&c->t), c->conn.blocked);
        if (c->conn.readable) {
            receive_requests(c);
        } else {
            transmission_continue(&c->t);
        }
    }
    if (c->t.complaint[0]) {
        client_say_(c, AIOX_LOG_WARN, "%s", c->t.complaint);
    }
    transmission_fini(&c->t);
}

/* ---- leave ---- */

static void leave(struct client *c) coroutine_fn
{
    const struct client_host *host = c->host;

    tls_say_bye(&c->conn);
    if (!c->t.polite && !c->conn.timed_out) {
        connection_set_timer(&c->conn, linger_ns);
        if (client_borrow_in_(c)) {
            connection_linger(&c->conn, c->in.memory, STASH_BYTES);
        }
    }
    if (c->conn.error && c->conn.heard && !c->aborted) {
        client_say_(c, AIOX_LOG_INFO, "connection lost: %s", aiox_error_text(c->conn.error));
    }
    client_say_(c, AIOX_LOG_DEBUG, "has left");
    tls_end(&c->conn);
    connection_close(&c->conn);
    client_return_in_(c);
    aiox_list_remove(&c->link);
    traffic_add(host->stats, &c->stats);
    if (c->chosen) {
        traffic_add(&c->chosen->left, &c->stats);
    }
    free(c);
    host->left(host->opaque);
}

static void live(void *opaque) coroutine_fn
{
    struct client *c = opaque;

    greet(c);
    c->greeting = false;
    if (c->chosen && c->chosen->retired_before > 0) { /* while it was told of it */
        c->stopping = true;
    }
    c->host->settled(c->host->opaque);
    if (c->chosen) {
        serve(c);
    }
    leave(c);
}

/* ---- the face ---- */

int client_new(const struct client_host *host, struct aiox_list *list, int fd, uint64_t number,
               const char *peer)
{
    struct client *c = calloc(1, sizeof(*c));

    if (!c) {
        return -ENOMEM;
    }
    c->host = host;
    c->number = number;
    c->greeting = true;
    c->since_ns = aiox_clock_now_ns();
    c->in = (struct bytes){.capacity = STASH_BYTES};
    c->transmission_host = (struct transmission_host){
        .pool = host->pool,
        .stats = &c->stats,
        .limits = &host->limits,
        .ended = requests_ended,
        .failed = request_failed,
    };
    text_copy(c->peer, sizeof(c->peer), peer);
    if (connection_open(&c->conn, host->ctx, fd, live, c) < 0) {
        free(c);
        return -ENOMEM;
    }
    aiox_list_push_back(list, &c->link);
    connection_kick(&c->conn);
    return 0;
}
