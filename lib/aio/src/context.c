/* SPDX-License-Identifier: MIT */
/* context.c - birth, death, and the face: each public call in a few lines. */
#include "context.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "aiox/assert.h"
#include "aiox/clock.h"
#include "aiox/log.h"

#include "dispatch.h"
#include "trace.h"

/* ---- the backend ---- */

static int watch_bell(struct aiox_context *ctx, struct backend *b)
{
    return b->ops.interest(b->mon, aiox_event_notifier_fd(&ctx->bell), 0,
                           AIOX_FD_READ | AIOX_FDMON_DRAINS, DISPATCH_BELL_TOKEN);
}

int context_move_to_(struct aiox_context *ctx, struct backend *to, struct aiox_error *err)
{
    struct backend *from = ctx->backend;
    int code = watch_bell(ctx, to);

    if (code == 0) {
        code = handlers_move_(&ctx->handlers, to);
    }
    if (code < 0) {
        aiox_error_set(err, code, "the backend '%s' cannot take over the descriptors: %s",
                       to->plugin.name, aiox_error_text(code));
        backend_close_(to);
        return code;
    }
    ctx->backend = to;
    outside_forget_(&ctx->outside);
    context_ask_from_home_(ctx);
    AIOX_TRACE(aio, backend, (uintptr_t)ctx, (uintptr_t)to->plugin.name);
    backend_close_(from);
    return 0;
}

int context_check_no_requests_(const struct aiox_context *ctx, struct aiox_error *err)
{
    if (aiox_list_is_empty(&ctx->in_flight)) {
        return 0;
    }
    return aiox_error_set(err, -EBUSY, "requests are under way on the backend '%s'",
                          ctx->backend->plugin.name);
}

int context_suit_(struct aiox_context *ctx, struct backend_wishes wishes, struct aiox_error *err)
{
    struct backend *to;
    int code;

    if (backend_suits_(ctx->backend, wishes)) {
        return 0;
    }
    code = context_check_no_requests_(ctx, err);
    if (code == 0) {
        code = backend_reopen_(&to, ctx->backend, wishes, err);
    }
    return code < 0 ? code : context_move_to_(ctx, to, err);
}

int aiox_context_setup(struct aiox_context *ctx, const char *spec, struct aiox_error *err)
{
    struct backend *to;
    int code;

    aiox_assert(spec);
    code = context_check_no_requests_(ctx, err);
    if (code == 0) {
        code = backend_open_(&to, &ctx->sources, spec, &ctx->reports, err);
    }
    if (code == 0) {
        code = backend_suit_(&to, context_wishes_(ctx), err);
    }
    code = code < 0 ? code : context_move_to_(ctx, to, err);
    if (code == 0) {
        ctx->lost.count = 0;
    }
    return code;
}

/* The requests that a lost backend had will not be reported by anybody else. */
static void give_up_requests(struct aiox_context *ctx)
{
    AIOX_LIST_FOREACH(c, &ctx->in_flight, struct aiox_completion, link_)
    {
        c->result_ = -ECANCELED;
    }
    aiox_list_splice_back(&ctx->completions, &ctx->in_flight);
}

void context_lost_backend_(struct aiox_context *ctx, int why)
{
    struct backend_wishes wishes = context_wishes_(ctx);
    struct aiox_error err = {.code = -ENOENT, .message = "there is no other"};
    struct backend *to = NULL;
    char lost[NAME_BYTES];
    char spec[LOST_SPEC_BYTES];

    snprintf(lost, sizeof(lost), "%s", ctx->backend->plugin.name);
    lost_add_(&ctx->lost, lost);
    lost_spec_(&ctx->lost, wishes, spec);
    if (backend_open_(&to, &ctx->sources, spec, NULL, &err) < 0 ||
        backend_suit_(&to, wishes, &err) < 0 || context_move_to_(ctx, to, &err) < 0) {
        aiox_panic("the backend '%s' failed (%s) and no other takes over: %s", lost,
                   aiox_error_text(why), err.message);
    }
    give_up_requests(ctx);
    aiox_log(AIOX_LOG_WARN, "the backend '%s' failed (%s); the loop goes on with '%s'", lost,
             aiox_error_text(why), ctx->backend->plugin.name);
}

