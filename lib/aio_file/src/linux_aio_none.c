/* SPDX-License-Identifier: MIT */
/* linux_aio_none.c - instead of linux_aio.c where there is no libaio. */
#include <errno.h>

#include "aiox/assert.h"
#include "aiox/linux_aio.h"

int aiox_linux_aio_get(struct aiox_linux_aio **out, struct aiox_context *ctx)
{
    (void)out;
    (void)ctx;
    return -ENOTSUP;
}

void aiox_linux_aio_submit(struct aiox_linux_aio *aio, struct aiox_linux_aio_request *r)
{
    aiox_panic("there is no engine %p for request %p", (void *)aio, (void *)r);
}

bool aiox_linux_aio_cancel(struct aiox_linux_aio *aio, struct aiox_linux_aio_request *r)
{
    aiox_panic("there is no engine %p for request %p", (void *)aio, (void *)r);
}

size_t aiox_linux_aio_in_flight(const struct aiox_linux_aio *aio)
{
    aiox_panic("there is no engine %p", (const void *)aio);
}
