/* SPDX-License-Identifier: MIT */
/* again.c - opens what was chosen before, without looking at anything else. */
#include "monitor.h"
#include "recall.h"

bool backend_open_again_(struct backend **out, const struct backend_sources *from, const char *spec,
                         struct backend_reports *reports)
{
    struct aiox_backend_report unused = {.stage = AIOX_BACKEND_CHOSEN};
    struct backend_reports then = {0};
    const struct plugin *code = recall_(from, spec, &then);
    struct backend *b = NULL;

    if (!code || backend_make_(&b, code, from->options, &unused) < 0 ||
        backend_start_(b, &unused) < 0) {
        backend_close_(b);
        backend_reports_free_(&then);
        return false;
    }
    if (reports) {
        *reports = then;
    } else {
        backend_reports_free_(&then);
    }
    *out = b;
    return true;
}