void aiox_context_backend_info(struct aiox_context *ctx, struct aiox_backend_info *out)
{
    const struct backend *b = ctx->backend;

    *out = (struct aiox_backend_info){
        .name = b->plugin.name,
        .version = b->plugin.version,
        .path = b->path,
        .caps = b->plugin.caps,
    };
    if (b->ops.describe) {
        b->ops.describe(b->mon, out->how, sizeof(out->how));
    }
}

int aiox_context_backend_report(struct aiox_context *ctx, const struct aiox_backend_report **out)
{
    *out = ctx->reports.items;
    return ctx->reports.count;
}

/* ---- life ---- */

static void ask_for_turn(void *opaque)
{
    aiox_notify(opaque);
}

/* A turn looks at the deadlines before it sleeps, so what its own callbacks arm is seen. */
static void ask_for_deadline(void *opaque)
{
    struct aiox_context *ctx = opaque;

    if (!home_is_turning_(ctx) || notify_is_armed_(&ctx->notify)) {
        aiox_notify(ctx);
    }
}

static int open_parts(struct aiox_context *ctx, const struct aiox_backend_sources *sources,
                      const char *spec, struct aiox_error *err)
{
    int code = backend_sources_copy_(&ctx->sources, sources);

    if (code < 0) {
        return aiox_error_set(err, code, "no memory for a context");
    }
    code = aiox_event_notifier_init(&ctx->bell, false);
    if (code < 0) {
        return aiox_error_set(err, code, "cannot open a descriptor to wake the loop: %s",
                              aiox_error_text(code));
    }
    code = backend_open_(&ctx->backend, &ctx->sources, spec, spec ? &ctx->reports : NULL, err);
    if (code < 0) {
        return code;
    }
    ctx->handlers.backend = ctx->backend;
    code = watch_bell(ctx, ctx->backend);
    if (code < 0) {
        return aiox_error_set(err, code, "the backend '%s' cannot watch the loop's own wake-up: %s",
                              ctx->backend->plugin.name, aiox_error_text(code));
    }
    AIOX_TRACE(aio, backend, (uintptr_t)ctx, (uintptr_t)ctx->backend->plugin.name);
    return 0;
}

static void close_parts(struct aiox_context *ctx)
{
    outside_close_(&ctx->outside);
    backend_close_(ctx->backend);
    aiox_event_notifier_fini(&ctx->bell);
    backend_reports_free_(&ctx->reports);
    backend_sources_free_(&ctx->sources);
}

/* NULL @spec: on the first that is linked in. */
static int new_on(struct aiox_context **out, const struct aiox_backend_sources *sources,
                  const char *spec, struct aiox_error *err)
{
    struct aiox_context *ctx;
    int code;

    aiox_assert(sources && sources->linked_in && sources->linked_in[0]);
    ctx = calloc(1, sizeof(*ctx));
    if (!ctx) {
        return aiox_error_set(err, -ENOMEM, "no memory for a context");
    }
    code = open_parts(ctx, sources, spec, err);
    if (code < 0) {
        close_parts(ctx);
        free(ctx);
        return code;
    }
    handlers_init_(&ctx->handlers);
    aiox_bh_queue_init(&ctx->bhs, ask_for_turn, ctx);
    aiox_timer_group_init(&ctx->timers, ask_for_deadline, ctx);
    aiox_list_init(&ctx->in_flight);
    aiox_list_init(&ctx->completions);
    aiox_list_init(&ctx->ready);
    parts_init_(&ctx->parts);
    borrow_init_(&ctx->borrow);
    aiox_u32_store_relaxed(&ctx->references, 1);
    *out = ctx;
    return 0;
}

int aiox_context_new(struct aiox_context **out, const struct aiox_backend_sources *sources,
                     struct aiox_error *err)
{
    return new_on(out, sources, NULL, err);
}

int aiox_context_new_on(struct aiox_context **out, const struct aiox_backend_sources *sources,
                        const char *spec, struct aiox_error *err)
{
    aiox_assert(spec);
    return new_on(out, sources, spec, err);
}

struct aiox_context *aiox_context_ref(struct aiox_context *ctx)
{
    aiox_u32_add_relaxed(&ctx->references, 1);
    return ctx;
}

