/* SPDX-License-Identifier: MIT */
/*
 * pass.c - a pass over what is due.
 *
 * A pass has two steps. It first moves all that is due, of every clock, from
 * the heaps into the rows of due timers; from then on a timer that is armed
 * goes into a heap and so waits for the next pass. Then it takes the due ones
 * one by one and calls them without the lock. A callback may run the group
 * again: the inner pass adds what is due by then behind what the outer has left,
 * and runs all of it; the outer finds its row empty.
 *
 * The lock is left between any two callbacks, and after every COLLECT_MOST
 * timers while collecting, so that nobody waits long for it.
 */
#include "pass.h"

#include "clocks.h"
#include "list.h"
#include "registry.h"
#include "trace.h"

enum {
    COLLECT_MOST = 64,
    FETCH_AHEAD = 8, /* timers: the time that memory takes, in short callbacks */
};

bool pass_watch_(struct aiox_timer_list_ *list, const struct aiox_timer *timer)
{
    bool found = false;

    for (struct aiox_timer_pass_ *pass = list->pass_; pass; pass = pass->outer) {
        if (pass->running && (!timer || pass->running == timer) &&
            !pthread_equal(pass->thread, pthread_self())) {
            pass->watched = true;
            found = true;
        }
    }
    return found;
}

bool pass_is_mine_(struct aiox_timer_list_ *list)
{
    bool found = false;

    for (struct aiox_timer_pass_ *pass = list->pass_; pass; pass = pass->outer) {
        found |= pass->running && pthread_equal(pass->thread, pthread_self());
    }
    return found;
}

/* Lets others have the lock for a moment. */
static void let_others(struct aiox_timer_list_ *list)
{
    list_publish_(list);
    lock_leave_(&list->lock_);
    lock_take_(&list->lock_);
}

/*
 * Puts those that are not for this pass back into the heap. They are armed anew
 * there, in their order; nothing else in the heap has a deadline as early.
 */
static void put_back(struct aiox_timer_list_ *list, uint32_t ignore)
{
    uint32_t steps = 0;

    for (uint32_t i = list->due_fresh_; i < list->due_end_; i++) {
        struct aiox_timer *timer = list->due_[i];

        if (timer && timer->attributes_ & ignore) {
            list_arm_(list, timer, timer_deadline_ns_(timer));
        }
        if (++steps % COLLECT_MOST == 0) {
            let_others(list);
        }
    }
}

/* Takes the first timer of the heap and puts it at the end of the row. True: it is to go back. */
static bool move_first(struct aiox_timer_list_ *list, uint32_t ignore)
{
    struct aiox_timer *timer = list->entries_[HEAP_ROOT].timer;

    heap_remove_(list->entries_, &list->armed_, timer);
    due_push_(list, timer);
    return ignore && timer->attributes_ & ignore;
}

/* Moves what is due at @now from the heap to the row. Returns whether anything is there. */
static bool collect(struct aiox_timer_list_ *list, int64_t now, uint32_t ignore)
{
    uint32_t most;
    bool some_go_back = false;
    bool any;

    lock_take_(&list->lock_);
    AIOX_PLAIN_WRITE(&list->arms_);
    list->due_fresh_ = list->due_end_;
    /* Others may arm while the lock is left: a bound, so that this ends whatever they do. */
    most = list->armed_;
    for (uint32_t i = 1; i <= most && list->armed_; i++) {
        if (list->entries_[HEAP_ROOT].deadline_ns > now) {
            break;
        }
        some_go_back |= move_first(list, ignore);
        if (i % COLLECT_MOST == 0) {
            let_others(list);
        }
    }
    if (some_go_back) {
        put_back(list, ignore);
    }
    list_publish_(list);
    any = !due_is_empty_(list);
    lock_leave_(&list->lock_);
    return any;
}

bool pass_collect_(struct aiox_timer_list_ *list, uint32_t ignore)
{
    int64_t next = list_next_ns_(list);
    int64_t now;

    if (AIOX_LIKELY(next == INT64_MAX) || !clock_is_enabled_(list->clock_)) {
        return false;
    }
    now = list_now_ns_(list);
    if (list->clock_ != AIOX_CLOCK_HOST) {
        list->seen_ns_ = now;
    }
    return next <= now && collect(list, now, ignore);
}

/* Of many due timers, each may be far away: lets the one come that is called a few later. */
static AIOX_ALWAYS_INLINE void fetch_ahead(const struct aiox_timer_list_ *list, uint32_t at)
{
    const struct aiox_timer *timer;

    if (at + FETCH_AHEAD < list->due_end_ && (timer = list->due_[at + FETCH_AHEAD])) {
        __builtin_prefetch(&timer->when_, 1);
        __builtin_prefetch(&timer->opaque_, 1);
    }
}

/*
 * What was at @at has been taken, and what stands before is left for another pass: it moves up
 * to the rest, so that holes are stepped over once. @first: where the row began.
 */
static AIOX_COLD void close_gap(struct aiox_timer_list_ *list, uint32_t first, uint32_t at)
{
    uint32_t to = at;

    for (uint32_t from = at; from-- > first;) {
        struct aiox_timer *timer = list->due_[from];

        if (timer) {
            list->due_[from] = NULL;
            list->due_[to] = timer;
            timer->place_ = PLACE_DUE + to--;
        }
    }
    list->due_first_ = to + 1;
}

/* Takes the first due timer that this pass may run; NULL if there is none. */
static struct aiox_timer *take_due(struct aiox_timer_list_ *list, uint32_t ignore)
{
    uint32_t first = list->due_first_;

    if (!clock_is_enabled_(list->clock_)) {
        return NULL;
    }
    for (uint32_t i = first; i < list->due_end_; i++) {
        struct aiox_timer *timer = list->due_[i];

        if (timer && !(timer->attributes_ & ignore)) {
            AIOX_TRACE(timer, fire, (uintptr_t)timer, timer_deadline_ns_(timer));
            fetch_ahead(list, i);
            list_disarm_(list, timer);
            if (AIOX_UNLIKELY(i > first)) {
                close_gap(list, first, i);
            }
            return timer;
        }
    }
    return NULL;
}

/* The callback of @pass has returned: whoever waits for that may go on. */
static void end_callback(struct aiox_timer_list_ *list, struct aiox_timer_pass_ *pass)
{
    bool watched;

    lock_take_(&list->lock_);
    pass->running = NULL;
    watched = pass->watched;
    pass->watched = false;
    if (AIOX_UNLIKELY(watched)) {
        lock_leave_(&list->lock_);
        registry_wake_();
        lock_take_(&list->lock_);
    }
}

bool pass_run_(struct aiox_timer_list_ *list, uint32_t ignore)
{
    struct aiox_timer_pass_ pass = {.thread = pthread_self()};
    struct aiox_timer *timer;
    bool any = false;

    lock_take_(&list->lock_);
    pass.outer = list->pass_;
    list->pass_ = &pass;
    while ((timer = take_due(list, ignore))) {
        aiox_timer_fn *fn = timer->fn_; /* the timer may be gone once the lock is left */
        void *opaque = timer->opaque_;

        pass.running = timer;
        list_publish_(list);
        lock_leave_(&list->lock_);
        fn(opaque);
        any = true;
        end_callback(list, &pass);
    }
    list->pass_ = pass.outer;
    lock_leave_(&list->lock_);
    return any;
}
