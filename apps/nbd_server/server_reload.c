/* SPDX-License-Identifier: MIT */
/*
 * server_reload.c - exports change in all workers or in none.
 *
 * Worker 0 opens what is new first, the others then open siblings of that. When
 * all have, they are asked to commit; if one cannot, to abandon.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aiox/log.h"

#include "server_inside.h"
#include "text.h"

static struct server *server_of(struct team_ask *ask)
{
    return AIOX_CONTAINER_OF(ask, struct server, reload.ask);
}

/* ---- the plan ---- */

static const struct export_spec *spec_like(const struct options *o, const struct export_spec *spec)
{
    for (int i = 0; o && i < o->export_count; i++) {
        if (export_spec_is_same(&o->exports[i], spec)) {
            return &o->exports[i];
        }
    }
    return NULL;
}

static int check_names(const struct options *o, struct aiox_error *err)
{
    for (int i = 0; i < o->export_count; i++) {
        for (int k = 0; k < i; k++) {
            if (strcmp(o->exports[i].name, o->exports[k].name) == 0) {
                char quoted[TEXT_QUOTED];

                text_quote(quoted, o->exports[i].name, strlen(o->exports[i].name));
                return aiox_error_set(err, -EEXIST, "export %s: there are two of that name",
                                      quoted);
            }
        }
    }
    return 0;
}

/* What becomes of the exports of @old (NULL: there are none) with @fresh. */
static int make_plan(struct export_plan *plan, const struct options *old,
                     const struct options *fresh, struct aiox_error *err)
{
    bool *kept = realloc(plan->kept, (size_t)fresh->export_count * sizeof(*kept));

    if (!kept) {
        return aiox_error_set(err, -ENOMEM, "no memory");
    }
    *plan = (struct export_plan){
        .specs = fresh->exports,
        .count = fresh->export_count,
        .kept = kept,
    };
    for (int i = 0; i < plan->count; i++) {
        kept[i] = spec_like(old, &fresh->exports[i]) != NULL;
    }
    return check_names(fresh, err);
}

static int count_kept(const struct export_plan *plan)
{
    int n = 0;

    for (int i = 0; i < plan->count; i++) {
        n += plan->kept[i];
    }
    return n;
}

/* ---- in the workers ---- */

static void prepare(struct team_ask *ask, struct worker *w)
{
    struct reload *r = &server_of(ask)->reload;

    if (w->number > 0) { /* worker 0 was first */
        r->errors[w->number].code = 0;
        (void)!worker_exports_prepare(w, &r->plan, &r->errors[w->number]);
    }
}

static void abandon(struct team_ask *ask, struct worker *w)
{
    worker_exports_abandon(w);
}

static void commit(struct team_ask *ask, struct worker *w)
{
    struct reload *r = &server_of(ask)->reload;

    worker_exports_commit(w, &r->plan);
    worker_set_limits(w, r->fresh);
    worker_set_busy_poll(w, r->fresh);
}

static void explain(struct team_ask *ask, struct worker *w)
{
    worker_exports_explain(w, &server_of(ask)->reload.engines[w->number]);
}

/* The first error of a worker, or NULL. */
static const struct aiox_error *find_error(const struct server *s)
{
    for (int i = 0; i < s->team.count; i++) {
        if (s->reload.errors[i].code < 0) {
            return &s->reload.errors[i];
        }
    }
    return NULL;
}

/* Worker 0 opens what is new, and is the model for the others. */
static int prepare_first(struct server *s, const struct options *old, const struct options *fresh,
                         struct aiox_error *err)
{
    struct reload *r = &s->reload;
    struct worker *first = &s->team.workers[0];
    int error = make_plan(&r->plan, old, fresh, err);

    memset(r->errors, 0, sizeof(r->errors));
    if (error == 0) {
        error = worker_exports_prepare(first, &r->plan, err);
        r->plan.model = &first->pending;
    }
    return error;
}

/* ---- at the start ---- */

static void nothing_more(struct team_ask *ask)
{
}

/* Asks and waits. */
static void ask_now(struct server *s, team_each_fn *each)
{
    team_ask_all(&s->team, &s->reload.ask, each, nothing_more);
    while (team_is_asking(&s->reload.ask)) {
        aiox_poll(s->ctx, true);
    }
}

