/* SPDX-License-Identifier: MIT */
/*
 * trust.c - who may have written a file, judged by all directories above it.
 *
 * Nobody but root and the effective user may be able to change what the path
 * leads to: each part belongs to one of them, and is not writable by a group
 * or by everybody. A directory with the sticky bit may be: others can add to
 * it, but what is in it they can neither rename nor remove, and what they add
 * belongs to them. Because the whole chain is looked at, what was checked is
 * what is opened later.
 *
 * In a user namespace, owners that are not mapped all show as one number, the
 * overflow uid; root often is among them (a build sandbox of an ordinary
 * user). That number proves nothing. It is accepted in two places where the
 * owner, whoever that is, gains nothing: for a directory above the program,
 * this library or the C library, whose owner could have replaced the code
 * that runs here; and for what lies in the system's plugin directory, a path
 * that was fixed when this library was built.
 */
#define _GNU_SOURCE
#include "trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "place.h"
#include "report.h"

/* The first bytes of a small file, as text; empty if there are none. */
static void read_text(const char *path, char *out, size_t bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, bytes - 1);

    out[n > 0 ? n : 0] = '\0';
    if (fd >= 0) {
        close(fd);
    }
}

/* True if @uid has an owner in this namespace, and if nobody can tell. */
static bool is_mapped(uid_t uid)
{
    unsigned long first, outside, count;
    char text[4096];
    int used;

    read_text("/proc/self/uid_map", text, sizeof(text));
    if (!text[0]) {
        return true;
    }
    for (const char *at = text; sscanf(at, "%lu %lu %lu%n", &first, &outside, &count, &used) == 3;
         at += used) {
        if (uid >= first && uid - first < count) {
            return true;
        }
    }
    return false;
}

/* True if @uid stands for owners that this namespace does not know. */
static bool is_unknown_owner(uid_t uid)
{
    char text[32];

    read_text("/proc/sys/kernel/overflowuid", text, sizeof(text));
    return text[0] && strtoul(text, NULL, 10) == uid && !is_mapped(uid);
}

static bool is_owner_good(const char *path, const struct stat *st, enum trust_origin origin)
{
    if (st->st_uid == 0 || st->st_uid == geteuid()) {
        return true;
    }
    if (!is_unknown_owner(st->st_uid)) {
        return false;
    }
    return origin == TRUST_SYSTEM || (S_ISDIR(st->st_mode) && place_is_above_code_(path));
}

static int check_one(const char *path, enum trust_origin origin, struct aiox_backend_report *r)
{
    bool others, sticky;
    struct stat st;

    if (lstat(path, &st) != 0) {
        return report_set_(r, AIOX_BACKEND_FIND, AIOX_FDMON_CAUSE_MISSING, -errno, "%s: %s", path,
                           aiox_error_text(errno));
    }
    if (S_ISLNK(st.st_mode)) {
        return report_set_(r, AIOX_BACKEND_FIND, AIOX_FDMON_CAUSE_DENIED, -ELOOP,
                           "%s became a symbolic link just now", path);
    }
    if (!is_owner_good(path, &st, origin)) {
        report_set_(r, AIOX_BACKEND_FIND, AIOX_FDMON_CAUSE_DENIED, -EACCES,
                    "%s belongs to user %lu, who is neither root nor user %lu", path,
                    (unsigned long)st.st_uid, (unsigned long)geteuid());
        return report_hint_(r, "chown it, or use another directory");
    }
    others = (st.st_mode & S_IWOTH) != 0;
    sticky = S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX);
    if ((others || (st.st_mode & S_IWGRP)) && !sticky) {
        report_set_(r, AIOX_BACKEND_FIND, AIOX_FDMON_CAUSE_DENIED, -EACCES, "%s is writable by %s",
                    path, others ? "everybody" : "its group");
        return report_hint_(r, "chmod go-w it, or use another directory");
    }
    return 0;
}

int trust_check_(const char *path, enum trust_origin origin, struct aiox_backend_report *r)
{
    char part[PATH_MAX];
    int error = check_one("/", origin, r);

    for (const char *at = path; !error && *at;) {
        at = strchrnul(at + 1, '/');
        memcpy(part, path, (size_t)(at - path));
        part[at - path] = '\0';
        error = check_one(part, origin, r);
    }
    return error;
}
