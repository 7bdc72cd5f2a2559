/* SPDX-License-Identifier: MIT */
/*
 * aiox/channel.h - bytes in, bytes out, for coroutines on any loop.
 *
 * A channel is a way for bytes: a socket (aiox/channel_socket.h), a file
 * (aiox/channel_file.h), a child's pipes (aiox/channel_command.h), memory or
 * nothing (aiox/channel_memory.h). All are used by the functions here.
 *
 *   while ((n = aiox_channel_read(ch, buf, sizeof(buf), -1)) > 0) {
 *       if (aiox_channel_write_full(ch, buf, (size_t)n, -1) < 0) { break; }
 *   }
 *
 * In a coroutine of a context, a function that would block waits, and the loop
 * goes on meanwhile. Elsewhere it blocks the thread, in poll(2), unless
 * aiox_channel_set_blocking() says otherwise. A coroutine may use a channel in
 * one context now and in another later; one may read in one context while
 * another writes in a second. One reads and one writes at a time: a second
 * coroutine that waits for the same ends the program, naming both.
 *
 * Deadlines are points on AIOX_CLOCK_MONOTONIC, -1 is for ever. One in the past:
 * what can be done at once is done.
 *
 * Where it is not said otherwise, a function returns a negative errno: what
 * the system call said, or
 *   -EAGAIN      it would block, outside of coroutines, and may not
 *   -ETIMEDOUT   the deadline came first
 *   -ECANCELED   aiox_channel_wake_read(), _wake_write() or _close() ended the wait
 *   -EBADF       the channel was closed before
 *   -ENOMEM, -ENOSPC   a limit, where it has to wait
 *   -EOPNOTSUPP  this kind of channel cannot do it
 */
#ifndef AIOX_CHANNEL_H_
#define AIOX_CHANNEL_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "aiox/aio.h"
#include "aiox/attributes.h"

AIOX_BEGIN_DECLS

struct aiox_channel;

/* ---- life ---- */

/* One more reference; returns @ch. [any] */
AIOX_API struct aiox_channel *aiox_channel_ref(struct aiox_channel *ch);

/*
 * One reference less; NULL is allowed. The last one closes the channel, if
 * that was not done, and frees it: nobody may be using it. [any]
 */
AIOX_API void aiox_channel_unref(struct aiox_channel *ch);

/*
 * Ends the use of @ch. Coroutines and threads that wait in it go on with
 * -ECANCELED; what comes later is -EBADF. Descriptors are closed when the last of
 * those who are in a function of @ch has left it, so no number is used after it
 * was given away. Where one was waited for in a loop on io_uring, the kernel holds
 * it until the next turn of that loop: a listener may take a client until then.
 *
 * Returns 0, also where it was closed before, or what close(2) said; it is
 * closed all the same. When others are still inside, 0. [any]
 */
AIOX_API int aiox_channel_close(struct aiox_channel *ch);

/* What kind it is: "socket", "file", ... Static text. [any] */
AIOX_API const char *aiox_channel_kind(const struct aiox_channel *ch);

enum aiox_channel_feature {
    AIOX_CHANNEL_FD_PASS = 1u << 0,  /* descriptors can be sent along */
    AIOX_CHANNEL_SHUTDOWN = 1u << 1, /* one direction can be ended */
    AIOX_CHANNEL_LISTEN = 1u << 2,   /* it accepts connections, and carries no bytes */
    AIOX_CHANNEL_SEEKABLE = 1u << 3, /* _seek, _pread, _pwrite */
    AIOX_CHANNEL_PEEK = 1u << 4,     /* _peek */
};

/* What it can do, of enum aiox_channel_feature. [any] */
AIOX_API uint32_t aiox_channel_features(const struct aiox_channel *ch);

/*
 * Whether functions that are called outside of coroutines wait (the default)
 * or return -EAGAIN. Coroutines always wait. [init]
 */
AIOX_API void aiox_channel_set_blocking(struct aiox_channel *ch, bool blocking);

/*
 * Whether a wait takes place in the context of the coroutine that waits (the
 * default). If not, the channel is watched in the context where it first had
 * to wait, for ever; coroutines of other contexts are woken from there. That
 * saves moving the watch for a channel that is used in many contexts by turns.
 * [init]
 */
AIOX_API void aiox_channel_set_follow_coroutine_ctx(struct aiox_channel *ch, bool follow);

