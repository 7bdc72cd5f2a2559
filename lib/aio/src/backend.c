/* SPDX-License-Identifier: MIT */
/* backend.c - how a backend comes to life, and what it may ask of the loop. */
#define _GNU_SOURCE
#include "backend.h"
#include "monitor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aiox/clock.h"
#include "aiox/log.h"

#include "options.h"
#include "report.h"

/* ---- the host table ---- */

static const struct backend *backend_of(const struct aiox_fdmon_host *host)
{
    return host->opaque;
}

static void host_log(const struct aiox_fdmon_host *host, int level, const char *line)
{
    enum aiox_log_level ours = level <= 0               ? AIOX_LOG_ERROR
                               : level < AIOX_LOG_DEBUG ? (enum aiox_log_level)level
                                                        : AIOX_LOG_DEBUG;

    aiox_log(ours, "fdmon_%s: %s", backend_of(host)->plugin.name, line);
}

static int64_t host_now_ns(const struct aiox_fdmon_host *host)
{
    (void)host;
    return aiox_clock_now_ns();
}

static void *host_alloc(const struct aiox_fdmon_host *host, size_t bytes)
{
    (void)host;
    return calloc(1, bytes);
}

static void host_free(const struct aiox_fdmon_host *host, void *memory)
{
    (void)host;
    free(memory);
}

static const char *host_option(const struct aiox_fdmon_host *host, const char *name)
{
    return options_get_(backend_of(host)->options, name);
}

static const void *host_get_extension(const struct aiox_fdmon_host *host, const char *id)
{
    static const uint32_t yes = sizeof(yes);
    const struct backend_wishes *told = &backend_of(host)->told;
    bool is_told = (told->hosted && strcmp(id, AIOX_FDMON_POLLFD_ID) == 0) ||
                   (told->roaming && strcmp(id, AIOX_FDMON_ROAMING_ID) == 0);

    return is_told ? &yes : NULL;
}

static void fill_host(struct backend *b)
{
    b->host = (struct aiox_fdmon_host){
        .size = sizeof(b->host),
        .abi_major = AIOX_FDMON_ABI_MAJOR,
        .abi_minor = AIOX_FDMON_ABI_MINOR,
        .opaque = b,
        .log = host_log,
        .now_ns = host_now_ns,
        .alloc = host_alloc,
        .free = host_free,
        .option = host_option,
        .get_extension = host_get_extension,
    };
}

/* ---- life ---- */

static int no_memory(struct aiox_backend_report *r)
{
    return report_set_(r, AIOX_BACKEND_OPEN, AIOX_FDMON_CAUSE_RESOURCES, -ENOMEM, "no memory");
}

int backend_make_(struct backend **out, const struct plugin *code, const char *options,
                  struct aiox_backend_report *r)
{
    const struct tables *t = &code->tables;
    struct backend *b = calloc(1, sizeof(*b));
    struct aiox_error err;
    int error;

    if (!b) {
        return no_memory(r);
    }
    error = options_new_(&b->options, options, &t->plugin, &err);
    if (error) {
        report_set_(r, AIOX_BACKEND_OPEN, AIOX_FDMON_CAUSE_OTHER, error, "%s", err.message);
        free(b);
        return error;
    }
    b->plugin = t->plugin;
    b->ops = t->ops;
    b->plugin.ops = &b->ops;
    b->completion = t->completion;
    b->has_completion = t->has_completion;
    b->pollfd = t->pollfd;
    b->path = code->path;
    fill_host(b);
    *out = b;
    return 0;
}

