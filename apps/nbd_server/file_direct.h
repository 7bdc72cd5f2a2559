/* SPDX-License-Identifier: MIT */
/*
 * file_direct.h - a file past the page cache (O_DIRECT): what its requests must
 * be multiples of.
 */
#ifndef AIOX_NBD_FILE_DIRECT_H_
#define AIOX_NBD_FILE_DIRECT_H_

#include <stdint.h>

#include "aiox/attributes.h"
#include "aiox/error.h"
#include "aiox/file.h"
#include "aiox/thread_annotations.h"

AIOX_BEGIN_DECLS

/*
 * Finds in *@min_bytes, a power of two, what offsets and lengths of requests to
 * @file, which is @fd opened with O_DIRECT, must be multiples of. What the kernel
 * says is tried by a read; where it says nothing, lengths up to 64 KiB are.
 *
 *   -EINVAL   no such length is taken; memory of POOL_PAYLOAD_ALIGNMENT is not
 *             enough; @size_bytes is not a multiple
 *   -ENOMEM   no memory
 *   other     of the read
 *
 * with words in @err. Blocks. [home], or [init]
 */
AIOX_NODISCARD int file_direct_settle(const struct aiox_file *file, int fd, uint64_t size_bytes,
                                      uint32_t *min_bytes, struct aiox_error *err) blocking_fn;

AIOX_END_DECLS

#endif /* AIOX_NBD_FILE_DIRECT_H_ */
