/* SPDX-License-Identifier: MIT */
/*
 * ring.c - liburing's queues, and the one system call between them and the kernel.
 *
 * liburing makes, maps, fills and ends the ring. Three things are said to the
 * kernel with its io_uring_enter2() and io_uring_register() alone: a wait that
 * is no I/O wait has a flag younger than the library; the ring's index in the
 * thread's short table io_uring_queue_exit() would give back in whatever thread
 * calls it, where the same index may mean another ring; and
 * io_uring_enable_rings() is missing in the shared library of 2.3.
 *
 * Orders, all of them with the kernel
 *   [RING-submit]    entries written -> the tail of the submission queue
 *                    (release); the kernel acquires.
 *   [RING-complete]  the tail of the completion queue (acquire, inside
 *                    io_uring_cq_ready() and io_uring_for_each_cqe()) ->
 *                    completions read.
 *   [RING-reaped]    completions read -> the head of that queue (release, inside
 *                    io_uring_cq_advance()): their places are free again. In
 *                    reap(), turn.c.
 *
 * and one that the kernel keeps, too, but a sanitizer does not see inside liburing
 *   [RING-place]     a ring that ends (release) -> one that begins, perhaps in
 *                    the same place of the memory (acquire).
 */
#define _GNU_SOURCE

#include "ring.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
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

/*
 * From the best to the oldest; a kernel that does not know a flag says EINVAL.
 *
 * What a request has to do in the end is done by the thread that submitted it. A
 * ring that roams takes none of the flags by which that waits for the thread
 * to enter the kernel: the thread may have other things to do for long.
 */
static const unsigned ladder[] = {
    DEFER_FLAGS,                                                                     /* 6.1 */
    IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL, /* 5.19 */
    IORING_SETUP_SUBMIT_ALL,                                                         /* 5.18 */
    0,                                                                               /* 5.13 */
};

static unsigned ended; /* rings, [RING-place] */

static bool may_use(const struct ring_options *options, unsigned flags)
{
    return !(flags & IORING_SETUP_DEFER_TASKRUN && !options->defer) &&
           !(flags & IORING_SETUP_TASKRUN_FLAG && options->roams);
}

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
static int setup(struct ring *r, unsigned entries, struct io_uring_params *p)
{
    struct timespec nap = {.tv_nsec = 1000000};
    int err = io_uring_queue_init_params(entries, &r->lib, p);

    for (int tries = 0; err == -ENOMEM && tries < 10 && may_fit_later(); tries++) {
        nanosleep(&nap, NULL);
        nap.tv_nsec *= 2;
        err = io_uring_queue_init_params(entries, &r->lib, p);
    }
    return err;
}

/* Makes a ring (its descriptor is close-on-exec) with the best flags that this kernel takes. */
static int climb_down(struct ring *r, const struct ring_options *options)
{
    struct io_uring_params p;
    int err = -EINVAL;

    for (size_t i = 0; err == -EINVAL && i < sizeof(ladder) / sizeof(*ladder); i++) {
        if (!may_use(options, ladder[i])) {
            continue;
        }
        memset(&p, 0, sizeof(p));
        p.flags = BASE_FLAGS | ladder[i];
        p.cq_entries = options->cq_entries;
        err = setup(r, options->entries, &p);
    }
    return err;
}

int ring_open_(struct ring *r, const struct ring_options *options, const char **call)
{
    int err;

    memset(r, 0, sizeof(*r));
    *call = "io_uring_setup";
    err = climb_down(r, options);
    if (err) {
        return err;
    }
    __atomic_load_n(&ended, __ATOMIC_ACQUIRE); /* [RING-place] */
    r->enter_fd = r->lib.ring_fd;
    r->roams = options->roams;
    if ((r->lib.features & NEEDED_FEATURES) != NEEDED_FEATURES) {
        ring_close_(r);
        return -EINVAL;
    }
    *call = "madvise";
    err = io_uring_ring_dontfork(&r->lib); /* a child shall not write into the parent's queues */
    if (err) {
        ring_close_(r);
    }
    return err;
}

bool ring_is_at_home_(const struct ring *r)
{
    return r->roams || r->home == gettid();
}

static void forget_index(struct ring *r)
{
    struct io_uring_rsrc_update index = {.offset = (unsigned)r->enter_fd};

    if ((r->enter_flags & IORING_ENTER_REGISTERED_RING) && ring_is_at_home_(r)) {
        io_uring_register((unsigned)r->lib.ring_fd, IORING_UNREGISTER_RING_FDS, &index, 1);
    }
}