int backend_probe_(struct backend *b, struct aiox_backend_report *r)
{
    struct aiox_fdmon_probe probe = {.size = sizeof(probe)};
    int error = b->plugin.probe(&b->host, &probe);

    probe.text[sizeof(probe.text) - 1] = '\0';
    probe.hint[sizeof(probe.hint) - 1] = '\0';
    if (error < 0) {
        return report_set_(r, AIOX_BACKEND_PROBE, AIOX_FDMON_CAUSE_OTHER, error,
                           "whether it works could not be found out: %s", aiox_error_text(error));
    }
    if (probe.state == AIOX_FDMON_USABLE || probe.state == AIOX_FDMON_DEGRADED) {
        r->cause = (enum aiox_fdmon_cause)probe.cause;
        snprintf(r->text, sizeof(r->text), "%s", probe.text);
        snprintf(r->hint, sizeof(r->hint), "%s", probe.hint);
        return 0;
    }
    report_set_(r, AIOX_BACKEND_PROBE, (enum aiox_fdmon_cause)probe.cause,
                probe.error < 0 ? probe.error : -ENOTSUP, "%s", probe.text);
    return report_hint_(r, "%s", probe.hint);
}

int backend_start_(struct backend *b, struct aiox_backend_report *r)
{
    int error = b->ops.open(&b->host, &b->mon);

    if (error >= 0 && b->mon) {
        return 0;
    }
    if (error >= 0) {
        return report_set_(r, AIOX_BACKEND_OPEN, AIOX_FDMON_CAUSE_OTHER, -EPROTO,
                           "open: no error and no monitor");
    }
    return report_set_(r, AIOX_BACKEND_OPEN,
                       error == -ENOMEM || error == -EMFILE || error == -ENFILE
                           ? AIOX_FDMON_CAUSE_RESOURCES
                           : AIOX_FDMON_CAUSE_OTHER,
                       error, "open: %s", aiox_error_text(error));
}

bool backend_suits_(const struct backend *b, struct backend_wishes wishes)
{
    bool roams = (b->plugin.caps & AIOX_FDMON_CAP_ROAMS) ||
                 (b->told.roaming && (b->plugin.caps & AIOX_FDMON_CAP_MAY_ROAM));

    return (b->told.hosted || !wishes.hosted) && (roams || !wishes.roaming);
}

/* 0, or -ENOTSUP if no monitor of @like's plugin suits. */
static int check_can(const struct backend *like, struct backend_wishes wishes,
                     struct aiox_error *err)
{
    if (wishes.hosted && !like->pollfd.prepare) {
        return aiox_error_set(err, -ENOTSUP,
                              "the backend '%s' has no descriptor that another loop could watch",
                              like->plugin.name);
    }
    if (wishes.roaming && !(like->plugin.caps & (AIOX_FDMON_CAP_ROAMS | AIOX_FDMON_CAP_MAY_ROAM))) {
        return aiox_error_set(err, -ENOTSUP,
                              "the backend '%s' is bound to one thread and cannot be lent",
                              like->plugin.name);
    }
    return 0;
}

int backend_reopen_(struct backend **out, const struct backend *like, struct backend_wishes wishes,
                    struct aiox_error *err)
{
    struct aiox_backend_report r = {.stage = AIOX_BACKEND_CHOSEN};
    struct backend *b;
    int error = check_can(like, wishes, err);

    if (error) {
        return error;
    }
    snprintf(r.name, sizeof(r.name), "%s", like->plugin.name);
    snprintf(r.path, sizeof(r.path), "%s", like->path);
    b = malloc(sizeof(*b));
    if (!b) {
        no_memory(&r);
        return report_to_error_(&r, err);
    }
    *b = *like;
    b->mon = NULL;
    b->told = wishes;
    b->plugin.ops = &b->ops;
    fill_host(b);
    b->options = options_copy_(like->options);
    error = b->options ? backend_start_(b, &r) : no_memory(&r);
    if (error) {
        backend_close_(b);
        report_to_error_(&r, err);
        return error;
    }
    *out = b;
    return 0;
}

int backend_suit_(struct backend **b, struct backend_wishes wishes, struct aiox_error *err)
{
    struct backend *opened = *b;
    int code;

    if (backend_suits_(opened, wishes)) {
        return 0;
    }
    code = backend_reopen_(b, opened, wishes, err);
    backend_close_(opened);
    return code;
}

void backend_close_(struct backend *b)
{
    if (!b) {
        return;
    }
    if (b->mon) {
        b->ops.close(b->mon);
    }
    free(b->options);
    free(b);
}
