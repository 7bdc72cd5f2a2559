/* SPDX-License-Identifier: MIT */
/*
 * search.c - which backends there are, before anybody looks inside.
 *
 * The first of a name wins, also when it turns out to be broken: whoever puts
 * a file in front means it. A file that cannot be trusted wins nothing, or a
 * stranger could keep the system's own backend from being found.
 */
#define _GNU_SOURCE
#include "search.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "aiox/error.h"

#include "names.h"
#include "place.h"
#include "report.h"
#include "trust.h"

#if defined(__x86_64__)
#define TRIPLET "x86_64-linux-gnu"
#elif defined(__i386__)
#define TRIPLET "i386-linux-gnu"
#elif defined(__aarch64__)
#define TRIPLET "aarch64-linux-gnu"
#elif defined(__arm__)
#define TRIPLET "arm-linux-gnueabihf"
#elif defined(__riscv)
#define TRIPLET "riscv64-linux-gnu"
#elif defined(__powerpc64__)
#define TRIPLET "powerpc64le-linux-gnu"
#elif defined(__s390__)
#define TRIPLET "s390x-linux-gnu"
#else
#define TRIPLET "unknown-linux-gnu"
#endif

#ifndef AIOX_PLUGINDIR
#define AIOX_PLUGINDIR "/usr/lib/" TRIPLET "/aiox/fdmon-1"
#endif

#define PREFIX "fdmon_"
#define SUFFIX ".so"

/* Where files lie, seen from the directory that holds this library or the program. */
static const char *const beside[] = {
    "aiox/fdmon-1",                    /* lib/libaiox_aio.so */
    "../lib/aiox/fdmon-1",             /* bin/program */
    "../lib/" TRIPLET "/aiox/fdmon-1", /* the same, as Debian has it */
    "../../lib/aiox/fdmon-1",          /* a build tree: tools/aiox_fdmon/aiox-fdmon */
};

static int add_linked_in(struct candidates *c, aiox_fdmon_entry_fn *entry)
{
    const struct aiox_fdmon_plugin *plugin;

    for (uint32_t i = 0; (plugin = entry(i)) != NULL; i++) {
        struct candidate *new_one = candidates_add_(c);

        if (!new_one) {
            return -ENOMEM;
        }
        new_one->linked_in = plugin;
        snprintf(new_one->report.name, sizeof(new_one->report.name), "%s",
                 plugin->name ? plugin->name : "");
        candidates_shadow_last_(c);
    }
    return 0;
}

/* Copies the name in fdmon_<name>.so. False: it is no such file name. */
static bool name_in(char *out, const char *file)
{
    size_t length = strlen(file);
    size_t around = strlen(PREFIX) + strlen(SUFFIX);

    if (length <= around || strncmp(file, PREFIX, strlen(PREFIX)) != 0 ||
        strcmp(file + length - strlen(SUFFIX), SUFFIX) != 0 ||
        !name_is_good_(file + strlen(PREFIX), length - around)) {
        return false;
    }
    memcpy(out, file + strlen(PREFIX), length - around);
    out[length - around] = '\0';
    return true;
}

/* Where the file @path leads to goes into @r. 0, or a negative errno with the reason. */
static int resolve(struct aiox_backend_report *r, const char *path)
{
    char resolved[PATH_MAX];

    snprintf(r->path, sizeof(r->path), "%.255s", path);
    if (!realpath(path, resolved)) {
        return report_set_(r, AIOX_BACKEND_FIND,
                           errno == EACCES ? AIOX_FDMON_CAUSE_DENIED : AIOX_FDMON_CAUSE_MISSING,
                           -errno, "%s", aiox_error_text(errno));
    }
    if (strlen(resolved) >= sizeof(r->path)) {
        return report_set_(r, AIOX_BACKEND_FIND, AIOX_FDMON_CAUSE_LIMIT, -ENAMETOOLONG,
                           "its path is longer than %zu bytes", sizeof(r->path) - 1);
    }
    snprintf(r->path, sizeof(r->path), "%.255s", resolved);
    return 0;
}

/* What is wrong with @dir is wrong with each file in it. */
static int add_file(struct candidates *c, const struct aiox_backend_report *dir,
                    enum trust_origin origin, const char *file)
{
    struct candidate *new_one = candidates_add_(c);
    char path[PATH_MAX + NAME_MAX];

    if (!new_one) {
        return -ENOMEM;
    }
    if (report_is_failure_(dir)) {
        new_one->report = *dir;
    }
    snprintf(path, sizeof(path), "%s/%s", dir->path, file);
    if (!name_in(new_one->report.name, file)) {
        snprintf(new_one->report.path, sizeof(new_one->report.path), "%.255s", path);
        report_set_(&new_one->report, AIOX_BACKEND_FIND, AIOX_FDMON_CAUSE_OTHER, -EINVAL,
                    "the file is not called " PREFIX "<name>" SUFFIX);
    } else if (report_is_failure_(dir)) {
        snprintf(new_one->report.path, sizeof(new_one->report.path), "%.255s", path);
    } else if (resolve(&new_one->report, path) == 0 &&
               trust_check_(new_one->report.path, origin, &new_one->report) == 0) {
        candidates_shadow_last_(c);
    }
    return 0;
}

