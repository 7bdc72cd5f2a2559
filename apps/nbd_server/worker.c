/* SPDX-License-Identifier: MIT */
/*
 * worker.c - clients come by letter and live here until they leave.
 *
 * When the memory for requests is used up, clients wait for one another. If
 * that lasts, those who hold some and stand still are made to leave.
 *
 * A client that has not chosen an export costs little, but its number is
 * bounded, too: when one more comes, the one that has been at it for longest
 * leaves. So silent clients cannot keep others out.
 */
#include "worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "aiox/assert.h"
#include "aiox/clock.h"
#include "aiox/log.h"

#include "loop.h"
#include "request.h"
#include "text.h"
#include "worker_exports.h"

enum {
    INFLIGHT_REQUESTS = 256,
    INFLIGHT_BYTES = 32 << 20,
};

static const int64_t leave_ns = 10 * AIOX_NS_PER_S;
static const int64_t scarce_ns = 2 * AIOX_NS_PER_S;

/* ---- memory ---- */

static void on_scarce(void *opaque, bool wanted)
{
    struct worker *w = opaque;

    if (!wanted) {
        aiox_bh_schedule(w->given_back);
    } else if (!aiox_timer_is_pending(&w->scarcity)) {
        aiox_timer_mod_ns(&w->scarcity, aiox_clock_now_ns() + scarce_ns);
    }
}

static void on_given_back(void *opaque)
{
    struct worker *w = opaque;

    client_continue_all(&w->clients);
}

static void on_scarcity(void *opaque)
{
    struct worker *w = opaque;

    if (w->pool.wanted) {
        client_abort_stalled(&w->clients, scarce_ns);
    }
    if (w->pool.wanted) {
        aiox_timer_mod_ns(&w->scarcity, aiox_clock_now_ns() + scarce_ns);
    }
}

/* ---- clients ---- */

static void client_settled(void *opaque)
{
    struct worker *w = opaque;

    w->greeting--;
    worker_exports_reap(w);
}

static void client_left(void *opaque)
{
    struct worker *w = opaque;

    worker_exports_reap(w);
    aiox_u32_sub_relaxed(&w->present, 1);
    aiox_bh_schedule(w->host->news);
}

/* Takes @fd in any case. */
static void admit(struct worker *w, int fd, uint64_t number, const char *peer)
{
    if (w->greeting >= w->most_greeting) {
        w->made_room++;
        client_abort_longest_greeting(&w->clients);
    }
    w->greeting++;
    w->last_number = number;
    if (client_new(&w->client_host, &w->clients, fd, number, peer) < 0) {
        aiox_log(AIOX_LOG_ERROR, "no memory for a client (%s)", peer);
        close(fd);
        w->greeting--;
        client_left(w);
    }
}

static void on_guest(struct letter *l)
{
    struct guest *guest = AIOX_CONTAINER_OF(l, struct guest, letter);

    admit(guest->worker, guest->fd, guest->number, guest->peer);
    free(guest);
}

static void send_guest(struct worker *w, int fd, uint64_t number, const char *peer)
{
    struct guest *guest = malloc(sizeof(*guest));

    if (!guest) {
        aiox_log(AIOX_LOG_ERROR, "no memory for a client (%s)", peer);
        close(fd);
        return;
    }
    *guest = (struct guest){.letter = {.open = on_guest}, .worker = w, .fd = fd, .number = number};
    text_copy(guest->peer, sizeof(guest->peer), peer);
    aiox_u32_add_relaxed(&w->present, 1);
    mailbox_send(&w->mailbox, &guest->letter);
}

void worker_welcome(struct worker *w, int fd, uint64_t number, const char *peer)
{
    if (!aiox_context_is_home(w->ctx)) {
        send_guest(w, fd, number, peer);
        return;
    }
    aiox_u32_add_relaxed(&w->present, 1);
    admit(w, fd, number, peer);
}

void worker_stop(struct worker *w, bool at_once)
{
    if (at_once) {
        client_abort_all(&w->clients);
    } else {
        client_stop_all(&w->clients);
    }
}

/* ---- life ---- */

