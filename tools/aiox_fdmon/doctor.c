/* SPDX-License-Identifier: MIT */
/* doctor.c - what a program would get here, and why. */
#include <stdio.h>
#include <stdlib.h>

#include "aiox/aiox.h"

#include "commands.h"
#include "environment.h"
#include "findings.h"

static const char *const variables[] = {
    "AIOX_FDMON", "AIOX_FDMON_PATH", "AIOX_FDMON_OPTS", "AIOX_FDMON_DEBUG", "AIOX_NO_ENV",
};

#define VARIABLE_COUNT ((int)(sizeof(variables) / sizeof(*variables)))

/* The outcome of aiox_new() without hiding its steps. */
struct outcome {
    struct aiox_choice choice;
    struct aiox_context *ctx;
    struct aiox_backend_info info;
    const struct aiox_backend_report *reports;
    int report_count;
    int error;
    struct aiox_error err;
};

/* A context that fails to set up stays on the linked-in backend: its reports are what we want. */
static void choose(struct outcome *o)
{
    aiox_choice_get(&o->choice, NULL);
    o->error = aiox_context_new(&o->ctx, &o->choice.sources, &o->err);
    if (o->error) {
        return;
    }
    o->error = aiox_context_setup(o->ctx, o->choice.spec, &o->err);
    aiox_context_backend_info(o->ctx, &o->info);
    o->report_count = aiox_context_backend_report(o->ctx, &o->reports);
}

static void print_text(const struct fact *facts, int count, const struct outcome *o)
{
    for (int i = 0; i < count; i++) {
        printf("%-25s %s\n", facts[i].key, facts[i].value);
    }
    for (int i = 0; i < VARIABLE_COUNT; i++) {
        const char *value = getenv(variables[i]);

        if (value) {
            printf("%-25s %s\n", variables[i], value);
        }
    }
    printf("%-25s %s (%s)\n", "asked for", o->choice.spec, o->choice.said_by);
    if (o->error) {
        printf("%-25s none: %s\n", "chosen", o->err.message);
    } else {
        printf("%-25s %s %s from %s%s%s\n", "chosen", o->info.name, o->info.version,
               o->info.path[0] ? o->info.path : "the program", o->info.how[0] ? ": " : "",
               o->info.how);
    }
    for (int i = 0; i < o->report_count; i++) {
        const struct aiox_backend_report *r = &o->reports[i];
        char words[450];

        report_words(r, words, sizeof(words));
        printf("  %-12s %-8s %s%s%s\n", r->name[0] ? r->name : "-",
               aiox_backend_stage_text(r->stage), words, words[0] && r->path[0] ? ": " : "",
               r->path);
    }
}

static void print_json(const struct fact *facts, int count, const struct outcome *o)
{
    struct json j = {.out = stdout};

    json_begin(&j, NULL, '{');
    json_begin(&j, "environment", '{');
    for (int i = 0; i < count; i++) {
        json_text(&j, facts[i].key, facts[i].value);
    }
    json_end(&j, '}');
    json_begin(&j, "variables", '{');
    for (int i = 0; i < VARIABLE_COUNT; i++) {
        json_text(&j, variables[i], getenv(variables[i]));
    }
    json_end(&j, '}');
    json_text(&j, "asked_for", o->choice.spec);
    json_text(&j, "said_by", o->choice.said_by);
    json_text(&j, "chosen", o->error ? NULL : o->info.name);
    json_text(&j, "how", o->error ? NULL : o->info.how);
    json_text(&j, "error", o->error ? o->err.message : NULL);
    json_begin(&j, "candidates", '[');
    for (int i = 0; i < o->report_count; i++) {
        json_begin(&j, NULL, '{');
        report_to_json(&j, &o->reports[i]);
        json_end(&j, '}');
    }
    json_end(&j, ']');
    json_end(&j, '}');
}

int command_doctor(const struct arguments *args)
{
    struct fact facts[FACTS_MAX];
    int count = environment_get(facts);
    struct outcome o = {.error = 0};

    choose(&o);
    if (args->json) {
        print_json(facts, count, &o);
    } else {
        print_text(facts, count, &o);
    }
    aiox_context_unref(o.ctx);
    return o.error ? EXIT_NOT_USABLE : EXIT_GOOD;
}
