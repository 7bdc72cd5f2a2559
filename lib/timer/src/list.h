/* SPDX-License-Identifier: MIT */
/*
 * list.h - one list's timers: in the heap, or linked among those that are due.
 *
 * timer->place_ says where a timer is kept:
 *   0            nowhere: not pending
 *   PLACE_LINKED in a linked list, by link_: due_, or a pass's own
 *   else         in the heap, at that index
 * Everything but next_ns_, and a timer's when_, is guarded by the list's lock.
 *
 * next_ns_ is what the home thread reads without the lock, each turn. It is
 * written under the lock, and whoever makes it smaller calls changed_: so one
 * who has read it and sleeps either sleeps for no longer than it says, or is
 * rung. It is relaxed: it carries only itself, and that a value which nobody saw
 * is rung for is the owner's notification to order.
 */
#ifndef AIOX_LIB_TIMER_SRC_LIST_H_
#define AIOX_LIB_TIMER_SRC_LIST_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/list.h"
#include "aiox/timer.h"

#include "heap.h"
#include "lock.h"

enum { PLACE_LINKED = 1 };

void list_init_(struct aiox_timer_list_ *list, struct aiox_timer_group *group,
                enum aiox_clock clock);

/* Aborts if a timer is left. */
void list_fini_(struct aiox_timer_list_ *list);

/* Makes room for one timer more, which the caller then owns. 0 or -ENOMEM. */
int list_reserve_(struct aiox_timer_list_ *list);

/* Gives that room back. */
void list_release_(struct aiox_timer_list_ *list);

/* The time on the list's clock; a step back is not seen, except of the time of day. */
int64_t list_now_ns_(const struct aiox_timer_list_ *list);

/* The earliest deadline of a timer without an attribute of @ignore; INT64_MAX: none. */
int64_t list_earliest_ns_(struct aiox_timer_list_ *list, uint32_t ignore);

/* What next_ns_ would be without the timers that have an attribute of @ignore. */
int64_t list_next_without_ns_(struct aiox_timer_list_ *list, uint32_t ignore);

static inline int64_t list_next_ns_(const struct aiox_timer_list_ *list)
{
    return (int64_t)aiox_u64_load_relaxed(&list->next_ns_);
}

/* Tells the home thread of the list as it is now. Returns true if the next deadline is nearer. */
static inline bool list_publish_(struct aiox_timer_list_ *list)
{
    int64_t before = list_next_ns_(list);
    int64_t next = INT64_MAX;

    if (!aiox_list_is_empty(&list->due_)) {
        next = INT64_MIN;
    } else if (list->armed_) {
        next = list->entries_[HEAP_ROOT].deadline_ns;
    }
    if (next != before) {
        aiox_u64_store_relaxed(&list->next_ns_, (uint64_t)next);
    }
    return next < before;
}

static inline bool timer_is_pending_(const struct aiox_timer *timer)
{
    return aiox_u64_load_relaxed(&timer->when_) != 0;
}

static inline int64_t timer_deadline_ns_(const struct aiox_timer *timer)
{
    return (int64_t)(aiox_u64_load_relaxed(&timer->when_) - 1);
}

/* Puts @timer into the heap, or elsewhere in it; its deadline is @deadline_ns, not negative. */
static inline void list_arm_(struct aiox_timer_list_ *list, struct aiox_timer *timer,
                             int64_t deadline_ns)
{
    struct aiox_timer_entry_ entry = {.deadline_ns = deadline_ns, .timer = timer};

    AIOX_PLAIN_WRITE(&list->arms_);
    if (AIOX_UNLIKELY(timer->place_ == PLACE_LINKED)) {
        aiox_list_remove(&timer->link_);
        timer->place_ = 0;
    }
    aiox_u64_store_relaxed(&timer->when_, (uint64_t)deadline_ns + 1);
    timer->order_ = list->arms_++;
    if (timer->place_) {
        heap_replace_(list->entries_, list->armed_, timer->place_, entry);
    } else {
        heap_insert_(list->entries_, &list->armed_, entry);
    }
}

/* The same for a deadline that is earlier than the timer's, if it is armed: it keeps its turn. */
static inline void list_arm_earlier_(struct aiox_timer_list_ *list, struct aiox_timer *timer,
                                     int64_t deadline_ns)
{
    if (timer->place_ == PLACE_LINKED) {
        aiox_u64_store_relaxed(&timer->when_, (uint64_t)deadline_ns + 1);
    } else {
        list_arm_(list, timer, deadline_ns);
    }
}

/* Takes @timer, which is pending, out of wherever it is kept. */
static inline void list_disarm_(struct aiox_timer_list_ *list, struct aiox_timer *timer)
{
    AIOX_PLAIN_WRITE(&list->arms_);
    if (timer->place_ == PLACE_LINKED) {
        aiox_list_remove(&timer->link_);
        timer->place_ = 0;
    } else {
        heap_remove_(list->entries_, &list->armed_, timer);
    }
    aiox_u64_store_relaxed(&timer->when_, 0);
}

#endif /* AIOX_LIB_TIMER_SRC_LIST_H_ */
