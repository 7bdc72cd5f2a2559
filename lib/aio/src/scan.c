/* SPDX-License-Identifier: MIT */
/* scan.c - shows what there is, for people and tools. */
#define _GNU_SOURCE
#include "aiox/backend.h"

#include <string.h>

#include "aiox/clock.h"

#include "monitor.h"
#include "options.h"
#include "report.h"
#include "search.h"

/* Finds out whether @c works here; nothing of it stays. */
static void probe(struct candidate *c, const char *options)
{
    int64_t begin_ns = aiox_clock_now_ns();
    struct backend *b;

    if (backend_make_(&b, c->code, options, &c->report) == 0) {
        (void)!backend_probe_(b, &c->report);
        backend_close_(b);
    }
    c->report.spent_ns += aiox_clock_now_ns() - begin_ns;
}

/* Goes as far with @c as @mode says. Returns what it says of itself, or NULL. */
static const struct aiox_fdmon_plugin *look(struct candidate *c, enum aiox_backend_scan_mode mode,
                                            const char *options)
{
    struct aiox_backend_report *r = &c->report;

    if (r->stage != AIOX_BACKEND_CHOSEN) {
        return NULL;
    }
    if (mode == AIOX_BACKEND_SCAN_FILES && !c->linked_in) {
        plugin_look_(r);
        return NULL;
    }
    if (candidate_load_(c) != 0) {
        return NULL;
    }
    if (mode == AIOX_BACKEND_SCAN_PROBE) {
        probe(c, options);
    }
    return &c->code->tables.plugin;
}

static int find(struct candidates *out, const struct aiox_backend_sources *sources,
                const char *only)
{
    return only && only[0] == '/' ? search_file_(out, only) : search_(out, sources, true);
}

int aiox_backend_scan(const struct aiox_backend_sources *sources, enum aiox_backend_scan_mode mode,
                      const char *only, aiox_backend_visit_fn *visit, void *opaque)
{
    const char *name = only && only[0] != '/' ? only : NULL;
    struct candidates found;
    int shown = 0;
    int error;

    memset(&found, 0, sizeof(found));
    error = find(&found, sources, only);
    for (int i = 0; !error && i < found.count; i++) {
        struct candidate *c = &found.items[i];
        const struct aiox_fdmon_plugin *plugin;

        if (name && strcmp(c->report.name, name) != 0) {
            continue;
        }
        plugin = look(c, mode, sources->options);
        shown++;
        if (!visit(opaque, &c->report, plugin)) {
            break;
        }
    }
    candidates_free_(&found);
    return error ? error : shown;
}
