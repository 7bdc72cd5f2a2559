/* SPDX-License-Identifier: MIT */
/*
 * parts.c - what other libraries keep in a context.
 *
 * A list that only grows at its head. Looking is a short walk without a lock.
 *
 *   [PARTS-publish]  add (release) -> find (acquire): a part that is ready.
 */
#include "parts.h"

#include <errno.h>
#include <stdlib.h>

struct part {
    const struct aiox_context_part *kind;
    struct part *older;
    max_align_t data[];
};

static struct part *find(struct parts *parts, const struct aiox_context_part *kind)
{
    struct part *p = aiox_ptr_load_acquire(&parts->newest); /* [PARTS-publish] */

    while (p && p->kind != kind) {
        p = p->older;
    }
    return p;
}

static int add(struct parts *parts, struct aiox_context *ctx, const struct aiox_context_part *kind,
               struct part **out)
{
    struct part *p = calloc(1, sizeof(*p) + kind->bytes);
    int err;

    if (!p) {
        return -ENOMEM;
    }
    err = kind->init ? kind->init(ctx, p->data) : 0;
    if (err < 0) {
        free(p);
        return err;
    }
    p->kind = kind;
    p->older = aiox_ptr_load_relaxed(&parts->newest);
    aiox_ptr_store_release(&parts->newest, p); /* [PARTS-publish] */
    *out = p;
    return 0;
}

int parts_get_(struct parts *parts, struct aiox_context *ctx, const struct aiox_context_part *kind,
               void **out)
{
    struct part *p = find(parts, kind);
    int err = 0;

    if (AIOX_UNLIKELY(!p)) {
        pthread_mutex_lock(&parts->making);
        p = find(parts, kind);
        err = p ? 0 : add(parts, ctx, kind, &p);
        pthread_mutex_unlock(&parts->making);
    }
    if (err == 0) {
        *out = p->data;
    }
    return err;
}

void parts_init_(struct parts *parts)
{
    pthread_mutexattr_t recursive;

    aiox_ptr_store_relaxed(&parts->newest, NULL);
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&parts->making, &recursive);
    pthread_mutexattr_destroy(&recursive);
}

void parts_fini_(struct parts *parts, struct aiox_context *ctx)
{
    struct part *p;

    while ((p = aiox_ptr_load_acquire(&parts->newest)) != NULL) { /* [PARTS-publish] */
        aiox_ptr_store_relaxed(&parts->newest, p->older);
        if (p->kind->fini) {
            p->kind->fini(ctx, p->data);
        }
        free(p);
    }
    pthread_mutex_destroy(&parts->making);
}
