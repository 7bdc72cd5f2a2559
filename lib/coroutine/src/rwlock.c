/* SPDX-License-Identifier: MIT */
/* rwlock.c - many readers or one writer, as a line sees them. */
#include "aiox/assert.h"

#include "line.h"

enum { READ, WRITE };

static struct aiox_co_rwlock *lock_of(const struct aiox_co_line_ *line)
{
    return AIOX_CONTAINER_OF((uintptr_t)line, struct aiox_co_rwlock, line_);
}

static bool can_have(const struct aiox_co_line_ *line, uint64_t wants)
{
    int32_t owners = lock_of(line)->owners_;

    return wants == WRITE ? owners == 0 : owners >= 0;
}

static void give(struct aiox_co_line_ *line, uint64_t wants, struct aiox_co *co)
{
    struct aiox_co_rwlock *l = lock_of(line);

    AIOX_PLAIN_WRITE(&l->owners_);
    if (wants == WRITE) {
        l->owners_ = -1;
        l->writer_ = co;
    } else {
        l->owners_++;
    }
}

static const struct line_law law = {can_have, give};

/* Apart, so that who need not wait saves no registers. */
static AIOX_NOINLINE int lock_slow(struct aiox_co_rwlock *l, struct aiox_co *self, uint64_t wants,
                                   int64_t deadline_ns) coroutine_fn
{
    int err;

    line_take_(&l->line_);
    if (line_pass_(&l->line_, &law, wants, self)) {
        line_leave_(&l->line_);
    } else {
        err = line_wait_(&l->line_, &law, wants, deadline_ns);
        if (err < 0) {
            return err;
        }
    }
    self->locks_held++;
    return 0;
}

static AIOX_ALWAYS_INLINE int lock(struct aiox_co_rwlock *l, uint64_t wants,
                                   int64_t deadline_ns) coroutine_fn
{
    struct aiox_co *self = self_for_("aiox_co_rwlock_lock");

    if (AIOX_LIKELY(line_pass_at_once_(&l->line_, &law, wants, self))) {
        self->locks_held++;
        return 0;
    }
    return lock_slow(l, self, wants, deadline_ns);
}

static bool try_lock(struct aiox_co_rwlock *l, uint64_t wants)
{
    struct aiox_co *self = self_for_("aiox_co_rwlock_try_lock");
    bool got;

    line_take_(&l->line_);
    got = line_pass_(&l->line_, &law, wants, self);
    line_leave_(&l->line_);
    self->locks_held += got;
    return got;
}

/* Takes the latch, for somebody who owns a share of @l. */
static struct aiox_co *open_line(struct aiox_co_rwlock *l)
{
    struct aiox_co *self = self_for_("aiox_co_rwlock_unlock");

    line_take_(&l->line_);
    AIOX_PLAIN_WRITE(&l->owners_);
    if (self->locks_held == 0 || (l->owners_ < 0 ? l->writer_ != self : l->owners_ == 0)) {
        refuse_to_unlock_(self, "a lock for readers and writers");
    }
    return self;
}

static void give_back(struct aiox_co_rwlock *l)
{
    if (l->owners_ < 0) {
        l->owners_ = 0;
        l->writer_ = NULL;
    } else {
        l->owners_--;
    }
}

/* Returns whether the reader @self is alone, and a writer now. */
static bool upgrade_in_place(struct aiox_co_rwlock *l, struct aiox_co *self)
{
    aiox_assert(l->owners_ > 0);
    l->owners_--;
    if (line_pass_(&l->line_, &law, WRITE, self)) {
        return true;
    }
    l->owners_++;
    return false;
}

void aiox_co_rwlock_init(struct aiox_co_rwlock *l)
{
    *l = (struct aiox_co_rwlock){.owners_ = 0};
}

void aiox_co_rwlock_fini(struct aiox_co_rwlock *l)
{
    aiox_assert(l->owners_ == 0 && line_is_empty_(&l->line_));
}

HOT int aiox_co_rwlock_rdlock_until(struct aiox_co_rwlock *l, int64_t deadline_ns)
{
    return lock(l, READ, deadline_ns);
}

HOT void aiox_co_rwlock_rdlock(struct aiox_co_rwlock *l)
{
    (void)lock(l, READ, -1);
}

HOT int aiox_co_rwlock_wrlock_until(struct aiox_co_rwlock *l, int64_t deadline_ns)
{
    return lock(l, WRITE, deadline_ns);
}

HOT void aiox_co_rwlock_wrlock(struct aiox_co_rwlock *l)
{
    (void)lock(l, WRITE, -1);
}

HOT bool aiox_co_rwlock_try_rdlock(struct aiox_co_rwlock *l)
{
    return try_lock(l, READ);
}

HOT bool aiox_co_rwlock_try_wrlock(struct aiox_co_rwlock *l)
{
    return try_lock(l, WRITE);
}

HOT void aiox_co_rwlock_unlock(struct aiox_co_rwlock *l)
{
    struct aiox_co *self = open_line(l);

    give_back(l);
    self->locks_held--;
    line_move_on_(&l->line_, &law);
}

HOT int aiox_co_rwlock_upgrade_until(struct aiox_co_rwlock *l, int64_t deadline_ns)
{
    struct aiox_co *self = open_line(l);
    int err;

    if (upgrade_in_place(l, self)) {
        line_leave_(&l->line_);
        return 1;
    }
    give_back(l);
    self->locks_held--;
    err = line_wait_(&l->line_, &law, WRITE, deadline_ns);
    self->locks_held += err == 0;
    return err;
}

bool aiox_co_rwlock_upgrade(struct aiox_co_rwlock *l)
{
    return aiox_co_rwlock_upgrade_until(l, -1) > 0;
}

HOT bool aiox_co_rwlock_try_upgrade(struct aiox_co_rwlock *l)
{
    struct aiox_co *self = open_line(l);
    bool done = upgrade_in_place(l, self);

    line_leave_(&l->line_);
    return done;
}

HOT void aiox_co_rwlock_downgrade(struct aiox_co_rwlock *l)
{
    (void)open_line(l);
    aiox_assert(l->owners_ < 0);
    l->owners_ = 1;
    l->writer_ = NULL;
    line_move_on_(&l->line_, &law);
}
