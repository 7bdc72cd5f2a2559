/* SPDX-License-Identifier: MIT */
/*
 * select.c - which of the candidates is taken.
 *
 * What somebody names is looked at alone, so that no other file is opened for
 * it. "auto" has to open every file to learn the ranks, but asks only as many
 * whether they work as it needs to. Each candidate is looked at once, and
 * leaves a report whatever becomes of it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "aiox/assert.h"
#include "aiox/clock.h"
#include "aiox/log.h"

#include "backend.h"
#include "monitor.h"
#include "options.h"
#include "recall.h"
#include "report.h"
#include "search.h"
#include "spec.h"

/* More names than this are not told to somebody who asked for a wrong one. */
#define KNOWN_MAX 32

struct selection {
    struct spec spec;
    const char *options;
    struct candidates found;
    struct backend_reports reports;
    struct backend *chosen;
    const struct plugin *code;        /* of the chosen one */
    struct aiox_backend_report first; /* the first that failed; no stage: CHOSEN */
    struct aiox_backend_report last;  /* the last that failed */
};

/* ---- what is said ---- */

/* Hands out what became of a candidate, and remembers it for the words at the end. */
static int note(struct selection *s, const struct aiox_backend_report *r)
{
    if (r->error != 0) {
        s->first = s->first.error != 0 ? s->first : *r;
        s->last = *r;
    }
    return reports_add_(&s->reports, r);
}

/* The names of what there is. Returns how many. */
static int known_names(const struct candidates *c, const char *names[KNOWN_MAX])
{
    int count = 0;

    for (int i = 0; i < c->count && count < KNOWN_MAX; i++) {
        if (!c->items[i].shadowed && c->items[i].report.name[0]) {
            names[count++] = c->items[i].report.name;
        }
    }
    return count;
}

static void join(char *out, size_t bytes, const char *const *words, int count)
{
    size_t used = 0;

    out[0] = '\0';
    for (int i = 0; i < count && used < bytes; i++) {
        used += (size_t)snprintf(out + used, bytes - used, "%s%s", i ? ", " : "", words[i]);
    }
}

/* There is no candidate of the name @name. */
static int note_unknown(struct selection *s, const char *name)
{
    struct aiox_backend_report r = {.stage = AIOX_BACKEND_CHOSEN};
    const char *names[KNOWN_MAX];
    int count = known_names(&s->found, names);
    const char *meant = name_near_(name, names, count);
    char known[120];
    char dirs[100];

    join(known, sizeof(known), names, count);
    join(dirs, sizeof(dirs), (const char *const *)s->found.dirs, s->found.dir_count);
    snprintf(r.name, sizeof(r.name), "%s", name);
    report_set_(&r, AIOX_BACKEND_FIND, AIOX_FDMON_CAUSE_MISSING, -ENOENT,
                "no such backend; known: %s", known);
    report_hint_(&r, "%s%s%s%s%s", meant ? "did you mean '" : "", meant ? meant : "",
                 meant ? "'? " : "", dirs[0] ? "looked in " : "no directory was looked in", dirs);
    return note(s, &r);
}

/* An exclusion that excludes nothing is a slip of the pen if there is a name like it. */
static void warn_of_exclusions(const struct selection *s)
{
    const char *names[KNOWN_MAX];
    int count = known_names(&s->found, names);

    for (int i = 0; i < s->spec.excluded_count; i++) {
        const char *name = s->spec.excluded[i];
        const char *meant = name_near_(name, names, count);

        if (!candidates_find_(&s->found, name) && meant) {
            aiox_log(AIOX_LOG_WARN, "'-%s' excludes no backend; did you mean '-%s'?", name, meant);
        }
    }
}

/* ---- one candidate ---- */

static int check_caps(const struct selection *s, struct candidate *c)
{
    uint64_t lacking = s->spec.caps & ~c->code->tables.plugin.caps;
    char text[120];

    if (lacking == 0) {
        return 0;
    }
    return report_set_(&c->report, AIOX_BACKEND_SKIPPED, AIOX_FDMON_CAUSE_NONE, -ENOTSUP,
                       "lacks %s", aiox_backend_caps_text(lacking, text, sizeof(text)));
}

