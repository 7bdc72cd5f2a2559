/* SPDX-License-Identifier: MIT */
/* limits: the contract is one header, so that a backend needs no other */
/*
 * aiox/fdmon.h - the contract between a loop and the part that watches its
 * file descriptors.
 *
 * A backend ("fdmon", file descriptor monitor) is told what to watch and
 * reports what happened. It never calls a user, keeps no pointer of the loop
 * but the host table, and knows no other library: this header and the C
 * library are all it needs. The loop owns the truth about who watches what;
 * a backend is a cache of it and can be replaced while the loop lives.
 *
 * One source makes both shapes of a backend. AIOX_FDMON_PLUGIN() at its end
 * defines the entry of a shared object, fdmon_<name>.so, that is found by
 * name; built with AIOX_FDMON_STATIC it defines aiox_fdmon_<name>() instead,
 * for a table of backends that are linked in.
 *
 * Numbers. AIOX_FDMON_ABI_MAJOR: what cannot work together differs here.
 * AIOX_FDMON_ABI_MINOR: how much of the tables is filled. Each table starts
 * with its size; whoever reads one takes what both sides know and treats the
 * rest as zero. Fields are only ever added at the end.
 *
 * Thread tags: [home] the one thread that collects, fixed by the first
 * collect() unless the monitor roams; [locked] any thread, one at a time per monitor, perhaps while
 * [home] is inside collect(); [any] any thread, at any time.
 */
#ifndef AIOX_FDMON_H_
#define AIOX_FDMON_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aiox/fd_event.h"

