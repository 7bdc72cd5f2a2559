/* SPDX-License-Identifier: MIT */
/* client_in.c - room for what has come, while there is something. */
#include <errno.h>
#include <stddef.h>

#include "client_inside.h"

bool client_borrow_in_(struct client *c)
{
    if (c->in.memory) {
        return true;
    }
    c->in.memory = stash_take(c->host->stash);
    if (!c->in.memory) {
        client_say_(c, AIOX_LOG_ERROR, "no memory to listen to it");
        c->aborted = true;
        c->conn.error = -ENOMEM;
    }
    return c->in.memory;
}

void client_return_in_(struct client *c)
{
    stash_give(c->host->stash, c->in.memory);
    c->in.memory = NULL;
}

void client_return_empty_in_(struct client *c)
{
    if (bytes_held(&c->in) == 0) {
        client_return_in_(c);
    }
}
