/* SPDX-License-Identifier: MIT */
/*
 * aiox.c - which backends are linked in, and who decides.
 *
 * The only place that knows a backend by name, and the only one that reads
 * the environment.
 */
#define _GNU_SOURCE
#include "aiox/aiox.h"

#include <errno.h>
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

enum variable { FDMON, FDMON_DEBUG, FDMON_OPTS, FDMON_PATH, NO_ENV, TRACE, VARIABLES };

/* What the environment says; NULL: nothing. */
struct env {
    const char *said[VARIABLES];
    bool is_privileged; /* this process has more rights than its caller */
};

static bool is_on(const struct env *env, enum variable v)
{
    return env->said[v] && strcmp(env->said[v], "0") != 0;
}

/* Nothing is said that is empty, or not to be read. */
static void read_env(struct env *env)
{
    static const char *const names[VARIABLES] = {
        [FDMON] = "AIOX_FDMON",           [FDMON_DEBUG] = "AIOX_FDMON_DEBUG",
        [FDMON_OPTS] = "AIOX_FDMON_OPTS", [FDMON_PATH] = "AIOX_FDMON_PATH",
        [NO_ENV] = "AIOX_NO_ENV",         [TRACE] = "AIOX_TRACE",
    };

    *env = (struct env){.is_privileged = getauxval(AT_SECURE) != 0};
    if (aiox_u32_load_relaxed(&env_is_denied) != 0) {
        return;
    }
    for (int i = 0; i < VARIABLES; i++) {
        const char *value = secure_getenv(names[i]); /* NULL with AT_SECURE */

        env->said[i] = value && value[0] ? value : NULL;
    }
    if (is_on(env, NO_ENV)) {
        memset(env->said, 0, sizeof(env->said));
    }
}

static void override(const char **what, const char *by)
{
    *what = by ? by : *what;
}

static void choose(struct aiox_choice *out, const struct aiox_preferences *wish,
                   const struct env *env)
{
    static const struct aiox_preferences none;

    wish = wish ? wish : &none;
    aiox_assert(wish->backend || !wish->is_pinned);
    *out = (struct aiox_choice){
        .sources = {.linked_in = linked_in,
                    .path = wish->path,
                    .options = wish->options,
                    .system_only = env->is_privileged},
        .spec = wish->backend ? wish->backend : "auto",
        .said_by = wish->is_pinned ? "program"
                   : wish->backend ? "wish"
                                   : "default",
        .is_debugging = is_on(env, FDMON_DEBUG),
    };
    if (!wish->is_pinned) {
        override(&out->sources.path, env->said[FDMON_PATH]);
        override(&out->sources.options, env->said[FDMON_OPTS]);
        override(&out->spec, env->said[FDMON]);
        override(&out->said_by, env->said[FDMON] ? "AIOX_FDMON" : NULL);
    }
}

void aiox_choice_get(struct aiox_choice *out, const struct aiox_preferences *wish)
{
    struct env env;

    read_env(&env);
    choose(out, wish, &env);
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

/* In two steps, so that there are reports whatever becomes of it. */
static int open_and_tell(struct aiox_context **out, const struct aiox_choice *choice,
                         struct aiox_error *err)
{
    struct aiox_context *ctx;
    int error = aiox_context_new(&ctx, &choice->sources, err);

    if (error) {
        return error;
    }
    error = aiox_context_setup(ctx, choice->spec, err);
    log_reports(ctx);
    if (error) {
        aiox_context_unref(ctx);
        return error;
    }
    *out = ctx;
    return 0;
}

int aiox_new_with(struct aiox_context **out, const struct aiox_preferences *wish,
                  struct aiox_error *err)
{
    struct aiox_choice choice;
    struct env env;
    int error;

    read_env(&env);
    if (env.said[TRACE]) {
        trace_print_(env.said[TRACE]); /* before the first context, whose birth is seen, too */
    }
    choose(&choice, wish, &env);
    error = choice.is_debugging ? open_and_tell(out, &choice, err)
                                : aiox_context_new_on(out, &choice.sources, choice.spec, err);
    if (error && error != -EMFILE && error != -ENFILE &&
        strcmp(choice.said_by, "AIOX_FDMON") == 0) {
        aiox_error_prefix(err, "AIOX_FDMON: ");
    }
    return error;
}

int aiox_new(struct aiox_context **out, struct aiox_error *err)
{
    return aiox_new_with(out, NULL, err);
}
