/* SPDX-License-Identifier: MIT */
/* sources.c - a private copy of where backends may come from. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aiox/assert.h"

#include "backend.h"

/* A copy of @text, which may be NULL. False: no memory. */
static bool copy_text(char **out, const char *text)
{
    *out = text ? strdup(text) : NULL;
    return *out || !text;
}

static bool copy_table(aiox_fdmon_entry_fn ***out, aiox_fdmon_entry_fn *const *table)
{
    size_t count = 0;

    while (table[count]) {
        count++;
    }
    *out = calloc(count + 1, sizeof(**out));
    if (*out) {
        memcpy(*out, table, count * sizeof(**out));
    }
    return *out;
}

int backend_sources_copy_(struct backend_sources *out, const struct aiox_backend_sources *from)
{
    struct backend_sources copy = {
        .linked_in_only = from->linked_in_only,
        .system_only = from->system_only,
    };

    aiox_assert(from->linked_in && from->linked_in[0]);
    if (!copy_table(&copy.linked_in, from->linked_in) || !copy_text(&copy.path, from->path) ||
        !copy_text(&copy.options, from->options)) {
        backend_sources_free_(&copy);
        return -ENOMEM;
    }
    *out = copy;
    return 0;
}

struct aiox_backend_sources backend_sources_to_search_(const struct backend_sources *s)
{
    return (struct aiox_backend_sources){
        .linked_in = s->linked_in,
        .path = s->path,
        .linked_in_only = s->linked_in_only,
        .system_only = s->system_only,
    };
}

void backend_sources_free_(struct backend_sources *s)
{
    free(s->linked_in);
    free(s->path);
    free(s->options);
    memset(s, 0, sizeof(*s));
}
