/* SPDX-License-Identifier: MIT */
/* part.c - what a context has for files: requests that have ended, until the next turn. */
#include "aiox/assert.h"

#include "file.h"

/*
 * What ends while these are told waits for the next turn: else a file that is
 * always cached would keep the loop here. Whoever is told may turn the loop; so
 * the rest stays where a nested run finds it, and while there is a rest the
 * bottom half is asked for.
 */
static void end_all(void *opaque)
{
    struct aiox_file_part_ *part = opaque;
    struct aiox_list_node *node;

    aiox_list_splice_back(&part->due, &part->ended);
    while ((node = aiox_list_pop_front(&part->due)) != NULL) {
        struct aiox_file_request *r = AIOX_CONTAINER_OF(node, struct aiox_file_request, link_);

        if (!aiox_list_is_empty(&part->due)) {
            aiox_bh_schedule(part->bh);
        }
        request_end_(r, r->result_);
    }
    if (aiox_list_is_empty(&part->ended)) {
        (void)aiox_bh_cancel(part->bh);
    }
}

static int init_part(struct aiox_context *ctx, void *data)
{
    struct aiox_file_part_ *part = data;
    int err = aiox_pool_get(&part->pool, ctx);

    part->ctx = ctx;
    aiox_list_init(&part->ended);
    aiox_list_init(&part->due);
    return err < 0 ? err : aiox_bh_new(&part->bh, aiox_context_bhs(ctx), "files", end_all, part);
}

static void fini_part(struct aiox_context *ctx, void *data)
{
    struct aiox_file_part_ *part = data;

    if (AIOX_UNLIKELY(part->in_flight > 0)) {
        aiox_panic("the context %p ends while %zu requests of files are under way", (void *)ctx,
                   part->in_flight);
    }
    aiox_bh_free(part->bh);
}

int part_get_(struct aiox_file_part_ **out, struct aiox_context *ctx)
{
    static const struct aiox_context_part kind = {
        .name = "files",
        .bytes = sizeof(struct aiox_file_part_),
        .init = init_part,
        .fini = fini_part,
    };
    void *part;
    int err = aiox_context_part_get(ctx, &kind, &part);

    if (err == 0) {
        *out = part;
    }
    return err;
}

void part_end_later_(struct aiox_file_part_ *part, struct aiox_file_request *r)
{
    aiox_list_push_back(&part->ended, &r->link_);
    aiox_bh_schedule(part->bh);
}
