/* SPDX-License-Identifier: MIT */
/*
 * ring.c - two queues shared with the kernel, and the system call between them.
 *
 * Written against the system calls rather than liburing: what is wanted here
 * (a look that costs no system call, flags younger than the installed library)
 * lies below its functions, and a backend that needs nothing but the C library
 * can be linked in anywhere.
 *
 * Orders, all of them with the kernel
 *   [RING-submit]    entries written -> sq_tail (release); the kernel acquires.
 *   [RING-complete]  cq_tail (acquire) -> completions read.
 *   [RING-reaped]    completions read -> cq_head (release): their places are
 *                    free again. In reap(), fdmon_io_uring.c.
 */
#define _GNU_SOURCE

#include "ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Always: used by one thread at last, but made by any; sizes as asked, cut to what is allowed. */
#define BASE_FLAGS (IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP)
#define DEFER_FLAGS                                                                                \
    (IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |         \
     IORING_SETUP_SUBMIT_ALL)

/*
 * No lost completions, one mapping, a timeout as an argument, 32-bit poll masks,
 * and (5.13, as multishot poll requests are) tags.
 */
#define NEEDED_FEATURES                                                                            \
    (IORING_FEAT_NODROP | IORING_FEAT_SINGLE_MMAP | IORING_FEAT_EXT_ARG |                          \
     IORING_FEAT_POLL_32BITS | IORING_FEAT_RSRC_TAGS)

enum { ROOM_OF_SOME_RINGS = 1 << 20 };

/* From the best to the oldest; a kernel that does not know a flag says EINVAL. */
static const unsigned ladder[] = {
    DEFER_FLAGS | IORING_SETUP_NO_SQARRAY,                                           /* 6.6 */
    DEFER_FLAGS,                                                                     /* 6.1 */
    IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL, /* 5.19 */
    0,                                                                               /* 5.13 */
};

/* False if a ring does not fit under the limit however long one waits. */
static bool may_fit_later(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur >= ROOM_OF_SOME_RINGS;
}

/*
 * The kernel gives the memory of a closed ring back to RLIMIT_MEMLOCK some
 * milliseconds later, on a busy machine many, and all processes of a user share
 * it. Too little may be a ring that has just gone: waits for that, a second in
 * all.
 */
static int setup(unsigned entries, struct io_uring_params *p)
{
    struct timespec nap = {.tv_nsec = 1000000};
    int fd = (int)syscall(__NR_io_uring_setup, entries, p);

    for (int tries = 0; fd < 0 && errno == ENOMEM && tries < 10 && may_fit_later(); tries++) {
        nanosleep(&nap, NULL);
        nap.tv_nsec *= 2;
        fd = (int)syscall(__NR_io_uring_setup, entries, p);
    }
    return fd < 0 ? -errno : fd;
}

/* A ring's descriptor (it is close-on-exec), with what the kernel says of it in @p. */
static int climb_down(const struct ring_options *options, struct io_uring_params *p)
{
    int fd = -EINVAL;

    for (size_t i = 0; fd == -EINVAL && i < sizeof(ladder) / sizeof(*ladder); i++) {
        if (!options->defer && (ladder[i] & IORING_SETUP_DEFER_TASKRUN)) {
            continue;
        }
        memset(p, 0, sizeof(*p));
        p->flags = BASE_FLAGS | ladder[i];
        p->cq_entries = options->cq_entries;
        fd = setup(options->entries, p);
    }
    return fd;
}

/* A child shall not write into the parent's queues: they are not there. */
static void *map(int fd, size_t bytes, off_t what)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what);

    if (at != MAP_FAILED && madvise(at, bytes, MADV_DONTFORK) < 0) {
        munmap(at, bytes);
        at = MAP_FAILED;
    }
    return at == MAP_FAILED ? NULL : at;
}

static void find_queues(struct ring *r, const struct io_uring_params *p)
{
    char *q = r->queues;

    r->sq_head = (unsigned *)(q + p->sq_off.head);
    r->sq_tail = (unsigned *)(q + p->sq_off.tail);
    r->sq_flags = (unsigned *)(q + p->sq_off.flags);
    r->sq_entries = p->sq_entries;
    r->sq_next = *r->sq_tail;
    r->cq_head = (unsigned *)(q + p->cq_off.head);
    r->cq_tail = (unsigned *)(q + p->cq_off.tail);
    r->cq_entries = p->cq_entries;
    r->cqes = (struct io_uring_cqe *)(q + p->cq_off.cqes);
    for (unsigned i = 0; !(p->flags & IORING_SETUP_NO_SQARRAY) && i < p->sq_entries; i++) {
        ((unsigned *)(q + p->sq_off.array))[i] = i;
    }
}

