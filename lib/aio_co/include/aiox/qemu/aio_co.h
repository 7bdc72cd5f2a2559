/* SPDX-License-Identifier: MIT */
/* aiox/qemu/aio_co.h - the original names of aiox/aio_co.h, which tells what they do. */
#ifndef AIOX_QEMU_AIO_CO_H_
#define AIOX_QEMU_AIO_CO_H_

#include <errno.h>

#include "aiox/aio_co.h"
#include "aiox/assert.h"
#include "aiox/attributes.h"
#include "aiox/qemu/aio.h"
#include "aiox/qemu/coroutine.h"

AIOX_BEGIN_DECLS

static inline void aio_co_schedule(AioContext *ctx, Coroutine *co)
{
    aiox_co_schedule(ctx, co);
}

static inline void aio_co_wake(Coroutine *co)
{
    aiox_co_wake(co);
}

static inline void aio_co_enter(AioContext *ctx, Coroutine *co)
{
    aiox_co_enter_in(ctx, co);
}

static inline void coroutine_fn aio_co_reschedule_self(AioContext *new_ctx)
{
    aiox_co_move_self(new_ctx);
}

static inline AioContext *qemu_coroutine_get_aio_context(Coroutine *co)
{
    return aiox_co_context(co);
}

/* Until it can be read, or hung up. Aborts if it cannot be watched. */
static inline void coroutine_fn yield_until_fd_readable(int fd)
{
    int events = aiox_co_wait_fd(fd, AIOX_FD_READ, -1);

    if (events < 0) {
        aiox_panic("cannot wait for descriptor %d: %s", fd, aiox_error_text(events));
    }
}

static inline void coroutine_fn qemu_co_sleep_ns(QEMUClockType type, int64_t ns)
{
    int err = aiox_co_sleep_ns((enum aiox_clock)type, ns);

    aiox_assert(err == 0);
}

/* All zero is ready for use. */
typedef struct aiox_co_sleep QemuCoSleep;

static inline void coroutine_fn qemu_co_sleep_ns_wakeable(QemuCoSleep *w, QEMUClockType type,
                                                          int64_t ns)
{
    int err = aiox_co_sleep_wakeable_ns(w, (enum aiox_clock)type, ns);

    aiox_assert(err != -ENOMEM);
}

/* Until qemu_co_sleep_wake(). */
static inline void coroutine_fn qemu_co_sleep(QemuCoSleep *w)
{
    qemu_co_sleep_ns_wakeable(w, QEMU_CLOCK_REALTIME, -1);
}

static inline void qemu_co_sleep_wake(QemuCoSleep *w)
{
    aiox_co_sleep_wake(w);
}

AIOX_END_DECLS

#endif /* AIOX_QEMU_AIO_CO_H_ */
