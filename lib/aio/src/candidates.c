/* SPDX-License-Identifier: MIT */
/* candidates.c - a list of backends that may be chosen, first come first. */
#define _GNU_SOURCE
#include "candidates.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aiox/clock.h"

#include "report.h"

struct candidate *candidates_add_(struct candidates *c)
{
    struct candidate *one;

    if (c->count == c->room_) {
        int room = c->room_ ? 2 * c->room_ : 8;
        struct candidate *items = reallocarray(c->items, (size_t)room, sizeof(*items));

        if (!items) {
            return NULL;
        }
        c->items = items;
        c->room_ = room;
    }
    one = &c->items[c->count++];
    memset(one, 0, sizeof(*one));
    one->report.stage = AIOX_BACKEND_CHOSEN;
    return one;
}

/* True if @one stands for its name. */
static bool is_sound(const struct candidate *one)
{
    return !one->shadowed && !report_is_failure_(&one->report);
}

void candidates_shadow_last_(struct candidates *c)
{
    struct candidate *last = &c->items[c->count - 1];

    for (int i = 0; i < c->count - 1 && is_sound(last); i++) {
        const struct candidate *other = &c->items[i];

        if (is_sound(other) && strcmp(other->report.name, last->report.name) == 0) {
            last->shadowed = true;
            report_set_(&last->report, AIOX_BACKEND_SKIPPED, AIOX_FDMON_CAUSE_NONE, 0,
                        "shadowed by %.200s",
                        other->linked_in ? "the one that is linked in" : other->report.path);
        }
    }
}

int candidates_note_dir_(struct candidates *c, const char *dir)
{
    char **dirs;

    for (int i = 0; i < c->dir_count; i++) {
        if (strcmp(c->dirs[i], dir) == 0) {
            return -EEXIST;
        }
    }
    dirs = reallocarray(c->dirs, (size_t)c->dir_count + 1, sizeof(*dirs));
    if (!dirs) {
        return -ENOMEM;
    }
    c->dirs = dirs;
    dirs[c->dir_count] = strdup(dir);
    if (!dirs[c->dir_count]) {
        return -ENOMEM;
    }
    c->dir_count++;
    return 0;
}

struct candidate *candidates_find_(const struct candidates *c, const char *name)
{
    struct candidate *failed = NULL;

    for (int i = 0; i < c->count; i++) {
        struct candidate *one = &c->items[i];

        if (strcmp(one->report.name, name) != 0 || one->shadowed) {
            continue;
        }
        if (is_sound(one)) {
            return one;
        }
        failed = failed ? failed : one;
    }
    return failed;
}

int candidate_load_(struct candidate *one)
{
    struct aiox_backend_report *r = &one->report;
    int64_t begin_ns = aiox_clock_now_ns();
    int error = 0;

    if (report_is_failure_(r)) {
        return r->error;
    }
    if (!one->code) {
        error = one->linked_in ? plugin_linked_in_(&one->code, one->linked_in, r)
                               : plugin_load_(&one->code, r->path, r->name, r);
        r->spent_ns += aiox_clock_now_ns() - begin_ns;
    }
    return error;
}

void candidates_free_(struct candidates *c)
{
    for (int i = 0; i < c->dir_count; i++) {
        free(c->dirs[i]);
    }
    free(c->dirs);
    free(c->items);
    memset(c, 0, sizeof(*c));
}
