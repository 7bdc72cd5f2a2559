/* SPDX-License-Identifier: MIT */
/*
 * busy.c - looks before the loop sleeps, for as long as looking pays.
 *
 * Going to sleep and being woken costs microseconds. Where events come quicker
 * than that, looking for them is cheaper than waiting. There are three kinds
 * of sources: handlers with a poll callback, the loop's own bell, and, if the
 * backend can tell without a system call, all its descriptors. Each has a time
 * of its own that grows while a longer look would have caught the event, and
 * shrinks when even the longest would not have.
 */
#include "busy.h"

#include "aiox/clock.h"
#include "aiox/log.h"

enum {
    FIRST_NS = 4000, /* what a source starts with */
    IDLE_S = 7,      /* a handler that did not pay for so long is left to the backend */
};

static void grow(const struct busy *b, struct busy_time *t)
{
    int64_t ns = t->ns ? t->ns * (b->grow ? b->grow : 2) : FIRST_NS;

    t->ns = ns < b->max_ns ? ns : b->max_ns;
}

static void shrink(const struct busy *b, struct busy_time *t)
{
    t->ns = b->shrink ? t->ns / b->shrink : 0;
}

/* An event of @t came @waited_ns after the turn had begun. */
static void learn(const struct busy *b, struct busy_time *t, int64_t waited_ns)
{
    if (waited_ns <= t->ns) {
        t->last_paid_ns = b->turn_began_ns;
    } else if (waited_ns > b->max_ns) {
        shrink(b, t);
    } else if (t->ns < b->max_ns) {
        grow(b, t);
    }
    AIOX_TRACE(aio, busy_learn, waited_ns, t->ns);
}

/* Calls a hook of @h, unless there is none or nobody is there to hear it. */
static void call(const struct handler *h, aiox_fd_fn *hook)
{
    if (hook && handler_is_live_(h)) {
        hook(h->opaque);
    }
}

static bool look_at(struct handler *h, struct aiox_list *ready)
{
    if (!handler_is_live_(h) || !h->call.poll(h->opaque)) {
        return false;
    }
    h->poll_said_ready = true;
    if (!aiox_list_is_linked(&h->ready_link)) {
        aiox_list_push_back(ready, &h->ready_link);
    }
    return true;
}

static bool look_at_all(struct handlers *hs, struct aiox_list *ready)
{
    bool found = false;

    AIOX_LIST_FOREACH_SAFE(h, &hs->polled, struct handler, polled_link)
    {
        found |= look_at(h, ready);
    }
    return found;
}

/* Handlers that did not pay for long are watched by the backend alone, if looking sees that. */
static bool drop_idle(const struct busy *b, struct handlers *hs, struct aiox_list *ready)
{
    bool found = false;

    if (!hs->backend->ops.pending) {
        return false;
    }
    AIOX_LIST_FOREACH_SAFE(h, &hs->polled, struct handler, polled_link)
    {
        if (b->turn_began_ns - h->busy.last_paid_ns > IDLE_S * AIOX_NS_PER_S) {
            aiox_list_remove(&h->polled_link);
            h->busy.ns = 0;
            call(h, b->started ? h->call.poll_end : NULL);
            found |= look_at(h, ready);
        }
    }
    return found;
}

/* How long looking may pay for any source. */
static int64_t time_worth_ns(const struct busy *b, struct handlers *hs)
{
    int64_t ns = b->rung.ns;

    if (hs->backend->ops.pending && b->monitor.ns > ns) {
        ns = b->monitor.ns;
    }
    AIOX_LIST_FOREACH(h, &hs->polled, struct handler, polled_link)
    {
        ns = h->busy.ns > ns ? h->busy.ns : ns;
    }
    return ns;
}

static void start(struct busy *b, struct handlers *hs)
{
    if (b->started) {
        return;
    }
    b->started = true;
    AIOX_LIST_FOREACH(h, &hs->polled, struct handler, polled_link)
    {
        call(h, h->call.poll_begin);
    }
}

