/* SPDX-License-Identifier: MIT */
/*
 * loop.c - a pin leaves the environment no say; what it says on plugins and
 * their options is therefore handed on.
 */
#include "loop.h"

void loop_wish(struct aiox_preferences *out, const char *fdmon)
{
    struct aiox_choice choice;

    *out = (struct aiox_preferences){0};
    if (!fdmon) {
        return;
    }
    aiox_choice_get(&choice, NULL);
    out->backend = fdmon;
    out->is_pinned = true;
    out->path = choice.sources.path;
    out->options = choice.sources.options;
}
