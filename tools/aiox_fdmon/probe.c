/* SPDX-License-Identifier: MIT */
/* probe.c - does it work here and now? */
#include <stdio.h>

#include "commands.h"
#include "findings.h"

static void print_line(const struct finding *f)
{
    const struct aiox_backend_report *r = &f->report;
    char words[450];

    report_words(r, words, sizeof(words));
    printf("%-12s %-9s %6lld us", r->name[0] ? r->name : r->path, finding_verdict(f),
           (long long)r->spent_ns / 1000);
    if (!finding_is_good(f)) {
        printf("  %s", aiox_backend_stage_text(r->stage));
    }
    printf("%s%s\n", words[0] ? "  " : "", words);
}

int command_probe(const struct arguments *args)
{
    struct json j = {.out = stdout};
    struct findings all;
    int code = EXIT_NOT_USABLE;

    findings_get(&all, AIOX_BACKEND_SCAN_PROBE, args->name);
    if (args->json) {
        json_begin(&j, NULL, '[');
    }
    for (int i = 0; i < all.count; i++) {
        const struct finding *f = &all.items[i];

        if (f->report.stage == AIOX_BACKEND_SKIPPED) {
            continue;
        }
        code = finding_is_good(f) ? EXIT_GOOD : code;
        if (args->json) {
            finding_to_json(&j, f);
        } else {
            print_line(f);
        }
    }
    if (args->json) {
        json_end(&j, ']');
    } else if (all.count == 0) {
        printf("there is no backend '%s'; aiox-fdmon list shows what there is\n", args->name);
    }
    findings_free(&all);
    return code;
}
