/* SPDX-License-Identifier: MIT */
/* list.c - every backend there is, and whether it works here. */
#include <stdio.h>

#include "commands.h"
#include "findings.h"

static bool is_wanted(const struct finding *f, const struct arguments *args)
{
    return args->all || f->report.stage != AIOX_BACKEND_SKIPPED;
}

static void print_line(const struct finding *f)
{
    const struct aiox_backend_report *r = &f->report;
    char rank[16] = "-";
    char words[450];

    if (f->plugin) {
        snprintf(rank, sizeof(rank), "%d", (int)r->rank);
    }
    report_words(r, words, sizeof(words));
    printf("%-12s %-10s %5s  %-9s %s%s%s\n", r->name[0] ? r->name : "-",
           r->version[0] ? r->version : "-", rank, finding_verdict(f), finding_origin(f),
           words[0] ? ": " : "", words);
}

int command_list(const struct arguments *args)
{
    struct json j = {.out = stdout};
    struct findings all;

    findings_get(&all, AIOX_BACKEND_SCAN_PROBE, NULL);
    if (args->json) {
        json_begin(&j, NULL, '[');
    } else {
        printf("%-12s %-10s %5s  %-9s %s\n", "NAME", "VERSION", "RANK", "STATE", "FROM");
    }
    for (int i = 0; i < all.count; i++) {
        if (!is_wanted(&all.items[i], args)) {
            continue;
        }
        if (args->json) {
            finding_to_json(&j, &all.items[i]);
        } else {
            print_line(&all.items[i]);
        }
    }
    if (args->json) {
        json_end(&j, ']');
    }
    findings_free(&all);
    return EXIT_GOOD;
}