int server_open_exports_(struct server *s, struct aiox_error *err)
{
    const struct aiox_error *failed;
    int error = prepare_first(s, NULL, s->options, err);

    if (error < 0) {
        return error;
    }
    if (s->team.count > 1) {
        ask_now(s, prepare);
    }
    failed = find_error(s);
    if (failed) {
        ask_now(s, abandon);
        return aiox_error_set(err, failed->code, "%s", failed->message);
    }
    s->reload.fresh = s->options; /* where commit looks */
    ask_now(s, commit);
    s->reload.fresh = NULL;
    ask_now(s, explain);
    return 0;
}

/* ---- who serves what ---- */

static void log_lines(char *text, const char *where)
{
    char *rest = NULL;

    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        aiox_log(AIOX_LOG_INFO, "%s%s", where, line);
    }
}

void server_log_engines(struct server *s)
{
    struct text_out *first = &s->reload.engines[0];

    for (int i = s->team.count - 1; i >= 0; i--) {
        struct text_out *words = &s->reload.engines[i];
        char where[24] = "";

        if (words->text && i > 0 && first->text && strcmp(words->text, first->text) != 0) {
            snprintf(where, sizeof(where), "thread %d: ", i);
        }
        if (words->text && (i == 0 || where[0])) {
            log_lines(words->text, where);
        }
        text_out_fini(words);
    }
}

/* ---- while it runs ---- */

static void ended(struct server *s, struct options *unwanted)
{
    struct options *next = s->reload.next;

    options_free(unwanted);
    s->reload.fresh = NULL;
    s->reload.next = NULL;
    if (next) {
        server_reload(s, next);
    }
}

static void on_explained(struct team_ask *ask)
{
    struct server *s = server_of(ask);

    server_log_engines(s);
    ended(s, NULL);
}

static void on_committed(struct team_ask *ask)
{
    struct server *s = server_of(ask);
    struct options *old = s->options;
    int stay = count_kept(&s->reload.plan);

    s->options = s->reload.fresh;
    aiox_log(AIOX_LOG_INFO, "reloaded: %d exports opened, %d closed, %d as before",
             s->options->export_count - stay, old->export_count - stay, stay);
    options_free(old);
    team_ask_all(&s->team, ask, explain, on_explained);
}

static void on_abandoned(struct team_ask *ask)
{
    struct server *s = server_of(ask);

    ended(s, s->reload.fresh);
}

static void on_prepared(struct team_ask *ask)
{
    struct server *s = server_of(ask);
    const struct aiox_error *failed = find_error(s);

    if (failed) {
        aiox_log(AIOX_LOG_ERROR, "not reloaded: %s", failed->message);
        team_ask_all(&s->team, ask, abandon, on_abandoned);
    } else {
        team_ask_all(&s->team, ask, commit, on_committed);
    }
}

static bool is_same_word(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* True if @fresh says what only a new start can change. */
static bool needs_restart(const struct options *old, const struct options *fresh)
{
    bool same = old->listens == fresh->listens && old->threads == fresh->threads &&
                old->memory_bytes == fresh->memory_bytes &&
                is_same_word(old->fdmon, fresh->fdmon) && is_same_word(old->stats, fresh->stats) &&
                is_same_word(old->user, fresh->user) &&
                is_same_word(old->pid_file, fresh->pid_file);

    for (int i = 0; same && i < old->listens; i++) {
        same = old->listen[i].place == fresh->listen[i].place &&
               is_same_word(old->listen[i].where, fresh->listen[i].where);
    }
    return !same;
}

void server_reload(struct server *s, struct options *fresh)
{
    struct reload *r = &s->reload;
    struct aiox_error err;

    if (s->stopping) {
        options_free(fresh);
        return;
    }
    if (r->fresh) {
        options_free(r->next);
        r->next = fresh;
        return;
    }
    if (needs_restart(s->options, fresh)) {
        aiox_log(AIOX_LOG_WARN, "what has changed in places, threads, memory, user or files of the"
                                " server itself is heeded at the next start");
    }
    fresh->threads = s->options->threads; /* limits are shared out by it */
    if (prepare_first(s, s->options, fresh, &err) < 0) {
        aiox_log(AIOX_LOG_ERROR, "not reloaded: %s", err.message);
        options_free(fresh);
        return;
    }
    r->fresh = fresh;
    team_ask_all(&s->team, &r->ask, prepare, on_prepared);
}
