/* SPDX-License-Identifier: MIT */
/*
 * finished.c - a list that any thread pushes onto, and a bottom half.
 *
 * Whoever finds the list empty asks for the bottom half, and the others rely
 * on that. It takes all and turns it round, so n ends cost O(n) and are told
 * in their order.
 *
 * Whoever is told may turn the loop and wait for another job. So the rest
 * stays where a nested run finds it, and while there is a rest the bottom half
 * is asked for.
 *
 *   [POOL-finished]  put (release) -> take (acquire): the result, the link, and
 *                    what the job wrote.
 */
#include "finished.h"

static void take(struct finished *f)
{
    void *newest = aiox_ptr_swap_acquire(&f->newest, NULL); /* [POOL-finished] */

    aiox_queue_append_reversed(&f->due, newest);
}

static void tell_all(struct finished *f)
{
    struct aiox_queue_node *node;

    while ((node = aiox_queue_pop(&f->due)) != NULL) {
        f->tell(f->opaque, AIOX_CONTAINER_OF(node, struct aiox_pool_job, finished_));
    }
}

static void run(void *opaque)
{
    struct finished *f = opaque;
    struct aiox_queue_node *first;

    take(f);
    first = aiox_queue_first(&f->due);
    if (!first || !first->next_) {
        tell_all(f);
        return;
    }
    aiox_bh_schedule(f->bh); /* for a nested turn */
    tell_all(f);
    if (aiox_bh_cancel(f->bh) && aiox_ptr_load_relaxed(&f->newest)) {
        aiox_bh_schedule(f->bh); /* that was somebody else's wish, too */
    }
}

int finished_init_(struct finished *f, struct aiox_bh_queue *q,
                   void (*tell)(void *opaque, struct aiox_pool_job *job), void *opaque)
{
    *f = (struct finished){.tell = tell, .opaque = opaque};
    return aiox_bh_new(&f->bh, q, "jobs that have ended", run, f);
}

void finished_fini_(struct finished *f)
{
    take(f);
    tell_all(f);
    aiox_bh_free(f->bh);
}

void finished_put_(struct finished *f, struct aiox_pool_job *job)
{
    struct aiox_queue_node *node = &job->finished_;
    void *newest = aiox_ptr_load_relaxed(&f->newest);

    do {
        AIOX_PLAIN_WRITE(&node->next_);
        node->next_ = newest;
    } while (!aiox_ptr_cas_release(&f->newest, &newest, node)); /* [POOL-finished] */
    if (!newest) {
        aiox_bh_schedule(f->bh);
    }
}
