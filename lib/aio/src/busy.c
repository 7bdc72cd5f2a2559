/* SPDX-License-Identifier: MIT */
/*
 * busy.c - looks before the loop sleeps, for as long as looking pays.
 *
 * Going to sleep and being woken costs microseconds. Where events come quicker
 * than that, looking for them is cheaper than waiting. There are three kinds
 * of sources: handlers with a poll callback, the loop's own bell, and what the
 * backend watches, if asking it costs little. Each has a time of its own that
 * grows while a longer look would have caught the event; all shrink when even
 * the longest would not have caught any.
 */
#include "busy.h"

#include "aiox/clock.h"

#include "polled.h"
#include "trace.h"

enum {
    FIRST_NS = 4000, /* what a source starts with */
    LATE_FOLD = 2,   /* waking up takes as long again as the longest look, perhaps */
    PATIENCE = 3,    /* looks in vain, in a row */
    FIRST_REST = 8,
    LONGEST_REST = 1024,
    TIDY_EVERY = 256, /* waits */
};

static void grow(const struct busy *b, struct busy_time *t)
{
    int64_t ns = t->ns ? t->ns * (b->grow ? b->grow : 2) : FIRST_NS;

    t->ns = ns < b->max_ns ? ns : b->max_ns;
    AIOX_TRACE(aio, busy_grow, (uintptr_t)t, t->ns);
}

static void shrink(const struct busy *b, struct busy_time *t)
{
    if (t->ns > 0) {
        t->ns = b->shrink ? t->ns / b->shrink : 0;
        AIOX_TRACE(aio, busy_shrink, (uintptr_t)t, t->ns);
    }
}

/* What is heard of so late came too late for any look. */
static bool is_too_late(const struct busy *b, int64_t waited_ns)
{
    return waited_ns / LATE_FOLD > b->max_ns;
}

static bool has_paid(struct busy *b)
{
    b->in_vain = 0;
    b->next_rest = FIRST_REST;
    return true;
}

/*
 * Learning alone would try again and again where looking cannot pay: what comes
 * just too late, and what cannot come as long as we have the processor.
 */
static void was_in_vain(struct busy *b)
{
    if (++b->in_vain < PATIENCE) {
        return;
    }
    b->in_vain = 0;
    b->rest = b->next_rest ? b->next_rest : FIRST_REST;
    b->next_rest = b->rest < LONGEST_REST ? b->rest * 2 : LONGEST_REST;
    AIOX_TRACE(aio, busy_rest, (uintptr_t)b, b->rest);
}

/* Nothing came for longer than looking may last: it would not have paid for anybody. */
static void shrink_all(struct busy *b, struct handlers *hs)
{
    shrink(b, &b->rung);
    shrink(b, &b->monitor);
    AIOX_LIST_FOREACH(h, &hs->polled, struct handler, polled_link)
    {
        shrink(b, &h->busy);
    }
}

static void note_paid(const struct busy *b, struct busy_time *t)
{
    t->last_paid_ns = b->is_timed ? b->turn_began_ns : POLLED_JUST_NOW;
}

/* An event of @t came @waited_ns after the turn had begun to wait. */
static void learn(const struct busy *b, struct busy_time *t, int64_t waited_ns)
{
    if (waited_ns <= t->ns) {
        if (b->started) {
            note_paid(b, t);
        }
    } else if (t->ns < b->max_ns && !is_too_late(b, waited_ns)) {
        grow(b, t);
    }
    AIOX_TRACE(aio, busy_learn, waited_ns, t->ns);
}

/* True if the backend answers cheaply whether anything is ready. */
static bool may_be_asked(const struct handlers *hs)
{
    return hs->backend->ops.pending || (hs->backend->plugin.caps & AIOX_FDMON_CAP_MANY_FDS) ||
           handlers_are_few_(hs);
}

/* How long it pays to ask it. */
static int64_t time_for_monitor_ns(const struct busy *b, const struct handlers *hs)
{
    return b->monitor.ns && may_be_asked(hs) ? b->monitor.ns : 0;
}

/* How long looking may pay for any source. */
static int64_t time_worth_ns(const struct busy *b, struct handlers *hs)
{
    int64_t ns = time_for_monitor_ns(b, hs);

    ns = b->rung.ns > ns ? b->rung.ns : ns;
    AIOX_LIST_FOREACH(h, &hs->polled, struct handler, polled_link)
    {
        ns = h->busy.ns > ns ? h->busy.ns : ns;
    }
    return ns;
}

static void start(struct busy *b, struct handlers *hs)
{
    b->started = true;
    AIOX_LIST_FOREACH(h, &hs->polled, struct handler, polled_link)
    {
        polled_begin_(h);
    }
}