void ring_close_(struct ring *r)
{
    forget_index(r);
    __atomic_add_fetch(&ended, 1, __ATOMIC_RELEASE); /* [RING-place] */
    io_uring_queue_exit(&r->lib);
}

void ring_leave_to_parent_(struct ring *r)
{
    close(r->lib.ring_fd);
}

/* Spares each system call the search for the descriptor; the thread has few such places. */
static void take_index(struct ring *r)
{
    struct io_uring_rsrc_update index = {.offset = -1U, .data = (unsigned)r->lib.ring_fd};

    if (io_uring_register((unsigned)r->lib.ring_fd, IORING_REGISTER_RING_FDS, &index, 1) == 1) {
        r->enter_fd = (int)index.offset;
        r->enter_flags = IORING_ENTER_REGISTERED_RING;
    }
}

int ring_enable_(struct ring *r)
{
    int err = io_uring_register((unsigned)r->lib.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);

    if (err < 0) {
        return err;
    }
    r->home = gettid();
    if (!r->roams) {
        take_index(r);
    }
    return 0;
}

static int enter(struct ring *r, unsigned wait_for, unsigned flags, void *arg, size_t bytes)
{
    unsigned to_submit = io_uring_sq_ready(&r->lib);

    io_uring_smp_store_release(r->lib.sq.ktail, r->lib.sq.sqe_tail); /* [RING-submit] */
    return io_uring_enter2((unsigned)r->enter_fd, to_submit, wait_for, flags | r->enter_flags, arg,
                           bytes);
}

int ring_submit_(struct ring *r)
{
    return enter(r, 0, 0, NULL, 0);
}

/* As ring_enter_() with a limit. */
static int enter_for(struct ring *r, unsigned wait_for, unsigned flags, int64_t timeout_ns)
{
    struct __kernel_timespec ts = {timeout_ns / 1000000000, timeout_ns % 1000000000};
    struct io_uring_getevents_arg arg = {.ts = (uint64_t)(uintptr_t)&ts};

    return enter(r, wait_for, flags | IORING_ENTER_EXT_ARG, &arg, sizeof(arg));
}

int ring_enter_(struct ring *r, unsigned wait_for, int64_t timeout_ns)
{
    unsigned flags = IORING_ENTER_GETEVENTS;

    if (wait_for && (r->lib.features & IORING_FEAT_NO_IOWAIT)) {
        flags |= IORING_ENTER_NO_IOWAIT;
    }
    if (!wait_for || timeout_ns < 0) {
        return enter(r, wait_for, flags, NULL, 0);
    }
    return enter_for(r, wait_for, flags, timeout_ns);
}

bool ring_is_transient_(int err)
{
    return err == -EINTR || err == -ETIME || err == -EAGAIN || err == -EBUSY;
}

struct io_uring_sqe *ring_sqe_(struct ring *r)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&r->lib);

    if (!sqe) {
        ring_submit_(r);
        sqe = io_uring_get_sqe(&r->lib);
    }
    return sqe;
}

struct io_uring_sqe *ring_own_sqe_(struct ring *r)
{
    struct io_uring_sq *sq = &r->lib.sq;

    if (io_uring_sq_ready(&r->lib)) {
        sq->sqes[(sq->sqe_tail - 1) & sq->ring_mask].flags &=
            (uint8_t) ~(IOSQE_IO_LINK | IOSQE_IO_HARDLINK);
    }
    return ring_sqe_(r);
}

/* That @sqe has done what it should need not be said, if the kernel can leave that out. */
static void be_quiet(const struct ring *r, struct io_uring_sqe *sqe)
{
    io_uring_sqe_set_flags(sqe,
                           r->lib.features & IORING_FEAT_CQE_SKIP ? IOSQE_CQE_SKIP_SUCCESS : 0);
}

bool ring_queue_cancel_(struct ring *r, uint64_t user_data)
{
    struct io_uring_sqe *sqe = ring_own_sqe_(r);

    if (!sqe) {
        return false;
    }
    io_uring_prep_cancel64(sqe, user_data, 0);
    be_quiet(r, sqe);
    io_uring_sqe_set_data64(sqe, KIND_NOBODY);
    return true;
}

bool ring_queue_poll_remove_(struct ring *r, uint64_t user_data, uint64_t own_user_data)
{
    struct io_uring_sqe *sqe = ring_own_sqe_(r);

    if (!sqe) {
        return false;
    }
    io_uring_prep_poll_remove(sqe, user_data);
    be_quiet(r, sqe);
    io_uring_sqe_set_data64(sqe, own_user_data);
    return true;
}