void worker_set_limits(struct worker *w, const struct options *options)
{
    w->client_host.handshake_ns = options->handshake_ns;
    w->client_host.idle_ns = options->idle_ns;
    w->client_host.tls = options->tls;
    tls_keys_unref(w->client_host.tls_keys);
    w->client_host.tls_keys = tls_keys_ref(options->tls_keys);
    w->most_greeting = (options->max_handshakes + options->threads - 1) / options->threads;
}

void worker_set_busy_poll(struct worker *w, const struct options *options)
{
    /* No option is negative. */
    (void)!aiox_context_set_busy_poll(w->ctx, options->busy_poll_ns, 0, 0);
}

static void prepare_clients(struct worker *w, const struct options *options)
{
    aiox_list_init(&w->clients);
    pool_init(&w->pool, sizeof(struct request), POOL_KEEP_BYTES / options->threads);
    w->pool.lend_bytes = options->memory_bytes / options->threads;
    w->pool.scarce = on_scarce;
    w->pool.opaque = w;
    w->client_host = (struct client_host){
        .ctx = w->ctx,
        .exports = &w->exports,
        .pool = &w->pool,
        .stash = &w->stash,
        .stats = &w->left,
        .tls_counts = &w->tls_counts,
        .limits = {.request_bytes = NBD_DEFAULT_MAX_REQUEST,
                   .requests = INFLIGHT_REQUESTS,
                   .payload_bytes = INFLIGHT_BYTES},
        .leave_ns = leave_ns,
        .settled = client_settled,
        .left = client_left,
        .opaque = w,
    };
    worker_set_limits(w, options);
}

static int enter_loop(struct worker *w, struct aiox_error *err)
{
    if (mailbox_open(&w->mailbox, w->ctx) < 0) {
        return aiox_error_set(err, -ENOMEM, "no memory");
    }
    if (aiox_bh_new(&w->given_back, aiox_context_bhs(w->ctx), "nbd memory", on_given_back, w) < 0) {
        mailbox_close(&w->mailbox);
        return aiox_error_set(err, -ENOMEM, "no memory");
    }
    if (aiox_timer_init_ns(&w->scarcity, aiox_context_timers(w->ctx), AIOX_CLOCK_MONOTONIC,
                           on_scarcity, w) < 0) {
        aiox_bh_free(w->given_back);
        mailbox_close(&w->mailbox);
        return aiox_error_set(err, -ENOMEM, "no memory");
    }
    w->settled = true;
    return 0;
}

int worker_open(struct worker *w, int number, struct aiox_context *ctx,
                const struct options *options, const struct worker_host *host,
                struct aiox_error *err)
{
    char name[16];
    struct aiox_preferences wish;
    const struct aiox_thread_options thread = {
        .name = name,
        .wish = &wish,
        .busy_max_ns = options->busy_poll_ns ? options->busy_poll_ns : AIOX_BUSY_POLL_OFF,
    };
    int error = 0;

    w->number = number;
    w->host = host;
    if (!ctx) {
        snprintf(name, sizeof(name), "nbd-%d", number);
        loop_wish(&wish, options->fdmon);
        error = aiox_thread_new(&w->thread, &thread, err);
    }
    if (error < 0) {
        return error;
    }
    w->ctx = ctx ? ctx : aiox_thread_context(w->thread);
    if (ctx) {
        worker_set_busy_poll(w, options);
    }
    prepare_clients(w, options);
    return enter_loop(w, err);
}

void worker_leave_loop(struct worker *w)
{
    if (!w->settled) {
        return;
    }
    aiox_assert(aiox_list_is_empty(&w->clients));
    worker_exports_reap(w);
    export_list_close(&w->pending);
    export_list_close(&w->exports);
    pool_fini(&w->pool);
    stash_fini(&w->stash);
    aiox_timer_fini(&w->scarcity);
    aiox_bh_free(w->given_back);
    mailbox_close(&w->mailbox);
    w->settled = false;
}

void worker_close(struct worker *w)
{
    aiox_thread_free(w->thread);
    w->thread = NULL;
    tls_keys_unref(w->client_host.tls_keys);
    w->client_host.tls_keys = NULL;
}