#ifdef __cplusplus
extern "C" {
#endif

#define AIOX_FDMON_ABI_MAJOR 1
#define AIOX_FDMON_ABI_MINOR 0

/* 'F' 'D' 'M' '1', as the bytes of the file on a little-endian machine. */
#define AIOX_FDMON_MAGIC 0x314d4446u

struct aiox_fdmon; /* the backend's own; the loop never looks inside */

/* One thing that happened. */
struct aiox_fdmon_event {
    uint64_t token;  /* what the loop gave, unread by the backend */
    uint32_t events; /* AIOX_FD_*; 0: a request of "aiox.completion/1" has ended */
    int32_t result;  /* of such a request: >= 0, or a negative errno */
};

/* How interest() may be asked, besides AIOX_FD_ASKABLE. */
enum aiox_fdmon_interest_flag {
    /*
     * Whoever is called takes all there is before the next collect(), so one
     * report per change is enough. A hint: more reports are correct.
     */
    AIOX_FDMON_DRAINS = 1u << 16,
};

/*
 * What the loop offers. Valid from open() to the end of close(), for probe()
 * while it runs.
 */
struct aiox_fdmon_host {
    uint32_t size; /* sizeof this struct in the loop */
    uint16_t abi_major;
    uint16_t abi_minor;
    void *opaque; /* the loop's own */

    /* Says one line; @level is 0 error, 1 warning, 2 information, 3 debugging. [any] */
    void (*log)(const struct aiox_fdmon_host *host, int level, const char *line);
    /* The monotonic clock. [any] */
    int64_t (*now_ns)(const struct aiox_fdmon_host *host);
    /* Zeroed memory, or NULL. [any] */
    void *(*alloc)(const struct aiox_fdmon_host *host, size_t bytes);
    /* Takes NULL, too. [any] */
    void (*free)(const struct aiox_fdmon_host *host, void *memory);
    /* The value of an option that the descriptor lists: as the user set it, else its default. [any]
     */
    const char *(*option)(const struct aiox_fdmon_host *host, const char *name);
    /* What the loop offers beyond this table, by a string such as "org.example.x/1"; or NULL. [any]
     */
    const void *(*get_extension)(const struct aiox_fdmon_host *host, const char *id);
};

enum aiox_fdmon_state {
    AIOX_FDMON_USABLE = 0,
    AIOX_FDMON_DEGRADED = 1, /* works, but something is slower or missing: see text */
    AIOX_FDMON_UNUSABLE = 2,
};

/* Why not. Stable: programs may look at it, people read the text. */
enum aiox_fdmon_cause {
    AIOX_FDMON_CAUSE_NONE = 0,
    AIOX_FDMON_CAUSE_MISSING = 1,   /* the kernel has not got it */
    AIOX_FDMON_CAUSE_DENIED = 2,    /* a policy forbids it: seccomp, sysctl */
    AIOX_FDMON_CAUSE_LIMIT = 3,     /* rlimit, cgroup, number of descriptors */
    AIOX_FDMON_CAUSE_QUIRK = 4,     /* a known fault of this kernel */
    AIOX_FDMON_CAUSE_RESOURCES = 5, /* no memory just now */
    AIOX_FDMON_CAUSE_OTHER = 6,
};

/* Filled by probe(); the loop sets size and zeroes the rest. */
struct aiox_fdmon_probe {
    uint32_t size;
    uint32_t state; /* enum aiox_fdmon_state */
    uint32_t cause; /* enum aiox_fdmon_cause */
    int32_t error;  /* a negative errno, or 0 */
    char text[160]; /* what was seen: "io_uring_setup: Operation not permitted" */
    char hint[160]; /* what to change; may be empty */
};

/*
 * The functions of a backend. The first four are required, the others may be
 * NULL. Errors are negative errno values.
 */
struct aiox_fdmon_ops {
    uint32_t size; /* sizeof this struct in the backend */
    uint32_t reserved_;

    /*
     * Makes a monitor that watches nothing. On error nothing is left behind
     * and *@out is untouched. The thread that opens need not be [home]. [any]
     */
    int (*open)(const struct aiox_fdmon_host *host, struct aiox_fdmon **out);

    /*
     * Ends it: gives back every descriptor, mapping and byte. Requests that are
     * still under way are cancelled and waited for. [home], or any thread once
     * [home] has ended.
     */
    void (*close)(struct aiox_fdmon *mon);

    /*
     * Watches @fd for @events (AIOX_FD_ASKABLE, AIOX_FDMON_DRAINS) and reports
     * them with @token; @events == 0 stops, and @token is then the one in use.
     * @old_events is what the last successful call for @fd asked for, 0 if it
     * was not watched. Error and hang-up are always reported. Level-triggered:
     * as long as a condition holds, each collect() reports it.
     *
     * Seen by the next collect(). One that is already waiting need not notice;
     * the loop ends it. Once this returns, a collect() that begins later does
     * not report a former token of @fd. Stopping never fails, also when @fd was
     * closed meanwhile; a token of a closed file is never reported for a new
     * file of the same number once interest() was called for that.
     *
     *   -EBADF   @fd is not open
     *   -EPERM   this kind of file cannot be watched here (a regular file under
     *            epoll); the loop then treats it as always ready
     *   -ENOMEM, -ENOSPC   a limit; nothing changed
     *
     * Never blocks. [locked]
     */
    int (*interest)(struct aiox_fdmon *mon, int fd, uint32_t old_events, uint32_t events,
                    uint64_t token);

    /*
     * Waits until something happened, at most @timeout_ns (-1: no limit, 0:
     * only looks), fills at most @max entries of @out and returns how many.
     * Returns 0 when the time is over, when a signal came, and when it saw
     * fit; never sleeps past the timeout (rounded up to what the kernel's
     * clock can do). No token more than once for one call. When more is ready
     * than fits, later calls bring the rest: nobody starves. What is reported
     * holds, or held at some moment since the last call.
     *
     * A descriptor that was closed while watched is reported once with
     * AIOX_FD_ERROR, or never; it does not keep collect() from sleeping.
     *
     * A negative errno says that the monitor is beyond repair: the loop moves
     * to another backend and closes this one. [home]
     */
    int (*collect)(struct aiox_fdmon *mon, int64_t timeout_ns, struct aiox_fdmon_event *out,
                   int max);

    /*
     * Ends a collect() that is waiting, or the next one. Without it the loop
     * uses a descriptor of its own that it watches like any other. Returns 0
     * or a negative errno. [any] signal-safe
     */
    int (*nudge)(struct aiox_fdmon *mon);

    /*
     * True when collect(0) has, or may have, something to report; asks the
     * kernel nothing. NULL: the loop cannot know without collect(). [home]
     */
    bool (*pending)(struct aiox_fdmon *mon);

    /* Hands to the kernel what was only noted so far, without waiting. 0 or a negative errno.
     * [home] */
    int (*flush)(struct aiox_fdmon *mon);

    /* In the child after fork(2): gives up what is shared with the parent, harming nothing there.
     * [home] */
    void (*after_fork)(struct aiox_fdmon *mon);

    /* One line on how it works here (flags, sizes) into @text, cut at @bytes. [any] */
    void (*describe)(struct aiox_fdmon *mon, char *text, size_t bytes);
};

/* What a backend can do, and what it needs. Unknown bits are ignored, but not the upper sixteen. */
#define AIOX_FDMON_CAP_LEVEL (UINT64_C(1) << 0)        /* level-triggered by itself */
#define AIOX_FDMON_CAP_NS_TIMEOUT (UINT64_C(1) << 1)   /* deadlines finer than a millisecond */
#define AIOX_FDMON_CAP_PRI (UINT64_C(1) << 2)          /* AIOX_FD_PRI */
#define AIOX_FDMON_CAP_REGULAR (UINT64_C(1) << 3)      /* regular files can be watched */
#define AIOX_FDMON_CAP_MANY_FDS (UINT64_C(1) << 4)     /* cost independent of what is watched */
#define AIOX_FDMON_CAP_PENDING (UINT64_C(1) << 5)      /* pending() sees descriptors by itself */
#define AIOX_FDMON_CAP_COMPLETION (UINT64_C(1) << 6)   /* "aiox.completion/1" */
#define AIOX_FDMON_CAP_FORK (UINT64_C(1) << 7)         /* works on in the child after fork(2) */
#define AIOX_FDMON_CAP_LOCKS_MEMORY (UINT64_C(1) << 8) /* may count against RLIMIT_MEMLOCK */
#define AIOX_FDMON_CAP_POLLFD (UINT64_C(1) << 9)       /* "aiox.pollfd/1", fdmon_pollfd.h */
#define AIOX_FDMON_CAP_ROAMS (UINT64_C(1) << 10)       /* [home] may change: "aiox.roaming/1" */
#define AIOX_FDMON_CAP_MAY_ROAM (UINT64_C(1) << 11)    /* the same, if the loop asks for it */
/* Refused when one is set that the loop does not know. */
#define AIOX_FDMON_CAP_MUST_UNDERSTAND (UINT64_C(0xffff) << 48)

/* One line of the options a backend takes through AIOX_FDMON_OPTS=name.key=value. */
struct aiox_fdmon_option {
    const char *name;          /* NULL ends the list */
    const char *default_value; /* never NULL */
    const char *help;          /* one sentence: meaning, unit, range */
};

/* What a backend says of itself. Static, never changes. */
struct aiox_fdmon_plugin {
    uint32_t magic; /* AIOX_FDMON_MAGIC */
    uint16_t abi_major;
    uint16_t abi_minor;
    uint32_t size;       /* sizeof this struct in the backend */
    int32_t rank;        /* order for "auto", highest first; below 0: only by name */
    const char *name;    /* [a-z][a-z0-9_]{0,30} */
    const char *version; /* of the backend, for people */
    const char *summary; /* one line */
    const char *license; /* SPDX */
    uint64_t caps;       /* AIOX_FDMON_CAP_* that it has */
    uint64_t needs;      /* AIOX_FDMON_CAP_* that it requires of the loop; upper bits as above */
    const struct aiox_fdmon_ops *ops;
    const struct aiox_fdmon_option *options; /* or NULL */
    /*
     * Finds out whether it works here and now: makes and gives back what it
     * needs, within some milliseconds. Required. 0 (read @out), or a negative
     * errno when even that could not be found out. [any]
     */
    int (*probe)(const struct aiox_fdmon_host *host, struct aiox_fdmon_probe *out);
    /* What it offers beyond ops, by name; NULL if unknown. May be NULL itself. [any] */
    const void *(*get_extension)(const char *id);
};

/* The backends of a file: index 0, 1, ... until NULL. The one symbol that a plugin exports. */
typedef const struct aiox_fdmon_plugin *aiox_fdmon_entry_fn(uint32_t index);
#define AIOX_FDMON_ENTRY_SYMBOL "aiox_fdmon_plugin_v1"

/*
 * "aiox.completion/1": requests that the kernel works on and reports when
 * done, through the same collect() (an event with events == 0).
 */
#define AIOX_FDMON_COMPLETION_ID "aiox.completion/1"

/* Fills one entry; @sqe is a zeroed struct io_uring_sqe. Leaves user_data alone. */
typedef void aiox_fdmon_prepare_fn(void *sqe, void *opaque);

struct aiox_fdmon_completion {
    uint32_t size;
    uint32_t reserved_;
    /*
     * Calls @prepare(@sqe, @opaque) once before it returns, and reports @token
     * exactly once when the request has ended. Buffers the entry points to must
     * live until then. Handed to the kernel by the next collect() or flush(),
     * together with others.
     *
     *   -EAGAIN   too much is under way; collect() first
     *
     * [home]
     */
    int (*submit)(struct aiox_fdmon *mon, aiox_fdmon_prepare_fn *prepare, void *opaque,
                  uint64_t token);
    /*
     * Asks for an early end of the request @token, which is reported all the
     * same, with -ECANCELED unless it was quicker. 0; -ENOENT if it is not
     * under way; -EAGAIN as above. [home]
     */
    int (*cancel)(struct aiox_fdmon *mon, uint64_t token);
    /* True if this kernel knows the io_uring operation @opcode (IORING_OP_*). [any] */
    bool (*supports)(struct aiox_fdmon *mon, unsigned opcode);
};

/*
 * "aiox.roaming/1": one thread after another is the [home] of a monitor. What
 * one has done is seen by the next; requests and watches go on when the thread
 * that made them does something else. When it ends, watches go on; requests may
 * be reported with -ECANCELED.
 *
 * A backend with AIOX_FDMON_CAP_ROAMS always lets it change. One with
 * AIOX_FDMON_CAP_MAY_ROAM does so, at a price, for monitors that are opened while
 * the host's get_extension() returns anything but NULL for this string.
 */
#define AIOX_FDMON_ROAMING_ID "aiox.roaming/1"

/*
 * The facts by which a file is judged before any of its code runs: an ELF
 * note (elf(5), Elf64_Nhdr) of the owner "aiox" and this type.
 */
#define AIOX_FDMON_NOTE_OWNER "aiox"
#define AIOX_FDMON_NOTE_TYPE 1u

struct aiox_fdmon_note {
    uint32_t magic; /* AIOX_FDMON_MAGIC */
    uint16_t abi_major;
    uint16_t abi_minor;
    char name[32];
    char version[24];
};

struct aiox_fdmon_elf_note_ {
    uint32_t owner_bytes;
    uint32_t note_bytes;
    uint32_t type;
    char owner[8];
    struct aiox_fdmon_note note;
};

/*
 * Ends the source of a backend: AIOX_FDMON_PLUGIN(epoll, "0.1.0", descriptor);
 * @ident is its name, @version a string literal, @descriptor a
 * struct aiox_fdmon_plugin.
 */
#if defined(AIOX_FDMON_STATIC)
#define AIOX_FDMON_PLUGIN(ident, version, descriptor)                                              \
    __attribute__((visibility("default")))                                                         \
    const struct aiox_fdmon_plugin *aiox_fdmon_##ident(uint32_t index);                            \
    const struct aiox_fdmon_plugin *aiox_fdmon_##ident(uint32_t index)                             \
    {                                                                                              \
        return index == 0 ? &(descriptor) : NULL;                                                  \
    }                                                                                              \
    extern const struct aiox_fdmon_plugin *aiox_fdmon_##ident(uint32_t index)
#else
#define AIOX_FDMON_PLUGIN(ident, version, descriptor)                                              \
    static const struct aiox_fdmon_elf_note_ aiox_fdmon_elf_note_##ident                           \
        __attribute__((used, aligned(4), section(".note.aiox.fdmon"))) = {                         \
            sizeof(AIOX_FDMON_NOTE_OWNER),                                                         \
            sizeof(struct aiox_fdmon_note),                                                        \
            AIOX_FDMON_NOTE_TYPE,                                                                  \
            AIOX_FDMON_NOTE_OWNER,                                                                 \
            {AIOX_FDMON_MAGIC, AIOX_FDMON_ABI_MAJOR, AIOX_FDMON_ABI_MINOR, #ident, version},       \
    };                                                                                             \
    __attribute__((visibility("default"))) const struct aiox_fdmon_plugin *aiox_fdmon_plugin_v1(   \
        uint32_t index);                                                                           \
    const struct aiox_fdmon_plugin *aiox_fdmon_plugin_v1(uint32_t index)                           \
    {                                                                                              \
        return index == 0 ? &(descriptor) : NULL;                                                  \
    }                                                                                              \
    extern const struct aiox_fdmon_plugin *aiox_fdmon_plugin_v1(uint32_t index)
#endif

#ifdef __cplusplus
}
#endif

#endif /* AIOX_FDMON_H_ */