static bool spin_until(struct handlers *hs, const struct notify *bell, int64_t end_ns,
                       struct aiox_list *ready)
{
    struct backend *m = hs->backend;

    do {
        if (notify_is_rung_(bell) || look_at_all(hs, ready) ||
            (m->ops.pending && m->ops.pending(m->mon))) {
            return true;
        }
        aiox_cpu_relax();
    } while (aiox_clock_now_ns() < end_ns);
    return false;
}

bool busy_look_(struct busy *b, struct handlers *hs, const struct notify *bell, int64_t timeout_ns,
                struct aiox_list *ready)
{
    int64_t worth_ns;

    if (AIOX_LIKELY(b->max_ns == 0)) {
        return false;
    }
    b->turn_began_ns = aiox_clock_now_ns();
    if (timeout_ns == 0) {
        return b->started && look_at_all(hs, ready);
    }
    if (drop_idle(b, hs, ready)) {
        return true;
    }
    worth_ns = time_worth_ns(b, hs);
    if (timeout_ns > 0 && timeout_ns < worth_ns) {
        worth_ns = timeout_ns;
    }
    if (worth_ns == 0) {
        return false;
    }
    start(b, hs);
    if (hs->backend->ops.flush) {
        (void)hs->backend->ops.flush(hs->backend->mon); /* a fault shows in collect() */
    }
    AIOX_TRACE(aio, busy_spin, worth_ns, timeout_ns);
    return spin_until(hs, bell, b->turn_began_ns + worth_ns, ready);
}

bool busy_stop_(struct busy *b, struct handlers *hs, struct aiox_list *ready)
{
    if (AIOX_LIKELY(!b->started)) {
        return false;
    }
    b->started = false;
    AIOX_LIST_FOREACH(h, &hs->polled, struct handler, polled_link)
    {
        call(h, h->call.poll_end);
    }
    return look_at_all(hs, ready);
}

/* From the first time it is ready on, a handler with a poll callback is looked at. */
static void join(struct busy *b, struct handlers *hs, struct handler *h)
{
    h->busy.last_paid_ns = b->turn_began_ns;
    aiox_list_push_back(&hs->polled, &h->polled_link);
    if (b->started) {
        call(h, h->call.poll_begin);
    }
}

void busy_learn_(struct busy *b, struct handlers *hs, bool rung, bool seen, struct aiox_list *ready)
{
    int64_t waited_ns;

    if (AIOX_LIKELY(b->max_ns == 0)) {
        return;
    }
    waited_ns = aiox_clock_now_ns() - b->turn_began_ns;
    if (rung) {
        learn(b, &b->rung, waited_ns);
    }
    if (seen) {
        learn(b, &b->monitor, waited_ns);
    }
    AIOX_LIST_FOREACH_SAFE(h, ready, struct handler, ready_link)
    {
        if (h->call.poll && aiox_list_is_linked(&h->polled_link)) {
            learn(b, &h->busy, waited_ns);
        } else if (h->call.poll && handler_is_live_(h)) {
            join(b, hs, h);
        }
    }
}

void busy_configure_(struct busy *b, struct handlers *hs, int64_t max_ns, uint32_t grow_fold,
                     uint32_t shrink_fold)
{
    struct aiox_list ready;

    aiox_list_init(&ready);
    (void)busy_stop_(b, hs, &ready);
    while (!aiox_list_is_empty(&ready)) { /* the backend reports what was seen just now */
        aiox_list_pop_front(&ready);
    }
    AIOX_LIST_FOREACH_SAFE(h, &hs->polled, struct handler, polled_link)
    {
        h->busy = (struct busy_time){0};
        h->poll_said_ready = false;
        aiox_list_remove(&h->polled_link);
    }
    *b = (struct busy){.max_ns = max_ns, .grow = grow_fold, .shrink = shrink_fold};
}