/*
 * Whether what comes here is new work from outside: while
 * aiox_context_disable_external() is in force for a context, coroutines that wait
 * in it for this channel are not told that they may go on. Their deadlines, and others who
 * end their waits, are heeded. No channel is, unless this is called. A read that finds
 * bytes at once has not waited: whoever drains lets the reader come to a wait. [init]
 */
AIOX_API void aiox_channel_set_external(struct aiox_channel *ch, bool external);

/* ---- bytes ---- */

/*
 * Reads what there is, at least one byte. Returns how much; 0: the end of the
 * file, or there was no room. [any]
 */
AIOX_API AIOX_NODISCARD ssize_t aiox_channel_read(struct aiox_channel *ch, void *buf, size_t bytes,
                                                  int64_t deadline_ns);
AIOX_API AIOX_NODISCARD ssize_t aiox_channel_readv(struct aiox_channel *ch, const struct iovec *iov,
                                                   int count, int64_t deadline_ns);

/*
 * Writes what goes, at least one byte. Returns how much. A peer that is gone
 * is -EPIPE, for a socket without a SIGPIPE; for a pipe the program ignores
 * that signal itself. [any]
 */
AIOX_API AIOX_NODISCARD ssize_t aiox_channel_write(struct aiox_channel *ch, const void *buf,
                                                   size_t bytes, int64_t deadline_ns);
AIOX_API AIOX_NODISCARD ssize_t aiox_channel_writev(struct aiox_channel *ch,
                                                    const struct iovec *iov, int count,
                                                    int64_t deadline_ns);

/*
 * Reads all that there is room for. Returns 0. An end of the file before that
 * is -ENODATA. On any error, nobody tells how much was read. With
 * aiox_channel_set_blocking(false), outside of coroutines, too: use the
 * functions above. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_channel_read_full(struct aiox_channel *ch, void *buf, size_t bytes,
                                                   int64_t deadline_ns);
AIOX_API AIOX_NODISCARD int aiox_channel_readv_full(struct aiox_channel *ch,
                                                    const struct iovec *iov, int count,
                                                    int64_t deadline_ns);

/*
 * The same for a place where the peer may end: returns 1, or 0 for the end of
 * the file before the first byte. Later it is -ENODATA. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_channel_read_full_eof(struct aiox_channel *ch, void *buf,
                                                       size_t bytes, int64_t deadline_ns);
AIOX_API AIOX_NODISCARD int aiox_channel_readv_full_eof(struct aiox_channel *ch,
                                                        const struct iovec *iov, int count,
                                                        int64_t deadline_ns);

/* Writes all. Returns 0. On any error, nobody tells how much was written. [any] */
AIOX_API AIOX_NODISCARD int aiox_channel_write_full(struct aiox_channel *ch, const void *buf,
                                                    size_t bytes, int64_t deadline_ns);
AIOX_API AIOX_NODISCARD int aiox_channel_writev_full(struct aiox_channel *ch,
                                                     const struct iovec *iov, int count,
                                                     int64_t deadline_ns);

/*
 * Reads what there is and leaves it there. Returns as aiox_channel_read(), or
 *   -EOPNOTSUPP   no AIOX_CHANNEL_PEEK
 * [any]
 */
AIOX_API AIOX_NODISCARD ssize_t aiox_channel_peek(struct aiox_channel *ch, void *buf, size_t bytes,
                                                  int64_t deadline_ns);

/* ---- bytes with descriptors ---- */

enum { AIOX_CHANNEL_MAX_FDS = 16 }; /* that go with one message */

/* Descriptors on their way. All zero: none. */
struct aiox_channel_fds {
    int count;
    int fd[AIOX_CHANNEL_MAX_FDS];
};

/*
 * aiox_channel_readv() that also takes descriptors: those that came with the
 * bytes are in *@fds, close-on-exec, and belong to the caller. On an error
 * *@fds is empty, and what had come was closed. A channel without
 * AIOX_CHANNEL_FD_PASS brings none.
 *
 *   -EMSGSIZE   more descriptors came than AIOX_CHANNEL_MAX_FDS, or than the
 *               process may have; they were closed, and the bytes are lost
 *
 * [any]
 */
AIOX_API AIOX_NODISCARD ssize_t aiox_channel_readv_fds(struct aiox_channel *ch,
                                                       const struct iovec *iov, int count,
                                                       struct aiox_channel_fds *fds,
                                                       int64_t deadline_ns);

