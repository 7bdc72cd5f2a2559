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
 * and the file is not synced again. A sync whose result was lost with the engine
 * that had it counts as failed, though another one would say yes.
 */
#ifndef AIOX_NBD_FILE_SYNC_H_
#define AIOX_NBD_FILE_SYNC_H_

#include <stdbool.h>

#include "aiox/attributes.h"
#include "aiox/file.h"

#include "export.h"

AIOX_BEGIN_DECLS

struct file_sync {
    struct aiox_file *file; /* the owner's */
    const char *name;       /* of it, for the log */
    bool running;
    int error; /* the first there was */
    struct export_io *now;
    struct export_io *next;
    enum aiox_file_engine began; /* who got the sync that runs */
    struct aiox_file_request request;
};

/* Calls @io->done when all that was written up to now is on stable storage, or with the error.
 * [home] */
void file_sync_want(struct file_sync *s, struct export_io *io);

AIOX_END_DECLS

#endif /* AIOX_NBD_FILE_SYNC_H_ */
