/* SPDX-License-Identifier: MIT */
/*
 * findings.h - the candidates of a scan, to be shown.
 */
#ifndef TOOLS_AIOX_FDMON_FINDINGS_H_
#define TOOLS_AIOX_FDMON_FINDINGS_H_

#include <stdbool.h>

#include "aiox/backend.h"

#include "json.h"

struct finding {
    struct aiox_backend_report report;
    const struct aiox_fdmon_plugin *plugin; /* NULL: not known */
};

struct findings {
    struct finding *items;
    int count;
};

/*
 * Looks at @only (a name, a path, or NULL: all) of what aiox_new() would
 * choose from. Ends the program when there is no memory.
 */
void findings_get(struct findings *out, enum aiox_backend_scan_mode mode, const char *only);
void findings_free(struct findings *f);

/* True if the backend works as far as it was looked at. */
bool finding_is_good(const struct finding *f);

/* "usable", "degraded" or "unusable", of one that was probed; else where it ended. */
const char *finding_verdict(const struct finding *f);

/* Where it comes from: "linked in" or its path. */
const char *finding_origin(const struct finding *f);

/* "open: denied by policy: words; hint", or "" */
const char *report_words(const struct aiox_backend_report *r, char *out, unsigned long bytes);

void finding_to_json(struct json *j, const struct finding *f);
void report_to_json(struct json *j, const struct aiox_backend_report *r);

#endif /* TOOLS_AIOX_FDMON_FINDINGS_H_ */