static int looks_like_ours(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0 && length >= strlen(SUFFIX) &&
           strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX) == 0;
}

/* The order of the bytes: the same everywhere, whatever the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* A candidate without a name: what is wrong with @dir. */
static int add_failed_dir(struct candidates *c, const struct aiox_backend_report *dir)
{
    struct candidate *new_one = candidates_add_(c);

    if (!new_one) {
        return -ENOMEM;
    }
    new_one->report = *dir;
    return 0;
}

/* Adds what lies in the directory that @dir names, which is resolved. */
static int add_files(struct candidates *c, struct aiox_backend_report *dir,
                     enum trust_origin origin)
{
    struct dirent **entries;
    int error = 0;
    int count = scandir(dir->path, &entries, looks_like_ours, by_name);

    if (count < 0) {
        report_set_(dir, AIOX_BACKEND_FIND, AIOX_FDMON_CAUSE_DENIED, -errno,
                    "the directory cannot be read: %s", aiox_error_text(errno));
        return add_failed_dir(c, dir);
    }
    (void)!trust_check_(dir->path, origin, dir); /* add_file() looks at the report */
    for (int i = 0; i < count; i++) {
        if (!error) {
            error = add_file(c, dir, origin, entries[i]->d_name);
        }
        free(entries[i]);
    }
    free(entries);
    return error;
}

/* A directory that need not be there. */
static int search_dir(struct candidates *c, const char *path, enum trust_origin origin)
{
    struct aiox_backend_report dir = {.stage = AIOX_BACKEND_CHOSEN};
    int error;

    if (resolve(&dir, path) != 0) {
        return 0;
    }
    error = candidates_note_dir_(c, dir.path);
    if (error) {
        return error == -EEXIST ? 0 : error;
    }
    return add_files(c, &dir, origin);
}

/* A directory that somebody named: if it cannot be searched, that is said. */
static int search_named_dir(struct candidates *c, const char *path)
{
    struct aiox_backend_report dir = {.stage = AIOX_BACKEND_CHOSEN};

    if (path[0] != '/') {
        snprintf(dir.path, sizeof(dir.path), "%.255s", path);
        report_set_(&dir, AIOX_BACKEND_FIND, AIOX_FDMON_CAUSE_DENIED, -EINVAL,
                    "not an absolute path of a directory");
        return add_failed_dir(c, &dir);
    }
    return resolve(&dir, path) == 0 ? search_dir(c, path, TRUST_NAMED) : add_failed_dir(c, &dir);
}

static int search_path(struct candidates *c, const char *path)
{
    char *copy = strdup(path);
    char *rest = copy;
    char *dir;
    int error = copy ? 0 : -ENOMEM;

    while (!error && (dir = strsep(&rest, ":")) != NULL) {
        if (dir[0]) {
            error = search_named_dir(c, dir);
        }
    }
    free(copy);
    return error;
}

static int search_beside(struct candidates *c)
{
    char path[PATH_MAX + NAME_MAX];
    char place[PATH_MAX];
    int error = 0;

    if (!place_of_library_(place)) {
        return 0;
    }
    for (size_t i = 0; !error && i < sizeof(beside) / sizeof(*beside); i++) {
        snprintf(path, sizeof(path), "%s/%s", place, beside[i]);
        error = search_dir(c, path, TRUST_NAMED);
    }
    return error;
}

int search_(struct candidates *out, const struct aiox_backend_sources *from, bool files)
{
    bool system_only = from->system_only || getauxval(AT_SECURE) != 0;
    struct candidates c;
    int error = 0;

    memset(&c, 0, sizeof(c));
    for (int i = 0; !error && from->linked_in && from->linked_in[i]; i++) {
        error = add_linked_in(&c, from->linked_in[i]);
    }
    files = files && !from->linked_in_only && !plugins_are_disabled_();
    if (!error && files && !system_only && from->path) {
        error = search_path(&c, from->path);
    }
    if (!error && files && !system_only) {
        error = search_beside(&c);
    }
    if (!error && files) {
        error = search_dir(&c, AIOX_PLUGINDIR, TRUST_SYSTEM);
    }
    if (error) {
        candidates_free_(&c);
        return error;
    }
    *out = c;
    return 0;
}

int search_file_(struct candidates *out, const char *path)
{
    struct aiox_backend_report dir = {.stage = AIOX_BACKEND_CHOSEN};
    const char *slash = strrchr(path, '/');
    struct candidates c;
    int error;

    memset(&c, 0, sizeof(c));
    snprintf(dir.path, sizeof(dir.path), "%.*s", (int)(slash - path), path);
    error = add_file(&c, &dir, TRUST_NAMED, slash + 1);
    if (!error) {
        *out = c;
    }
    return error;
}
