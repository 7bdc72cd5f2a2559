/* SPDX-License-Identifier: MIT */
/* polled.c - the handlers whose poll callbacks are looked at. */
#include "polled.h"

#include "aiox/clock.h"

enum { IDLE_S = 7 }; /* a handler that did not pay for so long is left to the backend */

void polled_begin_(struct handler *h)
{
    if (!h->begun && handler_is_live_(h)) {
        h->begun = true;
        if (h->call.poll_begin) {
            h->call.poll_begin(h->opaque);
        }
    }
}

/* The end for @h or, if another thread has just replaced it, for its heir. */
static void end(struct handlers *hs, struct handler *h)
{
    while (h && !handler_is_live_(h)) {
        h = handlers_hand_over_(hs, h);
    }
    if (h && h->begun) {
        h->begun = false;
        if (h->call.poll_end) {
            h->call.poll_end(h->opaque);
        }
    }
}

static bool says_ready(struct handler *h)
{
    return !h->is_served && handler_may_be_called_(h) && h->call.poll(h->opaque);
}

static bool look_at(struct handler *h, struct aiox_list *ready)
{
    if (!says_ready(h)) {
        return false;
    }
    h->poll_said_ready = true;
    handler_add_(h, ready);
    return true;
}

bool polled_look_(struct handlers *hs, struct aiox_list *ready)
{
    bool found = false;

    AIOX_LIST_FOREACH_SAFE(h, &hs->polled, struct handler, polled_link)
    {
        found |= look_at(h, ready);
    }
    return found;
}

bool polled_look_again_(struct handlers *hs, struct aiox_list *ready)
{
    aiox_u32_store_relaxed(&hs->look_again, 0);
    return polled_look_(hs, ready);
}

void polled_bury_(struct handlers *hs)
{
    AIOX_LIST_FOREACH_SAFE(h, &hs->polled, struct handler, polled_link)
    {
        if (!handler_is_live_(h)) {
            (void)handlers_hand_over_(hs, h);
        }
    }
}

/* To be looked at no more; it may have been buried by now. */
static void leave(struct handler *h)
{
    if (aiox_list_is_linked(&h->polled_link)) {
        aiox_list_remove(&h->polled_link);
    }
}

bool polled_drop_idle_(struct handlers *hs, int64_t now_ns, struct aiox_list *ready)
{
    bool found = false;

    if (!hs->backend->ops.pending) {
        return false;
    }
    AIOX_LIST_FOREACH_SAFE(h, &hs->polled, struct handler, polled_link)
    {
        if (h->busy.last_paid_ns == POLLED_JUST_NOW) {
            h->busy.last_paid_ns = now_ns;
        }
        if (now_ns - h->busy.last_paid_ns > IDLE_S * AIOX_NS_PER_S && handler_may_be_called_(h)) {
            h->busy.ns = 0;
            end(hs, h);
            found |= look_at(h, ready);
            leave(h);
        }
    }
    return found;
}

void polled_end_(struct handlers *hs)
{
    AIOX_LIST_FOREACH_SAFE(h, &hs->polled, struct handler, polled_link)
    {
        end(hs, h);
    }
}

bool polled_have_news_(struct handlers *hs)
{
    bool any = false;

    AIOX_LIST_FOREACH_SAFE(h, &hs->polled, struct handler, polled_link)
    {
        any |= says_ready(h);
    }
    return any;
}
