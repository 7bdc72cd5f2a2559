/* SPDX-License-Identifier: MIT */
/*
 * watching.c - what the backend is told of one handler, and of external ones.
 *
 * While external handlers are off, the backend does not know their descriptors:
 * whatever happens to them cannot wake the loop. `held` keeps those from being
 * called that were found ready before; it is a hint between two threads, and
 * exact in the home thread.
 */
#include "watching.h"

#include <errno.h>

#include "aiox/assert.h"

static uint64_t token_of(const struct handler *h)
{
    return (uint64_t)h->generation << 32 | h->index;
}

uint32_t watching_always_ready_for_(const struct handler *h)
{
    return h->asked & (AIOX_FD_READ | AIOX_FD_WRITE);
}

void watching_set_(struct handlers *hs, struct handler *h, enum watched watched)
{
    if (watching_always_ready_for_(h)) {
        aiox_u32_add_relaxed(&hs->always_ready, (uint32_t)(watched == ALWAYS_READY) -
                                                    (uint32_t)(h->watched == ALWAYS_READY));
    }
    h->watched = watched;
}

int watching_ask_(struct backend *b, const struct handler *h, uint32_t told, enum watched *watched)
{
    int err = b->ops.interest(b->mon, h->fd, told, h->asked, token_of(h));

    *watched = err == -EPERM ? ALWAYS_READY : err ? NOT_FOUND : WATCHED;
    return err == -EPERM ? 0 : err;
}

uint32_t watching_told_(const struct handler *h)
{
    return h && h->watched == WATCHED ? h->asked : 0;
}

void watching_stop_(struct handlers *hs, const struct handler *h)
{
    if (watching_told_(h)) {
        (void)hs->backend->ops.interest(hs->backend->mon, h->fd, h->asked, 0, token_of(h));
    }
}

void watching_withhold_(struct handlers *hs, struct handler *h)
{
    aiox_u32_store_relaxed(&h->held, 1);
    watching_stop_(hs, h);
    watching_set_(hs, h, WITHHELD);
}

/* ---- external handlers ---- */

static void withhold_all(struct handlers *hs)
{
    for (size_t fd = 0; fd < hs->by_fd_size; fd++) {
        if (handlers_are_withheld_(hs, hs->by_fd[fd])) {
            watching_withhold_(hs, hs->by_fd[fd]);
        }
    }
}

/* A descriptor that was closed meanwhile is not watched for, as if it had been watched. */
static int give_back(struct handlers *hs, struct handler *h)
{
    enum watched watched;
    int err;

    aiox_u32_store_relaxed(&h->held, 0); /* before it is reported, which may be but once */
    err = watching_ask_(hs->backend, h, 0, &watched);
    if (err < 0 && err != -EBADF) {
        return err;
    }
    watching_set_(hs, h, watched);
    return 0;
}

void handlers_disable_external_(struct handlers *hs)
{
    pthread_mutex_lock(&hs->lock);
    aiox_assert(hs->external_off < UINT32_MAX);
    if (hs->external_off++ == 0) {
        withhold_all(hs);
    }
    pthread_mutex_unlock(&hs->lock);
}

int handlers_enable_external_(struct handlers *hs)
{
    int err = 0;

    pthread_mutex_lock(&hs->lock);
    aiox_assert(hs->external_off > 0);
    for (size_t fd = 0; hs->external_off == 1 && fd < hs->by_fd_size && err == 0; fd++) {
        if (handlers_are_withheld_(hs, hs->by_fd[fd])) {
            err = give_back(hs, hs->by_fd[fd]);
        }
    }
    if (err < 0) {
        withhold_all(hs);
    } else {
        hs->external_off--;
        aiox_u32_store_relaxed(&hs->look_again, 1);
    }
    pthread_mutex_unlock(&hs->lock);
    return err;
}
