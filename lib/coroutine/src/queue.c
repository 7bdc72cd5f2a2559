/* SPDX-License-Identifier: MIT */
/*
 * queue.c - a line without a lock of its own.
 *
 * Only a deadline comes from where the line is not guarded; it changes the
 * waiter's state and wakes it. Then, with the mutex locked again, the waiter
 * takes itself out of the line if it is still there. Whoever meets it there
 * before takes it out and goes to the next, so no wake is lost on it. Whoever
 * was taken out does not touch the queue, which may be gone.
 */
#include "waiter.h"

enum place { AT_THE_TAIL, AT_THE_HEAD };

static AIOX_ALWAYS_INLINE void join(struct aiox_co_queue *q, struct aiox_co_waiter_ *w,
                                    enum place place, int64_t deadline_ns)
{
    waiter_init_(w, self_for_("aiox_co_queue_wait"), deadline_ns);
    AIOX_PLAIN_WRITE(q);
    if (place == AT_THE_HEAD) {
        aiox_list_push_front(ring_of_(&q->waiting_), &w->link);
    } else {
        aiox_list_push_back(ring_of_(&q->waiting_), &w->link);
    }
}

static int wait_in(struct aiox_co_queue *q, struct aiox_co_mutex *m, enum place place,
                   int64_t deadline_ns) coroutine_fn
{
    struct aiox_co_waiter_ w;
    int err;

    join(q, &w, place, deadline_ns);
    if (m) {
        aiox_co_mutex_unlock(m);
    }
    err = waiter_sleep_(&w, deadline_ns, waiter_wake_to_leave_);
    if (m) {
        aiox_co_mutex_lock(m);
    }
    if (err < 0 && aiox_list_is_linked(&w.link)) {
        AIOX_PLAIN_WRITE(q);
        aiox_list_remove(&w.link);
    }
    return err;
}

/* Takes the first out that still waits; NULL: nobody does. */
static struct aiox_co_waiter_ *choose(struct aiox_co_queue *q)
{
    struct aiox_list_node *node;

    AIOX_PLAIN_WRITE(q);
    while ((node = aiox_list_pop_front(ring_of_(&q->waiting_))) != NULL) {
        if (waiter_choose_(waiter_of_(node))) {
            return waiter_of_(node);
        }
    }
    return NULL;
}

void aiox_co_queue_init(struct aiox_co_queue *q)
{
    aiox_list_init(&q->waiting_);
}

HOT void aiox_co_queue_join_(struct aiox_co_queue *q, struct aiox_co_mutex *m, bool at_head,
                             struct aiox_co_waiter_ *w)
{
    join(q, w, at_head ? AT_THE_HEAD : AT_THE_TAIL, -1);
    if (m) {
        aiox_co_mutex_unlock(m);
    }
}

void aiox_co_queue_part_(const struct aiox_co_waiter_ *w, struct aiox_co_mutex *m)
{
    waiter_check_chosen_(w);
    if (m) {
        aiox_co_mutex_lock(m);
    }
}

HOT int aiox_co_queue_wait_until(struct aiox_co_queue *q, struct aiox_co_mutex *m,
                                 int64_t deadline_ns)
{
    return wait_in(q, m, AT_THE_TAIL, deadline_ns);
}

HOT int aiox_co_queue_wait_head_until(struct aiox_co_queue *q, struct aiox_co_mutex *m,
                                      int64_t deadline_ns)
{
    return wait_in(q, m, AT_THE_HEAD, deadline_ns);
}

struct aiox_co *aiox_co_queue_choose_(struct aiox_co_queue *q)
{
    struct aiox_co_waiter_ *w = choose(q);

    return w ? w->co : NULL;
}

void aiox_co_queue_restart_all(struct aiox_co_queue *q)
{
    struct aiox_list chosen;
    struct aiox_co_waiter_ *w;

    aiox_list_init(&chosen);
    while ((w = choose(q)) != NULL) {
        aiox_list_push_back(&chosen, &w->link);
    }
    waiters_wake_(&chosen); /* @q may be gone */
}

bool aiox_co_queue_is_empty(const struct aiox_co_queue *q)
{
    if (q->waiting_.head_.next_) {
        AIOX_LIST_FOREACH(w, &q->waiting_, struct aiox_co_waiter_, link)
        {
            if (!waiter_has_left_(w)) {
                return false;
            }
        }
    }
    return true;
}