static void end(struct aiox_context *ctx)
{
    borrow_fini_(&ctx->borrow);
    parts_fini_(&ctx->parts, ctx);
    aiox_timer_group_fini(&ctx->timers);
    aiox_bh_queue_fini(&ctx->bhs);
    close_parts(ctx);
    handlers_fini_(&ctx->handlers);
    if (aiox_context_current() == ctx) {
        home_set_own_(NULL);
    }
    free(ctx);
}

/* [CONTEXT-unref] unref (acq_rel) -> the last unref (acq_rel): what the others did before. */
void aiox_context_unref(struct aiox_context *ctx)
{
    if (ctx && aiox_u32_sub_acq_rel(&ctx->references, 1) == 1) { /* [CONTEXT-unref] */
        end(ctx);
    }
}

/* ---- home ---- */

void aiox_context_set_current(struct aiox_context *ctx)
{
    if (ctx) {
        (void)home_claim_(&ctx->home);
    }
    home_set_own_(ctx);
}

bool aiox_context_is_home(const struct aiox_context *ctx)
{
    return home_is_here_(&ctx->home);
}

/* ---- asking for work ---- */

void context_ask_from_home_(struct aiox_context *ctx)
{
    if (notify_is_armed_(&ctx->notify)) {
        aiox_notify(ctx);
    }
}

void aiox_notify(struct aiox_context *ctx)
{
    bool is_sleepy = notify_ring_(&ctx->notify);

    AIOX_TRACE(aio, notify, (uintptr_t)ctx, is_sleepy);
    if (is_sleepy) {
        aiox_event_notifier_set(&ctx->bell);
    }
}

int aiox_set_fd_handler(struct aiox_context *ctx, int fd, const struct aiox_fd_handler *h,
                        void *opaque)
{
    int err = handlers_set_(&ctx->handlers, fd, h, opaque);
    bool is_home = home_is_here_(&ctx->home);

    if (is_home) {
        handlers_tidy_(&ctx->handlers);
    }
    if (!is_home || notify_is_armed_(&ctx->notify)) {
        aiox_notify(ctx);
    }
    return err;
}

void aiox_clear_fd_handler(struct aiox_context *ctx, int fd)
{
    int err = aiox_set_fd_handler(ctx, fd, NULL, NULL);

    aiox_assert(err == 0);
}

void aiox_context_disable_external(struct aiox_context *ctx)
{
    handlers_disable_external_(&ctx->handlers);
    aiox_notify(ctx);
}

int aiox_context_enable_external(struct aiox_context *ctx)
{
    int err = handlers_enable_external_(&ctx->handlers);

    aiox_notify(ctx);
    return err;
}

int aiox_set_event_notifier(struct aiox_context *ctx, struct aiox_event_notifier *n,
                            aiox_fd_fn *ready, aiox_fd_poll_fn *poll, aiox_fd_fn *poll_ready)
{
    struct aiox_fd_handler h = {
        .read = ready,
        .poll = poll,
        .poll_ready = poll_ready,
        .flags = AIOX_FD_HANDLER_DRAINS,
    };

    return aiox_set_fd_handler(ctx, aiox_event_notifier_fd(n), ready ? &h : NULL, n);
}

int aiox_context_set_busy_poll(struct aiox_context *ctx, int64_t max_ns, uint32_t grow,
                               uint32_t shrink)
{
    if (max_ns < 0) {
        return -EINVAL;
    }
    handlers_enter_(&ctx->handlers);
    busy_configure_(&ctx->busy, &ctx->handlers, max_ns, grow, shrink);
    handlers_leave_(&ctx->handlers);
    return 0;
}

struct aiox_bh_queue *aiox_context_bhs(struct aiox_context *ctx)
{
    return &ctx->bhs;
}

int64_t aiox_context_now_ns(struct aiox_context *ctx)
{
    if (ctx->now_ns == 0) {
        ctx->now_ns = aiox_clock_now_ns();
    }
    return ctx->now_ns;
}

struct aiox_timer_group *aiox_context_timers(struct aiox_context *ctx)
{
    return &ctx->timers;
}

int aiox_bh_schedule_oneshot(struct aiox_context *ctx, const char *name, aiox_bh_fn *fn,
                             void *opaque)
{
    return aiox_bh_queue_oneshot(&ctx->bhs, name, fn, opaque);
}

int aiox_context_part_get(struct aiox_context *ctx, const struct aiox_context_part *part,
                          void **out)
{
    return parts_get_(&ctx->parts, ctx, part, out);
}
