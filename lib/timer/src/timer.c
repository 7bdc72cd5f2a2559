/* SPDX-License-Identifier: MIT */
/*
 * timer.c - arms and disarms, from any thread.
 *
 * Each call is one short section under the list's lock. If the section made
 * the list's next deadline earlier, the owner is told afterwards, without the
 * lock; the timer is not touched any more by then, since it may have fired
 * and be gone. The group is not: it outlives the call.
 */
#include "aiox/timer.h"

#include <string.h>

#include "aiox/assert.h"

#include "clocks.h"
#include "list.h"
#include "pass.h"
#include "registry.h"
#include "trace.h"

static void tell(const struct aiox_timer_group *group)
{
    if (group->changed_) {
        group->changed_(group->opaque_);
    }
}

static bool disarm_if_pending(struct aiox_timer_list_ *list, struct aiox_timer *timer)
{
    bool pending = timer_is_pending_(timer);

    AIOX_TRACE(timer, cancel, (uintptr_t)timer, pending);
    if (pending) {
        list_disarm_(list, timer);
        list_publish_(list);
    }
    return pending;
}

int aiox_timer_init(struct aiox_timer *timer, struct aiox_timer_group *group,
                    const struct aiox_timer_options *options, aiox_timer_fn *fn, void *opaque)
{
    int err;

    aiox_assert((unsigned)options->clock < AIOX_CLOCKS && options->scale && fn);
    memset(timer, 0, sizeof(*timer));
    err = list_reserve_(&group->lists_[options->clock]);
    if (err) {
        return err;
    }
    timer->list_ = &group->lists_[options->clock];
    timer->attributes_ = options->attributes;
    timer->scale_ = options->scale;
    timer->fn_ = fn;
    timer->opaque_ = opaque;
    return 0;
}

int aiox_timer_init_ns(struct aiox_timer *timer, struct aiox_timer_group *group,
                       enum aiox_clock clock, aiox_timer_fn *fn, void *opaque)
{
    const struct aiox_timer_options options = {.clock = clock, .scale = AIOX_SCALE_NS};

    return aiox_timer_init(timer, group, &options, fn, opaque);
}

void aiox_timer_fini(struct aiox_timer *timer)
{
    struct aiox_timer_list_ *list = timer->list_;

    aiox_timer_cancel(timer);
    memset(timer, 0, sizeof(*timer));
    if (list) {
        list_release_(list);
    }
}

void aiox_timer_mod_ns(struct aiox_timer *timer, int64_t deadline_ns)
{
    struct aiox_timer_list_ *list = timer->list_;
    bool nearer;

    aiox_assert(list);
    deadline_ns = deadline_ns < 0 ? 0 : deadline_ns;
    AIOX_TRACE(timer, arm, (uintptr_t)timer, deadline_ns);
    lock_take_(&list->lock_);
    list_arm_(list, timer, deadline_ns);
    nearer = list_publish_(list);
    lock_leave_(&list->lock_);
    if (AIOX_UNLIKELY(nearer)) {
        tell(list->group_);
    }
}

void aiox_timer_mod(struct aiox_timer *timer, int64_t deadline)
{
    int64_t deadline_ns;

    if (__builtin_mul_overflow(deadline, (int64_t)timer->scale_, &deadline_ns)) {
        deadline_ns = deadline < 0 ? 0 : INT64_MAX;
    }
    aiox_timer_mod_ns(timer, deadline_ns);
}

void aiox_timer_mod_earlier_ns(struct aiox_timer *timer, int64_t deadline_ns)
{
    struct aiox_timer_list_ *list = timer->list_;
    bool nearer = false;

    aiox_assert(list);
    deadline_ns = deadline_ns < 0 ? 0 : deadline_ns;
    lock_take_(&list->lock_);
    if (!timer_is_pending_(timer) || deadline_ns < timer_deadline_ns_(timer)) {
        AIOX_TRACE(timer, arm, (uintptr_t)timer, deadline_ns);
        list_arm_earlier_(list, timer, deadline_ns);
        nearer = list_publish_(list);
    }
    lock_leave_(&list->lock_);
    if (nearer) {
        tell(list->group_);
    }
}

bool aiox_timer_cancel(struct aiox_timer *timer)
{
    struct aiox_timer_list_ *list = timer->list_;
    bool pending;

    if (!list) {
        return false;
    }
    lock_take_(&list->lock_);
    pending = disarm_if_pending(list, timer);
    lock_leave_(&list->lock_);
    return pending;
}

struct cancelling {
    struct aiox_timer *timer;
    bool was_pending;
};

/*
 * Looked at until true: neither armed nor running, seen in one section. So the
 * last arming of a callback that arms its own timer is taken back too.
 */
static bool is_over(void *opaque)
{
    struct cancelling *c = opaque;
    struct aiox_timer_list_ *list = c->timer->list_;
    bool running;

    lock_take_(&list->lock_);
    c->was_pending |= disarm_if_pending(list, c->timer);
    running = pass_watch_(list, c->timer);
    lock_leave_(&list->lock_);
    return !running;
}

bool aiox_timer_cancel_sync(struct aiox_timer *timer)
{
    struct cancelling c = {.timer = timer};

    if (timer->list_) {
        registry_await_(is_over, &c);
    }
    return c.was_pending;
}

bool aiox_timer_is_pending(const struct aiox_timer *timer)
{
    return timer_is_pending_(timer);
}

bool aiox_timer_is_expired(const struct aiox_timer *timer, int64_t now_ns)
{
    uint64_t when = aiox_u64_load_relaxed(&timer->when_);

    return when && (int64_t)(when - 1) <= now_ns;
}

int64_t aiox_timer_expire_time_ns(const struct aiox_timer *timer)
{
    return timer_deadline_ns_(timer);
}
