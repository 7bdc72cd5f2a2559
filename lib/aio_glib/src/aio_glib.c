/* SPDX-License-Identifier: MIT */
/*
 * aio_glib.c - the phases of a foreign loop as the functions of a GSource.
 *
 * GLib may call prepare and check of a source any number of times, leave check
 * and dispatch out (a source of higher priority was ready), or iterate again
 * from inside a dispatch. aiox/foreign.h allows all of that, so nothing is kept
 * here but what the functions need.
 *
 * The timeout is told through prepare. g_source_set_ready_time() would say it
 * in microseconds, but each change of it wakes the very loop that is about to
 * sleep, and a deadline computed anew in each prepare does change.
 */
#include "aiox/aio_glib.h"

#include "aiox/assert.h"
#include "aiox/clock.h"
#include "aiox/foreign.h"

struct guest {
    GSource source; /* first: GLib allocates the whole and knows this */
    struct aiox_context *ctx;
    struct known *known; /* in ctx */
    gpointer fd_tag;
};

/* What a context keeps: its source, of which this is no reference. NULL: none. */
struct known {
    GSource *source;
};

static const struct aiox_context_part kind = {
    .name = "glib",
    .bytes = sizeof(struct known),
};

static struct guest *guest_of(GSource *source)
{
    return (struct guest *)source;
}

/* Never too early; -1 is for ever in both. */
static gint to_ms(int64_t timeout_ns)
{
    int64_t ms = timeout_ns / AIOX_NS_PER_MS + (timeout_ns % AIOX_NS_PER_MS > 0);

    return timeout_ns < 0 ? -1 : ms < G_MAXINT ? (gint)ms : G_MAXINT;
}

static gboolean prepare(GSource *source, gint *timeout_ms)
{
    int64_t timeout_ns = aiox_foreign_prepare(guest_of(source)->ctx);

    *timeout_ms = to_ms(timeout_ns);
    return timeout_ns == 0;
}

static gboolean check(GSource *source)
{
    struct guest *g = guest_of(source);

    return aiox_foreign_check(g->ctx, g_source_query_unix_fd(source, g->fd_tag) != 0);
}

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer opaque)
{
    bool progress = aiox_foreign_dispatch(guest_of(source)->ctx);

    if (!callback) {
        return G_SOURCE_CONTINUE;
    }
    return ((aiox_glib_turn_fn *)(void (*)(void))callback)(progress, opaque);
}

static void finalize(GSource *source)
{
    struct guest *g = guest_of(source);

    g->known->source = NULL;
    aiox_foreign_end(g->ctx);
    aiox_context_unref(g->ctx);
}

static GSourceFuncs functions = {
    .prepare = prepare,
    .check = check,
    .dispatch = dispatch,
    .finalize = finalize,
};

static int known_of(struct known **out, struct aiox_context *ctx, struct aiox_error *err)
{
    void *part = NULL;
    int code = aiox_context_part_get(ctx, &kind, &part);

    if (code < 0) {
        return aiox_error_set(err, code, "cannot note the source of a context: %s",
                              aiox_error_text(code));
    }
    *out = part;
    return 0;
}

int aiox_glib_source_new(GSource **out, struct aiox_context *ctx, struct aiox_error *err)
{
    struct known *known;
    struct guest *g;
    int fd;
    int code = known_of(&known, ctx, err);

    if (code == 0) {
        code = aiox_foreign_begin(ctx, &fd, err);
    }
    if (code < 0) {
        return code;
    }
    g = guest_of(g_source_new(&functions, sizeof(*g)));
    g->ctx = aiox_context_ref(ctx);
    g->known = known;
    known->source = &g->source;
    g->fd_tag = g_source_add_unix_fd(&g->source, fd, G_IO_IN);
    g_source_set_name(&g->source, "aiox");
    g_source_set_can_recurse(&g->source, TRUE);
    *out = &g->source;
    return 0;
}

int aiox_glib_source_get(GSource **out, struct aiox_context *ctx, struct aiox_error *err)
{
    struct known *known;
    int code = known_of(&known, ctx, err);

    if (code < 0) {
        return code;
    }
    if (!known->source) {
        return aiox_glib_source_new(out, ctx, err);
    }
    *out = g_source_ref(known->source);
    return 0;
}

struct aiox_context *aiox_glib_source_context(GSource *source)
{
    aiox_assert(source->source_funcs == &functions);
    return guest_of(source)->ctx;
}
