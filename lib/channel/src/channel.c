/* SPDX-License-Identifier: MIT */
/* channel.c - the common half: who holds it, who is inside, try and wait. */
#include "channel.h"

#include <errno.h>

#include "aiox/aio_co.h"
#include "aiox/assert.h"

#include "trace.h"
#include "users.h"

/* ---- life ---- */

void aiox_channel_init(struct aiox_channel *ch, const struct aiox_channel_ops *ops,
                       uint32_t features)
{
    aiox_assert(ops->wait && ops->close && ops->free);
    *ch = (struct aiox_channel){
        .ops_ = ops,
        .features_ = features,
        .is_blocking_ = true,
        .follows_ = true,
        .references_ = AIOX_ATOMIC_INIT(1),
    };
}

struct aiox_channel *aiox_channel_ref(struct aiox_channel *ch)
{
    aiox_assert(aiox_u32_add_relaxed(&ch->references_, 1) > 0);
    return ch;
}

static enum users_closed end_use(struct aiox_channel *ch)
{
    enum users_closed closed = users_close_(&ch->users_);

    if (closed != USERS_WERE_CLOSED) {
        AIOX_TRACE(channel, close, (uintptr_t)ch, closed == USERS_SOME_INSIDE);
    }
    return closed;
}

/* [CHANNEL-unref] unref (acq_rel) -> the last unref (acq_rel): what the others did with it. */
void aiox_channel_unref(struct aiox_channel *ch)
{
    enum users_closed closed;

    if (!ch || aiox_u32_sub_acq_rel(&ch->references_, 1) != 1) { /* [CHANNEL-unref] */
        return;
    }
    closed = end_use(ch);
    aiox_assert(closed != USERS_SOME_INSIDE);
    if (closed == USERS_NONE_INSIDE) {
        (void)ch->ops_->close(ch);
    }
    ch->ops_->free(ch);
}

int aiox_channel_close(struct aiox_channel *ch)
{
    enum users_closed closed;
    int err = 0;

    /* Who is inside holds no reference: all of them may go while this looks after the rest. */
    aiox_channel_ref(ch);
    closed = end_use(ch);
    if (closed == USERS_NONE_INSIDE) {
        err = ch->ops_->close(ch);
    } else if (closed == USERS_SOME_INSIDE && ch->ops_->end_waits) {
        ch->ops_->end_waits(ch);
    }
    aiox_channel_unref(ch);
    return err;
}

bool aiox_channel_enter(struct aiox_channel *ch)
{
    return users_enter_(&ch->users_);
}

void aiox_channel_leave(struct aiox_channel *ch)
{
    if (users_leave_(&ch->users_)) {
        (void)ch->ops_->close(ch); /* nobody is left who would hear of an error */
    }
}

/* ---- what it is ---- */

const char *aiox_channel_kind(const struct aiox_channel *ch)
{
    return ch->ops_->kind;
}

uint32_t aiox_channel_features(const struct aiox_channel *ch)
{
    return ch->features_;
}

void aiox_channel_set_blocking(struct aiox_channel *ch, bool blocking)
{
    ch->is_blocking_ = blocking;
}

void aiox_channel_set_follow_coroutine_ctx(struct aiox_channel *ch, bool follow)
{
    ch->follows_ = follow;
    if (ch->ops_->set_follow) {
        ch->ops_->set_follow(ch, follow);
    }
}

void aiox_channel_set_external(struct aiox_channel *ch, bool external)
{
    if (ch->ops_->set_external) {
        ch->ops_->set_external(ch, external);
    }
}

bool aiox_channel_may_wait(const struct aiox_channel *ch)
{
    return ch->is_blocking_ || aiox_in_coroutine();
}

/* ---- try, and wait ---- */

ssize_t aiox_channel_try_read(struct aiox_channel *ch, struct aiox_channel_io *io)
{
    ssize_t n;

    if (!aiox_channel_enter(ch)) {
        return -EBADF;
    }
    io->wanted = AIOX_FD_READ;
    n = ch->ops_->read ? ch->ops_->read(ch, io) : -EOPNOTSUPP;
    aiox_channel_leave(ch);
    return n;
}

ssize_t aiox_channel_try_write(struct aiox_channel *ch, struct aiox_channel_io *io)
{
    ssize_t n;

    if (!aiox_channel_enter(ch)) {
        return -EBADF;
    }
    io->wanted = AIOX_FD_WRITE;
    n = ch->ops_->write ? ch->ops_->write(ch, io) : -EOPNOTSUPP;
    aiox_channel_leave(ch);
    return n;
}

