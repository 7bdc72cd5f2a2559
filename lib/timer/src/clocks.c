/* SPDX-License-Identifier: MIT */
/* clocks.c - which clocks there are, and whether their timers may fire. */
#include "clocks.h"

#include "aiox/assert.h"
#include "aiox/clock.h"

#include "registry.h"

aiox_atomic_u32 clocks_disabled_;

int64_t aiox_timer_clock_ns(enum aiox_clock clock)
{
    switch (clock) {
    case AIOX_CLOCK_MONOTONIC:
    case AIOX_CLOCK_VIRTUAL_RT:
        return aiox_clock_now_ns();
    case AIOX_CLOCK_VIRTUAL:
        return virtual_clock_ns_();
    case AIOX_CLOCK_HOST:
        return host_clock_ns_();
    }
    aiox_panic("there is no clock %d", (int)clock);
}

const char *aiox_timer_clock_name(enum aiox_clock clock)
{
    static const char *const names[AIOX_CLOCKS] = {"monotonic", "virtual", "virtual-rt", "host"};

    aiox_assert((unsigned)clock < AIOX_CLOCKS);
    return names[clock];
}

bool aiox_timer_clock_enable(enum aiox_clock clock, bool enabled)
{
    uint32_t bit = 1u << clock;
    uint32_t before;

    aiox_assert((unsigned)clock < AIOX_CLOCKS);
    if (enabled) {
        before = aiox_u32_and_release(&clocks_disabled_, ~bit); /* [TIMER-enable] */
        registry_notify_();
    } else {
        before = aiox_u32_or_relaxed(&clocks_disabled_, bit);
        registry_await_clock_(clock);
    }
    return !(before & bit);
}

bool aiox_timer_clock_is_enabled(enum aiox_clock clock)
{
    aiox_assert((unsigned)clock < AIOX_CLOCKS);
    return clock_is_enabled_(clock);
}

int64_t aiox_timer_clock_next_ns(enum aiox_clock clock, uint32_t ignore)
{
    int64_t next;

    aiox_assert((unsigned)clock < AIOX_CLOCKS);
    next = registry_next_ns_(clock, ignore);
    return next == INT64_MAX ? -1 : next;
}