/* Everything between a candidate and an open monitor. */
static int bring_up(struct selection *s, struct candidate *c)
{
    struct backend *b = NULL;
    int error = candidate_load_(c);

    if (!error) {
        error = check_caps(s, c);
    }
    if (!error) {
        error = backend_make_(&b, c->code, s->options, &c->report);
    }
    if (!error) {
        error = backend_probe_(b, &c->report);
    }
    if (!error) {
        error = backend_start_(b, &c->report);
    }
    if (error) {
        backend_close_(b);
        return error;
    }
    s->chosen = b;
    s->code = c->code;
    return 0;
}

/* Takes @c if it works. 0 or -ENOMEM for the report; s->chosen says how it went. */
static int try_one(struct selection *s, struct candidate *c)
{
    int64_t begin_ns = aiox_clock_now_ns();
    int64_t spent_ns = c->report.spent_ns; /* it may have been loaded before */

    c->is_looked_at = true;
    if (bring_up(s, c) == 0) {
        c->report.stage = AIOX_BACKEND_CHOSEN;
    }
    c->report.spent_ns = spent_ns + aiox_clock_now_ns() - begin_ns;
    return note(s, &c->report);
}

/* ---- all candidates ---- */

static void skip_excluded(struct selection *s)
{
    for (int i = 0; i < s->found.count; i++) {
        struct candidate *c = &s->found.items[i];

        if (!c->shadowed && spec_excludes_(&s->spec, c->report.name)) {
            report_set_(&c->report, AIOX_BACKEND_SKIPPED, AIOX_FDMON_CAUSE_NONE, 0,
                        "excluded by '-%s'", c->report.name);
        }
    }
}

static bool is_open_to_auto(const struct candidate *c)
{
    return !c->is_looked_at && c->report.stage != AIOX_BACKEND_SKIPPED;
}

static struct candidate *best(const struct selection *s)
{
    struct candidate *best = NULL;

    for (int i = 0; i < s->found.count; i++) {
        struct candidate *c = &s->found.items[i];

        if (is_open_to_auto(c) && c->report.rank >= 0 &&
            (!best || c->report.rank > best->report.rank)) {
            best = c;
        }
    }
    return best;
}

static int try_auto(struct selection *s)
{
    struct candidate *c;
    int error = 0;

    for (int i = 0; !error && i < s->found.count; i++) {
        c = &s->found.items[i];
        if (is_open_to_auto(c) && candidate_load_(c) != 0) {
            c->is_looked_at = true;
            error = note(s, &c->report);
        }
    }
    while (!error && !s->chosen && (c = best(s)) != NULL) {
        error = try_one(s, c);
    }
    return error;
}

static int try_name(struct selection *s, const char *name)
{
    struct candidate *c = candidates_find_(&s->found, name);

    if (!c) {
        return note_unknown(s, name);
    }
    return c->is_looked_at ? 0 : try_one(s, c);
}

static int try_all(struct selection *s)
{
    int error = 0;

    for (int i = 0; !error && !s->chosen && i < s->spec.choice_count; i++) {
        const struct spec_choice *choice = &s->spec.choices[i];

        error = choice->name[0] ? try_name(s, choice->name) : try_auto(s);
        if (choice->must) {
            break;
        }
    }
    return error;
}

/* Those that nobody looked at have reports, too. */
static int note_the_rest(struct selection *s)
{
    int error = 0;

    for (int i = 0; !error && i < s->found.count; i++) {
        struct candidate *c = &s->found.items[i];

        if (c->is_looked_at) {
            continue;
        }
        if (c->report.stage == AIOX_BACKEND_CHOSEN && c->code && c->report.rank < 0) {
            report_set_(&c->report, AIOX_BACKEND_SKIPPED, AIOX_FDMON_CAUSE_NONE, 0,
                        "chosen by name only");
        } else if (c->report.stage == AIOX_BACKEND_CHOSEN) {
            report_set_(&c->report, AIOX_BACKEND_SKIPPED, AIOX_FDMON_CAUSE_NONE, 0,
                        s->chosen ? "not needed" : "not asked for");
        }
        error = reports_add_(&s->reports, &c->report);
    }
    return error;
}

