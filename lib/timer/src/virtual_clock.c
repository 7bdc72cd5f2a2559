/* SPDX-License-Identifier: MIT */
/*
 * virtual_clock.c - time that stops, goes on and is moved.
 *
 * Running, its time is the monotonic clock's plus base; stopped, it is base.
 * The two words must be read together, and with a reading of the monotonic
 * clock that falls into the same period: else a reader that was slow could show
 * a time later than the one at which the clock was stopped. So they have a
 * version, odd while they change. A reader that sees it odd, or changed, reads
 * again under the lock that whoever changes them holds; no reader spins.
 *
 * The order of the reads needs no fence: the words are read with acquire, so
 * the second look at the version comes after them; they are written with
 * release, so the odd version is there before them.
 *
 * [TIMER-virtual]  a word (release) -> reader (acquire): the odd version.
 * [TIMER-version]  even version (release) -> reader (acquire): the words.
 */
#include "clocks.h"

#include "aiox/assert.h"
#include "aiox/clock.h"

#include "lock.h"
#include "registry.h"

static struct aiox_timer_lock_ lock;
static aiox_atomic_u32 version;
static aiox_atomic_u32 stopped;
static aiox_atomic_u64 base_ns;

static int64_t add_saturating(int64_t a, int64_t b)
{
    int64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* The lock is held. */
static int64_t read_alone(void)
{
    int64_t base = (int64_t)aiox_u64_load_relaxed(&base_ns);

    return aiox_u32_load_relaxed(&stopped) ? base : add_saturating(aiox_clock_now_ns(), base);
}

static int64_t read_locked(void)
{
    int64_t now;

    lock_take_(&lock);
    now = read_alone();
    lock_leave_(&lock);
    return now;
}

int64_t virtual_clock_ns_(void)
{
    uint32_t before = aiox_u32_load_acquire(&version);       /* [TIMER-version] */
    int64_t base = (int64_t)aiox_u64_load_acquire(&base_ns); /* [TIMER-virtual] */
    bool stands = aiox_u32_load_acquire(&stopped);           /* [TIMER-virtual] */
    int64_t now = stands ? base : add_saturating(aiox_clock_now_ns(), base);

    if (AIOX_UNLIKELY(before % 2 || aiox_u32_load_relaxed(&version) != before)) {
        return read_locked();
    }
    return now;
}

/* From now on the clock shows @now and stands or goes on. The lock is held, the version odd. */
static void set(int64_t now, bool stands)
{
    int64_t base = stands ? now : now - aiox_clock_now_ns();

    aiox_u64_store_release(&base_ns, (uint64_t)base); /* [TIMER-virtual] */
    aiox_u32_store_release(&stopped, stands);         /* [TIMER-virtual] */
}

static void begin_change(void)
{
    lock_take_(&lock);
    aiox_u32_add_acq_rel(&version, 1); /* not a store: it is seen before the clock is read */
}

static void end_change(void)
{
    aiox_u32_store_release(&version, aiox_u32_load_relaxed(&version) + 1); /* [TIMER-version] */
    lock_leave_(&lock);
}

void aiox_virtual_clock_stop(void)
{
    begin_change();
    if (!aiox_u32_load_relaxed(&stopped)) {
        set(read_alone(), true);
    }
    end_change();
}

void aiox_virtual_clock_start(void)
{
    begin_change();
    if (aiox_u32_load_relaxed(&stopped)) {
        set(read_alone(), false);
    }
    end_change();
    registry_notify_();
}

bool aiox_virtual_clock_is_running(void)
{
    return !aiox_u32_load_relaxed(&stopped);
}

void aiox_virtual_clock_step_ns(int64_t ns)
{
    aiox_assert(ns >= 0);
    begin_change();
    set(add_saturating(read_alone(), ns), aiox_u32_load_relaxed(&stopped));
    end_change();
    registry_notify_();
}

/* Moves the clock to @target_ns unless it is there; returns by how much. */
static int64_t move_to(int64_t target_ns)
{
    int64_t now, moved;

    begin_change();
    now = read_alone();
    moved = target_ns > now ? target_ns - now : 0;
    set(now + moved, aiox_u32_load_relaxed(&stopped));
    end_change();
    return moved;
}

int64_t aiox_virtual_clock_warp(void)
{
    int64_t next = registry_next_ns_(AIOX_CLOCK_VIRTUAL, 0);
    int64_t moved;

    if (next == INT64_MAX) {
        return -1;
    }
    moved = move_to(next);
    if (moved) {
        registry_notify_();
    }
    return moved;
}
