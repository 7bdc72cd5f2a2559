/* SPDX-License-Identifier: MIT */
/*
 * transmission.c - headers in, requests out, replies back.
 *
 * A request goes
 *
 *     in -> (filling) -> export -> finished -> sent
 *
 * and is freed behind each of the last two. One that is refused skips the
 * export but not the payload that follows it: the stream stays in step. When a
 * stream cannot be kept in step (no magic, a payload beyond the limit) no more
 * is taken from it; what is under way is still finished.
 */
#include "transmission.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "reply.h"

enum { SEND_FIRST_BYTES = 256 << 10 };

/* ---- endings ---- */

static void stop_taking(struct transmission *t)
{
    t->receiving = false;
    t->taking = false;
}

AIOX_PRINTF(2, 3) static void out_of_step(struct transmission *t, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    vsnprintf(t->complaint, sizeof(t->complaint), format, values);
    va_end(values);
    stop_taking(t);
}

static void forget(struct transmission *t, struct request *r)
{
    t->requests--;
    t->payload_bytes -= r->payload_bytes;
    request_free(t->host->pool, r);
}

/* It has an outcome: its reply waits to be sent, unless nobody wants it. */
static void finish(struct transmission *t, struct request *r, int error)
{
    request_count(r, error, t->host->stats);
    if (t->dropped) {
        forget(t, r);
        return;
    }
    reply_conclude(r, error);
    t->unsent_bytes += r->reply_bytes;
    r->next = NULL;
    *t->last_finished = r;
    t->last_finished = &r->next;
}

static void io_done(struct export_io *io, int result)
{
    struct request *r = AIOX_CONTAINER_OF(io, struct request, io);
    struct transmission *t = r->owner;

    t->working--;
    if (result < 0 && !(result == -EOPNOTSUPP && io->fast)) {
        t->host->failed(t->opaque, r, result);
    }
    finish(t, r, result);
    if (!t->busy) {
        t->host->ended(t->opaque);
    }
}

/* ---- beginnings ---- */

static bool has_capacity(const struct transmission *t, const struct wire_request *w)
{
    const struct transmission_limits *limits = t->host->limits;
    uint64_t payload_bytes = request_payload(w);

    if (payload_bytes > limits->request_bytes && payload_bytes > REQUEST_STATUS_BYTES) {
        /* it will be refused */
        payload_bytes = 0;
    }
    if (t->requests > 0 && (t->requests >= limits->requests ||
                            t->payload_bytes + payload_bytes > limits->payload_bytes)) {
        return false;
    }
    return pool_may_take(t->host->pool, (size_t)payload_bytes);
}

/* Its payload is here, or there is none. */
static void perform(struct transmission *t, struct request *r)
{
    request_arrived(r, t->served);
    if (r->refusal) {
        finish(t, r, r->refusal);
        return;
    }
    r->ended = io_done;
    t->working++;
    request_start(r, t->served);
}

static void begin(struct transmission *t, const struct wire_request *w)
{
    const char *why = NULL;
    int refusal = request_check(w, &t->dialect, t->served, t->host->limits->request_bytes, &why);
    struct request *r = request_new(t->host->pool, w, &t->dialect, refusal, why);

    if (!r) {
        out_of_step(t, "there is no memory for its next request");
        return;
    }
    r->owner = t;
    r->began_ns = t->now_ns;
    t->requests++;
    t->payload_bytes += r->payload_bytes;
    if (r->missing_bytes > 0) {
        t->filling = r;
    } else {
        perform(t, r);
    }
}

static bool is_extended(const struct transmission *t)
{
    return t->dialect.replies == REPLIES_EXTENDED;
}

static size_t header_bytes(const struct transmission *t)
{
    return is_extended(t) ? WIRE_EXTENDED_REQUEST : WIRE_REQUEST;
}

static void get_header(const struct transmission *t, struct wire_request *w)
{
    if (is_extended(t)) {
        wire_get_extended_request(bytes_front(t->in), w);
    } else {
        wire_get_request(bytes_front(t->in), w);
    }
}

/* False when the header is not one to go on behind. */
static bool accept_header(struct transmission *t, const struct wire_request *w)
{
    uint64_t trailing = request_trailing(w, &t->dialect);

    if (w->magic != (is_extended(t) ? NBD_EXTENDED_REQUEST_MAGIC : NBD_REQUEST_MAGIC)) {
        out_of_step(t, "sent 0x%08" PRIx32 " where a request begins", w->magic);
    } else if (w->type == NBD_CMD_DISC) {
        t->polite = true;
        stop_taking(t);
    } else if (trailing > t->host->limits->request_bytes) {
        out_of_step(t, "announces a %s of %" PRIu64 " bytes, the limit is %" PRIu32,
                    w->type == NBD_CMD_WRITE ? "write" : "payload", trailing,
                    t->host->limits->request_bytes);
    } else if (w->type == NBD_CMD_WRITE && w->length > 0 && trailing == 0) {
        out_of_step(t, "does not say that the payload of a write is one");
    }
    return t->taking;
}

/* ---- taking ---- */

/* @n more bytes of the payload are where they belong. */
static void filled(struct transmission *t, size_t n)
{
    struct request *r = t->filling;

    r->missing_bytes -= (uint32_t)n;
    if (r->missing_bytes == 0) {
        t->filling = NULL;
        perform(t, r);
    }
}