static int map_queues(struct ring *r, const struct io_uring_params *p)
{
    size_t cq_bytes = p->cq_off.cqes + p->cq_entries * sizeof(*r->cqes);
    size_t sq_bytes =
        p->flags & IORING_SETUP_NO_SQARRAY ? 0 : p->sq_off.array + p->sq_entries * sizeof(unsigned);

    r->queues_bytes = cq_bytes > sq_bytes ? cq_bytes : sq_bytes;
    r->sqes_bytes = p->sq_entries * sizeof(*r->sqes);
    r->queues = map(r->fd, r->queues_bytes, IORING_OFF_SQ_RING);
    r->sqes = map(r->fd, r->sqes_bytes, IORING_OFF_SQES);
    if (!r->queues || !r->sqes) {
        return -ENOMEM;
    }
    find_queues(r, p);
    return 0;
}

int ring_open_(struct ring *r, const struct ring_options *options, const char **call)
{
    struct io_uring_params p;
    int err;

    memset(r, 0, sizeof(*r));
    *call = "io_uring_setup";
    r->fd = climb_down(options, &p);
    if (r->fd < 0) {
        return r->fd;
    }
    r->enter_fd = r->fd;
    r->flags = p.flags;
    r->features = p.features;
    if ((p.features & NEEDED_FEATURES) != NEEDED_FEATURES) {
        ring_close_(r);
        return -EINVAL;
    }
    *call = "mmap";
    err = map_queues(r, &p);
    if (err) {
        ring_close_(r);
    }
    return err;
}

bool ring_is_at_home_(const struct ring *r)
{
    return r->home == (pid_t)syscall(__NR_gettid);
}

static void forget_index(struct ring *r)
{
    struct io_uring_rsrc_update index = {.offset = (unsigned)r->enter_fd};

    if ((r->enter_flags & IORING_ENTER_REGISTERED_RING) && ring_is_at_home_(r)) {
        syscall(__NR_io_uring_register, r->fd, IORING_UNREGISTER_RING_FDS, &index, 1);
    }
}

void ring_close_(struct ring *r)
{
    forget_index(r);
    if (r->queues) {
        munmap(r->queues, r->queues_bytes);
    }
    if (r->sqes) {
        munmap(r->sqes, r->sqes_bytes);
    }
    close(r->fd);
}

void ring_leave_to_parent_(struct ring *r)
{
    close(r->fd);
}

/* Spares each system call the search for the descriptor; the thread has few such places. */
static void take_index(struct ring *r)
{
    struct io_uring_rsrc_update index = {.offset = -1U, .data = (unsigned)r->fd};

    if (syscall(__NR_io_uring_register, r->fd, IORING_REGISTER_RING_FDS, &index, 1) == 1) {
        r->enter_fd = (int)index.offset;
        r->enter_flags = IORING_ENTER_REGISTERED_RING;
    }
}

int ring_enable_(struct ring *r)
{
    if (syscall(__NR_io_uring_register, r->fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0) < 0) {
        return -errno;
    }
    r->home = (pid_t)syscall(__NR_gettid);
    take_index(r);
    return 0;
}

static int enter(struct ring *r, unsigned wait_for, unsigned flags, const void *arg, size_t bytes)
{
    unsigned to_submit = ring_unsubmitted_(r);
    long rc;

    __atomic_store_n(r->sq_tail, r->sq_next, __ATOMIC_RELEASE); /* [RING-submit] */
    rc = syscall(__NR_io_uring_enter, r->enter_fd, to_submit, wait_for, flags | r->enter_flags, arg,
                 bytes);
    return rc < 0 ? -errno : (int)rc;
}

int ring_submit_(struct ring *r)
{
    return enter(r, 0, 0, NULL, 0);
}

int ring_enter_(struct ring *r, unsigned wait_for, int64_t timeout_ns)
{
    struct __kernel_timespec ts = {timeout_ns / 1000000000, timeout_ns % 1000000000};
    struct io_uring_getevents_arg arg = {.ts = (uint64_t)(uintptr_t)&ts};
    unsigned flags = IORING_ENTER_GETEVENTS;

    if (wait_for && (r->features & IORING_FEAT_NO_IOWAIT)) {
        flags |= IORING_ENTER_NO_IOWAIT;
    }
    if (!wait_for || timeout_ns < 0) {
        return enter(r, wait_for, flags, NULL, 0);
    }
    return enter(r, wait_for, flags | IORING_ENTER_EXT_ARG, &arg, sizeof(arg));
}

bool ring_is_transient_(int err)
{
    return err == -EINTR || err == -ETIME || err == -EAGAIN || err == -EBUSY;
}

struct io_uring_sqe *ring_sqe_(struct ring *r)
{
    struct io_uring_sqe *sqe;

    if (ring_unsubmitted_(r) == r->sq_entries) {
        ring_submit_(r);
        if (ring_unsubmitted_(r) == r->sq_entries) {
            return NULL;
        }
    }
    sqe = &r->sqes[r->sq_next++ & (r->sq_entries - 1)];
    memset(sqe, 0, sizeof(*sqe));
    return sqe;
}

struct io_uring_sqe *ring_own_sqe_(struct ring *r)
{
    if (ring_unsubmitted_(r)) {
        r->sqes[(r->sq_next - 1) & (r->sq_entries - 1)].flags &=
            (uint8_t) ~(IOSQE_IO_LINK | IOSQE_IO_HARDLINK);
    }
    return ring_sqe_(r);
}
