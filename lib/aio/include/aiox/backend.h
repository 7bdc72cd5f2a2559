/* SPDX-License-Identifier: MIT */
/*
 * aiox/backend.h - which backend watches the descriptors, and why that one.
 *
 * A backend is linked into the program, or a file fdmon_<name>.so that is
 * opened by its absolute path. A specification chooses:
 *
 *   io_uring,epoll   the first of the list that works here
 *   epoll            this one or an error ("epoll!" says the same inside a list)
 *   auto             all that are found, best rank first
 *   auto,-io_uring   ... but not this one ("-io_uring" alone means the same)
 *   static           anywhere in a list: opens no file, only what is linked in
 *   caps:A+B         anywhere in a list: only what has these capabilities, such
 *                    as caps:ns_timeout+completion
 *
 * Files are looked for, in this order: the directories of @path; the
 * directory aiox/fdmon-1 beside the library or program itself; the system's
 * plugin directory. The first of a name wins. A file is read and judged (ELF
 * headers, machine, contract version, who may have written it) before any of
 * its code runs. It is opened once per process and never closed: the next
 * context with the same specification and sources takes it without a search,
 * as long as it works.
 *
 * Environment variables are read by the front door (aiox/aiox.h), not here.
 */
#ifndef AIOX_BACKEND_H_
#define AIOX_BACKEND_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aiox/attributes.h"
#include "aiox/error.h"
#include "aiox/fdmon.h"

AIOX_BEGIN_DECLS

/* Where backends may come from. Everything is copied when a context is made. */
struct aiox_backend_sources {
    /* What is linked in, ended by NULL; the first must work everywhere: what aiox_context_new()
     * takes. */
    aiox_fdmon_entry_fn *const *linked_in;
    const char *path;    /* further absolute directories, "a:b"; NULL: none */
    const char *options; /* "io_uring.entries=64,io_uring.defer=0"; NULL: none */
    bool linked_in_only; /* open no file at all */
    bool system_only;    /* a privileged process: files from the system's directory only */
};

enum aiox_backend_stage {
    AIOX_BACKEND_FIND = 0,   /* the file */
    AIOX_BACKEND_NOTE = 1,   /* what stands in it */
    AIOX_BACKEND_LOAD = 2,   /* dlopen(3) */
    AIOX_BACKEND_ABI = 3,    /* descriptor and tables */
    AIOX_BACKEND_PROBE = 4,  /* does it work here */
    AIOX_BACKEND_OPEN = 5,   /* make a monitor */
    AIOX_BACKEND_CHOSEN = 6, /* nothing went wrong */
    AIOX_BACKEND_SKIPPED = 7 /* excluded, shadowed, filtered, or not needed any more */
};

/* One candidate and how far it came. */
struct aiox_backend_report {
    char name[32];
    char version[24];              /* empty until known */
    char path[256];                /* empty: linked in */
    enum aiox_backend_stage stage; /* where it ended */
    enum aiox_fdmon_cause cause;
    int error; /* negative errno, or 0 */
    int32_t rank;
    uint64_t caps;
    char text[240]; /* what happened; empty if nothing to say */
    char hint[160]; /* what to change; may be empty */
    int64_t spent_ns;
};

/* The words of the enumerations: "probe", "denied by policy". Static. [any] */
AIOX_API const char *aiox_backend_stage_text(enum aiox_backend_stage stage);
AIOX_API const char *aiox_backend_cause_text(enum aiox_fdmon_cause cause);

/*
 * Writes the names of the AIOX_FDMON_CAP_* bits in @caps into @text, as after
 * "caps:" in a specification: "level+ns_timeout". Cut at @bytes, which is not
 * 0; unknown bits have no name. Returns @text. [any]
 */
AIOX_API const char *aiox_backend_caps_text(uint64_t caps, char *text, size_t bytes);

/* How a candidate is looked at by aiox_backend_scan(). */
enum aiox_backend_scan_mode {
    AIOX_BACKEND_SCAN_FILES, /* runs no code of a file: find and note only */
    AIOX_BACKEND_SCAN_LOAD,  /* up to the descriptor */
    AIOX_BACKEND_SCAN_PROBE, /* and whether it works here */
};

/*
 * One candidate. @plugin is what it says of itself, NULL when it did not come
 * so far or nothing of it was run; valid for good. Return false to stop.
 */
typedef bool aiox_backend_visit_fn(void *opaque, const struct aiox_backend_report *report,
                                   const struct aiox_fdmon_plugin *plugin);

/*
 * Shows every candidate in search order, shadowed ones too. @only, if not
 * NULL, is a name, or an absolute path of one file. Returns how many were
 * shown, or -ENOMEM. [any]
 */
AIOX_API AIOX_NODISCARD int aiox_backend_scan(const struct aiox_backend_sources *sources,
                                              enum aiox_backend_scan_mode mode, const char *only,
                                              aiox_backend_visit_fn *visit, void *opaque);

/* Opens no file as a backend any more in this process, for good. [any] */
AIOX_API void aiox_plugins_disable(void);

AIOX_END_DECLS

#endif /* AIOX_BACKEND_H_ */
