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
#include <string.h>

#include "aiox/assert.h"

#include "sparse.h"

_Static_assert(offsetof(struct request, head) + REQUEST_HEAD_BYTES == sizeof(struct request),
               "the head of the reply must end where the payload begins");

/* What @payload_bytes of the pool mean for a command. */
enum holds { NOTHING, ITS_LENGTH, A_LIST };

static void do_read(struct request *r, struct nbd_export *e)
{
    if (sparse_is_worth_it(r)) {
        sparse_start(r, e);
    } else {
        e->ops->read(e, &r->io);
    }
}

static void do_write(struct request *r, struct nbd_export *e)
{
    e->ops->write(e, &r->io);
}

static void do_flush(struct request *r, struct nbd_export *e)
{
    e->ops->flush(e, &r->io);
}

static void do_trim(struct request *r, struct nbd_export *e)
{
    e->ops->trim(e, &r->io);
}

static void do_cache(struct request *r, struct nbd_export *e)
{
    e->ops->cache(e, &r->io);
}

static void do_zero(struct request *r, struct nbd_export *e)
{
    r->io.keep = r->flags & NBD_CMD_FLAG_NO_HOLE;
    r->io.fast = r->flags & NBD_CMD_FLAG_FAST_ZERO;
    e->ops->zero(e, &r->io);
}

static void do_status(struct request *r, struct nbd_export *e)
{
    r->io.extents = (struct export_extent *)request_data(r);
    r->io.extent_max = r->flags & NBD_CMD_FLAG_REQ_ONE ? 1 : REQUEST_EXTENTS;
    e->ops->map(e, &r->io);
}

