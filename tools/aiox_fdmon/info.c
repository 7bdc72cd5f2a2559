/* SPDX-License-Identifier: MIT */
/* info.c - what one backend says of itself. */
#define _GNU_SOURCE
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "aiox/fdmon_pollfd.h"

#include "commands.h"
#include "findings.h"

static void print_caps(const char *title, uint64_t caps)
{
    char text[200];

    aiox_backend_caps_text(caps, text, sizeof(text));
    printf("%-13s %s\n", title, text[0] ? text : "none");
}

static void print_extensions(const struct aiox_fdmon_plugin *p)
{
    static const char *const known[] = {AIOX_FDMON_COMPLETION_ID, AIOX_FDMON_POLLFD_ID};
    const char *before = "";

    printf("%-13s ", "extensions");
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (p->get_extension && p->get_extension(known[i])) {
            printf("%s%s", before, known[i]);
            before = ",";
        }
    }
    printf("%s\n", *before ? "" : "none");
}

static void print_plugin(const struct aiox_fdmon_plugin *p)
{
    const struct aiox_fdmon_option *o = p->options;

    printf("%-13s %s\n", "summary", p->summary);
    printf("%-13s %s\n", "license", p->license);
    printf("%-13s %u.%u\n", "contract", (unsigned)p->abi_major, (unsigned)p->abi_minor);
    printf("%-13s %d%s\n", "rank", (int)p->rank, p->rank < 0 ? " (by name only)" : "");
    print_caps("capabilities", p->caps);
    print_caps("needs", p->needs);
    print_extensions(p);
    for (; o && o->name; o++) {
        printf("%-13s %s=%s  %s\n", "option", o->name, o->default_value, o->help);
    }
}

static void print_finding(const struct finding *f)
{
    const struct aiox_backend_report *r = &f->report;
    char words[450];

    printf("%-13s %s\n", "name", r->name);
    printf("%-13s %s\n", "version", r->version);
    printf("%-13s %s\n", "from", finding_origin(f));
    printf("%-13s %s\n", "state", finding_is_good(f) ? "ready" : aiox_backend_stage_text(r->stage));
    report_words(r, words, sizeof(words));
    if (words[0]) {
        printf("%-13s %s\n", "because", words);
    }
    if (f->plugin) {
        print_plugin(f->plugin);
    }
}

/* The loader takes absolute paths only; whoever types may be anywhere. */
static const char *make_absolute(const char *name, char out[PATH_MAX])
{
    char here[PATH_MAX];

    if (!strchr(name, '/') || name[0] == '/' || !getcwd(here, sizeof(here)) ||
        snprintf(out, PATH_MAX, "%s/%s", here, name) >= PATH_MAX) {
        return name;
    }
    return out;
}

int command_info(const struct arguments *args)
{
    enum aiox_backend_scan_mode mode =
        args->no_exec ? AIOX_BACKEND_SCAN_FILES : AIOX_BACKEND_SCAN_LOAD;
    struct json j = {.out = stdout};
    struct findings all;
    char path[PATH_MAX];
    int code = EXIT_NOT_USABLE;

    findings_get(&all, mode, make_absolute(args->name, path));
    if (args->json) {
        json_begin(&j, NULL, '[');
    }
    for (int i = 0; i < all.count; i++) {
        const struct finding *f = &all.items[i];

        code = finding_is_good(f) ? EXIT_GOOD : code;
        if (args->json) {
            finding_to_json(&j, f);
        } else {
            fputs(i > 0 ? "\n" : "", stdout);
            print_finding(f);
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
