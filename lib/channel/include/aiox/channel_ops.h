/* SPDX-License-Identifier: MIT */
/*
 * aiox/channel_ops.h - for whoever makes a kind of channel.
 *
 * A channel of one's own begins with struct aiox_channel, which
 * aiox_channel_init() fills. Its operations try and never wait: the functions of
 * aiox/channel.h wait and try again. lib/channel_tls is made so.
 */
#ifndef AIOX_CHANNEL_OPS_H_
#define AIOX_CHANNEL_OPS_H_

#include "aiox/atomic.h"
#include "aiox/channel.h"

AIOX_BEGIN_DECLS

/* One attempt to read or to write. */
struct aiox_channel_io {
    const struct iovec *iov;
    int count;                    /* of iov; any number, of which some may be used */
    bool peek;                    /* leave it there; only with AIOX_CHANNEL_PEEK */
    uint32_t wanted;              /* out, with -EAGAIN: what to wait for. READ or WRITE at first */
    struct aiox_channel_fds *fds; /* NULL: none to send, none is taken. Empty to read */
};

/* What is NULL is -EOPNOTSUPP. Nothing is called after close, but free. */
struct aiox_channel_ops {
    const char *kind;
    /* How many bytes; 0: the end of the file; -EAGAIN: to be tried again when io->wanted holds. */
    ssize_t (*read)(struct aiox_channel *ch, struct aiox_channel_io *io);
    ssize_t (*write)(struct aiox_channel *ch, struct aiox_channel_io *io);
    /* aiox_channel_wait(). Required. */
    int (*wait)(struct aiox_channel *ch, uint32_t events, int64_t deadline_ns);
    /* Ends the wait for @event with -ECANCELED, false if there is none. NULL: nobody ever waits. */
    bool (*wake)(struct aiox_channel *ch, uint32_t event);
    /* It is being closed: each wait, begun or to come, ends with -ECANCELED. Others are inside. */
    void (*end_waits)(struct aiox_channel *ch);
    int (*shutdown)(struct aiox_channel *ch, enum aiox_channel_direction what);
    /* Gives back what the system gave. Nobody is inside. Required. */
    int (*close)(struct aiox_channel *ch);
    /* Gives back the memory, that of @ch too. Required. */
    void (*free)(struct aiox_channel *ch);
    ssize_t (*pread)(struct aiox_channel *ch, void *buf, size_t bytes, int64_t offset);
    ssize_t (*pwrite)(struct aiox_channel *ch, const void *buf, size_t bytes, int64_t offset);
    int64_t (*seek)(struct aiox_channel *ch, int64_t offset, int whence);
    int (*set_cork)(struct aiox_channel *ch, bool on);
    int (*set_delay)(struct aiox_channel *ch, bool on);
    int (*set_keepalive)(struct aiox_channel *ch, bool on);
    /* Hands aiox_channel_set_follow_coroutine_ctx() on to the channels that wait in its place. */
    void (*set_follow)(struct aiox_channel *ch, bool follow);
    /* aiox_channel_set_external(), for itself or for the channels that wait in its place. */
    void (*set_external)(struct aiox_channel *ch, bool external);
};

/* The common half. Fields are private. */
struct aiox_channel {
    const struct aiox_channel_ops *ops_;
    uint32_t features_;
    bool is_blocking_;
    bool follows_;
    aiox_atomic_u32 references_;
    aiox_atomic_u32 users_;
};

/* Makes the common half, with one reference. @ops is static. [init] */
AIOX_API void aiox_channel_init(struct aiox_channel *ch, const struct aiox_channel_ops *ops,
                                uint32_t features);

/*
 * One attempt of ops->read, ops->write, whatever the caller is: never waits.
 * -EBADF: it was closed. [any]
 */
AIOX_API AIOX_NODISCARD ssize_t aiox_channel_try_read(struct aiox_channel *ch,
                                                      struct aiox_channel_io *io);
AIOX_API AIOX_NODISCARD ssize_t aiox_channel_try_write(struct aiox_channel *ch,
                                                       struct aiox_channel_io *io);

/*
 * Keeps close from coming between: false if it was closed. Then nothing is to
 * be left. For functions that are not in the table. [any]
 */
AIOX_API AIOX_NODISCARD bool aiox_channel_enter(struct aiox_channel *ch);
AIOX_API void aiox_channel_leave(struct aiox_channel *ch);

/* True if a function that would block is to wait: in a coroutine, or blocking. [any] */
AIOX_API bool aiox_channel_may_wait(const struct aiox_channel *ch);

AIOX_END_DECLS

#endif /* AIOX_CHANNEL_OPS_H_ */