/* @at_first: once, whatever it costs; what is ready must not wait until the look is over. */
static bool backend_sees(const struct busy *b, struct handlers *hs, bool at_first,
                         struct backend_events *out)
{
    struct backend *backend = hs->backend;

    if (backend->ops.pending) {
        return backend->ops.pending(backend->mon);
    }
    if (!at_first && time_for_monitor_ns(b, hs) == 0) {
        return false;
    }
    backend_collect_(backend, 0, out);
    return out->count != 0;
}

static bool look(const struct busy *b, struct handlers *hs, const struct notify *bell,
                 bool at_first, struct aiox_list *ready, struct backend_events *events)
{
    return notify_is_rung_(bell) || polled_look_(hs, ready) ||
           backend_sees(b, hs, at_first, events);
}

static void start_clock(struct busy *b)
{
    b->is_timed = true;
    b->turn_began_ns = aiox_clock_now_ns();
}

/* The first look needs no clock: whoever finds something has not waited. */
static bool spin(struct busy *b, struct handlers *hs, const struct notify *bell, int64_t worth_ns,
                 struct aiox_list *ready, struct backend_events *events)
{
    start(b, hs);
    if (hs->backend->ops.flush) {
        (void)hs->backend->ops.flush(hs->backend->mon); /* a fault shows in collect() */
    }
    if (look(b, hs, bell, true, ready, events)) {
        return true;
    }
    start_clock(b);
    do {
        if (look(b, hs, bell, false, ready, events)) {
            return has_paid(b);
        }
        aiox_cpu_relax();
    } while (aiox_clock_now_ns() < b->turn_began_ns + worth_ns);
    return false;
}

bool busy_look_for_(struct busy *b, struct handlers *hs, const struct notify *bell,
                    int64_t timeout_ns, struct aiox_list *ready, struct backend_events *events)
{
    int64_t worth_ns;
    bool is_cut;

    b->is_timed = false;
    polled_bury_(hs);
    if (aiox_u32_load_relaxed(&hs->look_again) && polled_look_again_(hs, ready)) {
        return true;
    }
    if (timeout_ns == 0) {
        return b->started && polled_look_(hs, ready);
    }
    if (++b->waits % TIDY_EVERY == 0) {
        start_clock(b);
        if (polled_drop_idle_(hs, b->turn_began_ns, ready)) {
            return true;
        }
        b->is_timed = false;
    }
    worth_ns = time_worth_ns(b, hs);
    is_cut = timeout_ns > 0 && timeout_ns < worth_ns;
    if (is_cut) {
        worth_ns = timeout_ns;
    }
    if (worth_ns > 0 && b->rest > 0) {
        b->rest--;
        return false;
    }
    if (worth_ns > 0) {
        AIOX_TRACE(aio, busy_spin, worth_ns, timeout_ns);
        if (spin(b, hs, bell, worth_ns, ready, events)) {
            return true;
        }
        if (!is_cut) {
            was_in_vain(b);
        }
        return false;
    }
    start_clock(b);
    return false;
}

bool busy_stop_looking_(struct busy *b, struct handlers *hs, struct aiox_list *ready)
{
    b->started = false;
    polled_end_(hs);
    return polled_look_(hs, ready);
}

bool busy_pause_(struct busy *b, struct handlers *hs)
{
    if (AIOX_LIKELY(!b->started)) {
        return false;
    }
    polled_end_(hs);
    b->started = polled_have_news_(hs);
    return b->started;
}

/* From the first time it is ready on, a handler with a poll callback is looked at. */
static void join(struct busy *b, struct handlers *hs, struct handler *h)
{
    note_paid(b, &h->busy);
    aiox_list_push_back(&hs->polled, &h->polled_link);
    if (b->started) {
        polled_begin_(h);
    }
}

void busy_learn_from_(struct busy *b, struct handlers *hs, bool rung, bool seen,
                      struct aiox_list *ready)
{
    int64_t waited_ns = b->is_timed ? aiox_clock_now_ns() - b->turn_began_ns : 0;

    if (is_too_late(b, waited_ns)) {
        shrink_all(b, hs);
    }
    if (rung) {
        learn(b, &b->rung, waited_ns);
    }
    if (seen && may_be_asked(hs)) {
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
    b->max_ns = max_ns;
    b->grow = grow_fold;
    b->shrink = shrink_fold;
    b->rung.ns = 0;
    b->monitor.ns = 0;
    b->in_vain = 0;
    b->rest = 0;
    b->next_rest = 0;
    AIOX_LIST_FOREACH(h, &hs->polled, struct handler, polled_link)
    {
        h->busy.ns = 0;
    }
}
