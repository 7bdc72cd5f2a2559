/* SPDX-License-Identifier: MIT */
/*
 * home.c - coroutines that were sent to a home, and how they get in.
 *
 * Senders push onto the inbox; whoever finds it empty asks for the bottom
 * half, and the others rely on that. The bottom half takes all and enters one
 * after the other, in the order of their arrival (bottom half and list are
 * one: a coroutine that is sent while they run waits for the next turn).
 *
 * A coroutine that has been entered may run a nested turn. So the rest of the
 * list stays where a nested run finds it, and while there is a rest the
 * bottom half is asked for.
 *
 *   [CO-inbox]  put (release) -> take (acquire): what the coroutine's sender
 *               wrote, its link, its executor.
 */
#include "home.h"

#include "aiox/assert.h"

static const char sent_by[] = "aiox_co_schedule";

/* ---- the inbox ---- */

/* Returns whether it was empty. [any] */
static bool put(struct co_home *h, struct aiox_queue_node *node)
{
    void *newest = aiox_ptr_load_relaxed(&h->newest);

    do {
        AIOX_PLAIN_WRITE(&node->next_);
        node->next_ = newest;
    } while (!aiox_ptr_cas_release(&h->newest, &newest, node)); /* [CO-inbox] */
    return newest == NULL;
}

/* Moves all of it behind those who are due, the oldest first. */
static void take(struct co_home *h)
{
    void *newest = aiox_ptr_swap_acquire(&h->newest, NULL); /* [CO-inbox] */

    aiox_queue_append_reversed(&h->due, newest);
}

static bool is_wanted(const struct co_home *h)
{
    return aiox_ptr_load_relaxed(&h->newest) || !aiox_queue_is_empty(&h->leaving);
}

/* ---- the bottom half ---- */

/* They were running when they asked to leave; now the loop is, so they have yielded. */
static void see_off(struct co_home *h)
{
    struct aiox_queue_node *node;

    while ((node = aiox_queue_pop(&h->leaving)) != NULL) {
        struct leaver *leaver = AIOX_CONTAINER_OF(node, struct leaver, link);

        leaver->send(leaver);
    }
}

static void enter_all(struct co_home *h)
{
    struct aiox_queue_node *node;

    while ((node = aiox_queue_pop(&h->due)) != NULL) {
        struct aiox_co *co = aiox_co_of_link(node);

        aiox_assert(aiox_co_unmark(co, sent_by));
        aiox_co_enter_on(&h->executor, co);
    }
}

static void run(void *opaque)
{
    struct co_home *h = opaque;
    struct aiox_queue_node *first;

    see_off(h);
    take(h);
    first = aiox_queue_first(&h->due);
    if (!first || !first->next_) {
        enter_all(h);
        return;
    }
    aiox_bh_schedule(h->bh); /* for a nested turn */
    enter_all(h);
    if (aiox_bh_cancel(h->bh) && is_wanted(h)) {
        aiox_bh_schedule(h->bh); /* that was somebody else's wish, too */
    }
}

/* ---- the home ---- */

int home_init_(struct co_home *h, struct aiox_bh_queue *q)
{
    *h = (struct co_home){.executor = h->executor};
    return aiox_bh_new(&h->bh, q, "coroutines", run, h);
}

void home_fini_(struct co_home *h)
{
    struct aiox_queue_node *node;

    take(h);
    node = aiox_queue_first(&h->due);
    if (node) {
        struct aiox_co *co = aiox_co_of_link(node);

        aiox_panic("a context ends while the coroutine %s (%p) is scheduled in it",
                   aiox_co_name(co), (void *)co);
    }
    aiox_assert(aiox_queue_is_empty(&h->leaving));
    aiox_bh_free(h->bh);
}

void home_send_(struct co_home *h, struct aiox_co *co)
{
    aiox_co_mark(co, sent_by);
    if (put(h, aiox_co_link(co))) {
        aiox_bh_schedule(h->bh);
    }
}

void home_leave_(struct co_home *h, struct leaver *leaver)
{
    aiox_queue_push_back(&h->leaving, &leaver->link);
    aiox_bh_schedule(h->bh);
}
