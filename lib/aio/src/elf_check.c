/* SPDX-License-Identifier: MIT */
/*
 * elf_check.c - judges a plugin by its file, before any code of it runs.
 *
 * dlopen(3) is no function that returns errors: a file that is too short
 * kills the process, a FIFO stops it, and constructors have run before anybody
 * can ask what the file is. So we look first.
 */
#define _GNU_SOURCE
#include "elf_check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aiox/error.h"

#include "elf_file.h"
#include "report.h"

/* Opens @path if it is a regular file; does not wait for the other end of a FIFO. */
static int open_regular(struct elf_file *f, const char *path, struct aiox_backend_report *r)
{
    struct stat st;

    if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        return report_set_(r, AIOX_BACKEND_FIND, AIOX_FDMON_CAUSE_OTHER, -EINVAL,
                           "not a regular file"); /* to open a device may already do something */
    }
    f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
    if (f->fd < 0) {
        enum aiox_fdmon_cause cause =
            errno == EACCES ? AIOX_FDMON_CAUSE_DENIED : AIOX_FDMON_CAUSE_MISSING;

        return report_set_(r, AIOX_BACKEND_FIND, cause, -errno, "cannot be opened: %s",
                           aiox_error_text(errno));
    }
    if (fstat(f->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(f->fd);
        return report_set_(r, AIOX_BACKEND_FIND, AIOX_FDMON_CAUSE_OTHER, -EINVAL,
                           "not a regular file");
    }
    f->bytes = (uint64_t)st.st_size;
    return 0;
}

int elf_check_(struct aiox_fdmon_note *out, const char *path, const char *name,
               struct aiox_backend_report *r)
{
    struct elf_file f;
    int error;

    memset(&f, 0, sizeof(f));
    error = open_regular(&f, path, r);
    if (error) {
        return error;
    }
    error = elf_load_headers_(&f, r);
    if (!error) {
        error = elf_find_note_(&f, name, out, r);
    }
    if (!error) {
        error = elf_check_dynamic_(&f, r);
    }
    close(f.fd);
    return error;
}
