/* SPDX-License-Identifier: MIT */
/*
 * registry.c - all groups of the process, and how to wait for a callback's end.
 *
 * No end is missed: who waits marks the callback under the list's lock and
 * holds the mutex from before that until it sleeps; who ends a marked callback
 * takes the mutex to wake it.
 */
#include "registry.h"

#include <pthread.h>

#include "ended.h"
#include "list.h"
#include "pass.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct ended callback_ended = ENDED_INITIALIZER;
static struct aiox_list groups = {.head_ = {&groups.head_, &groups.head_}};

void registry_add_(struct aiox_timer_group *group)
{
    pthread_mutex_lock(&mutex);
    aiox_list_push_back(&groups, &group->link_);
    pthread_mutex_unlock(&mutex);
}

void registry_remove_(struct aiox_timer_group *group)
{
    pthread_mutex_lock(&mutex);
    aiox_list_remove(&group->link_);
    pthread_mutex_unlock(&mutex);
}

void registry_notify_(void)
{
    pthread_mutex_lock(&mutex);
    AIOX_LIST_FOREACH(group, &groups, struct aiox_timer_group, link_)
    {
        if (group->changed_) {
            group->changed_(group->opaque_);
        }
    }
    pthread_mutex_unlock(&mutex);
}

/* While some are due, next_ns_ does not say since when. */
static int64_t list_deadline_ns(struct aiox_timer_list_ *list, uint32_t ignore)
{
    int64_t next = list_next_ns_(list);

    return ignore || next == INT64_MIN ? list_earliest_ns_(list, ignore) : next;
}

int64_t registry_next_ns_(enum aiox_clock clock, uint32_t ignore)
{
    int64_t earliest = INT64_MAX;

    pthread_mutex_lock(&mutex);
    AIOX_LIST_FOREACH(group, &groups, struct aiox_timer_group, link_)
    {
        int64_t next = list_deadline_ns(&group->lists_[clock], ignore);

        earliest = next < earliest ? next : earliest;
    }
    pthread_mutex_unlock(&mutex);
    return earliest;
}

void registry_await_(bool (*is_over)(void *opaque), void *opaque)
{
    pthread_mutex_lock(&mutex);
    while (!is_over(opaque)) {
        ended_wait_(&callback_ended, &mutex);
    }
    pthread_mutex_unlock(&mutex);
}

void registry_wake_(void)
{
    pthread_mutex_lock(&mutex);
    ended_tell_all_(&callback_ended);
    pthread_mutex_unlock(&mutex);
}

static bool is_in_callback(struct aiox_timer_group *group)
{
    bool inside = false;

    for (int i = 0; i < AIOX_CLOCKS; i++) {
        lock_take_(&group->lists_[i].lock_);
        inside |= pass_is_mine_(&group->lists_[i]);
        lock_leave_(&group->lists_[i].lock_);
    }
    return inside;
}

static bool is_quiet(void *opaque)
{
    const enum aiox_clock *clock = opaque;
    bool running = false;

    AIOX_LIST_FOREACH(group, &groups, struct aiox_timer_group, link_)
    {
        struct aiox_timer_list_ *list = &group->lists_[*clock];

        if (is_in_callback(group)) {
            return true;
        }
        lock_take_(&list->lock_);
        running |= pass_watch_(list, NULL);
        lock_leave_(&list->lock_);
    }
    return !running;
}

void registry_await_clock_(enum aiox_clock clock)
{
    registry_await_(is_quiet, &clock);
}
