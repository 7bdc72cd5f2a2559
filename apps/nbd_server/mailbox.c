/* SPDX-License-Identifier: MIT */
/*
 * mailbox.c - a queue, a lock, and a bottom half that empties it.
 */
#include "mailbox.h"

#include <errno.h>

#include "aiox/assert.h"

static struct aiox_queue take_all(struct mailbox *b)
{
    struct aiox_queue letters;

    pthread_mutex_lock(&b->lock);
    letters = b->letters;
    aiox_queue_init(&b->letters);
    pthread_mutex_unlock(&b->lock);
    return letters;
}

static void on_bell(void *opaque)
{
    struct aiox_queue letters = take_all(opaque);
    struct aiox_queue_node *node;

    while ((node = aiox_queue_pop(&letters))) {
        struct letter *l = AIOX_CONTAINER_OF(node, struct letter, link);

        l->open(l);
    }
}

int mailbox_open(struct mailbox *b, struct aiox_context *ctx)
{
    struct aiox_bh *bell;

    if (aiox_bh_new(&bell, aiox_context_bhs(ctx), "nbd mailbox", on_bell, b) < 0) {
        return -ENOMEM;
    }
    pthread_mutex_init(&b->lock, NULL);
    aiox_queue_init(&b->letters);
    b->bell = bell;
    return 0;
}

void mailbox_close(struct mailbox *b)
{
    if (!b->bell) {
        return;
    }
    aiox_assert(aiox_queue_is_empty(&b->letters));
    aiox_bh_free(b->bell);
    pthread_mutex_destroy(&b->lock);
    b->bell = NULL;
}

void mailbox_send(struct mailbox *b, struct letter *l)
{
    pthread_mutex_lock(&b->lock);
    aiox_queue_push_back(&b->letters, &l->link);
    pthread_mutex_unlock(&b->lock);
    aiox_bh_schedule(b->bell);
}
