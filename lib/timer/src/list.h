/* SPDX-License-Identifier: MIT */
/*
 * list.h - one list's timers: in the heap, or in the row of those that are due.
 *
 * timer->place_ says where a timer is kept:
 *   0              nowhere: not pending
 *   PLACE_DUE + i  in the row, at i
 *   else           in the heap, at that index
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

#include "aiox/timer.h"

#include "heap.h"
#include "lock.h"

#define PLACE_DUE (UINT32_C(1) << 31)

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

/*
 * ---- the row ----
 *
 * In the order in which the timers are called. It is an array, so that those
 * whose turn is near can be fetched from memory in time. What is taken out
 * leaves NULL, but not at the beginning, and not behind those that an inner pass
 * leaves to the outer one: each such hole is stepped over once.
 */

static inline bool due_is_empty_(const struct aiox_timer_list_ *list)
{
    return list->due_first_ == list->due_end_;
}

/* Puts @timer, which is kept nowhere, at the end. */
void due_push_(struct aiox_timer_list_ *list, struct aiox_timer *timer);

static inline void due_remove_(struct aiox_timer_list_ *list, uint32_t at)
{
    uint32_t first = list->due_first_;

    list->due_[at] = NULL;
    while (first < list->due_end_ && !list->due_[first]) {
        first++;
    }
    list->due_first_ = first;
    if (first == list->due_end_) {
        list->due_first_ = list->due_end_ = list->due_fresh_ = 0;
    }
}

/* ---- the list as a whole ---- */

/* Tells the home thread of the list as it is now. Returns true if the next deadline is nearer. */
static inline bool list_publish_(struct aiox_timer_list_ *list)
{
    int64_t before = list_next_ns_(list);
    int64_t next = INT64_MAX;

    if (!due_is_empty_(list)) {
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
    if (AIOX_UNLIKELY(timer->place_ & PLACE_DUE)) {
        due_remove_(list, timer->place_ - PLACE_DUE);
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
    if (timer->place_ & PLACE_DUE) {
        aiox_u64_store_relaxed(&timer->when_, (uint64_t)deadline_ns + 1);
    } else {
        list_arm_(list, timer, deadline_ns);
    }
}

/* Takes @timer, which is pending, out of wherever it is kept. */
static inline void list_disarm_(struct aiox_timer_list_ *list, struct aiox_timer *timer)
{
    AIOX_PLAIN_WRITE(&list->arms_);
    if (timer->place_ & PLACE_DUE) {
        due_remove_(list, timer->place_ - PLACE_DUE);
        timer->place_ = 0;
    } else {
        heap_remove_(list->entries_, &list->armed_, timer);
    }
    aiox_u64_store_relaxed(&timer->when_, 0);
}

#endif /* AIOX_LIB_TIMER_SRC_LIST_H_ */
