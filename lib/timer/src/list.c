/* SPDX-License-Identifier: MIT */
/*
 * list.c - the life of a list, and the memory of its heap.
 *
 * timers_ counts those that were initialised, and heap and row have room for as
 * many: so an arming, which takes one of them into the heap, always finds room,
 * as does a pass, which moves them into the row. The arrays never shrink: a
 * program that sleeps a million times in one timer each asks for memory once.
 */
#include "list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "aiox/assert.h"

enum {
    FIRST_CAPACITY = 8,
    LINE_BYTES = 64,
    HUGE_PAGE_BYTES = 2 << 20,
    MOST_TIMERS = 1 << 30,
};

void list_init_(struct aiox_timer_list_ *list, struct aiox_timer_group *group,
                enum aiox_clock clock)
{
    memset(list, 0, sizeof(*list));
    aiox_u64_store_relaxed(&list->next_ns_, INT64_MAX);
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

/* How long the array of entries is: @capacity, the root and holes before it. */
static size_t entries_of(uint32_t capacity)
{
    return (size_t)capacity + HEAP_CHILDREN;
}

/*
 * Both arrays in one piece of memory, the row behind the heap. Of very many
 * timers it is large, and each operation goes to places far apart: then in huge
 * pages, so that finding the pages does not cost a miss more.
 */
static struct aiox_timer_entry_ *new_arrays(uint32_t capacity)
{
    size_t bytes = entries_of(capacity) * sizeof(struct aiox_timer_entry_) +
                   capacity * sizeof(struct aiox_timer *);
    bool is_large = bytes >= 2 * (size_t)HUGE_PAGE_BYTES;
    size_t unit = is_large ? HUGE_PAGE_BYTES : LINE_BYTES;
    void *arrays = aligned_alloc(unit, (bytes + unit - 1) / unit * unit);

    if (arrays && is_large) {
        (void)madvise(arrays, bytes, MADV_HUGEPAGE); /* refused where there are none */
    }
    return arrays;
}

/* Moves what the list holds into @entries. Returns the memory that held it. */
static struct aiox_timer_entry_ *move_into(struct aiox_timer_list_ *list,
                                           struct aiox_timer_entry_ *entries, uint32_t capacity)
{
    struct aiox_timer_entry_ *before = list->entries_;
    struct aiox_timer **due = (struct aiox_timer **)(entries + entries_of(capacity));

    if (before) {
        memcpy(&entries[HEAP_ROOT], &before[HEAP_ROOT], list->armed_ * sizeof(*entries));
        memcpy((void *)due, (void *)list->due_, list->due_end_ * sizeof(struct aiox_timer *));
    }
    list->entries_ = entries;
    list->due_ = due;
    aiox_u32_store_relaxed(&list->capacity_, capacity);
    return before;
}

static int grow(struct aiox_timer_list_ *list, uint32_t wanted)
{
    uint32_t capacity = aiox_u32_load_relaxed(&list->capacity_);
    struct aiox_timer_entry_ *entries, *spare;

    capacity = capacity ? capacity : FIRST_CAPACITY;
    while (capacity < wanted) {
        capacity *= 2;
    }
    entries = new_arrays(capacity);
    if (!entries) {
        return -ENOMEM;
    }
    spare = entries;
    lock_take_(&list->lock_);
    if (capacity > aiox_u32_load_relaxed(&list->capacity_)) {
        spare = move_into(list, entries, capacity);
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

/* Closes the holes of the row. */
static void due_compact(struct aiox_timer_list_ *list)
{
    uint32_t fresh = 0, end = 0;

    for (uint32_t i = list->due_first_; i < list->due_end_; i++) {
        struct aiox_timer *timer = list->due_[i];

        fresh = i == list->due_fresh_ ? end : fresh;
        if (timer) {
            timer->place_ = PLACE_DUE + end;
            list->due_[end++] = timer;
        }
    }
    list->due_first_ = 0;
    list->due_fresh_ = list->due_fresh_ < list->due_end_ ? fresh : end;
    list->due_end_ = end;
}

/* Timers are no more than there is room for, so behind the holes there is room. */
void due_push_(struct aiox_timer_list_ *list, struct aiox_timer *timer)
{
    if (AIOX_UNLIKELY(list->due_end_ == aiox_u32_load_relaxed(&list->capacity_))) {
        due_compact(list);
    }
    timer->place_ = PLACE_DUE + list->due_end_;
    list->due_[list->due_end_++] = timer;
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
    for (uint32_t i = list->due_first_; i < list->due_end_; i++) {
        next = list->due_[i] ? earlier_without(list->due_[i], ignore, next) : next;
    }
    lock_leave_(&list->lock_);
    return next;
}

int64_t list_next_without_ns_(struct aiox_timer_list_ *list, uint32_t ignore)
{
    int64_t next;

    lock_take_(&list->lock_);
    next = heap_earliest_without(list, ignore);
    for (uint32_t i = list->due_first_; i < list->due_end_; i++) {
        const struct aiox_timer *timer = list->due_[i];

        next = !timer || timer->attributes_ & ignore ? next : INT64_MIN;
    }
    lock_leave_(&list->lock_);
    return next;
}
