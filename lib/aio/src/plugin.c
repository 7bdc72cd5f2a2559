/* SPDX-License-Identifier: MIT */
/*
 * plugin.c - code of backends that was let into this process, for good.
 *
 * A file is opened by its resolved path, once, and never closed: stacks of
 * coroutines, thread-local destructors and signal handlers may still point
 * into it. All of this happens under one lock, so threads that want the same
 * file wait for the one that opens it. A constructor of a plugin must not come
 * back here.
 *
 * The flag of aiox_plugins_disable() carries nothing but itself: no order.
 */
#define _GNU_SOURCE
#include "plugin.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aiox/atomic.h"

#include "elf_check.h"
#include "report.h"

/* More backends in one file than this are not looked for. */
#define BACKENDS_PER_FILE 16

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct plugin *all; /* under lock */
static aiox_atomic_u32 disabled;

void aiox_plugins_disable(void)
{
    aiox_u32_store_relaxed(&disabled, 1);
}

bool plugins_are_disabled_(void)
{
    return aiox_u32_load_relaxed(&disabled) != 0;
}

/* Under lock. Keeps @t for good. */
static int keep(const struct plugin **out, const struct tables *t,
                const struct aiox_fdmon_plugin *theirs, const char *path,
                struct aiox_backend_report *r)
{
    struct plugin *p = calloc(1, sizeof(*p));

    if (!p) {
        return report_set_(r, AIOX_BACKEND_LOAD, AIOX_FDMON_CAUSE_RESOURCES, -ENOMEM, "no memory");
    }
    p->tables = *t;
    p->theirs = theirs;
    snprintf(p->path, sizeof(p->path), "%s", path);
    p->next = all;
    all = p;
    *out = p;
    return 0;
}

static void take_facts(struct aiox_backend_report *r, const struct plugin *p)
{
    const struct aiox_fdmon_plugin *info = &p->tables.plugin;

    snprintf(r->name, sizeof(r->name), "%s", info->name);
    snprintf(r->version, sizeof(r->version), "%s", info->version);
    r->rank = info->rank;
    r->caps = info->caps;
}

int plugin_linked_in_(const struct plugin **out, const struct aiox_fdmon_plugin *theirs,
                      struct aiox_backend_report *r)
{
    const struct plugin *p;
    struct tables t;
    int error = 0;

    pthread_mutex_lock(&lock);
    p = all;
    while (p && (p->theirs != theirs || p->path[0])) {
        p = p->next;
    }
    if (!p) {
        error = negotiate_(&t, theirs, r);
        if (!error) {
            error = keep(&p, &t, theirs, "", r);
        }
    }
    pthread_mutex_unlock(&lock);
    if (p) {
        take_facts(r, p);
        *out = p;
    }
    return error;
}

/* Calls the entry of the open file until it shows the backend @name. */
static int find_backend(struct tables *t, const struct aiox_fdmon_plugin **theirs, void *handle,
                        const char *name, struct aiox_backend_report *r)
{
    void *symbol = dlsym(handle, AIOX_FDMON_ENTRY_SYMBOL);
    aiox_fdmon_entry_fn *entry;

    memset(t, 0, sizeof(*t));
    t->plugin.name = "nothing";
    t->plugin.version = "";
    if (!symbol) {
        return report_set_(r, AIOX_BACKEND_ABI, AIOX_FDMON_CAUSE_OTHER, -EPROTO,
                           "its entry %s() is missing", AIOX_FDMON_ENTRY_SYMBOL);
    }
    memcpy(&entry, &symbol, sizeof(entry)); /* C has no cast for it */
    for (uint32_t i = 0; i < BACKENDS_PER_FILE; i++) {
        int error;

        *theirs = entry(i);
        if (!*theirs) {
            break;
        }
        error = negotiate_(t, *theirs, r);
        if (error || strcmp(t->plugin.name, name) == 0) {
            return error;
        }
    }
    return report_set_(r, AIOX_BACKEND_ABI, AIOX_FDMON_CAUSE_OTHER, -EPROTO,
                       "the file is of '%s', its descriptor of '%s'", name, t->plugin.name);
}

/* What the file says of itself must be what its code says. */
static int check_agreement(const struct aiox_fdmon_plugin *p, const struct aiox_fdmon_note *note,
                           struct aiox_backend_report *r)
{
    if (p->abi_minor == note->abi_minor &&
        strncmp(p->version, note->version, sizeof(note->version) - 1) == 0) {
        return 0;
    }
    return report_set_(r, AIOX_BACKEND_ABI, AIOX_FDMON_CAUSE_OTHER, -EPROTO,
                       "its note says '%s' for %u.%u, its descriptor '%.23s' for %u.%u",
                       note->version, (unsigned)note->abi_major, (unsigned)note->abi_minor,
                       p->version, (unsigned)p->abi_major, (unsigned)p->abi_minor);
}

/* @why: the dynamic loader's, "liburing.so.2: cannot open shared object file: ...". */
static int say_not_loaded(struct aiox_backend_report *r, const char *why)
{
    const char *version = strstr(why, ".so.");
    int name = (int)strcspn(why, ":");
    int stem = version ? (int)(version - why) : name;

    report_set_(r, AIOX_BACKEND_LOAD, AIOX_FDMON_CAUSE_MISSING, -ELIBACC, "%s", why);
    if (stem >= name || !strstr(why, ": cannot open shared object file")) {
        return report_hint_(r, "install what it needs (ldd shows it)");
    }
    return report_hint_(r, "install %.*s (%.*s%.*s in Debian)", name, why, stem, why,
                        name - stem - (int)strlen(".so."), version + strlen(".so."));
}

/* Under lock. The file is trusted; it is looked at, opened, asked and kept. */
static int open_file(const struct plugin **out, const char *path, const char *name,
                     struct aiox_backend_report *r)
{
    const struct aiox_fdmon_plugin *theirs = NULL;
    struct aiox_fdmon_note note;
    struct tables t;
    void *handle;
    int error = elf_check_(&note, path, name, r);

    if (error) {
        return error;
    }
    snprintf(r->version, sizeof(r->version), "%s", note.version);
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle) {
        const char *why = dlerror();

        return say_not_loaded(r, why ? why : "dlopen() does not say why");
    }
    error = find_backend(&t, &theirs, handle, name, r);
    if (!error) {
        error = check_agreement(&t.plugin, &note, r);
    }
    return error ? error : keep(out, &t, theirs, path, r);
}

int plugin_load_(const struct plugin **out, const char *path, const char *name,
                 struct aiox_backend_report *r)
{
    const struct plugin *p;
    int error = 0;

    if (plugins_are_disabled_()) {
        return report_set_(r, AIOX_BACKEND_LOAD, AIOX_FDMON_CAUSE_DENIED, -EPERM,
                           "this program has called aiox_plugins_disable()");
    }
    pthread_mutex_lock(&lock);
    p = all;
    while (p && (strcmp(p->path, path) != 0 || strcmp(p->tables.plugin.name, name) != 0)) {
        p = p->next;
    }
    if (!p) {
        error = open_file(&p, path, name, r);
    }
    pthread_mutex_unlock(&lock);
    if (p) {
        take_facts(r, p);
        *out = p;
    }
    return error;
}

void plugin_look_(struct aiox_backend_report *r)
{
    struct aiox_fdmon_note note;

    if (elf_check_(&note, r->path, r->name, r) == 0) {
        snprintf(r->version, sizeof(r->version), "%s", note.version);
    }
}
