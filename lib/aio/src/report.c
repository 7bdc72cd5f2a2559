/* SPDX-License-Identifier: MIT */
/*
 * report.c - what became of a candidate, in words.
 *
 * Reports that are complete may have several owners; the last one frees them, when
 * the others have read what they wanted ([REPORT-free]).
 */
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aiox/atomic.h"

/* Where the items of a struct backend_reports are. */
struct block {
    aiox_atomic_u32 owners;
    struct aiox_backend_report items[];
};

static const char *const stage_texts[] = {
    [AIOX_BACKEND_FIND] = "find",     [AIOX_BACKEND_NOTE] = "note",
    [AIOX_BACKEND_LOAD] = "load",     [AIOX_BACKEND_ABI] = "abi",
    [AIOX_BACKEND_PROBE] = "probe",   [AIOX_BACKEND_OPEN] = "open",
    [AIOX_BACKEND_CHOSEN] = "chosen", [AIOX_BACKEND_SKIPPED] = "skipped",
};

static const char *const cause_texts[] = {
    [AIOX_FDMON_CAUSE_NONE] = "no cause",
    [AIOX_FDMON_CAUSE_MISSING] = "missing",
    [AIOX_FDMON_CAUSE_DENIED] = "denied by policy",
    [AIOX_FDMON_CAUSE_LIMIT] = "limit reached",
    [AIOX_FDMON_CAUSE_QUIRK] = "known fault",
    [AIOX_FDMON_CAUSE_RESOURCES] = "out of resources",
    [AIOX_FDMON_CAUSE_OTHER] = "unfit",
};

const char *aiox_backend_stage_text(enum aiox_backend_stage stage)
{
    size_t index = (size_t)stage;

    return index < sizeof(stage_texts) / sizeof(*stage_texts) ? stage_texts[index] : "?";
}

const char *aiox_backend_cause_text(enum aiox_fdmon_cause cause)
{
    size_t index = (size_t)cause;

    return index < sizeof(cause_texts) / sizeof(*cause_texts) ? cause_texts[index] : "?";
}

int report_set_(struct aiox_backend_report *r, enum aiox_backend_stage stage,
                enum aiox_fdmon_cause cause, int error, const char *format, ...)
{
    va_list args;

    r->stage = stage;
    r->cause = cause;
    r->error = error;
    r->hint[0] = '\0';
    va_start(args, format);
    vsnprintf(r->text, sizeof(r->text), format, args);
    va_end(args);
    return error;
}

int report_hint_(struct aiox_backend_report *r, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(r->hint, sizeof(r->hint), format, args);
    va_end(args);
    return r->error;
}

bool report_is_failure_(const struct aiox_backend_report *r)
{
    return r->stage < AIOX_BACKEND_CHOSEN;
}

static struct block *block_of(const struct backend_reports *r)
{
    return AIOX_CONTAINER_OF(r->items, struct block, items);
}

static int grow(struct backend_reports *r)
{
    size_t room = r->room_ ? 2 * (size_t)r->room_ : 8;
    struct block *b = malloc(sizeof(*b) + room * sizeof(*b->items));

    if (!b) {
        return -ENOMEM;
    }
    aiox_u32_store_relaxed(&b->owners, 1);
    if (r->items) {
        memcpy(b->items, r->items, (size_t)r->count * sizeof(*b->items));
        free(block_of(r));
    }
    r->items = b->items;
    r->room_ = (int)room;
    return 0;
}

int reports_add_(struct backend_reports *r, const struct aiox_backend_report *what)
{
    int error = r->count == r->room_ ? grow(r) : 0;

    if (!error) {
        r->items[r->count++] = *what;
    }
    return error;
}

void reports_share_(struct backend_reports *out, const struct backend_reports *from)
{
    *out = *from;
    if (out->items) {
        aiox_u32_add_relaxed(&block_of(out)->owners, 1);
    }
}

/* [REPORT-free] a free (acq_rel) -> the last free (acq_rel). */
void backend_reports_free_(struct backend_reports *r)
{
    if (r->items && aiox_u32_sub_acq_rel(&block_of(r)->owners, 1) == 1) { /* [REPORT-free] */
        free(block_of(r));
    }
    memset(r, 0, sizeof(*r));
}

/* The end of @path says more than its beginning. */
static const char *tail(const char *path, size_t most)
{
    size_t length = strlen(path);

    return length > most ? path + length - most : path;
}

int report_to_error_(const struct aiox_backend_report *r, struct aiox_error *err)
{
    const char *file = tail(r->path, 70);
    const char *dots = file == r->path ? "" : "...";

    if (!r->name[0]) {
        return aiox_error_set(err, r->error, "%s%s: %s", dots, file, r->text);
    }
    return aiox_error_set(err, r->error, "backend '%s'%s%s%s%s: %s: %s%s%s%s%s", r->name,
                          r->path[0] ? " (" : "", dots, file, r->path[0] ? ")" : "",
                          aiox_backend_stage_text(r->stage),
                          r->cause ? aiox_backend_cause_text(r->cause) : "", r->cause ? ": " : "",
                          r->text, r->hint[0] ? "; " : "", r->hint);
}
