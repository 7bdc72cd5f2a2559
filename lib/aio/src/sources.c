/* SPDX-License-Identifier: MIT */
/* sources.c - a private copy of where backends may come from. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aiox/assert.h"

#include "backend.h"

static size_t table_bytes(aiox_fdmon_entry_fn *const *table)
{
    size_t count = 1; /* the NULL at its end */

    while (table[count - 1]) {
        count++;
    }
    return count * sizeof(*table);
}

static size_t text_bytes(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

/* A copy of @text, which may be NULL, at @at. */
static char *copy_text(char *at, const char *text, size_t bytes)
{
    return bytes ? memcpy(at, text, bytes) : NULL;
}

int backend_sources_copy_(struct backend_sources *out, const struct aiox_backend_sources *from)
{
    size_t table, path, options;
    char *block;

    aiox_assert(from->linked_in && from->linked_in[0]);
    table = table_bytes(from->linked_in);
    path = text_bytes(from->path);
    options = text_bytes(from->options);
    block = malloc(table + path + options);
    if (!block) {
        return -ENOMEM;
    }
    *out = (struct backend_sources){
        .linked_in = memcpy(block, from->linked_in, table),
        .path = copy_text(block + table, from->path, path),
        .options = copy_text(block + table + path, from->options, options),
        .linked_in_only = from->linked_in_only,
        .system_only = from->system_only,
    };
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
    memset(s, 0, sizeof(*s));
}
