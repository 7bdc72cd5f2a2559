/* SPDX-License-Identifier: MIT */
/* findings.c - the candidates of a scan, to be shown. */
#define _GNU_SOURCE
#include "findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aiox/aiox.h"
#include "aiox/error.h"

#include "commands.h"

static void give_up(void)
{
    fputs("aiox-fdmon: out of memory\n", stderr);
    exit(EXIT_NOT_USABLE);
}

static bool take(void *opaque, const struct aiox_backend_report *report,
                 const struct aiox_fdmon_plugin *plugin)
{
    struct findings *f = opaque;
    struct finding *items = reallocarray(f->items, (size_t)f->count + 1, sizeof(*items));

    if (!items) {
        give_up();
    }
    f->items = items;
    items[f->count].report = *report;
    items[f->count].plugin = plugin;
    f->count++;
    return true;
}

void findings_get(struct findings *out, enum aiox_backend_scan_mode mode, const char *only)
{
    struct aiox_choice choice;

    memset(out, 0, sizeof(*out));
    aiox_choice_get(&choice, NULL);
    if (aiox_backend_scan(&choice.sources, mode, only, take, out) < 0) {
        give_up();
    }
}

void findings_free(struct findings *f)
{
    free(f->items);
    memset(f, 0, sizeof(*f));
}

bool finding_is_good(const struct finding *f)
{
    return f->report.stage == AIOX_BACKEND_CHOSEN;
}

const char *finding_verdict(const struct finding *f)
{
    if (f->report.stage == AIOX_BACKEND_SKIPPED) {
        return aiox_backend_stage_text(AIOX_BACKEND_SKIPPED);
    }
    if (!finding_is_good(f)) {
        return "unusable";
    }
    return f->report.cause != AIOX_FDMON_CAUSE_NONE ? "degraded" : "usable";
}

const char *finding_origin(const struct finding *f)
{
    return f->report.path[0] ? f->report.path : "linked in";
}

const char *report_words(const struct aiox_backend_report *r, char *out, unsigned long bytes)
{
    bool has_cause = r->cause != AIOX_FDMON_CAUSE_NONE;

    snprintf(out, bytes, "%s%s%s%s%s%s", has_cause ? aiox_backend_cause_text(r->cause) : "",
             has_cause && r->text[0] ? ": " : "", r->text, r->hint[0] ? " (" : "", r->hint,
             r->hint[0] ? ")" : "");
    return out;
}

static void caps_to_json(struct json *j, const char *key, uint64_t caps)
{
    char text[200];
    char *rest = text;
    char *cap;

    aiox_backend_caps_text(caps, text, sizeof(text));
    json_begin(j, key, '[');
    while ((cap = strsep(&rest, "+")) != NULL) {
        if (cap[0]) {
            json_text(j, NULL, cap);
        }
    }
    json_end(j, ']');
}

void report_to_json(struct json *j, const struct aiox_backend_report *r)
{
    json_text(j, "name", r->name);
    json_text(j, "version", r->version[0] ? r->version : NULL);
    json_text(j, "path", r->path[0] ? r->path : NULL);
    json_text(j, "stage", aiox_backend_stage_text(r->stage));
    json_text(j, "cause", r->cause ? aiox_backend_cause_text(r->cause) : NULL);
    json_text(j, "error", r->error ? aiox_error_name(r->error) : NULL);
    json_text(j, "text", r->text);
    json_text(j, "hint", r->hint);
    json_number(j, "spent_ns", r->spent_ns);
}

static void options_to_json(struct json *j, const struct aiox_fdmon_option *o)
{
    json_begin(j, "options", '[');
    for (; o && o->name; o++) {
        json_begin(j, NULL, '{');
        json_text(j, "name", o->name);
        json_text(j, "default", o->default_value);
        json_text(j, "help", o->help);
        json_end(j, '}');
    }
    json_end(j, ']');
}

void finding_to_json(struct json *j, const struct finding *f)
{
    const struct aiox_fdmon_plugin *p = f->plugin;

    json_begin(j, NULL, '{');
    report_to_json(j, &f->report);
    json_bool(j, "linked_in", f->report.path[0] == '\0');
    if (p) {
        json_number(j, "abi_major", p->abi_major);
        json_number(j, "abi_minor", p->abi_minor);
        json_number(j, "rank", p->rank);
        json_text(j, "summary", p->summary);
        json_text(j, "license", p->license);
        caps_to_json(j, "caps", p->caps);
        caps_to_json(j, "needs", p->needs);
        options_to_json(j, p->options);
    }
    json_end(j, '}');
}
