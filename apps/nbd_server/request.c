/* SPDX-License-Identifier: MIT */
/*
 * request.c - a table says what each command is; the rest looks it up.
 *
 * Sections of the specification: "Request types", "Command flags", "Error
 * values".
 */
#include "request.h"

#include <errno.h>
#include <stddef.h>

#include "aiox/assert.h"

_Static_assert(offsetof(struct request, reply.bytes) + WIRE_SIMPLE_REPLY == sizeof(struct request),
               "the reply must end where the payload begins");

static void do_read(struct request *r, struct nbd_export *e)
{
    e->ops->read(e, &r->io);
}

static void do_write(struct request *r, struct nbd_export *e)
{
    e->ops->write(e, &r->io);
}

static void do_flush(struct request *r, struct nbd_export *e)
{
    e->ops->flush(e, &r->io);
}

static const struct command {
    const char *verb;
    void (*start)(struct request *r, struct nbd_export *e);
    int outside; /* the error for a range that is not inside the export */
    bool ranged; /* offset and length mean a range */
    bool writes;
} commands[] = {
    [NBD_CMD_READ] = {.verb = "read", .start = do_read, .outside = -EINVAL, .ranged = true},
    [NBD_CMD_WRITE] =
        {.verb = "write", .start = do_write, .outside = -ENOSPC, .ranged = true, .writes = true},
    [NBD_CMD_FLUSH] = {.verb = "flush", .start = do_flush},
};

/* NULL: not one that can be done. */
static const struct command *command_of(uint16_t type)
{
    if (type >= sizeof(commands) / sizeof(commands[0]) || !commands[type].verb) {
        return NULL;
    }
    return &commands[type];
}

const char *request_verb(uint16_t type)
{
    const struct command *command = command_of(type);

    return command ? command->verb : "unknown command";
}

int request_check(const struct wire_request *w, const struct nbd_export *e, uint32_t max_bytes)
{
    const struct command *command = command_of(w->type);

    /* "NBD_CMD_FLAG_FUA" is valid with every command, even where it means nothing. */
    if (!command || (w->flags & ~NBD_CMD_FLAG_FUA)) {
        return -EINVAL;
    }
    if (command->writes && e->read_only) {
        return -EPERM;
    }
    if (!command->ranged) {
        return w->offset == 0 && w->length == 0 ? 0 : -EINVAL;
    }
    if (w->offset > e->size_bytes || w->length > e->size_bytes - w->offset) {
        return command->outside;
    }
    return w->length <= max_bytes ? 0 : -EINVAL;
}

uint32_t request_payload(const struct wire_request *w)
{
    return w->type == NBD_CMD_READ || w->type == NBD_CMD_WRITE ? w->length : 0;
}

struct request *request_new(struct pool *pool, const struct wire_request *w, int refusal)
{
    uint32_t payload_bytes = refusal ? 0 : request_payload(w);
    struct request *r = pool_take(pool, payload_bytes);

    if (!r && payload_bytes > 0) {
        payload_bytes = 0;
        refusal = -ENOMEM;
        r = pool_take(pool, 0);
    }
    if (!r) {
        return NULL;
    }
    *r = (struct request){
        .cookie = w->cookie,
        .type = w->type,
        .refusal = refusal,
        .payload_bytes = payload_bytes,
        .missing_bytes = w->type == NBD_CMD_WRITE ? w->length : 0,
        .io = {.offset = w->offset,
               .bytes = w->length,
               .fua = w->flags & NBD_CMD_FLAG_FUA,
               .data = request_data(r)},
    };
    return r;
}

void request_free(struct pool *pool, struct request *r)
{
    pool_give(pool, r, r->payload_bytes);
}

void request_start(struct request *r, struct nbd_export *e)
{
    aiox_assert(!r->refusal && r->missing_bytes == 0);
    commands[r->type].start(r, e);
}

void request_conclude(struct request *r, int error)
{
    bool carries_data = r->type == NBD_CMD_READ && error == 0;

    wire_put_simple_reply(r->reply.bytes, wire_error(error), r->cookie);
    r->reply_bytes = WIRE_SIMPLE_REPLY + (carries_data ? r->io.bytes : 0);
}