/*
 * Reads all, and the descriptors that came with the first of it: later ones are
 * not taken (the kernel drops them). Returns 0, or as above and as
 * aiox_channel_readv_full(). The end of the file after descriptors is -ENODATA
 * and closes them. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_channel_readv_fds_full(struct aiox_channel *ch,
                                                        const struct iovec *iov, int count,
                                                        struct aiox_channel_fds *fds,
                                                        int64_t deadline_ns);

/* The same; 1, or 0 for the end of the file before bytes and descriptors. [any] */
AIOX_API AIOX_NODISCARD int aiox_channel_readv_fds_full_eof(struct aiox_channel *ch,
                                                            const struct iovec *iov, int count,
                                                            struct aiox_channel_fds *fds,
                                                            int64_t deadline_ns);

/*
 * aiox_channel_writev() that sends @fds along with the first byte, of which
 * there must be one. They stay the caller's. Returns how many bytes went; with
 * them all of @fds.
 *
 *   -EOPNOTSUPP  there are some, and no AIOX_CHANNEL_FD_PASS
 *   -ETOOMANYREFS  too many are under way (see unix(7))
 *
 * [any]
 */
AIOX_API AIOX_NODISCARD ssize_t aiox_channel_writev_fds(struct aiox_channel *ch,
                                                        const struct iovec *iov, int count,
                                                        const struct aiox_channel_fds *fds,
                                                        int64_t deadline_ns);

/* Writes all. Returns 0. [any] */
AIOX_API AIOX_NODISCARD int aiox_channel_writev_fds_full(struct aiox_channel *ch,
                                                         const struct iovec *iov, int count,
                                                         const struct aiox_channel_fds *fds,
                                                         int64_t deadline_ns);

/* ---- waiting ---- */

/*
 * Waits until one of @events (AIOX_FD_READ, AIOX_FD_WRITE) holds: a read, a
 * write would not block, also because it would fail. Returns those that were
 * seen; there may be more. Outside of coroutines it blocks, whatever
 * aiox_channel_set_blocking() says. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_channel_wait(struct aiox_channel *ch, uint32_t events,
                                              int64_t deadline_ns);

/*
 * Lets a coroutine or a thread that waits to read (to write) go on with
 * -ECANCELED: one. False if none does; nothing is remembered for the next wait.
 * Before it moves what it works on to another context, a program makes it quiet
 * so. A thread for whom there was no descriptor left takes up to 100 ms. [any]
 */
AIOX_API bool aiox_channel_wake_read(struct aiox_channel *ch);
AIOX_API bool aiox_channel_wake_write(struct aiox_channel *ch);

/* ---- the rest ---- */

enum aiox_channel_direction {
    AIOX_CHANNEL_READING,
    AIOX_CHANNEL_WRITING,
    AIOX_CHANNEL_BOTH,
};

/*
 * Ends one direction or both: the peer sees the end of the file, a read here
 * returns 0. Never waits. Returns 0, or
 *   -ENOTCONN     the peer is gone
 *   -EOPNOTSUPP   no AIOX_CHANNEL_SHUTDOWN
 * [any]
 */
AIOX_API AIOX_NODISCARD int aiox_channel_shutdown(struct aiox_channel *ch,
                                                  enum aiox_channel_direction what);

/*
 * As pread(2) and pwrite(2): at @offset, the position stays. Returns how much;
 * a file on a disk blocks the thread meanwhile. -ESPIPE: no
 * AIOX_CHANNEL_SEEKABLE. [any]
 */
AIOX_API AIOX_NODISCARD ssize_t aiox_channel_pread(struct aiox_channel *ch, void *buf, size_t bytes,
                                                   int64_t offset);
AIOX_API AIOX_NODISCARD ssize_t aiox_channel_pwrite(struct aiox_channel *ch, const void *buf,
                                                    size_t bytes, int64_t offset);

/* As lseek(2): the new position. -EINVAL: before the begin; -ESPIPE. [any] */
AIOX_API AIOX_NODISCARD int64_t aiox_channel_seek(struct aiox_channel *ch, int64_t offset,
                                                  int whence);

/*
 * What a TCP channel understands; hints, so there is no need to look. 0, or
 * -EOPNOTSUPP for others.
 *
 * _set_cork: while true, bytes are collected into full segments. _set_delay:
 * false sends small writes at once (TCP_NODELAY); new ones do. _set_keepalive:
 * looks after the peer when nothing is sent. [any]
 */
AIOX_API int aiox_channel_set_cork(struct aiox_channel *ch, bool on);
AIOX_API int aiox_channel_set_delay(struct aiox_channel *ch, bool on);
AIOX_API int aiox_channel_set_keepalive(struct aiox_channel *ch, bool on);

AIOX_END_DECLS

#endif /* AIOX_CHANNEL_H_ */
