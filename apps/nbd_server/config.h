/* SPDX-License-Identifier: MIT */
/*
 * config.h - options from a file.
 *
 *   # what the options are called, without their dashes
 *   threads = 4
 *   unix = /run/disk.sock
 *
 *   [export data]
 *   file = /dev/vdb
 *   read-only = yes
 */
#ifndef AIOX_NBD_CONFIG_H_
#define AIOX_NBD_CONFIG_H_

#include "aiox/attributes.h"
#include "aiox/error.h"

#include "options.h"

AIOX_BEGIN_DECLS

enum { CONFIG_BYTES_MAX = 1 << 20 };

/*
 * Reads the file at @path into @o, which keeps its text.
 *
 *   -EINVAL   a line is not understood; @err says "path:line: why"
 *   -EFBIG    more than CONFIG_BYTES_MAX
 *   other     of open(2) and read(2)
 *
 * [any]
 */
AIOX_NODISCARD int config_read(struct options *o, const char *path, struct aiox_error *err);

AIOX_END_DECLS

#endif /* AIOX_NBD_CONFIG_H_ */
