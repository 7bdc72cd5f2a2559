/* SPDX-License-Identifier: MIT */
/*
 * linux_aio.c - an engine of native AIO: an io_context_t and an eventfd.
 *
 * A request is in one list at a time: pending (made, not handed over), none
 * (the kernel has it), due (ended, to be told). A bottom half hands over what
 * is pending; the eventfd's handler moves what has ended to due and tells it.
 * Whoever is told may turn the loop: while there is a rest, another bottom half
 * is asked for.
 */
#include <errno.h>
#include <libaio.h>
#include <stdlib.h>

#include "aiox/assert.h"
#include "aiox/bh.h"
#include "aiox/linux_aio.h"

#include "trace.h"

enum { EVENTS_MAX = 1024, BATCH = 64 };

struct aiox_linux_aio {
    struct aiox_context *ctx;
    io_context_t io;
    struct aiox_event_notifier bell;
    struct aiox_bh *submit_bh;
    struct aiox_bh *tell_bh;
    struct aiox_list pending;
    struct aiox_list due;
    size_t in_kernel;
    size_t in_flight; /* all of them */
};

_Static_assert(sizeof(struct iocb) <= sizeof(((struct aiox_linux_aio_request *)0)->iocb_),
               "room for an iocb");

static struct iocb *iocb_of(struct aiox_linux_aio_request *r)
{
    return (struct iocb *)(void *)r->iocb_;
}

static struct aiox_linux_aio_request *request_of(struct iocb *iocb)
{
    return AIOX_CONTAINER_OF(iocb, struct aiox_linux_aio_request, iocb_);
}

/* ---- the end of a request ---- */

static void end_later(struct aiox_linux_aio *aio, struct aiox_linux_aio_request *r, int result)
{
    r->result_ = result;
    aiox_list_push_back(&aio->due, &r->link_);
}

static void tell_all(void *opaque)
{
    struct aiox_linux_aio *aio = opaque;
    struct aiox_list_node *node;

    while ((node = aiox_list_pop_front(&aio->due)) != NULL) {
        struct aiox_linux_aio_request *r =
            AIOX_CONTAINER_OF(node, struct aiox_linux_aio_request, link_);

        if (!aiox_list_is_empty(&aio->due)) {
            aiox_bh_schedule(aio->tell_bh);
        }
        aio->in_flight--;
        r->done(r, r->result_);
    }
    (void)aiox_bh_cancel(aio->tell_bh);
}

static void collect(struct aiox_linux_aio *aio)
{
    struct io_event events[BATCH];
    struct timespec now = {0, 0};
    int n;

    do {
        n = io_getevents(aio->io, 0, BATCH, events, &now);
        for (int i = 0; i < n; i++) {
            end_later(aio, request_of(events[i].obj), (int)(long)events[i].res);
        }
        aio->in_kernel -= n > 0 ? (size_t)n : 0;
    } while (n == BATCH || n == -EINTR);
}

static void rung(void *opaque)
{
    struct aiox_event_notifier *bell = opaque;
    struct aiox_linux_aio *aio = AIOX_CONTAINER_OF(bell, struct aiox_linux_aio, bell);

    (void)aiox_event_notifier_test_and_clear(bell);
    collect(aio);
    if (!aiox_list_is_empty(&aio->pending)) {
        aiox_bh_schedule(aio->submit_bh); /* there is room now */
    }
    tell_all(aio);
}

/* ---- the begin ---- */

static void fill(struct aiox_linux_aio *aio, struct aiox_linux_aio_request *r)
{
    struct iocb *iocb = iocb_of(r);

    if (r->is_write) {
        io_prep_pwritev(iocb, r->fd, r->iov, r->iov_count, r->offset);
    } else {
        io_prep_preadv(iocb, r->fd, r->iov, r->iov_count, r->offset);
    }
    iocb->aio_rw_flags = (unsigned)r->flags;
    io_set_eventfd(iocb, aiox_event_notifier_fd(&aio->bell));
}

/* How many of the first that are pending stand in @batch. */
static int gather(struct aiox_linux_aio *aio, struct iocb **batch)
{
    int n = 0;

    AIOX_LIST_FOREACH(r, &aio->pending, struct aiox_linux_aio_request, link_)
    {
        if (n == BATCH || aio->in_kernel + (size_t)n >= EVENTS_MAX) {
            break;
        }
        batch[n++] = iocb_of(r);
    }
    return n;
}

