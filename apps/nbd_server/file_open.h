/* SPDX-License-Identifier: MIT */
/*
 * file_open.h - finds a file or block device and what is to be known of it
 * before it is served.
 */
#ifndef AIOX_NBD_FILE_OPEN_H_
#define AIOX_NBD_FILE_OPEN_H_

#include <stdbool.h>
#include <stdint.h>

#include "aiox/attributes.h"
#include "aiox/error.h"

#include "export.h"

AIOX_BEGIN_DECLS

struct file_found {
    int fd;
    bool is_device;
    bool is_direct;       /* opened with O_DIRECT */
    uint32_t block_bytes; /* of a device; 0: not known, or a file */
    uint64_t size_bytes;
    uint32_t preferred_bytes;
    uint64_t file[2]; /* device and inode */
};

/*
 * Opens the file that @spec names. Errors are those of open(2), and
 *   -EINVAL   it is neither a file nor a block device, or the file system has no O_DIRECT
 *   -ESTALE   it is another file than the sibling has open, or of another size
 * [any]
 */
AIOX_NODISCARD int file_find(struct file_found *out, const struct export_spec *spec,
                             struct aiox_error *err);

/*
 * Makes an export of what was found, whose descriptor becomes its own on success.
 * @name is for the log, copied. -ENOMEM, -EAGAIN: no memory, or no thread; else errors
 * of file_direct_settle(). [home], or [init]
 */
AIOX_NODISCARD int export_file_adopt(struct nbd_export **out, struct aiox_context *ctx,
                                     const struct file_found *found, const char *name,
                                     struct aiox_error *err);

/* The descriptor of an export of a file; stays its own. [any] */
int export_file_descriptor(const struct nbd_export *e);

AIOX_END_DECLS

#endif /* AIOX_NBD_FILE_OPEN_H_ */
