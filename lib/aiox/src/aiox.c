/* SPDX-License-Identifier: MIT */
/*
 * aiox.c - which backends are linked in, and who decides.
 *
 * The only place that knows a backend by name, and the only one that reads
 * the environment.
 */
#define _GNU_SOURCE
#include "aiox/aiox.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "aiox/assert.h"
#include "aiox/atomic.h"
#include "aiox/log.h"

#include "trace.h"

/* The entry of //plugins/fdmon_poll in its static form; it has no header. */
const struct aiox_fdmon_plugin *aiox_fdmon_poll(uint32_t index);

/* The first works everywhere. */
static aiox_fdmon_entry_fn *const linked_in[] = {aiox_fdmon_poll, NULL};

/* Carries nothing but itself. */
static aiox_atomic_u32 env_is_denied;

void aiox_env_deny(void)
{
    aiox_u32_store_relaxed(&env_is_denied, 1);
}

/* The value of a variable; NULL if it is empty, or not to be read. */
static const char *look_up(const char *name)
{
    const char *value = NULL;

    if (aiox_u32_load_relaxed(&env_is_denied) == 0) {
        value = secure_getenv(name); /* NULL with AT_SECURE */
    }
    return value && value[0] ? value : NULL;
}

static bool is_on(const char *name)
{
    const char *value = look_up(name);

    return value && strcmp(value, "0") != 0;
}

/* What the environment says instead, if it says anything. */
static void override(const char **what, const char *name)
{
    const char *value = look_up(name);

    *what = value ? value : *what;
}

void aiox_choice_get(struct aiox_choice *out, const struct aiox_preferences *wish)
{
    static const struct aiox_preferences none;
    bool has_env = !is_on("AIOX_NO_ENV");

    wish = wish ? wish : &none;
    aiox_assert(wish->backend || !wish->is_pinned);
    *out = (struct aiox_choice){
        .sources = {.linked_in = linked_in,
                    .path = wish->path,
                    .options = wish->options,
                    .system_only = getauxval(AT_SECURE) != 0},
        .spec = wish->backend ? wish->backend : "auto",
        .said_by = wish->is_pinned ? "program"
                   : wish->backend ? "wish"
                                   : "default",
        .is_debugging = has_env && is_on("AIOX_FDMON_DEBUG"),
    };
    if (has_env && !wish->is_pinned) {
        override(&out->sources.path, "AIOX_FDMON_PATH");
        override(&out->sources.options, "AIOX_FDMON_OPTS");
        if (look_up("AIOX_FDMON")) {
            override(&out->spec, "AIOX_FDMON");
            out->said_by = "AIOX_FDMON";
        }
    }
}

/* Before the first context: its birth is to be seen, too. */
static void begin_trace(void)
{
    const char *rooms = is_on("AIOX_NO_ENV") ? NULL : look_up("AIOX_TRACE");

    if (rooms) {
        trace_print_(rooms);
    }
}

static void log_reports(struct aiox_context *ctx)
{
    const struct aiox_backend_report *r;
    int count = aiox_context_backend_report(ctx, &r);

    for (int i = 0; i < count; i++, r++) {
        aiox_log(AIOX_LOG_DEBUG, "backend '%s'%s%s: %s, %s, errno %d, %lld us%s%s%s%s", r->name,
                 r->path[0] ? " of " : "", r->path, aiox_backend_stage_text(r->stage),
                 aiox_backend_cause_text(r->cause), -r->error, (long long)r->spent_ns / 1000,
                 r->text[0] ? ": " : "", r->text, r->hint[0] ? "; " : "", r->hint);
    }
}

int aiox_new_with(struct aiox_context **out, const struct aiox_preferences *wish,
                  struct aiox_error *err)
{
    struct aiox_choice choice;
    struct aiox_context *ctx;
    int error;

    begin_trace();
    aiox_choice_get(&choice, wish);
    error = aiox_context_new(&ctx, &choice.sources, err);
    if (error) {
        return error;
    }
    error = aiox_context_setup(ctx, choice.spec, err);
    if (choice.is_debugging) {
        log_reports(ctx);
    }
    if (error) {
        if (strcmp(choice.said_by, "AIOX_FDMON") == 0) {
            aiox_error_prefix(err, "AIOX_FDMON: ");
        }
        aiox_context_unref(ctx);
        return error;
    }
    *out = ctx;
    return 0;
}

int aiox_new(struct aiox_context **out, struct aiox_error *err)
{
    return aiox_new_with(out, NULL, err);
}
