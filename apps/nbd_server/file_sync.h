/* SPDX-License-Identifier: MIT */
/*
 * file_sync.h - one fdatasync at a time, shared by those who wait for it.
 *
 * Who asks while a sync runs waits for the next one, together with all others
 * who do: what was written before fdatasync is called is covered by it, what
 * comes later is not.
 *
 * The kernel reports a failed write-back once, to one sync, and calls the pages
 * clean. So the first error stands for good: everybody who asks later gets it,
 * and the file is not synced again.
 */
#ifndef AIOX_NBD_FILE_SYNC_H_
#define AIOX_NBD_FILE_SYNC_H_

#include <stdbool.h>

#include "aiox/aiox.h"
#include "aiox/attributes.h"

#include "export.h"

AIOX_BEGIN_DECLS

struct file_sync {
    struct aiox_context *ctx;
    struct aiox_bh *retry; /* the owner's; calls file_sync_retry() */
    const char *name;      /* of the file, for the log */
    int fd;
    bool requests; /* a sync is a request to the kernel, else it blocks */
    bool running;
    bool refused; /* the kernel had no room for the request that runs */
    int error;    /* the first there was */
    struct export_io *now;
    struct export_io *next;
    struct aiox_completion completion;
};

/* Calls @io->done when all that was written up to now is on stable storage, or with the error.
 * [home] */
void file_sync_want(struct file_sync *s, struct export_io *io);

/* Tries again if the kernel had no room. [home] */
void file_sync_retry(struct file_sync *s);

AIOX_END_DECLS

#endif /* AIOX_NBD_FILE_SYNC_H_ */
