/* SPDX-License-Identifier: MIT */
/* null.c - nothing comes, everything goes. */
#include <errno.h>
#include <stdlib.h>

#include "aiox/channel_memory.h"
#include "aiox/channel_ops.h"

static ssize_t read_once(struct aiox_channel *ch, struct aiox_channel_io *io)
{
    (void)ch;
    (void)io;
    return 0;
}

static ssize_t write_once(struct aiox_channel *ch, struct aiox_channel_io *io)
{
    size_t bytes = 0;

    (void)ch;
    for (int i = 0; i < io->count; i++) {
        bytes += io->iov[i].iov_len;
    }
    return (ssize_t)bytes;
}

static int wait_for(struct aiox_channel *ch, uint32_t events, int64_t deadline_ns)
{
    (void)ch;
    (void)deadline_ns;
    return (int)events;
}

static int close_null(struct aiox_channel *ch)
{
    (void)ch;
    return 0;
}

static void free_null(struct aiox_channel *ch)
{
    free(ch);
}

static const struct aiox_channel_ops ops = {
    .kind = "null",
    .read = read_once,
    .write = write_once,
    .wait = wait_for,
    .close = close_null,
    .free = free_null,
};

int aiox_channel_null_new(struct aiox_channel **out)
{
    struct aiox_channel *ch = calloc(1, sizeof(*ch));

    if (!ch) {
        return -ENOMEM;
    }
    aiox_channel_init(ch, &ops, 0);
    *out = ch;
    return 0;
}
