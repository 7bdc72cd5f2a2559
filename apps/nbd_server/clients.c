/* SPDX-License-Identifier: MIT */
/*
 * clients.c - words to all clients of a thread, and questions about them.
 *
 * A client that is told something may have left when the call returns, but no
 * other one.
 */
#include <errno.h>

#include "aiox/clock.h"

#include "client_inside.h"

/* Its requests are answered, then it leaves. */
static void stop(struct client *c)
{
    c->stopping = true;
    connection_kick(&c->conn);
}

void client_stop_all(struct aiox_list *list)
{
    AIOX_LIST_FOREACH_SAFE(c, list, struct client, link)
    {
        stop(c);
    }
}

void client_stop_those_of(struct aiox_list *list, const struct nbd_export *e)
{
    AIOX_LIST_FOREACH_SAFE(c, list, struct client, link)
    {
        if (c->chosen == e && !c->stopping) {
            client_say_(c, AIOX_LOG_INFO, "leaves: the export was taken away");
            stop(c);
        }
    }
}

void client_continue_all(struct aiox_list *list)
{
    AIOX_LIST_FOREACH_SAFE(c, list, struct client, link)
    {
        connection_kick(&c->conn);
    }
}

void client_abort_stalled(struct aiox_list *list, int64_t patience_ns)
{
    int64_t since_ns = aiox_clock_now_ns() - patience_ns;

    AIOX_LIST_FOREACH_SAFE(c, list, struct client, link)
    {
        bool holds = c->conn.blocked || c->t.filling;

        if (holds && c->moved_ns <= since_ns && !c->conn.error) {
            client_say_(c, AIOX_LOG_WARN, "stands still while others wait for the memory it has");
            client_give_up_(c);
            connection_kick(&c->conn);
        }
    }
}

void client_abort_all(struct aiox_list *list)
{
    AIOX_LIST_FOREACH_SAFE(c, list, struct client, link)
    {
        c->stopping = true;
        client_give_up_(c);
        connection_kick(&c->conn);
    }
}

void client_abort_longest_greeting(struct aiox_list *list)
{
    AIOX_LIST_FOREACH(c, list, struct client, link)
    {
        if (c->greeting && !c->aborted) {
            client_say_(c, AIOX_LOG_WARN, "makes room: too many have not chosen an export");
            client_give_up_(c);
            connection_kick(&c->conn);
            return;
        }
    }
}

bool client_may_use(const struct aiox_list *list, const struct nbd_export *e, uint64_t before)
{
    AIOX_LIST_FOREACH(c, list, struct client, link)
    {
        if (c->chosen == e || (c->greeting && c->number < before)) {
            return true;
        }
    }
    return false;
}

static const char *state_of(const struct client *c)
{
    if (c->greeting) {
        return "greeting";
    }
    return c->stopping || c->leaving || !c->chosen ? "leaving" : "served";
}

void client_view_all(const struct aiox_list *list, client_view_fn *see, void *opaque)
{
    int64_t now_ns = aiox_clock_now_ns();

    AIOX_LIST_FOREACH(c, list, struct client, link)
    {
        struct client_view view = {
            .number = c->number,
            .peer = c->peer,
            .state = state_of(c),
            .chosen = c->chosen,
            .encrypted = c->encrypted,
            .age_ns = now_ns - c->since_ns,
            .still_ns = now_ns - (c->moved_ns ? c->moved_ns : c->since_ns),
            .requests = c->greeting ? 0 : c->t.requests,
            .payload_bytes = c->greeting ? 0 : c->t.payload_bytes,
            .stats = &c->stats,
        };

        see(opaque, &view);
    }
}