static ssize_t try_until(struct aiox_channel *ch, struct aiox_channel_io *io, uint32_t event,
                         int64_t deadline_ns)
{
    ssize_t (*attempt)(struct aiox_channel *, struct aiox_channel_io *) =
        event == AIOX_FD_READ ? ch->ops_->read : ch->ops_->write;

    if (!attempt) {
        return -EOPNOTSUPP;
    }
    for (;;) {
        ssize_t n;
        int events;

        io->wanted = event;
        n = attempt(ch, io);
        if (n != -EAGAIN || !aiox_channel_may_wait(ch)) {
            return n;
        }
        events = ch->ops_->wait(ch, io->wanted, deadline_ns);
        if (events < 0) {
            return events;
        }
    }
}

ssize_t channel_move_(struct aiox_channel *ch, struct aiox_channel_io *io, uint32_t event,
                      int64_t deadline_ns)
{
    ssize_t n;

    if (!aiox_channel_enter(ch)) {
        return -EBADF;
    }
    n = try_until(ch, io, event, deadline_ns);
    aiox_channel_leave(ch);
    return n;
}

int aiox_channel_wait(struct aiox_channel *ch, uint32_t events, int64_t deadline_ns)
{
    int seen;

    aiox_assert(events && !(events & ~(uint32_t)(AIOX_FD_READ | AIOX_FD_WRITE)));
    if (!aiox_channel_enter(ch)) {
        return -EBADF;
    }
    seen = ch->ops_->wait(ch, events, deadline_ns);
    aiox_channel_leave(ch);
    return seen;
}

static bool wake(struct aiox_channel *ch, uint32_t event)
{
    bool woken;

    if (!ch->ops_->wake || !aiox_channel_enter(ch)) {
        return false;
    }
    woken = ch->ops_->wake(ch, event);
    aiox_channel_leave(ch);
    return woken;
}

bool aiox_channel_wake_read(struct aiox_channel *ch)
{
    return wake(ch, AIOX_FD_READ);
}

bool aiox_channel_wake_write(struct aiox_channel *ch)
{
    return wake(ch, AIOX_FD_WRITE);
}

/* ---- the rest ---- */

#define INSIDE(ch, op, ...)                                                                        \
    do {                                                                                           \
        if (!(ch)->ops_->op) {                                                                     \
            return -EOPNOTSUPP;                                                                    \
        }                                                                                          \
        if (!aiox_channel_enter(ch)) {                                                             \
            return -EBADF;                                                                         \
        }                                                                                          \
        result = (ch)->ops_->op(__VA_ARGS__);                                                      \
        aiox_channel_leave(ch);                                                                    \
        return result;                                                                             \
    } while (0)

int aiox_channel_shutdown(struct aiox_channel *ch, enum aiox_channel_direction what)
{
    int result;

    AIOX_TRACE(channel, shutdown, (uintptr_t)ch, what);
    INSIDE(ch, shutdown, ch, what);
}

static bool can_seek(const struct aiox_channel *ch)
{
    return (ch->features_ & AIOX_CHANNEL_SEEKABLE) != 0;
}

ssize_t aiox_channel_pread(struct aiox_channel *ch, void *buf, size_t bytes, int64_t offset)
{
    ssize_t result;

    if (!can_seek(ch)) {
        return -ESPIPE;
    }
    INSIDE(ch, pread, ch, buf, bytes, offset);
}

ssize_t aiox_channel_pwrite(struct aiox_channel *ch, const void *buf, size_t bytes, int64_t offset)
{
    ssize_t result;

    if (!can_seek(ch)) {
        return -ESPIPE;
    }
    INSIDE(ch, pwrite, ch, buf, bytes, offset);
}

int64_t aiox_channel_seek(struct aiox_channel *ch, int64_t offset, int whence)
{
    int64_t result;

    if (!can_seek(ch)) {
        return -ESPIPE;
    }
    INSIDE(ch, seek, ch, offset, whence);
}

int aiox_channel_set_cork(struct aiox_channel *ch, bool on)
{
    int result;

    INSIDE(ch, set_cork, ch, on);
}

int aiox_channel_set_delay(struct aiox_channel *ch, bool on)
{
    int result;

    INSIDE(ch, set_delay, ch, on);
}

int aiox_channel_set_keepalive(struct aiox_channel *ch, bool on)
{
    int result;

    INSIDE(ch, set_keepalive, ch, on);
}
