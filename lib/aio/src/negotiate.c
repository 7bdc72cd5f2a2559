/* SPDX-License-Identifier: MIT */
/*
 * negotiate.c - what a backend's tables mean to this loop, whatever their age.
 *
 * Each table begins with its size as the backend knows it. What both sides
 * know is copied, the rest is zero; a required function that is then missing
 * is named. So an older backend lacks what came later, and a newer one loses
 * only what this loop would not use.
 */
#include "negotiate.h"

#include <errno.h>
#include <string.h>

#include "names.h"
#include "report.h"

/* A table that claims to be larger has no size but garbage. */
#define TABLE_BYTES_MAX 65536u

#define REFUSE(r, ...)                                                                             \
    report_set_((r), AIOX_BACKEND_ABI, AIOX_FDMON_CAUSE_OTHER, -EPROTO, __VA_ARGS__)

/* A size that ends inside a pointer does not make that pointer known. */
static void copy_known(void *ours, size_t our_bytes, const void *theirs, size_t their_bytes)
{
    their_bytes -= their_bytes % sizeof(void *);
    memset(ours, 0, our_bytes);
    memcpy(ours, theirs, their_bytes < our_bytes ? their_bytes : our_bytes);
}

/* The part of the descriptor that all minor versions have. */
static int check_head(const struct aiox_fdmon_plugin *p, struct aiox_backend_report *r)
{
    if (p->magic != AIOX_FDMON_MAGIC) {
        return REFUSE(r, "the descriptor has a bad mark (%#x)", p->magic);
    }
    if (p->abi_major != AIOX_FDMON_ABI_MAJOR) {
        return REFUSE(r, "made for version %u.%u of the contract, this loop has %u.%u",
                      (unsigned)p->abi_major, (unsigned)p->abi_minor, AIOX_FDMON_ABI_MAJOR,
                      AIOX_FDMON_ABI_MINOR);
    }
    if (p->size < offsetof(struct aiox_fdmon_plugin, rank) || p->size > TABLE_BYTES_MAX) {
        return REFUSE(r, "the descriptor says that it has %u bytes", p->size);
    }
    return 0;
}

static const char *text_or_empty(const char *text)
{
    return text ? text : "";
}

static int check_plugin(struct aiox_fdmon_plugin *p, struct aiox_backend_report *r)
{
    uint64_t unknown = (p->caps | p->needs) & AIOX_FDMON_CAP_MUST_UNDERSTAND;

    if (!p->name || !name_is_good_(p->name, strnlen(p->name, NAME_BYTES))) {
        return REFUSE(r, "the descriptor has no good name");
    }
    if (unknown) {
        REFUSE(r, "it needs something that this loop does not know (bits %#llx)",
               (unsigned long long)unknown);
        return report_hint_(r, "use a newer loop, or an older '%s'", p->name);
    }
    if (!p->ops) {
        return REFUSE(r, "the descriptor has no table of functions");
    }
    if (!p->probe) {
        return REFUSE(r, "the required function probe() is missing");
    }
    p->version = text_or_empty(p->version);
    p->summary = text_or_empty(p->summary);
    p->license = text_or_empty(p->license);
    return 0;
}

static int check_ops(const struct aiox_fdmon_ops *ops, struct aiox_backend_report *r)
{
    const char *missing = !ops->open       ? "open"
                          : !ops->close    ? "close"
                          : !ops->interest ? "interest"
                          : !ops->collect  ? "collect"
                                           : NULL;

    return missing ? REFUSE(r, "the required function %s() is missing", missing) : 0;
}

static void take_completion(struct tables *t)
{
    const struct aiox_fdmon_completion *theirs = NULL;
    struct aiox_fdmon_completion *ours = &t->completion;

    if (t->plugin.get_extension) {
        theirs = t->plugin.get_extension(AIOX_FDMON_COMPLETION_ID);
    }
    if (theirs) {
        copy_known(ours, sizeof(*ours), theirs, theirs->size);
        t->has_completion = ours->submit && ours->cancel && ours->supports;
    }
    if (!t->has_completion) {
        memset(ours, 0, sizeof(*ours));
    }
}

static void take_pollfd(struct tables *t)
{
    const struct aiox_fdmon_pollfd *theirs = NULL;

    if (t->plugin.get_extension) {
        theirs = t->plugin.get_extension(AIOX_FDMON_POLLFD_ID);
    }
    if (theirs) {
        copy_known(&t->pollfd, sizeof(t->pollfd), theirs, theirs->size);
    }
}

/* A capability without its functions is none. */
static void settle_caps(struct tables *t)
{
    uint64_t *caps = &t->plugin.caps;

    *caps &= ~(t->has_completion ? 0 : AIOX_FDMON_CAP_COMPLETION);
    *caps |= t->has_completion ? AIOX_FDMON_CAP_COMPLETION : 0;
    *caps &= ~(t->ops.pending ? 0 : AIOX_FDMON_CAP_PENDING);
    *caps &= ~AIOX_FDMON_CAP_POLLFD;
    *caps |= t->pollfd.prepare ? AIOX_FDMON_CAP_POLLFD : 0;
}

int negotiate_(struct tables *out, const struct aiox_fdmon_plugin *theirs,
               struct aiox_backend_report *r)
{
    struct tables t;
    int error;

    memset(&t, 0, sizeof(t));
    error = check_head(theirs, r);
    if (error) {
        return error;
    }
    copy_known(&t.plugin, sizeof(t.plugin), theirs, theirs->size);
    error = check_plugin(&t.plugin, r);
    if (error) {
        return error;
    }
    if (t.plugin.ops->size > TABLE_BYTES_MAX) {
        return REFUSE(r, "the table of functions says that it has %u bytes", t.plugin.ops->size);
    }
    copy_known(&t.ops, sizeof(t.ops), t.plugin.ops, t.plugin.ops->size);
    error = check_ops(&t.ops, r);
    if (!error) {
        take_completion(&t);
        take_pollfd(&t);
        settle_caps(&t);
        *out = t;
    }
    return error;
}