/* ---- the end ---- */

static void say_second_choice(const struct selection *s)
{
    struct aiox_error why;

    if (s->first.error != 0) {
        report_to_error_(&s->first, &why);
        aiox_log(AIOX_LOG_INFO, "backend '%s' was taken, not the first choice: %s",
                 s->chosen->plugin.name, why.message);
    }
}

static int explain(const struct selection *s, const char *spec, struct aiox_error *err)
{
    int tried = 0;

    if (s->last.error == 0) {
        return aiox_error_set(err, -ENOENT, "'%s' leaves no backend to choose", spec);
    }
    for (int i = 0; i < s->reports.count; i++) {
        tried += s->reports.items[i].error != 0;
    }
    report_to_error_(&s->last, err);
    if (tried > 1) {
        aiox_error_prefix(err, "'%.60s': nothing works, last: ", spec);
    }
    return s->last.error;
}

static int finish(struct selection *s, int error, struct backend **out, const char *spec,
                  struct backend_reports *reports, struct aiox_error *err)
{
    if (error) {
        aiox_error_set(err, error, "no memory to choose a backend");
    } else if (s->chosen) {
        say_second_choice(s);
        *out = s->chosen;
        s->chosen = NULL;
    } else {
        error = explain(s, spec, err);
    }
    backend_close_(s->chosen);
    candidates_free_(&s->found);
    if (reports) {
        *reports = s->reports;
    } else {
        backend_reports_free_(&s->reports);
    }
    return error;
}

/* The first that is linked in works everywhere: it is not asked whether it does. */
static int open_first(struct selection *s, aiox_fdmon_entry_fn *entry)
{
    struct aiox_backend_report r = {.stage = AIOX_BACKEND_CHOSEN};
    const struct aiox_fdmon_plugin *theirs = entry(0);
    const struct plugin *code;
    int64_t begin_ns = aiox_clock_now_ns();
    int error;

    aiox_assert(theirs);
    snprintf(r.name, sizeof(r.name), "%s", theirs->name ? theirs->name : "");
    error = plugin_linked_in_(&code, theirs, &r);
    if (!error) {
        error = backend_make_(&s->chosen, code, s->options, &r);
    }
    if (!error) {
        error = backend_start_(s->chosen, &r);
    }
    if (error) {
        backend_close_(s->chosen);
        s->chosen = NULL;
    }
    r.spent_ns = aiox_clock_now_ns() - begin_ns;
    return note(s, &r);
}

/* Looks at all there is. */
static int choose(struct selection *s, const struct backend_sources *from, const char *spec)
{
    struct aiox_backend_sources sources = backend_sources_to_search_(from);
    int error = search_(&s->found, &sources, !s->spec.linked_in_only);

    if (!error) {
        warn_of_exclusions(s);
        skip_excluded(s);
        error = try_all(s);
    }
    if (!error) {
        error = note_the_rest(s);
    }
    if (!error && s->code && s->first.error == 0) {
        remember_(from, spec, s->code, &s->reports);
    }
    return error;
}

/* As backend_open_(), whatever was chosen before. */
static int open_anew(struct backend **out, const struct backend_sources *from, const char *spec,
                     struct backend_reports *reports, struct aiox_error *err)
{
    struct selection s;
    int error;

    memset(&s, 0, sizeof(s));
    s.options = from->options;
    if (!spec) {
        error = open_first(&s, from->linked_in[0]);
        return finish(&s, error, out, "", reports, err);
    }
    error = spec_parse_(&s.spec, spec, err);
    if (error) {
        return error;
    }
    error = choose(&s, from, spec);
    return finish(&s, error, out, spec, reports, err);
}

int backend_open_(struct backend **out, const struct backend_sources *from, const char *spec,
                  struct backend_reports *reports, struct aiox_error *err)
{
    int error = options_check_(from->options, err);

    if (reports) {
        backend_reports_free_(reports);
    }
    if (error || (spec && backend_open_again_(out, from, spec, reports))) {
        return error;
    }
    return open_anew(out, from, spec, reports, err);
}