static uint8_t *payload_gap(struct request *r)
{
    return request_data(r) + (r->trailing_bytes - r->missing_bytes);
}

/* Moves what is in the inbox to the payload, or nowhere if that is refused. */
static void fill_from_inbox(struct transmission *t)
{
    struct request *r = t->filling;
    size_t held = bytes_held(t->in);
    size_t n = held < r->missing_bytes ? held : r->missing_bytes;

    if (!r->refusal) {
        memcpy(payload_gap(r), bytes_front(t->in), n);
    }
    bytes_take(t->in, n);
    filled(t, n);
}

/* Takes one step. False: more bytes or more capacity first. */
static bool take_one(struct transmission *t)
{
    struct wire_request w;

    if (t->filling) {
        if (bytes_held(t->in) == 0) {
            return false;
        }
        fill_from_inbox(t);
        return true;
    }
    if (bytes_held(t->in) < header_bytes(t)) {
        return false;
    }
    get_header(t, &w);
    if (!has_capacity(t, &w)) {
        return false;
    }
    bytes_take(t->in, header_bytes(t));
    if (accept_header(t, &w)) {
        begin(t, &w);
    }
    return true;
}

/* True if the next thing to take lacks bytes, not capacity. */
static bool lacks_bytes(const struct transmission *t)
{
    return t->filling || bytes_held(t->in) < header_bytes(t);
}

static void abandon_filling(struct transmission *t)
{
    if (t->filling) {
        forget(t, t->filling);
        t->filling = NULL;
    }
}

void transmission_continue(struct transmission *t)
{
    t->busy = true;
    while (t->taking && t->unsent_bytes < SEND_FIRST_BYTES && take_one(t)) {
    }
    t->busy = false;
    if (t->taking && !t->receiving && lacks_bytes(t)) {
        stop_taking(t);
    }
    if (!t->taking) {
        abandon_filling(t);
    }
}

/* ---- the face ---- */

void transmission_start(struct transmission *t, const struct transmission_host *host, void *opaque,
                        const struct transmission_service *service, struct bytes *in)
{
    *t = (struct transmission){
        .host = host,
        .opaque = opaque,
        .served = service->served,
        .dialect = service->dialect,
        .in = in,
        .receiving = true,
        .taking = true,
    };
    t->last_finished = &t->first_finished;
}

void transmission_fini(struct transmission *t)
{
    aiox_assert(t->working == 0);
    transmission_drop(t);
    aiox_assert(t->requests == 0 && t->payload_bytes == 0);
}

bool transmission_wants_input(const struct transmission *t)
{
    return t->receiving && lacks_bytes(t);
}

int transmission_input(struct transmission *t, struct iovec iov[2])
{
    struct request *r = t->filling;
    int n = 0;

    if (!transmission_wants_input(t)) {
        return 0;
    }
    if (r && !r->refusal) {
        iov[n].iov_base = payload_gap(r);
        iov[n++].iov_len = r->missing_bytes;
    }
    iov[n].iov_base = bytes_back(t->in);
    iov[n++].iov_len = bytes_room(t->in);
    return n;
}

void transmission_received(struct transmission *t, size_t n)
{
    struct request *r = t->filling;

    if (r && !r->refusal) {
        size_t payload = n < r->missing_bytes ? n : r->missing_bytes;

        bytes_put(t->in, n - payload);
        t->busy = true;
        filled(t, payload);
        t->busy = false;
    } else {
        bytes_put(t->in, n);
    }
    transmission_continue(t);
}

void transmission_no_more_input(struct transmission *t, bool cut)
{
    if (cut && t->receiving && (t->filling || bytes_held(t->in) > 0) && lacks_bytes(t)) {
        snprintf(t->complaint, sizeof(t->complaint), "hung up in the middle of a request");
    }
    t->receiving = false;
    transmission_continue(t);
}

int transmission_output(struct transmission *t, struct iovec *iov, int max)
{
    struct request *r = t->first_finished;
    uint64_t skip = t->sent_bytes;
    int n = 0;

    for (; r && n < max; r = r->next) {
        n += reply_output(r, skip, iov + n, max - n);
        skip = 0;
    }
    return n;
}

/* Takes the first finished one off its list. */
static void retire(struct transmission *t)
{
    struct request *r = t->first_finished;

    t->first_finished = r->next;
    if (!t->first_finished) {
        t->last_finished = &t->first_finished;
    }
    t->sent_bytes = 0;
    forget(t, r);
}

static void count_latency(struct transmission *t, const struct request *r)
{
    traffic_count_latency(&t->served->latency, r->type, (uint64_t)(t->now_ns - r->began_ns));
}

void transmission_sent(struct transmission *t, size_t n)
{
    t->unsent_bytes -= n;
    while (n > 0) {
        uint64_t left = t->first_finished->reply_bytes - t->sent_bytes;

        if (n < left) {
            t->sent_bytes += n;
            return;
        }
        n -= left;
        count_latency(t, t->first_finished);
        retire(t);
    }
}

void transmission_drop(struct transmission *t)
{
    t->dropped = true;
    stop_taking(t);
    abandon_filling(t);
    while (t->first_finished) {
        retire(t);
    }
    t->unsent_bytes = 0;
}

bool transmission_is_over(const struct transmission *t)
{
    return !t->taking && t->requests == 0;
}
