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
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "place.h"
#include "report.h"

/* Where /proc does not say otherwise. */
#define DEFAULT_OVERFLOW_UID 65534

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

/* True if every uid there can be has a name of its own here: the first namespace. */
static bool is_everybody_mapped(void)
{
    unsigned long first, outside, count;
    char text[64];

    read_text("/proc/self/uid_map", text, sizeof(text));
    return sscanf(text, "%lu %lu %lu", &first, &outside, &count) == 3 && first == 0 &&
           count == UINT32_MAX;
}

/* True if @uid may stand for owners that this namespace does not know. */
static bool is_unknown_owner(uid_t uid)
{
    char text[32];

    read_text("/proc/sys/kernel/overflowuid", text, sizeof(text));
    return uid == (text[0] ? strtoul(text, NULL, 10) : DEFAULT_OVERFLOW_UID) &&
           !is_everybody_mapped();
}

static bool is_owner_good(const char *path, const struct stat *st, enum trust_origin origin)
{
    if (is_unknown_owner(st->st_uid)) { /* perhaps our own number, too: that proves nothing */
        return origin == TRUST_SYSTEM || (S_ISDIR(st->st_mode) && place_is_above_code_(path));
    }
    return st->st_uid == 0 || st->st_uid == geteuid();
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