/* The kernel has taken the first @n, or, with a negative errno, does not want the first. */
static void taken(struct aiox_linux_aio *aio, int n)
{
    for (int i = 0; i < n; i++) {
        (void)aiox_list_pop_front(&aio->pending);
    }
    if (n >= 0) {
        aio->in_kernel += (size_t)n;
    } else {
        struct aiox_list_node *first = aiox_list_pop_front(&aio->pending);

        end_later(aio, AIOX_CONTAINER_OF(first, struct aiox_linux_aio_request, link_), n);
        aiox_bh_schedule(aio->tell_bh);
    }
}

static void submit_all(void *opaque)
{
    struct aiox_linux_aio *aio = opaque;
    struct iocb *batch[BATCH];
    int count, n;

    while ((count = gather(aio, batch)) > 0) {
        n = io_submit(aio->io, count, batch);
        AIOX_TRACE(aio_file, batch, (uintptr_t)aio, n);
        if (n == -EINTR) {
            continue;
        }
        if (n == 0 || (n == -EAGAIN && aio->in_kernel > 0)) {
            return; /* the next that ends comes back here */
        }
        taken(aio, n);
    }
}

void aiox_linux_aio_submit(struct aiox_linux_aio *aio, struct aiox_linux_aio_request *r)
{
    aiox_assert(r->done);
    fill(aio, r);
    if (aiox_list_is_empty(&aio->pending)) {
        aiox_bh_schedule(aio->submit_bh);
    }
    aiox_list_push_back(&aio->pending, &r->link_);
    aio->in_flight++;
}

bool aiox_linux_aio_cancel(struct aiox_linux_aio *aio, struct aiox_linux_aio_request *r)
{
    AIOX_LIST_FOREACH(p, &aio->pending, struct aiox_linux_aio_request, link_)
    {
        if (p == r) {
            aiox_list_remove(&r->link_);
            end_later(aio, r, -ECANCELED);
            aiox_bh_schedule(aio->tell_bh);
            return true;
        }
    }
    return false;
}

size_t aiox_linux_aio_in_flight(const struct aiox_linux_aio *aio)
{
    return aio->in_flight;
}

/* ---- the engine ---- */

static void close_engine(struct aiox_context *ctx, void *data)
{
    struct aiox_linux_aio *aio = data;

    if (AIOX_UNLIKELY(aio->in_flight > 0)) {
        aiox_panic("the context %p ends while %zu requests of native AIO are under way",
                   (void *)ctx, aio->in_flight);
    }
    if (aio->io) {
        io_destroy(aio->io);
    }
    aiox_bh_free(aio->submit_bh);
    aiox_bh_free(aio->tell_bh);
    aiox_clear_fd_handler(ctx, aiox_event_notifier_fd(&aio->bell));
    aiox_event_notifier_fini(&aio->bell);
}

static int open_rest(struct aiox_context *ctx, struct aiox_linux_aio *aio)
{
    struct aiox_bh_queue *bhs = aiox_context_bhs(ctx);
    int err = aiox_bh_new(&aio->submit_bh, bhs, "native AIO, hand over", submit_all, aio);

    if (err == 0) {
        err = aiox_bh_new(&aio->tell_bh, bhs, "native AIO, ends", tell_all, aio);
    }
    if (err == 0) {
        err = io_setup(EVENTS_MAX, &aio->io);
    }
    if (err == 0) {
        err = aiox_set_event_notifier(ctx, &aio->bell, rung, NULL, NULL);
    }
    return err;
}

static int open_engine(struct aiox_context *ctx, void *data)
{
    struct aiox_linux_aio *aio = data;
    int err = aiox_event_notifier_init(&aio->bell, false);

    aio->ctx = ctx;
    aiox_list_init(&aio->pending);
    aiox_list_init(&aio->due);
    if (err == 0) {
        err = open_rest(ctx, aio);
        if (err < 0) {
            close_engine(ctx, aio);
        }
    }
    return err;
}

int aiox_linux_aio_get(struct aiox_linux_aio **out, struct aiox_context *ctx)
{
    static const struct aiox_context_part kind = {
        .name = "native AIO",
        .bytes = sizeof(struct aiox_linux_aio),
        .init = open_engine,
        .fini = close_engine,
    };
    void *part;
    int err = aiox_context_part_get(ctx, &kind, &part);

    if (err == 0) {
        *out = part;
    }
    return err;
}