static const struct command {
    const char *verb;
    void (*start)(struct request *r, struct nbd_export *e);
    int outside;               /* the error for a range that is not inside the export */
    uint16_t flags;            /* beyond FUA, which is valid with all */
    uint16_t structured_flags; /* valid if structured replies were agreed on */
    uint16_t extended_flags;   /* if extended headers were */
    bool ranged;               /* offset and length mean a range */
    bool writes;
    enum holds holds;
} commands[] = {
    [NBD_CMD_READ] = {.verb = "read",
                      .start = do_read,
                      .outside = -EINVAL,
                      .structured_flags = NBD_CMD_FLAG_DF,
                      .ranged = true,
                      .holds = ITS_LENGTH},
    [NBD_CMD_WRITE] = {.verb = "write",
                       .start = do_write,
                       .outside = -ENOSPC,
                       .extended_flags = NBD_CMD_FLAG_PAYLOAD_LEN,
                       .ranged = true,
                       .writes = true,
                       .holds = ITS_LENGTH},
    [NBD_CMD_FLUSH] = {.verb = "flush", .start = do_flush},
    [NBD_CMD_TRIM] =
        {.verb = "trim", .start = do_trim, .outside = -EINVAL, .ranged = true, .writes = true},
    [NBD_CMD_CACHE] = {.verb = "cache", .start = do_cache, .outside = -EINVAL, .ranged = true},
    [NBD_CMD_WRITE_ZEROES] = {.verb = "zero",
                              .start = do_zero,
                              .outside = -ENOSPC,
                              .flags = NBD_CMD_FLAG_NO_HOLE | NBD_CMD_FLAG_FAST_ZERO,
                              .ranged = true,
                              .writes = true},
    [NBD_CMD_BLOCK_STATUS] = {.verb = "block status",
                              .start = do_status,
                              .outside = -EINVAL,
                              .flags = NBD_CMD_FLAG_REQ_ONE,
                              .extended_flags = NBD_CMD_FLAG_PAYLOAD_LEN,
                              .ranged = true,
                              .holds = A_LIST},
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

/* ---- may it be ---- */

static int refused(const char **why, int error, const char *words)
{
    *why = words;
    return error;
}

static uint16_t valid_flags(const struct command *command, const struct dialect *dialect)
{
    uint16_t flags = NBD_CMD_FLAG_FUA | command->flags;

    flags |= dialect->replies >= REPLIES_STRUCTURED ? command->structured_flags : 0;
    return flags | (dialect->replies == REPLIES_EXTENDED ? command->extended_flags : 0);
}

/* A payload that says what the status is wanted of: its length is not that of the range. */
static bool is_filtered(uint16_t type, uint16_t flags)
{
    return type == NBD_CMD_BLOCK_STATUS && (flags & NBD_CMD_FLAG_PAYLOAD_LEN);
}

static bool is_inside(const struct nbd_export *e, uint64_t offset, uint64_t bytes)
{
    return offset <= e->size_bytes && bytes <= e->size_bytes - offset;
}

static int check_range(const struct wire_request *w, const struct command *command,
                       const struct nbd_export *e, uint32_t max_bytes, const char **why)
{
    if (!command->ranged) {
        return w->offset == 0 && w->length == 0 ? 0 : refused(why, -EINVAL, "this has no range");
    }
    if (!is_inside(e, w->offset, w->length)) {
        return refused(why, command->outside, "the range is not inside the export");
    }
    if ((w->offset | w->length) & e->min_mask) {
        return refused(why, -EINVAL, "not in blocks of the minimum size");
    }
    if (command->holds == ITS_LENGTH && w->length > max_bytes) {
        return refused(why, -EINVAL, "longer than the maximum block size");
    }
    if (command->holds == A_LIST && w->length == 0) {
        return refused(why, -EINVAL, "nothing to tell the status of");
    }
    return 0;
}

int request_check(const struct wire_request *w, const struct dialect *dialect,
                  const struct nbd_export *e, uint32_t max_bytes, const char **why)
{
    const struct command *command = command_of(w->type);

    if (!command) {
        return refused(why, -EINVAL, "unknown command");
    }
    if (w->flags & ~valid_flags(command, dialect)) {
        return refused(why, -EINVAL, "unknown flag for this command");
    }
    if (command->writes && e->read_only) {
        return refused(why, -EPERM, "the export is read-only");
    }
    if (w->type == NBD_CMD_BLOCK_STATUS && !dialect->allocation) {
        return refused(why, -EINVAL, "no metadata context was selected");
    }
    if (is_filtered(w->type, w->flags)) { /* the range comes with the payload */
        return w->length == WIRE_STATUS_FILTER
                   ? 0
                   : refused(why, -EINVAL, "one context was selected, not that many");
    }
    return check_range(w, command, e, max_bytes, why);
}

void request_arrived(struct request *r, const struct nbd_export *e)
{
    const uint8_t *payload = request_data(r);
    struct wire_request w = {.offset = r->offset, .type = r->type};

    if (r->refusal || !is_filtered(r->type, r->flags)) {
        return;
    }
    r->bytes = r->io.bytes = w.length = wire_get_u64(payload);
    if (wire_get_u32(payload + 8) != DIALECT_ALLOCATION_ID) {
        r->refusal = refused(&r->why, -EINVAL, "no such metadata context was selected");
    } else {
        r->refusal = check_range(&w, command_of(r->type), e, 0, &r->why);
    }
}

/* ---- what it takes ---- */

uint64_t request_payload(const struct wire_request *w)
{
    const struct command *command = command_of(w->type);

    if (!command || command->holds == NOTHING) {
        return 0;
    }
    return command->holds == A_LIST ? REQUEST_STATUS_BYTES : w->length;
}

/* "Extended request message": there a flag says it, not the command. */
uint64_t request_trailing(const struct wire_request *w, const struct dialect *dialect)
{
    bool trails = dialect->replies == REPLIES_EXTENDED ? w->flags & NBD_CMD_FLAG_PAYLOAD_LEN
                                                       : w->type == NBD_CMD_WRITE;

    return trails ? w->length : 0;
}

struct request *request_new(struct pool *pool, const struct wire_request *w,
                            const struct dialect *dialect, int refusal, const char *why)
{
    uint32_t payload_bytes = refusal ? 0 : (uint32_t)request_payload(w);
    struct request *r = pool_take(pool, payload_bytes);

    if (!r && payload_bytes > 0) {
        payload_bytes = 0;
        refusal = refused(&why, -ENOMEM, "no memory");
        r = pool_take(pool, 0);
    }
    if (!r) {
        return NULL;
    }
    memset(r, 0, offsetof(struct request, io.at)); /* the rest is written before it is read */
    r->dialect = *dialect;
    r->cookie = w->cookie;
    r->type = w->type;
    r->flags = w->flags;
    r->offset = r->io.offset = w->offset;
    r->bytes = r->io.bytes = w->length;
    r->refusal = refusal;
    r->why = why;
    r->payload_bytes = payload_bytes;
    r->trailing_bytes = r->missing_bytes = (uint32_t)request_trailing(w, dialect);
    r->io.fua = w->flags & NBD_CMD_FLAG_FUA;
    r->io.data = request_data(r);
    return r;
}

void request_free(struct pool *pool, struct request *r)
{
    pool_give(pool, r, r->payload_bytes);
}

void request_count(const struct request *r, int error, struct transmission_stats *stats)
{
    stats->errors += error != 0;
    stats->reads += r->type == NBD_CMD_READ;
    stats->writes += r->type == NBD_CMD_WRITE;
    stats->flushes += r->type == NBD_CMD_FLUSH;
    stats->trims += r->type == NBD_CMD_TRIM;
    stats->zeroes += r->type == NBD_CMD_WRITE_ZEROES;
    stats->caches += r->type == NBD_CMD_CACHE;
    stats->statuses += r->type == NBD_CMD_BLOCK_STATUS;
    if (error == 0) {
        stats->bytes_read += r->type == NBD_CMD_READ ? r->bytes : 0;
        stats->bytes_written += r->type == NBD_CMD_WRITE ? r->bytes : 0;
    }
}

void request_start(struct request *r, struct nbd_export *e)
{
    aiox_assert(!r->refusal && r->missing_bytes == 0);
    r->io.done = r->ended;
    commands[r->type].start(r, e);
}
