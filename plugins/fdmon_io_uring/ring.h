/* SPDX-License-Identifier: MIT */
/*
 * ring.h - what the parts of the io_uring backend know of each other.
 *
 *   ring.c      liburing's two queues, and the one system call
 *   watch.c     what interest() leaves for the next turn
 *   ring_fd.c   readiness, by poll requests
 *   ring_sqe.c  the users' own requests
 *   probe.c     does it work here?
 *   turn.c      one turn
 *   fdmon_io_uring.c   the face
 *
 * The kernel gives each completion back with the user_data of its request,
 * whose lowest two bits tell whose it is.
 */
#ifndef AIOX_FDMON_IO_URING_RING_H_
#define AIOX_FDMON_IO_URING_RING_H_

#include <liburing.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "aiox/fdmon.h"

/* Younger than the headers of Debian 12; what the kernel has is asked at run time. */
#ifndef IORING_SETUP_NO_SQARRAY
#define IORING_SETUP_NO_SQARRAY (1U << 16)
#endif
#ifndef IORING_FEAT_NO_IOWAIT
#define IORING_FEAT_NO_IOWAIT (1U << 17)
#endif
#ifndef IORING_ENTER_NO_IOWAIT
#define IORING_ENTER_NO_IOWAIT (1U << 7)
#endif

enum user_data_kind {
    KIND_WATCH = 0,   /* a struct watch, by address */
    KIND_REQUEST = 1, /* the index of a struct request */
    KIND_NOBODY = 2,  /* whether a cancellation found anything is of no interest */
    KIND_REMOVAL = 3, /* a struct watch, by address: of its removal */
    KIND_MASK = 3,
};

/* ---- ring.c ---- */

struct ring_options {
    unsigned entries;
    unsigned cq_entries;
    bool defer; /* may use IORING_SETUP_DEFER_TASKRUN */
    bool roams; /* one thread after another uses it */
};

/* [home], but for the set-up. */
struct ring {
    struct io_uring lib;
    int enter_fd;         /* the ring's descriptor, or its index in the thread's own short table */
    unsigned enter_flags; /* which of the two */
    pid_t home; /* the thread whose table that is, and whose ring; 0 before it is enabled */
    bool roams; /* no thread has a special part: home is the first that used it */
};

/*
 * Makes a ring that is not enabled yet, with the best flags that this kernel
 * takes. 0 or a negative errno; @call names the system call that failed. [any]
 */
int ring_open_(struct ring *r, const struct ring_options *options, const char **call);
/* Gives it back. What is under way must have ended, or its thread must have. */
void ring_close_(struct ring *r);
/* In a child: lets go of the parent's ring, whose queues are not mapped here. */
void ring_leave_to_parent_(struct ring *r);
/*
 * True in the thread that has enabled the ring, and in all if it roams. In another, an
 * index means a ring of that thread's own, and the kernel would refuse this one.
 */
bool ring_is_at_home_(const struct ring *r);

/* Makes the calling thread the one that uses the ring. 0 or a negative errno. */
int ring_enable_(struct ring *r);

/* An entry, not zeroed; NULL if there is none free, also after submitting. [home] */
struct io_uring_sqe *ring_sqe_(struct ring *r);
/* The same; what stands before it is not linked to it. [home] */
struct io_uring_sqe *ring_own_sqe_(struct ring *r);
/* Makes an entry that ends the request of @user_data; false if there is no room. [home] */
bool ring_queue_cancel_(struct ring *r, uint64_t user_data);
/* The same for a poll request, quicker; it may fail, which @own_user_data tells. [home] */
bool ring_queue_poll_remove_(struct ring *r, uint64_t user_data, uint64_t own_user_data);

/* Submits, and does nothing else. What the system call says. [home] */
int ring_submit_(struct ring *r);
/* Submits, lets the kernel deliver, and waits for @wait_for completions. [home] */
int ring_enter_(struct ring *r, unsigned wait_for, int64_t timeout_ns);

/* A later call will do: it was interrupted, timed out, or the kernel has too much to do. */
bool ring_is_transient_(int err);

