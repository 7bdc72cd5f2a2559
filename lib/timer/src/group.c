/* SPDX-License-Identifier: MIT */
/* group.c - the timers of one loop: its four lists seen as one. */
#include "aiox/timer.h"

#include <string.h>

#include "clocks.h"
#include "list.h"
#include "pass.h"
#include "registry.h"

void aiox_timer_group_init(struct aiox_timer_group *group, aiox_timer_changed_fn *changed,
                           void *opaque)
{
    for (int i = 0; i < AIOX_CLOCKS; i++) {
        list_init_(&group->lists_[i], group, (enum aiox_clock)i);
    }
    group->changed_ = changed;
    group->opaque_ = opaque;
    registry_add_(group);
}

void aiox_timer_group_fini(struct aiox_timer_group *group)
{
    if (!aiox_list_is_linked(&group->link_)) {
        return;
    }
    registry_remove_(group);
    for (int i = 0; i < AIOX_CLOCKS; i++) {
        list_fini_(&group->lists_[i]);
    }
    memset(group, 0, sizeof(*group));
}

/* No timer is armed, or for no time: a deadline is not negative, so the AND says it of all. */
static bool is_empty(const struct aiox_timer_group *group)
{
    const struct aiox_timer_list_ *l = group->lists_;

    _Static_assert(AIOX_CLOCKS == 4, "each clock is looked at, without a loop");
    return (list_next_ns_(&l[0]) & list_next_ns_(&l[1]) & list_next_ns_(&l[2]) &
            list_next_ns_(&l[3])) == INT64_MAX;
}

static bool run(struct aiox_timer_group *group, uint32_t ignore)
{
    bool due[AIOX_CLOCKS];
    bool any = false;

    /* The last is the time of day, reading which may call watchers: what they arm is too late. */
    for (int i = 0; i < AIOX_CLOCKS; i++) {
        due[i] = pass_collect_(&group->lists_[i], ignore);
    }
    for (int i = 0; i < AIOX_CLOCKS; i++) {
        if (due[i]) {
            any |= pass_run_(&group->lists_[i], ignore);
        }
    }
    return any;
}

bool aiox_timer_group_run_without(struct aiox_timer_group *group, uint32_t ignore)
{
    return !is_empty(group) && run(group, ignore);
}

bool aiox_timer_group_run(struct aiox_timer_group *group)
{
    return !is_empty(group) && run(group, 0);
}

static int64_t list_timeout_ns(const struct aiox_timer_list_ *list, int64_t next)
{
    int64_t now;
    uint64_t length;

    if (AIOX_LIKELY(next == INT64_MAX) || !clock_is_enabled_(list->clock_)) {
        return -1;
    }
    now = list_now_ns_(list);
    if (next <= now) {
        return 0;
    }
    if (list->clock_ == AIOX_CLOCK_VIRTUAL && !aiox_virtual_clock_is_running()) {
        return -1;
    }
    length = (uint64_t)next - (uint64_t)now;
    return length > INT64_MAX ? INT64_MAX : (int64_t)length;
}

/* The sooner of two lengths of time, of which -1 is for ever. */
static int64_t sooner(int64_t a, int64_t b)
{
    return (uint64_t)a < (uint64_t)b ? a : b;
}

int64_t aiox_timer_group_timeout_ns(const struct aiox_timer_group *group)
{
    int64_t timeout_ns = -1;

    if (is_empty(group)) {
        return -1;
    }
    for (int i = 0; i < AIOX_CLOCKS; i++) {
        const struct aiox_timer_list_ *list = &group->lists_[i];

        timeout_ns = sooner(timeout_ns, list_timeout_ns(list, list_next_ns_(list)));
    }
    return timeout_ns;
}

int64_t aiox_timer_group_timeout_without_ns(struct aiox_timer_group *group, uint32_t ignore)
{
    int64_t timeout_ns = -1;

    for (int i = 0; i < AIOX_CLOCKS; i++) {
        struct aiox_timer_list_ *list = &group->lists_[i];

        timeout_ns = sooner(timeout_ns, list_timeout_ns(list, list_next_without_ns_(list, ignore)));
    }
    return timeout_ns;
}
