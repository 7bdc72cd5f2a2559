/* SPDX-License-Identifier: MIT */
/* aiox/qemu/aio_glib.h - the original name of aiox/aio_glib.h. */
#ifndef AIOX_QEMU_AIO_GLIB_H_
#define AIOX_QEMU_AIO_GLIB_H_

#include "aiox/aio_glib.h"
#include "aiox/assert.h"
#include "aiox/attributes.h"
#include "aiox/qemu/aio.h"

AIOX_BEGIN_DECLS

/*
 * The context as a source for g_source_attach(): the same one each time, with a
 * reference that the caller gives back by g_source_unref(). Aborts, with the
 * reason, where there can be none.
 *
 * Different on purpose: a context is a guest of GLib from the first call until
 * the last reference of the source has gone, not all its life, and only its home
 * thread asks. The source has a reference of the context, so what was attached
 * lives until it is destroyed.
 */
static inline GSource *aio_get_g_source(AioContext *ctx)
{
    struct aiox_error said;
    GSource *source = NULL;

    if (aiox_glib_source_get(&source, ctx, &said)) {
        aiox_panic("%s", said.message);
    }
    return source;
}

AIOX_END_DECLS

#endif /* AIOX_QEMU_AIO_GLIB_H_ */
