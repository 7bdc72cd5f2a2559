/* SPDX-License-Identifier: MIT */
/*
 * list.c - the life of a list, and the memory of its heap.
 *
 * timers_ counts those that were initialised, so an arming, which takes one of
 * them into the heap, always finds room. The array never shrinks: a program
 * that sleeps a million times in one timer each asks for memory once.
 */
#include "list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aiox/assert.h"

enum { FIRST_CAPACITY = 8, LINE_BYTES = 64, MOST_TIMERS = 1 << 30 };

void list_init_(struct aiox_timer_list_ *list, struct aiox_timer_group *group,
                enum aiox_clock clock)
{
    memset(list, 0, sizeof(*list));
    aiox_u64_store_relaxed(&list->next_ns_, INT64_MAX);
    aiox_list_init(&list->due_);
    list->group_ = group;
    list->clock_ = clock;
}

void list_fini_(struct aiox_timer_list_ *list)
{
    uint32_t left = aiox_u32_load_relaxed(&list->timers_);

    if (left) {
        aiox_panic("timers of the clock '%s' were not finished before their group: %u, %u of "
                   "them armed",
                   aiox_timer_clock_name(list->clock_), left, list->armed_);
    }
    aiox_assert(!list->pass_);
    free(list->entries_);
}

static int grow(struct aiox_timer_list_ *list, uint32_t wanted)
{
    uint32_t capacity = aiox_u32_load_relaxed(&list->capacity_);
    struct aiox_timer_entry_ *entries, *spare;

    capacity = capacity ? capacity : FIRST_CAPACITY;
    while (capacity < wanted) {
        capacity *= 2;
    }
    entries = aligned_alloc(LINE_BYTES,
                            (capacity + HEAP_CHILDREN) * sizeof(*entries)); /* root and holes */
    if (!entries) {
        return -ENOMEM;
    }
    spare = entries;
    lock_take_(&list->lock_);
    if (capacity > aiox_u32_load_relaxed(&list->capacity_)) {
        spare = list->entries_;
        if (list->armed_) {
            memcpy(&entries[HEAP_ROOT], &spare[HEAP_ROOT], list->armed_ * sizeof(*entries));
        }
        list->entries_ = entries;
        aiox_u32_store_relaxed(&list->capacity_, capacity);
    }
    lock_leave_(&list->lock_);
    free(spare);
    return 0;
}

int list_reserve_(struct aiox_timer_list_ *list)
{
    uint32_t wanted = aiox_u32_add_relaxed(&list->timers_, 1) + 1;
    int err = 0;

    aiox_assert(wanted <= MOST_TIMERS);
    if (wanted > aiox_u32_load_relaxed(&list->capacity_)) {
        err = grow(list, wanted);
    }
    if (err) {
        list_release_(list);
    }
    return err;
}

void list_release_(struct aiox_timer_list_ *list)
{
    aiox_u32_sub_relaxed(&list->timers_, 1);
}

int64_t list_now_ns_(const struct aiox_timer_list_ *list)
{
    int64_t now = aiox_timer_clock_ns(list->clock_);

    return list->clock_ != AIOX_CLOCK_HOST && now < list->seen_ns_ ? list->seen_ns_ : now;
}

static int64_t earlier_without(const struct aiox_timer *timer, uint32_t ignore, int64_t next)
{
    int64_t deadline_ns = timer_deadline_ns_(timer);

    return timer->attributes_ & ignore || deadline_ns > next ? next : deadline_ns;
}

/* The earliest deadline in the heap. The lock is held. */
static int64_t heap_earliest_without(struct aiox_timer_list_ *list, uint32_t ignore)
{
    int64_t next = INT64_MAX;

    for (uint32_t i = HEAP_ROOT; i < HEAP_ROOT + list->armed_; i++) {
        next = earlier_without(list->entries_[i].timer, ignore, next);
    }
    return next;
}

int64_t list_earliest_ns_(struct aiox_timer_list_ *list, uint32_t ignore)
{
    int64_t next;

    lock_take_(&list->lock_);
    next = heap_earliest_without(list, ignore);
    AIOX_LIST_FOREACH(timer, &list->due_, struct aiox_timer, link_)
    {
        next = earlier_without(timer, ignore, next);
    }
    lock_leave_(&list->lock_);
    return next;
}

int64_t list_next_without_ns_(struct aiox_timer_list_ *list, uint32_t ignore)
{
    int64_t next;

    lock_take_(&list->lock_);
    next = heap_earliest_without(list, ignore);
    AIOX_LIST_FOREACH(timer, &list->due_, struct aiox_timer, link_)
    {
        next = timer->attributes_ & ignore ? next : INT64_MIN;
    }
    lock_leave_(&list->lock_);
    return next;
}
