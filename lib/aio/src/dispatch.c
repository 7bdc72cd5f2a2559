/* SPDX-License-Identifier: MIT */
/*
 * dispatch.c - from what happened to whom it concerns.
 *
 * When a callback turns the loop itself, the inner turn finds on the list of
 * ready records what the outer one has not served, and serves that, too. It may
 * be told of the same descriptors again (those that are level-triggered), but a
 * record is on the list once, so nobody is served twice for one report.
 */
#include "dispatch.h"

#include "trace.h"

/* What concerns read and write besides their own event. */
enum {
    READ_EVENTS = AIOX_FD_READ | AIOX_FD_HANGUP | AIOX_FD_ERROR,
    WRITE_EVENTS = AIOX_FD_WRITE | AIOX_FD_ERROR,
};

static void take_handler(struct handlers *hs, const struct aiox_fdmon_event *event,
                         struct aiox_list *ready)
{
    struct handler *h = handlers_find_(hs, event->token);

    if (!h) {
        return; /* retired after the backend had looked */
    }
    h->ready_events |= event->events;
    handler_add_(h, ready);
}

static void take_completion(const struct aiox_fdmon_event *event, struct aiox_list *completions)
{
    struct aiox_completion *c = (struct aiox_completion *)(uintptr_t)event->token;

    c->result_ = event->result;
    aiox_list_remove(&c->link_);
    aiox_list_push_back(completions, &c->link_);
}

struct collected dispatch_sort_(struct handlers *hs, const struct aiox_fdmon_event *events,
                                int count, struct aiox_list *ready, struct aiox_list *completions)
{
    struct collected found = {0};

    for (int i = 0; i < count; i++) {
        if (events[i].events == 0) {
            if (completions) {
                take_completion(&events[i], completions);
                found.other = true;
            }
        } else if (events[i].token == DISPATCH_BELL_TOKEN) {
            found.bell = true;
        } else {
            take_handler(hs, &events[i], ready);
            found.other = true;
        }
    }
    return found;
}

static bool call_if(struct handler *h, bool wanted, aiox_fd_fn *fn)
{
    if (!wanted || !fn || !handler_may_be_called_(h)) {
        return false;
    }
    AIOX_TRACE(aio, fd, h->fd, h->generation);
    fn(h->opaque);
    return true;
}

/* Its poll callback saw something; a turn inside must not look at it again meanwhile. */
static bool serve_polled(struct handler *h)
{
    bool done;

    h->poll_said_ready = false;
    h->is_served = true;
    done = call_if(h, true, h->call.poll_ready ? h->call.poll_ready : h->call.read);
    h->is_served = false;
    return done;
}

/* As serve() would, but sooner: what happens most. */
static inline bool serve_reader(struct handler *h)
{
    h->ready_events = 0;
    if (AIOX_UNLIKELY(aiox_u32_load_relaxed(&h->held))) {
        return false;
    }
    AIOX_TRACE(aio, fd, h->fd, h->generation);
    h->call.read(h->opaque);
    return true;
}

static AIOX_NOINLINE bool serve(struct handler *h)
{
    const struct aiox_fd_handler *call = &h->call;
    uint32_t events = h->ready_events;
    bool done = false;

    h->ready_events = 0;
    if (h->poll_said_ready) {
        done = serve_polled(h);
    } else {
        done = call_if(h, (events & READ_EVENTS) != 0, call->read ? call->read : call->poll_ready);
    }
    done |= call_if(h, (events & AIOX_FD_PRI) != 0, call->urgent);
    done |= call_if(h, (events & WRITE_EVENTS) != 0, call->write);
    if (!done && events) {
        /* A hang-up that nobody asked for still has to be heard by somebody. */
        done = call_if(h, true, call->write ? call->write : call->urgent);
    }
    return done;
}

bool dispatch_each_handler_(struct aiox_list *ready)
{
    struct aiox_list_node *node;
    bool progress = false;

    while ((node = aiox_list_pop_front(ready)) != NULL) {
        struct handler *h = AIOX_CONTAINER_OF(node, struct handler, ready_link);

        if (AIOX_UNLIKELY(!handler_is_live_(h))) {
            continue;
        }
        if (AIOX_LIKELY(h->ready_events == AIOX_FD_READ && h->call.read && !h->poll_said_ready)) {
            progress |= serve_reader(h);
        } else {
            progress |= serve(h);
        }
    }
    return progress;
}

bool dispatch_each_completion_(struct aiox_list *completions)
{
    struct aiox_list_node *node;
    bool progress = false;

    while ((node = aiox_list_pop_front(completions)) != NULL) {
        struct aiox_completion *c = AIOX_CONTAINER_OF(node, struct aiox_completion, link_);

        AIOX_TRACE(aio, completion, (uintptr_t)c, c->result_);
        c->done(c, c->result_);
        progress = true;
    }
    return progress;
}