/* The kernel holds completions back until somebody enters it. */
static inline bool ring_calls_(const struct ring *r)
{
    return IO_URING_READ_ONCE(*r->lib.sq.kflags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW);
}

/* ---- watch.c, ring_fd.c ---- */

struct watch;
struct slab;

struct watch_queue {
    struct watch *first;
    struct watch *last;
};

struct watches {
    const struct aiox_fdmon_host *host;

    pthread_mutex_t lock; /* guards the rest of this paragraph */
    struct watch **by_fd; /* the one that counts, or NULL */
    int length;
    struct watch *changes; /* [RING-change] what [home] has not seen */
    struct watch *unused;
    struct slab *slabs;

    struct watch_queue to_arm;    /* [home] */
    struct watch_queue to_cancel; /* [home] */
    struct watch *ended;          /* [home] unused before long */
    unsigned in_kernel;           /* [home] poll requests whose last completion is not here */
    bool refused;                 /* [home] a removal was, and has to be asked for again */
};

void watches_init_(struct watches *ws, const struct aiox_fdmon_host *host);
void watches_fini_(struct watches *ws);
/* As aiox_fdmon_ops.interest. [locked] */
int watches_interest_(struct watches *ws, int fd, uint32_t events, uint64_t token);
/* True if interest() was called. A hint to look under the lock. [home] */
static inline bool watches_have_changed_(const struct watches *ws)
{
    return __atomic_load_n(&ws->changes, __ATOMIC_ACQUIRE); /* [RING-change] */
}
/* True if an entry is to be made. [home] */
static inline bool watches_have_queued_(const struct watches *ws)
{
    return ws->to_arm.first || ws->to_cancel.first;
}
/* Learns what has changed. Cannot fail. [home] */
void watches_take_(struct watches *ws);
/* Makes entries of what is to be armed and cancelled, as far as they fit. [home] */
void watches_queue_(struct watches *ws, struct ring *r);
/*
 * Takes the completion of a poll request of @w. AIOX_FD_* to report, or 0; then @w is not to be
 * looked at. [home]
 */
uint32_t watch_done_(struct watches *ws, struct watch *w, int32_t result, uint32_t flags);
/* Takes the completion of a removal of @w, which may have ended since. [home] */
void watch_removed_(struct watches *ws, struct watch *w, int32_t result);
/* Ends all poll requests. [home] */
void watches_cancel_all_(struct watches *ws);
/* In a child: nothing of this is in its kernel ring. */
void watches_after_fork_(struct watches *ws);

/* ---- ring_sqe.c ---- */

struct request;

struct requests { /* [home] */
    const struct aiox_fdmon_host *host;
    struct request *slots;
    unsigned length;
    unsigned free;
    unsigned in_flight;
    unsigned to_cancel;     /* at the end: how many slots remain to be visited */
    uint8_t known[256 / 8]; /* bit n: IORING_OP n */
};

void requests_init_(struct requests *rs, const struct aiox_fdmon_host *host, struct ring *r);
void requests_fini_(struct requests *rs);
int requests_submit_(struct requests *rs, struct ring *r, aiox_fdmon_prepare_fn *prepare,
                     void *opaque, uint64_t token);
int requests_cancel_(struct requests *rs, struct ring *r, uint64_t token);
bool requests_supports_(const struct requests *rs, unsigned opcode);
/* Takes a completion; true if it was the last one of its request: *@out is what to report. */
bool requests_done_(struct requests *rs, const struct io_uring_cqe *cqe,
                    struct aiox_fdmon_event *out);
/* Marks all for cancellation, which requests_queue_cancels_() makes entries of. */
void requests_cancel_all_(struct requests *rs);
void requests_queue_cancels_(struct requests *rs, struct ring *r);
/* In a child: they are the parent's. */
void requests_after_fork_(struct requests *rs);

/* ---- probe.c ---- */

int io_uring_probe_(const struct aiox_fdmon_host *host, struct aiox_fdmon_probe *out);

#endif /* AIOX_FDMON_IO_URING_RING_H_ */
