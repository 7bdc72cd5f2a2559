/* SPDX-License-Identifier: MIT */
/*
 * export.c - the list of what is served: opened by what the user said, found
 * by what a client says.
 */
#include "export.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "blocks.h"
#include "cow_overlay.h"
#include "export_cow.h"
#include "text.h"
#include "wire.h"

static const char memory_prefix[] = "memory:";

static int open_plain(struct nbd_export **out, struct aiox_context *ctx,
                      const struct export_spec *spec, struct aiox_error *err)
{
    size_t prefix = sizeof(memory_prefix) - 1;
    uint64_t size_bytes;

    if (strncmp(spec->source, memory_prefix, prefix) != 0) {
        return export_file_open(out, ctx, spec, err);
    }
    if (spec->direct) {
        return aiox_error_set(err, -EINVAL, "memory has nothing to do with O_DIRECT");
    }
    if (!text_to_size(spec->source + prefix, &size_bytes)) {
        return aiox_error_set(err, -EINVAL, "'%s' is not a size", spec->source + prefix);
    }
    return export_memory_open(out, size_bytes, spec->sibling, err);
}

/* Copies on write over what @spec names. */
static int open_cow(struct nbd_export **out, struct aiox_context *ctx,
                    const struct export_spec *spec, struct aiox_error *err)
{
    struct export_spec below_spec = *spec;
    struct cow_layers layers = {.bytes_max = spec->cow_bytes, .sibling = spec->sibling};
    struct cow_layers other = {0};
    int error;

    if (spec->sibling) {
        other = export_cow_layers(spec->sibling);
    }
    below_spec.sibling = other.below;
    below_spec.read_only = true;
    error = open_plain(&layers.below, ctx, &below_spec, err);
    if (error < 0) {
        return error;
    }
    layers.below->read_only = true;
    if (layers.below->min_mask >= BLOCKS_BYTES) {
        error = aiox_error_set(err, -EINVAL, "O_DIRECT wants larger blocks here than cow has");
        goto fail_below;
    }
    error = cow_overlay_open(&layers.overlay, ctx, layers.below->size_bytes, other.overlay, err);
    if (error < 0) {
        goto fail_below;
    }
    error = export_cow_over(out, ctx, &layers);
    if (error < 0) {
        aiox_error_set(err, error, "no memory");
        goto fail_overlay;
    }
    return 0;

fail_overlay:
    layers.overlay->ops->close(layers.overlay);
fail_below:
    layers.below->ops->close(layers.below);
    return error;
}

static int open_source(struct nbd_export **out, struct aiox_context *ctx,
                       const struct export_spec *spec, struct aiox_error *err)
{
    if (spec->cow && !spec->read_only) {
        return open_cow(out, ctx, spec, err);
    }
    return open_plain(out, ctx, spec, err);
}

static int check_words(const struct export_list *list, const struct export_spec *spec,
                       struct aiox_error *err)
{
    if (strlen(spec->name) > NBD_STRING_MAX) {
        return aiox_error_set(err, -EINVAL, "a name has at most %d bytes", NBD_STRING_MAX);
    }
    if (spec->description && strlen(spec->description) > NBD_STRING_MAX) {
        return aiox_error_set(err, -EINVAL, "a description has at most %d bytes", NBD_STRING_MAX);
    }
    for (const struct nbd_export *e = list->first; e; e = e->next) {
        if (strcmp(e->name, spec->name) == 0) {
            return aiox_error_set(err, -EEXIST, "there are two of that name");
        }
    }
    return 0;
}

static void append(struct export_list *list, struct nbd_export *e)
{
    struct nbd_export **end = &list->first;

    while (*end) {
        end = &(*end)->next;
    }
    *end = e;
}

int export_list_open(struct export_list *list, struct aiox_context *ctx,
                     const struct export_spec *spec, struct aiox_error *err)
{
    struct nbd_export *e = NULL;
    int error = check_words(list, spec, err);

    if (error == 0) {
        error = open_source(&e, ctx, spec, err);
    }
    if (error < 0) {
        char quoted[TEXT_QUOTED];

        aiox_error_prefix(err, "export %s: ", text_quote(quoted, spec->name, strlen(spec->name)));
        return error;
    }
    e->name = strdup(spec->name);
    e->source = strdup(spec->source);
    e->description = spec->description ? strdup(spec->description) : NULL;
    e->read_only = spec->read_only;
    append(list, e);
    if (!e->name || !e->source || (spec->description && !e->description)) {
        return aiox_error_set(err, -ENOMEM, "no memory for the name of an export");
    }
    e->name_bytes = strlen(e->name);
    return 0;
}

void export_list_choose_default(struct export_list *list)
{
    struct nbd_export *nameless;

    list->by_default = NULL;
    nameless = export_list_find(list, "", 0);
    if (!nameless && list->first && !list->first->next) {
        nameless = list->first;
    }
    list->by_default = nameless;
}

struct nbd_export *export_list_find(const struct export_list *list, const void *name, size_t bytes)
{
    if (bytes == 0 && list->by_default) {
        return list->by_default;
    }
    for (struct nbd_export *e = list->first; e; e = e->next) {
        if (e->name_bytes == bytes && memcmp(e->name, name, bytes) == 0) {
            return e;
        }
    }
    return NULL;
}

void export_list_close(struct export_list *list)
{
    while (list->first) {
        struct nbd_export *e = list->first;

        list->first = e->next;
        free(e->name);
        free(e->source);
        free(e->description);
        e->ops->close(e);
    }
    list->by_default = NULL;
}

/*
 * NBD_FLAG_CAN_MULTI_CONN: all connections reach the same object, each request is
 * done in it when it is answered, and a flush syncs the object, not what one
 * connection wrote. So a flush on one covers what was answered on any.
 */
uint16_t export_flags(const struct nbd_export *e)
{
    uint16_t flags = NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH | NBD_FLAG_SEND_FUA |
                     NBD_FLAG_SEND_CACHE | NBD_FLAG_CAN_MULTI_CONN;

    if (e->read_only) {
        return flags | NBD_FLAG_READ_ONLY;
    }
    return flags | NBD_FLAG_SEND_TRIM | NBD_FLAG_SEND_WRITE_ZEROES | NBD_FLAG_SEND_FAST_ZERO;
}
